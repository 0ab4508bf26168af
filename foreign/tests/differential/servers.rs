//! Both servers with their shells played by the test, in the same virtual time.

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use stun_proto::{Instant, types::TransportType};
use turn_server_proto::{
    api::{Transmit, TurnServerApi, TurnServerPollRet},
    server::TurnServer,
};
use turn_types::AddressFamily;
use visavis_clock::Now;
use visavis_turn::{
    Action, Config, FiveTuple, Frame, FromClient, Limits, PeerAddr, PeerPolicy, PortRange, RelayInterface,
    RelayKey, RelayedAddr, Secret, Server, Transport, frame,
};

use crate::{
    outcome::Outcome,
    request::{ACCOUNTS, REALM},
};

/// Where both servers listen for clients of each family.
pub(crate) const LISTEN: [&str; 2] = ["5.6.7.8:3478", "[2a01:4f8::1]:3478"];
pub(crate) const NONCE_LIFETIME: Duration = Duration::from_secs(600);

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

pub(crate) fn listen(is_v4: bool) -> SocketAddr {
    address(LISTEN[usize::from(!is_v4)])
}

/// A server that can be asked the same as the other.
pub(crate) trait Asked {
    fn client(&mut self, now: Duration, from: SocketAddr, packet: &[u8]) -> Outcome;
    /// A datagram from `peer` reaches the relayed transport address `at`.
    fn peer(&mut self, now: Duration, at: SocketAddr, peer: SocketAddr, payload: &[u8]) -> Outcome;
}

pub(crate) struct Ours {
    server: Server,
    listen: SocketAddr,
    transport: Transport,
    bound: BTreeMap<RelayKey, SocketAddr>,
    /// What was bound for the last packet: theirs gets the same.
    pub(crate) just_bound: Vec<SocketAddr>,
}

impl Ours {
    pub(crate) fn new(is_v4: bool, is_stream: bool) -> Self {
        let relay = |ip: &str| {
            let ip: IpAddr = ip.parse().expect("an address");
            RelayInterface { advertised: ip, local: ip }
        };
        let config = Config {
            realm: REALM.into(),
            secrets: Vec::new(),
            accounts: ACCOUNTS
                .iter()
                .map(|(name, password)| ((*name).into(), Secret::new(*password)))
                .collect(),
            nonce_key: [7; 32],
            relays: vec![relay("5.6.7.8"), relay("2a01:4f8::1")],
            ports: PortRange::new(49_152, 65_535),
            peers: PeerPolicy::new(&[], &[], &[]),
            limits: Limits { nonce_lifetime: NONCE_LIFETIME, ..Limits::off() },
            unix_time_at_zero: Duration::from_secs(1_700_000_000),
        };
        let (server, bound, just_bound) = (Server::new(config, [3; 32]), BTreeMap::new(), Vec::new());
        let transport = if is_stream { Transport::Tcp } else { Transport::Udp };
        Self { server, listen: listen(is_v4), transport, bound, just_bound }
    }

    /// Ends the client's allocation.
    pub(crate) fn end(&mut self, now: Duration, client: SocketAddr) {
        self.server.handle_closed(Now::after(now), self.five_tuple(client));
        self.act(now);
    }

    const fn five_tuple(&self, client: SocketAddr) -> FiveTuple {
        FiveTuple { client, server: self.listen, transport: self.transport }
    }

    fn act(&mut self, now: Duration) -> Option<Outcome> {
        let mut released = None;
        while let Some(action) = self.server.poll_action() {
            match action {
                Action::CloseRelay { relay } => drop(self.bound.remove(&relay)),
                Action::BindRelay { relay, local } => {
                    self.bound.insert(relay, local);
                    self.just_bound.push(local);
                    if let Some(reply) = self.server.handle_relay_bound(Now::after(now), relay, true) {
                        released = Some(Outcome::to_client(reply.to.client, reply.bytes));
                    }
                }
            }
        }
        released
    }
}

impl Asked for Ours {
    fn client(&mut self, now: Duration, from: SocketAddr, packet: &[u8]) -> Outcome {
        self.just_bound.clear();
        let from = self.five_tuple(from);
        if self.transport.is_stream() {
            assert_eq!(frame(packet), Frame::Whole(packet.len()), "what is sent on streams has frames");
        }
        self.server.handle_timeout(Now::after(now));
        self.act(now);
        let outcome = match self.server.handle_client(Now::after(now), from, packet) {
            FromClient::Nothing => Outcome::Nothing,
            FromClient::Reply(reply) => Outcome::to_client(reply.to.client, reply.bytes),
            FromClient::ToPeer { from, peer, payload, .. } => {
                Outcome::ToPeer { relayed: self.bound[&from], peer: peer.0, payload: payload.to_vec() }
            }
            FromClient::ToRelayed { from, to, payload } => {
                Outcome::ToPeer { relayed: from.0, peer: to.0, payload: payload.to_vec() }
            }
        };
        self.act(now).unwrap_or(outcome)
    }

    fn peer(&mut self, now: Duration, at: SocketAddr, peer: SocketAddr, payload: &[u8]) -> Outcome {
        self.server.handle_timeout(Now::after(now));
        self.act(now);
        let Some(relay) = self.server.relay_at(RelayedAddr(at)) else { return Outcome::Nothing };
        let Some(to) = self.server.handle_peer(Now::after(now), relay, PeerAddr(peer), payload) else {
            return Outcome::Nothing;
        };
        let padding = vec![0; usize::from(to.padding)];
        Outcome::to_client(to.to.client, &[&*to.header, payload, &padding].concat())
    }
}

pub(crate) struct Theirs {
    /// It listens at one address.
    server: TurnServer,
    listen: SocketAddr,
    transport: TransportType,
    /// What to bind next; ports of their own if ours bound none.
    pub(crate) to_bind: Vec<SocketAddr>,
    port: u16,
}

impl Theirs {
    pub(crate) fn new(is_v4: bool, is_stream: bool) -> Self {
        let listen = listen(is_v4);
        let transport = if is_stream { TransportType::Tcp } else { TransportType::Udp };
        let mut server = TurnServer::new(transport, listen, REALM.into());
        for (name, password) in ACCOUNTS {
            server.add_user(name.into(), password.into());
        }
        server.set_nonce_expiry_duration(NONCE_LIFETIME);
        Self { server, listen, transport, to_bind: Vec::new(), port: 10_000 }
    }

    /// Lets the server do what it wants by now, and says what it sends.
    fn poll(&mut self, now: Duration) -> VecDeque<Outcome> {
        let at = instant(now);
        loop {
            match self.server.poll(at) {
                TurnServerPollRet::AllocateSocket {
                    transport,
                    listen_addr,
                    client_addr,
                    allocation_transport,
                    family,
                } => {
                    let wanted = |bound: &SocketAddr| bound.is_ipv4() == (family == AddressFamily::IPV4);
                    let bound = match self.to_bind.iter().position(wanted) {
                        Some(index) => self.to_bind.remove(index),
                        None => {
                            self.port = self.port.wrapping_add(1).max(10_000);
                            let ip = if family == AddressFamily::IPV4 { "5.6.7.8" } else { "2a01:4f8::1" };
                            SocketAddr::new(ip.parse().expect("an address"), self.port)
                        }
                    };
                    self.server.allocated_socket(
                        transport,
                        listen_addr,
                        client_addr,
                        allocation_transport,
                        family,
                        Ok(bound),
                        at,
                    );
                }
                TurnServerPollRet::WaitUntil(_) => break,
                _ => {}
            }
        }
        let mut sent = VecDeque::new();
        while let Some(transmit) = self.server.poll_transmit(at) {
            sent.push_back(self.outcome(&transmit));
        }
        sent
    }

    fn outcome(&self, transmit: &Transmit<Vec<u8>>) -> Outcome {
        if transmit.from == self.listen {
            return Outcome::to_client(transmit.to, &transmit.data);
        }
        Outcome::ToPeer { relayed: transmit.from, peer: transmit.to, payload: transmit.data.clone() }
    }

    /// The client's connection is gone.
    pub(crate) fn close(&mut self, now: Duration, client: SocketAddr) {
        if self.transport == TransportType::Tcp {
            let end = Transmit::new(Vec::new(), self.transport, client, self.listen);
            assert!(self.server.recv(end, instant(now)).is_none());
        }
    }

    fn receive(&mut self, now: Duration, transmit: Transmit<Vec<u8>>) -> Outcome {
        assert!(self.poll(now).is_empty(), "nothing is owed");
        let sent = self.server.recv(transmit, instant(now)).map(|transmit| self.outcome(&transmit.build()));
        let mut owed = self.poll(now);
        assert!(owed.len() + usize::from(sent.is_some()) <= 1, "two answers: {sent:?} and {owed:?}");
        sent.or_else(|| owed.pop_front()).unwrap_or(Outcome::Nothing)
    }
}

impl Asked for Theirs {
    fn client(&mut self, now: Duration, from: SocketAddr, packet: &[u8]) -> Outcome {
        // A stream has no borders.
        let border = if self.transport == TransportType::Tcp { packet.len() / 3 } else { 0 };
        let transmit = |part: &[u8]| Transmit::new(part.to_vec(), self.transport, from, self.listen);
        let [first, second] = [transmit(&packet[..border]), transmit(&packet[border..])];
        if border > 0 {
            assert_eq!(self.receive(now, first), Outcome::Nothing, "a message is not whole yet");
        }
        self.receive(now, second)
    }

    fn peer(&mut self, now: Duration, at: SocketAddr, peer: SocketAddr, payload: &[u8]) -> Outcome {
        self.receive(now, Transmit::new(payload.to_vec(), TransportType::Udp, peer, at))
    }
}

fn instant(now: Duration) -> Instant {
    Instant::from_nanos(now.as_nanos() as i64)
}
