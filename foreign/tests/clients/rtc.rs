//! `rtc-turn`, driven over a [`Link`]. It knows MD5 alone, and leaves it to its host to cut a stream into messages.

use std::{net::SocketAddr, time::Instant};

use bytes::BytesMut;
use rtc_shared::{TransportContext, TransportMessage, TransportProtocol};
use rtc_turn::client::{Client, ClientConfig, Event};
use sansio::Protocol;
use visavis_turn::wire::Method;

use crate::{
    foreign::{Credential, Data, Foreign, Surroundings},
    link::{Link, Over},
    relay::Loopback,
};

pub(crate) struct Rtc {
    client: Client,
    surroundings: Surroundings,
    protocol: TransportProtocol,
    relayed: Option<SocketAddr>,
    is_refused: bool,
    permitted: usize,
}

impl Rtc {
    pub(crate) fn new(relay: &Loopback, over: Over, credential: Credential) -> Self {
        assert!(!credential.sha256, "rtc-turn knows MD5 alone");
        let link = Link::new(relay, over);
        let protocol = if over == Over::Udp { TransportProtocol::UDP } else { TransportProtocol::TCP };
        let config = ClientConfig {
            turn_serv_addr: link.server.to_string(),
            local_addr: link.local,
            transport_protocol: protocol,
            username: credential.name.into(),
            password: credential.password.into(),
            ..ClientConfig::default()
        };
        let client = Client::new(config, rtc_crypto::default_provider().unwrap()).unwrap();
        let surroundings = Surroundings::new(link);
        Self { client, surroundings, protocol, relayed: None, is_refused: false, permitted: 0 }
    }

    fn now(&self) -> Instant {
        Instant::now() + self.surroundings.ahead
    }

    fn flush(&mut self) {
        while let Some(transmit) = self.client.poll_write() {
            self.surroundings.link.send(&transmit.message);
        }
    }

    fn relay(&mut self) -> rtc_turn::client::relay::Relay<'_> {
        self.client.relay(self.relayed.expect("an allocation")).unwrap()
    }
}

impl Foreign for Rtc {
    fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    fn surroundings_mut(&mut self) -> &mut Surroundings {
        &mut self.surroundings
    }

    fn drive(&mut self) {
        let now = self.now();
        self.client.handle_timeout(now).unwrap();
        self.flush();
        if let Some(packet) = self.surroundings.link.receive() {
            let transport = TransportContext {
                local_addr: self.surroundings.link.local,
                peer_addr: self.surroundings.link.server,
                transport_protocol: self.protocol,
                ecn: None,
            };
            let message = BytesMut::from(&packet[..]);
            self.client.handle_read(TransportMessage { now, transport, message }).unwrap();
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::AllocateResponse(_, relayed) => self.relayed = Some(relayed),
                Event::AllocateError(..) => self.is_refused = true,
                Event::CreatePermissionResponse(..) => self.permitted += 1,
                Event::DataIndicationOrChannelData(_, peer, payload) => {
                    self.surroundings.data.push(Data { peer, payload: payload.to_vec() });
                }
                other => panic!("not expected: {other:?}"),
            }
        }
    }

    fn allocate(&mut self) -> Option<SocketAddr> {
        let now = self.now();
        self.client.allocate(now).unwrap();
        self.until("an answer to Allocate", |own| own.relayed.is_some() || own.is_refused);
        self.relayed
    }

    fn permit(&mut self, peer: SocketAddr) {
        let now = self.now();
        self.relay().create_permission(now, peer).unwrap();
        self.until("a permission", |own| own.permitted == 1);
    }

    /// It binds by itself when it sends for the first time.
    fn bind(&mut self, _: SocketAddr) {
        self.until("a channel", |own| own.link().granted(Method::CHANNEL_BIND) == 1);
    }

    fn send(&mut self, peer: SocketAddr, payload: &[u8]) {
        let now = self.now();
        self.relay().send_to(now, payload, peer).unwrap();
        self.flush();
    }

    fn delete(&mut self) {
        let now = self.now();
        self.relay().close(now).unwrap();
    }
}
