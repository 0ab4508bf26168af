//! `rtc-turn`, driven over a [`Link`]. It knows MD5 alone, and leaves it to its host to cut a stream into messages.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rtc_shared::{TransportContext, TransportMessage, TransportProtocol};
use rtc_turn::client::{Client, ClientConfig, Event};
use sansio::Protocol;
use visavis_turn::wire::Method;

use crate::{
    foreign::{Credential, Data, Foreign},
    link::{Link, Over},
    relay::{Loopback, PATIENCE},
};

pub(crate) struct Rtc {
    client: Client,
    link: Link,
    protocol: TransportProtocol,
    /// How far the client's clock is ahead.
    ahead: Duration,
    relayed: Option<SocketAddr>,
    is_refused: bool,
    permitted: usize,
    data: Vec<Data>,
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
        Self {
            client,
            link,
            protocol,
            ahead: Duration::ZERO,
            relayed: None,
            is_refused: false,
            permitted: 0,
            data: Vec::new(),
        }
    }

    fn now(&self) -> Instant {
        Instant::now() + self.ahead
    }

    fn flush(&mut self) {
        while let Some(transmit) = self.client.poll_write() {
            self.link.send(&transmit.message);
        }
    }

    /// Sends what the client wants to send, and gives it what arrives.
    fn drive(&mut self) {
        let now = self.now();
        self.client.handle_timeout(now).unwrap();
        self.flush();
        if let Some(packet) = self.link.receive() {
            let transport = TransportContext {
                local_addr: self.link.local,
                peer_addr: self.link.server,
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
                    self.data.push(Data { peer, payload: payload.to_vec() });
                }
                other => panic!("not expected: {other:?}"),
            }
        }
    }

    fn until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !reached(self) {
            assert!(start.elapsed() < PATIENCE, "{what}: {:?}", self.link.passed);
            self.drive();
        }
    }

    fn relay(&mut self) -> rtc_turn::client::relay::Relay<'_> {
        self.client.relay(self.relayed.expect("an allocation")).unwrap()
    }
}

impl Foreign for Rtc {
    fn link(&self) -> &Link {
        &self.link
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
        self.until("a channel", |own| own.link.granted(Method::CHANNEL_BIND) == 1);
    }

    fn send(&mut self, peer: SocketAddr, payload: &[u8]) {
        let now = self.now();
        self.relay().send_to(now, payload, peer).unwrap();
        self.flush();
    }

    fn receive(&mut self) -> Data {
        self.until("data", |own| !own.data.is_empty());
        self.data.remove(0)
    }

    fn skip(&mut self, time: Duration) {
        self.ahead += time;
    }

    fn turn(&mut self) {
        self.drive();
    }

    fn wait(&mut self, what: &str, reached: &dyn Fn(&Link) -> bool) {
        self.until(what, |own| reached(&own.link));
    }

    fn delete(&mut self) {
        let now = self.now();
        self.relay().close(now).unwrap();
    }
}
