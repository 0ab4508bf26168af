//! A server with its shell played by the test, and clients that know the protocol.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use md5::{Digest, Md5};
use sha2::Sha256;
use visavis_clock::Now;
use visavis_turn::{
    Action, Config, FiveTuple, FromClient, Limits, PeerAddr, PeerPolicy, PortRange, RelayInterface, RelayKey,
    RelayedAddr, Secret, Server, Transport, time_limited_credential,
    wire::{Class, Message, Method, TransactionId, Writer, attribute},
};

pub(crate) const REALM: &str = "example.org";
pub(crate) const NAME: &str = "alice";
pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const SECRET: &str = "north";
pub(crate) const UNIX_START: u64 = 1_700_000_000;
/// A peer that the policy has nothing against.
pub(crate) const PEER: &str = "8.8.8.8:5000";
pub(crate) const PEER_V6: &str = "[2a00:1450::1]:5000";
pub(crate) const PUBLIC: &str = "5.6.7.8";
pub(crate) const PUBLIC_V6: &str = "2a01:4f8::1";
pub(crate) const UDP: [u8; 4] = [17, 0, 0, 0];
/// SHA-256 and MD5, as PASSWORD-ALGORITHM names them, and as the server offers them.
pub(crate) const SHA256: [u8; 4] = [0, 2, 0, 0];
pub(crate) const MD5: [u8; 4] = [0, 1, 0, 0];
pub(crate) const ALGORITHMS: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn config() -> Config {
    let relay =
        |advertised: &str, local: &str| RelayInterface { advertised: ip(advertised), local: ip(local) };
    Config {
        realm: REALM.into(),
        secrets: vec![Secret::new(SECRET), Secret::new("old north")],
        accounts: vec![(NAME.into(), Secret::new(PASSWORD)), ("bob".into(), Secret::new("battery"))],
        nonce_key: [7; 32],
        relays: vec![relay(PUBLIC, "10.0.0.8"), relay(PUBLIC_V6, PUBLIC_V6)],
        ports: PortRange::new(49_152, 65_535),
        peers: PeerPolicy::new(&[ip(PUBLIC), ip(PUBLIC_V6), ip("10.0.0.8")], &[], &[]),
        limits: Limits::default(),
        unix_time_at_zero: seconds(UNIX_START),
    }
}

/// What came of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Nothing,
    Reply(Response),
    ToPeer { from: RelayKey, peer: SocketAddr, payload: Vec<u8>, dont_fragment: bool },
    ToRelayed { from: SocketAddr, to: SocketAddr, payload: Vec<u8> },
}

impl Got {
    /// Data that may be fragmented.
    pub(crate) fn to_peer(from: RelayKey, peer: &str, payload: &[u8]) -> Self {
        Self::ToPeer { from, peer: address(peer), payload: payload.to_vec(), dont_fragment: false }
    }

    #[track_caller]
    pub(crate) fn reply(self) -> Response {
        match self {
            Self::Reply(response) => response,
            other => panic!("expected a reply, got {other:?}"),
        }
    }
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) now: Now,
    /// How many of the next sockets cannot be bound.
    pub(crate) bind_failures: usize,
    pub(crate) bound: BTreeMap<RelayKey, SocketAddr>,
    pub(crate) ever_tried: Vec<SocketAddr>,
}

impl Default for World {
    fn default() -> Self {
        Self::new(config())
    }
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let server = Server::new(config, [3; 32]);
        Self { server, now: Now::ZERO, bind_failures: 0, bound: BTreeMap::new(), ever_tried: Vec::new() }
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config();
        change(&mut config);
        Self::new(config)
    }

    /// Hands a packet in and does what a shell does.
    pub(crate) fn send(&mut self, from: FiveTuple, packet: &[u8]) -> Got {
        let got = match self.server.handle_client(self.now, from, packet) {
            FromClient::Nothing => Got::Nothing,
            FromClient::Reply(reply) => {
                assert_eq!(reply.to, from);
                Got::Reply(Response(reply.bytes.to_vec()))
            }
            FromClient::ToPeer { from, peer, payload, dont_fragment } => {
                Got::ToPeer { from, peer: peer.0, payload: payload.to_vec(), dont_fragment }
            }
            FromClient::ToRelayed { from, to, payload } => {
                Got::ToRelayed { from: from.0, to: to.0, payload: payload.to_vec() }
            }
        };
        match (self.act(), got) {
            (Some((to, response)), Got::Nothing) => {
                assert_eq!(to, from);
                Got::Reply(response)
            }
            (None, got) => got,
            (released, got) => panic!("two answers: {released:?} and {got:?}"),
        }
    }

    /// Applies every action; what reply that released.
    pub(crate) fn act(&mut self) -> Option<(FiveTuple, Response)> {
        let mut released = None;
        while let Some(action) = self.server.poll_action() {
            released = self.apply(action).or(released);
        }
        released
    }

    /// Applies so many actions and no more.
    pub(crate) fn act_once(&mut self, times: usize) {
        for _ in 0..times {
            let action = self.server.poll_action().expect("an action");
            assert_eq!(self.apply(action), None);
        }
    }

    fn apply(&mut self, action: Action) -> Option<(FiveTuple, Response)> {
        match action {
            Action::CloseRelay { relay } => {
                self.bound.remove(&relay).expect("only bound relays are closed");
                None
            }
            Action::BindRelay { relay, local } => {
                self.ever_tried.push(local);
                let fails = self.bind_failures > 0 || self.bound.values().any(|bound| *bound == local);
                self.bind_failures = self.bind_failures.saturating_sub(1);
                if !fails {
                    assert_eq!(self.bound.insert(relay, local), None, "an index is used once at a time");
                }
                let reply = self.server.handle_relay_bound(self.now, relay, !fails)?;
                Some((reply.to, Response(reply.bytes.to_vec())))
            }
        }
    }

    /// Lets time pass, waking the server whenever it asked for it.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.server.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.server.handle_timeout(self.now);
            assert!(self.server.poll_timeout().is_none_or(|next| next > self.now), "a due timer stays");
            self.act();
        }
        self.now = end;
    }

    /// What the client receives when `payload` from `peer` reaches its relay.
    pub(crate) fn receive(
        &mut self,
        at: RelayKey,
        peer: &str,
        payload: &[u8],
    ) -> Option<(FiveTuple, Vec<u8>)> {
        self.receive_from(at, address(peer), payload)
    }

    pub(crate) fn receive_from(
        &mut self,
        at: RelayKey,
        peer: SocketAddr,
        payload: &[u8],
    ) -> Option<(FiveTuple, Vec<u8>)> {
        let to_client = self.server.handle_peer(self.now, at, PeerAddr(peer), payload)?;
        let mut packet = to_client.header.to_vec();
        packet.extend_from_slice(payload);
        packet.resize(packet.len() + usize::from(to_client.padding), 0);
        Some((to_client.to, packet))
    }

    pub(crate) fn relay(&self, relayed: SocketAddr) -> RelayKey {
        self.server.relay_at(RelayedAddr(relayed)).expect("a live relayed address")
    }
}

/// A message from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response(pub(crate) Vec<u8>);

impl Response {
    pub(crate) fn message(&self) -> Message<'_> {
        let message = Message::parse(&self.0).expect("the server writes valid messages");
        assert_ne!(message.fingerprint_holds(), Some(false));
        message
    }

    /// The error code; 0 for a success.
    pub(crate) fn code(&self) -> u16 {
        match (self.message().class(), self.get(attribute::ERROR_CODE)) {
            (Class::Success, None) => 0,
            (Class::Error, Some(&[0, 0, class, number])) => u16::from(class) * 100 + u16::from(number),
            other => panic!("neither success nor error: {other:?}"),
        }
    }

    pub(crate) fn get(&self, kind: u16) -> Option<&[u8]> {
        self.message().attribute(kind)
    }

    pub(crate) fn address(&self, kind: u16) -> SocketAddr {
        let value = self.get(kind).expect("an address");
        attribute::xor_address(value, self.message().transaction_id()).unwrap()
    }

    pub(crate) fn lifetime(&self) -> u32 {
        u32::from_be_bytes(self.get(attribute::LIFETIME).unwrap().try_into().unwrap())
    }
}

/// A client with one socket.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) tuple: FiveTuple,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) nonce: Vec<u8>,
    pub(crate) fingerprint: bool,
    /// Whether it makes its key with SHA-256, as RFC 8489 wants, or with MD5 like browsers.
    sha256: bool,
    count: u64,
}

impl Client {
    /// The static account's, at 192.0.2.`n`.
    pub(crate) fn new(n: u8) -> Self {
        Self::at(&format!("192.0.2.{n}:40000"), Transport::Udp)
    }

    pub(crate) fn at(client: &str, transport: Transport) -> Self {
        let client = address(client);
        let server = if client.is_ipv4() { "5.6.7.8:3478" } else { "[2a01:4f8::1]:3478" };
        Self {
            tuple: FiveTuple { client, server: address(server), transport },
            username: NAME.into(),
            password: PASSWORD.into(),
            nonce: Vec::new(),
            fingerprint: false,
            sha256: false,
            count: 0,
        }
    }

    pub(crate) fn port(mut self, port: u16) -> Self {
        self.tuple.client.set_port(port);
        self
    }

    pub(crate) fn named(mut self, username: &str, password: &str) -> Self {
        (self.username, self.password) = (username.into(), password.into());
        self
    }

    pub(crate) const fn with_sha256(mut self, sha256: bool) -> Self {
        self.sha256 = sha256;
        self
    }

    /// With a time-limited credential that ends so many seconds after the start.
    pub(crate) fn until(self, end: u64) -> Self {
        let (username, password) = time_limited_credential(&Secret::new(SECRET), UNIX_START + end, "m:x");
        self.named(&username, &password)
    }

    /// What it signs with.
    pub(crate) fn key(&self) -> Vec<u8> {
        let text = format!("{}:{REALM}:{}", self.username, self.password);
        if self.sha256 { Sha256::digest(text).to_vec() } else { Md5::digest(text).to_vec() }
    }

    /// Whether a response is signed with this client's key and with the attribute that its requests use, and not
    /// with the other.
    pub(crate) fn trusts(&self, message: &Message<'_>) -> bool {
        let signed = [message.integrity_holds(&self.key()), message.integrity_sha256_holds(&self.key())];
        let sha1 = message.attribute(attribute::MESSAGE_INTEGRITY).is_some();
        let sha256 = message.attribute(attribute::MESSAGE_INTEGRITY_SHA256).is_some();
        signed == [!self.sha256, self.sha256] && [sha1, sha256] == signed
    }

    pub(crate) fn id(&mut self) -> TransactionId {
        self.count += 1;
        let mut chosen = [0; 12];
        chosen[4..].copy_from_slice(&self.count.to_be_bytes());
        chosen[..2].copy_from_slice(&self.tuple.client.port().to_be_bytes());
        TransactionId::new(chosen)
    }

    /// A request without credentials.
    pub(crate) fn bare(&mut self, method: Method, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, Class::Request, method, self.id());
        write(&mut writer);
        if self.fingerprint {
            writer.fingerprint();
        }
        out
    }

    /// A request with credentials.
    pub(crate) fn request(&mut self, method: Method, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, Class::Request, method, self.id());
        write(&mut writer);
        writer.attribute(attribute::USERNAME, self.username.as_bytes());
        writer.attribute(attribute::REALM, REALM.as_bytes());
        writer.attribute(attribute::NONCE, &self.nonce);
        if self.sha256 {
            writer.attribute(attribute::PASSWORD_ALGORITHMS, &ALGORITHMS);
            writer.attribute(attribute::PASSWORD_ALGORITHM, &SHA256);
            writer.integrity_sha256(&self.key());
        } else {
            writer.integrity(&self.key());
        }
        if self.fingerprint {
            writer.fingerprint();
        }
        out
    }

    /// Gets a nonce as browsers do: by a request without credentials.
    pub(crate) fn challenge(&mut self, world: &mut World) -> Response {
        let packet = self.bare(Method::ALLOCATE, |writer| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
        });
        let response = world.send(self.tuple, &packet).reply();
        assert_eq!(response.code(), 401);
        self.nonce = response.get(attribute::NONCE).unwrap().to_vec();
        response
    }

    /// Sends an authenticated request and checks that the answer is signed.
    pub(crate) fn ask(
        &mut self,
        world: &mut World,
        method: Method,
        write: impl FnOnce(&mut Writer<'_>),
    ) -> Response {
        let packet = self.request(method, write);
        let response = world.send(self.tuple, &packet).reply();
        assert_eq!(response.message().method(), method);
        assert_eq!(response.message().transaction_id(), Message::parse(&packet).unwrap().transaction_id());
        let is_challenge = matches!(response.code(), 401 | 438);
        assert_eq!(self.trusts(&response.message()), !is_challenge);
        response
    }

    pub(crate) fn ask_allocate(
        &mut self,
        world: &mut World,
        write: impl FnOnce(&mut Writer<'_>),
    ) -> Response {
        self.challenge(world);
        self.ask(world, Method::ALLOCATE, |writer| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
            write(writer);
        })
    }

    /// An allocation; its relayed address.
    #[track_caller]
    pub(crate) fn allocate(&mut self, world: &mut World) -> SocketAddr {
        let response = self.ask_allocate(world, |_| {});
        assert_eq!(response.code(), 0);
        response.address(attribute::XOR_RELAYED_ADDRESS)
    }

    pub(crate) fn refresh(&mut self, world: &mut World, lifetime: u32) -> Response {
        self.ask(world, Method::REFRESH, |writer| {
            writer.number(attribute::LIFETIME, lifetime);
        })
    }

    pub(crate) fn permit(&mut self, world: &mut World, peers: &[&str]) -> u16 {
        let response = self.ask(world, Method::CREATE_PERMISSION, |writer| {
            for peer in peers {
                writer.xor_address(attribute::XOR_PEER_ADDRESS, address(peer));
            }
        });
        response.code()
    }

    pub(crate) fn bind(&mut self, world: &mut World, number: u16, peer: &str) -> u16 {
        let response = self.ask(world, Method::CHANNEL_BIND, |writer| {
            writer.number(attribute::CHANNEL_NUMBER, u32::from(number) << 16);
            writer.xor_address(attribute::XOR_PEER_ADDRESS, address(peer));
        });
        response.code()
    }

    pub(crate) fn indication(&mut self, peer: &str, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, Class::Indication, Method::SEND, self.id());
        writer.xor_address(attribute::XOR_PEER_ADDRESS, address(peer));
        writer.attribute(attribute::DATA, payload);
        if self.fingerprint {
            writer.fingerprint();
        }
        out
    }

    pub(crate) fn send(&mut self, world: &mut World, peer: &str, payload: &[u8]) -> Got {
        let packet = self.indication(peer, payload);
        world.send(self.tuple, &packet)
    }
}

pub(crate) fn channel_data(number: u16, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u16;
    [&number.to_be_bytes()[..], &length.to_be_bytes(), payload].concat()
}
