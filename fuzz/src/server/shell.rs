//! What the shell of a server does, with every answer checked.

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use arbitrary::Arbitrary;
use visavis_clock::Now;
use visavis_turn::{
    Action, Config, FiveTuple, FromClient, Icmp, IpNet, Limits, PeerAddr, PeerPolicy, PortRange, Rate,
    RelayInterface, RelayKey, RelayedAddr, Secret, Server, ToClient,
    wire::{Class, Message, Method, attribute},
};

use super::{
    client::{ACCOUNTS, Client, REALM, write_attributes, write_wish},
    promises::Promises,
    step::{Family, Length, Number, Peer, Step},
};

const CLIENTS: u8 = 8;
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(5, 6, 7, 8));
const PUBLIC_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2a01, 0x4f8, 0, 0, 0, 0, 0, 1));
const FIRST_PORT: u16 = 49_152;
/// Longer than any allocation lives.
const LONG: Duration = Duration::from_secs(4000);
/// Payloads that fit into any message to a client.
const FITS: usize = 65_000;

/// How tight the limits are.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limited {
    /// No rates, no quotas.
    No,
    /// So that everything runs out at once.
    Tightly,
}

fn limits(limited: Limited) -> Limits {
    match limited {
        Limited::No => Limits::off(),
        Limited::Tightly => Limits {
            unauthenticated: Some(Rate { per_second: 1, burst: 4 }),
            bandwidth: Some(100_000),
            permissions: 3,
            channels: 3,
            allocations_per_credential: 3,
            allocations_per_address: 2,
            allocations: 5,
            ..Limits::default()
        },
    }
}

fn policy() -> PeerPolicy {
    let deny: IpNet = "8.8.7.8/32".parse().unwrap();
    PeerPolicy::new(&[PUBLIC, PUBLIC_V6, Ipv4Addr::new(10, 0, 0, 8).into()], &[], &[deny])
}

/// A server to which everybody is a stranger so far.
pub(crate) fn stranger(limited: Limited) -> Server {
    let relay = |advertised, local| RelayInterface { advertised, local };
    let ports = if limited == Limited::Tightly { 8 } else { 32 };
    let config = Config {
        realm: REALM.into(),
        secrets: vec![Secret::new("shared")],
        accounts: [ACCOUNTS[0], ACCOUNTS[1], (ACCOUNTS[2].0, "right")]
            .map(|(name, password)| (name.to_owned(), Secret::new(password)))
            .to_vec(),
        nonce_key: [7; 32],
        relays: vec![relay(PUBLIC, Ipv4Addr::new(10, 0, 0, 8).into()), relay(PUBLIC_V6, PUBLIC_V6)],
        ports: PortRange::new(FIRST_PORT, FIRST_PORT + ports - 1),
        peers: policy(),
        limits: limits(limited),
        unix_time_at_zero: Duration::from_secs(1_700_000_000),
    };
    Server::new(config, [3; 32])
}

/// What came of a packet, with nothing borrowed.
enum Came {
    Nothing,
    Reply(FiveTuple, Vec<u8>),
    ToPeer(RelayKey, SocketAddr, Vec<u8>),
    ToRelayed(RelayedAddr, RelayedAddr, Vec<u8>),
}

pub(super) struct Shell {
    server: Server,
    limited: Limited,
    policy: PeerPolicy,
    now: Now,
    clients: Vec<Client>,
    bound: BTreeMap<RelayKey, SocketAddr>,
    bind_failures: u8,
    /// Sockets that were bound or could not be, of which the server does not know yet.
    answers: VecDeque<(RelayKey, bool)>,
    holds_answers: bool,
    promises: Promises,
}

impl Shell {
    pub(super) fn new(limited: Limited) -> Self {
        Self {
            server: stranger(limited),
            limited,
            policy: policy(),
            now: Now::ZERO,
            clients: (0..CLIENTS).map(Client::new).collect(),
            bound: BTreeMap::new(),
            bind_failures: 0,
            answers: VecDeque::new(),
            holds_answers: false,
            promises: Promises::new(CLIENTS.into()),
        }
    }

    pub(super) fn play(&mut self, step: Step) {
        match step {
            Step::Seconds(seconds) => self.pass(Duration::from_secs(u64::from(seconds % 3700))),
            Step::Milliseconds(time) => self.pass(Duration::from_millis(time.into())),
            Step::BindFailures(failures) => self.bind_failures = failures % 16,
            Step::HoldAnswers(holds) => {
                self.holds_answers = holds;
                self.act();
            }
            Step::FromPeer { relay, peer, length } => self.of_peer(relay, peer, length),
            Step::Icmp { relay, peer, kind, code, mtu } => {
                self.icmp(relay, peer, Icmp { kind, code, mtu: mtu.into() });
            }
            step => self.of_client(step),
        }
        self.server.handle_timeout(self.now);
        self.act();
        let live = self.promises.live(self.now);
        assert_eq!(self.server.counters().allocations, live as u64, "allocations that live");
        assert!(self.bound.len() >= live);
    }

    fn of_client(&mut self, step: Step) {
        let (client, packet) = match step {
            Step::Challenge { client } => {
                let client = client % CLIENTS;
                (client, self.clients[usize::from(client)].plain(Class::Request, Method::ALLOCATE, |_| {}))
            }
            Step::Plain { client, class, method, attributes } => {
                let class =
                    [Class::Request, Class::Indication, Class::Success, Class::Error][usize::from(class % 4)];
                let packet = self.client(client).plain(class, Method(method % 0x1000), |writer| {
                    write_attributes(writer, &attributes);
                });
                (client % CLIENTS, packet)
            }
            Step::Bytes { client, bytes } => (client % CLIENTS, bytes),
            Step::Again { client, change } => {
                let mut packet = self.client(client).last.clone();
                if let Some((at, xor)) = change.filter(|_| !packet.is_empty()) {
                    let at = usize::from(at) % packet.len();
                    packet[at] ^= xor;
                }
                (client % CLIENTS, packet)
            }
            Step::Become { client, account, sha256, fingerprint } => {
                return self.client(client).become_other(account, sha256, fingerprint);
            }
            Step::Closed { client } => {
                let from = self.client(client).from;
                self.promises.end((client % CLIENTS).into());
                return self.server.handle_closed(self.now, from);
            }
            Step::Send { client, peer, length } => {
                let (peer, payload) = (self.address(peer), payload(length));
                let packet = self.client(client).plain(Class::Indication, Method::SEND, |writer| {
                    writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
                    writer.attribute(attribute::DATA, &payload[..payload.len().min(FITS)]);
                });
                (client % CLIENTS, packet)
            }
            Step::ChannelData { client, number, length } => {
                let mut packet = number.get().to_be_bytes().to_vec();
                packet.extend_from_slice(&(length.get() as u16).to_be_bytes());
                packet.extend_from_slice(&payload(length));
                (client % CLIENTS, packet)
            }
            request => return self.request(request),
        };
        self.packet(client.into(), packet, false);
    }

    fn request(&mut self, step: Step) {
        let (client, packet) = match step {
            Step::Allocate { client, wish } => {
                (client, self.client(client).signed(Method::ALLOCATE, |writer| write_wish(writer, &wish)))
            }
            Step::Refresh { client, lifetime, family } => {
                let packet = self.client(client).signed(Method::REFRESH, |writer| {
                    if let Some(lifetime) = lifetime {
                        writer.number(attribute::LIFETIME, lifetime.into());
                    }
                    if let Some(family) = family.map(Family::value) {
                        writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &family);
                    }
                });
                (client, packet)
            }
            Step::CreatePermission { client, peers } => {
                let peers: Vec<_> = peers.into_iter().map(|peer| self.address(peer)).collect();
                let packet = self.client(client).signed(Method::CREATE_PERMISSION, |writer| {
                    for peer in peers.iter().take(1000) {
                        writer.xor_address(attribute::XOR_PEER_ADDRESS, *peer);
                    }
                });
                (client, packet)
            }
            Step::ChannelBind { client, number, peer } => {
                let peer = self.address(peer);
                (
                    client,
                    self.client(client)
                        .signed(Method::CHANNEL_BIND, |writer| write_bind(writer, number, peer)),
                )
            }
            Step::Signed { client, method, attributes } => {
                let packet = self.client(client).signed(Method(method % 0x1000), |writer| {
                    write_attributes(writer, &attributes);
                });
                (client, packet)
            }
            other => unreachable!("no request: {other:?}"),
        };
        self.packet((client % CLIENTS).into(), packet, true);
    }

    fn client(&mut self, client: u8) -> &mut Client {
        &mut self.clients[usize::from(client % CLIENTS)]
    }

    fn address(&self, peer: Peer) -> SocketAddr {
        match peer {
            Peer::Public(n) => (Ipv4Addr::new(8, 8, n % 8, 8), 5000 + u16::from(n / 64)).into(),
            Peer::PublicV6(n) => (Ipv6Addr::new(0x2a00, 0, 0, 0, 0, 0, 0, u16::from(n % 8)), 5000).into(),
            Peer::Relayed(client) => self
                .promises
                .relayed(usize::from(client % CLIENTS), usize::from(client / CLIENTS))
                .unwrap_or_else(|| SocketAddr::new(PUBLIC, FIRST_PORT)),
            Peer::Own(port) => SocketAddr::new(PUBLIC, port),
            Peer::Any(ip, port) => (ip, port).into(),
            Peer::AnyV6(ip, port) => (ip, port).into(),
        }
    }

    /// Hands a packet in. `is_fresh`: the client made it just now, signed as it signs.
    fn packet(&mut self, client: usize, packet: Vec<u8>, is_fresh: bool) {
        let from = self.clients[client].from;
        self.clients[client].last.clone_from(&packet);
        self.promises.asked(client, &packet);
        let came = match self.server.handle_client(self.now, from, &packet) {
            FromClient::Nothing => Came::Nothing,
            FromClient::Reply(reply) => Came::Reply(reply.to, reply.bytes.to_vec()),
            FromClient::ToPeer { from, peer, payload, .. } => Came::ToPeer(from, peer.0, payload.to_vec()),
            FromClient::ToRelayed { from, to, payload, .. } => Came::ToRelayed(from, to, payload.to_vec()),
        };
        match came {
            Came::Nothing => {}
            Came::Reply(to, bytes) => {
                assert_eq!(to, from);
                self.reply(client, &bytes, is_fresh);
            }
            Came::ToPeer(relay, peer, payload) => {
                assert!(self.bound.contains_key(&relay), "data leaves from a bound socket");
                assert!(self.policy.allows(peer.ip()) && peer.port() != 0, "a refused peer gets data");
                assert!(self.promises.reaches(self.now, client, peer), "a peer gets data without permission");
                assert!(
                    packet.windows(payload.len().max(1)).any(|part| part == payload) || payload.is_empty()
                );
            }
            Came::ToRelayed(relayed, to, payload) => {
                assert_eq!(self.promises.owner(relayed.0), Some(client));
                assert!(to.0.ip() == PUBLIC || to.0.ip() == PUBLIC_V6);
                assert!(self.promises.reaches(self.now, client, to.0));
                let arrived = self.server.handle_relayed(self.now, relayed, to, &payload);
                self.to_client(self.promises.owner(to.0), relayed.0, &payload, arrived);
            }
        }
        self.act();
    }

    fn reply(&mut self, client: usize, bytes: &[u8], is_fresh: bool) {
        let answer = Message::parse(bytes).expect("the server writes valid messages");
        assert_ne!(answer.fingerprint_holds(), Some(false));
        let is_success = self.promises.answered(self.now, client, &answer);
        if is_fresh && is_success && answer.method() != Method::BINDING {
            assert!(self.clients[client].is_known(), "a wrong password is granted something");
            assert!(self.clients[client].trusts(&answer), "a success is signed");
        }
        self.clients[client].learn(&answer);
    }

    fn of_peer(&mut self, relay: u8, peer: Peer, length: Length) {
        let Some((client, key)) = self.relay(relay) else { return };
        let (peer, payload) = (self.address(peer), payload(length));
        let arrived = self.server.handle_peer(self.now, key, PeerAddr(peer), &payload);
        self.to_client(Some(client), peer, &payload, arrived);
    }

    fn icmp(&mut self, relay: u8, peer: Peer, icmp: Icmp) {
        let Some((client, key)) = self.relay(relay) else { return };
        let peer = self.address(peer);
        let Some(reply) = self.server.handle_icmp(self.now, key, PeerAddr(peer), icmp) else { return };
        assert!(
            self.promises.permits(self.now, client, peer.ip()),
            "an error about a peer without permission"
        );
        assert_eq!(reply.to, self.clients[client].from);
        let message = Message::parse(reply.bytes).expect("a Data indication");
        assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
        assert_eq!(message.attribute(attribute::ICMP).map(<[u8]>::len), Some(8));
    }

    /// A client and one of its relayed transport addresses.
    fn relay(&self, relay: u8) -> Option<(usize, RelayKey)> {
        let (client, which) = (usize::from(relay % CLIENTS), usize::from(relay / CLIENTS));
        let relayed = self.promises.relayed(client, which)?;
        let key = self.server.relay_at(RelayedAddr(relayed)).expect("what was promised lives");
        Some((client, key))
    }

    /// Checks what a client gets of a peer's datagram, or that it gets nothing.
    fn to_client(&self, client: Option<usize>, peer: SocketAddr, payload: &[u8], arrived: Option<ToClient>) {
        let expected = client.is_some_and(|client| self.promises.permits(self.now, client, peer.ip()));
        let Some(ToClient { to, header, padding, .. }) = arrived else {
            let may_be_lost = self.limited == Limited::Tightly || payload.len() > FITS;
            assert!(!expected || may_be_lost, "a permitted peer's data is lost");
            return;
        };
        assert!(expected, "data without permission");
        let client = client.expect("it was expected");
        assert_eq!(to, self.clients[client].from);
        let packet = [&header[..], payload, &[0; 3][..usize::from(padding)]].concat();
        self.promises.check_data(self.now, client, peer, payload, &packet);
    }

    /// Lets time pass, waking the server whenever it asked for it.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.server.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.server.handle_timeout(self.now);
            assert!(self.server.poll_timeout().is_none_or(|next| next > self.now), "a due timer stays");
            self.act();
        }
        self.now = end;
    }

    /// Applies every action, and hands in the answers that do not wait.
    fn act(&mut self) {
        loop {
            while let Some(action) = self.server.poll_action() {
                self.apply(action);
            }
            if self.holds_answers {
                return;
            }
            let Some((relay, is_bound)) = self.answers.pop_front() else { return };
            let reply = self.server.handle_relay_bound(self.now, relay, is_bound);
            let reply = reply.map(|reply| (reply.to, reply.bytes.to_vec()));
            if let Some((to, bytes)) = reply {
                let client = self.clients.iter().position(|client| client.from == to).expect("a client");
                self.reply(client, &bytes, false);
            }
        }
    }

    fn apply(&mut self, action: Action) {
        if let Action::BindRelay { relay, local, .. } = action {
            let is_free = !self.bound.values().any(|bound| *bound == local);
            let is_bound = self.bind_failures == 0 && is_free;
            self.bind_failures = self.bind_failures.saturating_sub(1);
            if is_bound {
                assert_eq!(self.bound.insert(relay, local), None, "an index is used once at a time");
            }
            self.answers.push_back((relay, is_bound));
        } else if let Action::CloseRelay { relay, .. } = action {
            self.bound.remove(&relay).expect("only bound sockets are closed");
        }
    }

    /// All that lived ends in time, and nothing is left.
    pub(super) fn end(mut self) {
        self.holds_answers = false;
        self.act();
        self.pass(LONG);
        self.act();
        assert_eq!(self.server.counters().allocations, 0);
        assert!(self.bound.is_empty(), "sockets stay open: {:?}", self.bound);
        assert_eq!(self.server.poll_timeout(), None);
        for client in &self.clients {
            assert!(!self.server.has_allocation(&client.from));
        }
    }
}

fn payload(length: Length) -> Vec<u8> {
    vec![0x5a; length.get()]
}

fn write_bind(writer: &mut visavis_turn::wire::Writer<'_>, number: Number, peer: SocketAddr) {
    writer.number(attribute::CHANNEL_NUMBER, u32::from(number.get()) << 16);
    writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
}
