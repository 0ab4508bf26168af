//! `turn-client-proto`, driven over a [`Link`].

use std::{net::SocketAddr, time::Instant as Clock};

use stun_proto::{
    Instant,
    types::{TransportType, message::IntegrityAlgorithm},
};
use turn_client_proto::{
    api::{Transmit, TurnClientApi, TurnConfig, TurnEvent, TurnRecvRet},
    client::TurnClient,
    prelude::DelayedTransmitBuild,
    tcp::TurnClientTcp,
    udp::TurnClientUdp,
};
use turn_types::TurnCredentials;
use visavis_turn::wire::Method;

use crate::{
    foreign::{Credential, Data, Foreign, Surroundings},
    link::{Link, Over},
    relay::Loopback,
};

pub(crate) struct Proto {
    client: TurnClient,
    surroundings: Surroundings,
    started: Clock,
    events: Vec<TurnEvent>,
    over: Over,
    is_refused: bool,
}

impl Proto {
    pub(crate) fn new(relay: &Loopback, over: Over, credential: Credential) -> Self {
        let link = Link::new(relay, over);
        let mut config = TurnConfig::new(TurnCredentials::new(credential.name, credential.password));
        if credential.sha256 {
            config.set_supported_integrity(IntegrityAlgorithm::Sha256);
        }
        let client = match over {
            Over::Udp => TurnClientUdp::allocate(link.local, link.server, config).into(),
            Over::Tcp => TurnClientTcp::allocate(link.local, link.server, config).into(),
        };
        let surroundings = Surroundings::new(link);
        Self { client, surroundings, started: Clock::now(), events: Vec::new(), over, is_refused: false }
    }

    fn now(&self) -> Instant {
        Instant::ZERO + (self.started.elapsed() + self.surroundings.ahead)
    }

    fn happened(&self, event: impl Fn(&TurnEvent) -> bool) -> bool {
        self.events.iter().any(event)
    }
}

impl Foreign for Proto {
    fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    fn surroundings_mut(&mut self) -> &mut Surroundings {
        &mut self.surroundings
    }

    fn drive(&mut self) {
        let now = self.now();
        let _ = self.client.poll(now);
        while let Some(transmit) = self.client.poll_transmit(now) {
            self.surroundings.link.send(&transmit.data);
        }
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
        let Some(packet) = self.surroundings.link.receive() else { return };
        let transport = self.client.transport();
        let transmit =
            Transmit::new(packet, transport, self.surroundings.link.server, self.surroundings.link.local);
        match self.client.recv(transmit, self.now()) {
            TurnRecvRet::PeerData(data) => {
                self.surroundings.data.push(Data { peer: data.peer, payload: data.data().to_vec() })
            }
            TurnRecvRet::Handled => {}
            // It does not take the second challenge for an answer, and asks again until it gives up.
            TurnRecvRet::Ignored(_) => {
                self.is_refused = self.surroundings.link.refused(Method::ALLOCATE, 401) >= 2
            }
            other => panic!("the client does not take what the relay sends: {other:?}"),
        }
        let now = self.now();
        while let Some(data) = self.client.poll_recv(now) {
            self.surroundings.data.push(Data { peer: data.peer, payload: data.data().to_vec() });
        }
    }

    fn allocate(&mut self) -> Option<SocketAddr> {
        self.until("an answer to Allocate", |own| {
            own.is_refused
                || own.happened(|event| {
                    matches!(event, TurnEvent::AllocationCreated(..) | TurnEvent::AllocationCreateFailed(_))
                })
        });
        self.client.relayed_addresses().next().map(|(_, relayed)| relayed)
    }

    fn permit(&mut self, peer: SocketAddr) {
        let now = self.now();
        self.client.create_permission(TransportType::Udp, peer.ip(), now).unwrap();
        self.until("a permission", |own| {
            own.happened(|event| matches!(event, TurnEvent::PermissionCreated(..)))
        });
    }

    fn bind(&mut self, peer: SocketAddr) {
        let now = self.now();
        self.client.bind_channel(TransportType::Udp, peer, now).unwrap();
        self.until("a channel", |own| own.happened(|event| matches!(event, TurnEvent::ChannelCreated(..))));
    }

    fn send(&mut self, peer: SocketAddr, payload: &[u8]) {
        let now = self.now();
        let transmit = self.client.send_to(TransportType::Udp, peer, payload, now);
        let transmit = transmit.unwrap_or_else(|error| {
            panic!("{error}: {:?}, {:?}", self.events, self.surroundings.link.passed)
        });
        if let Some(transmit) = transmit {
            self.surroundings.link.send(&transmit.data.build());
        }
        self.drive();
    }

    /// On streams it does neither, against RFC 8656 section 12.5.
    fn pads(&self) -> bool {
        self.over == Over::Udp
    }

    fn delete(&mut self) {
        let now = self.now();
        self.client.delete(now).unwrap();
    }
}
