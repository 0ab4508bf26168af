//! Does each step to the server and to the reference, and compares.

use std::net::{IpAddr, SocketAddr};

use visavis_turn::{
    FiveTuple, Limits, PortRange, RelayedAddr, Transport,
    wire::{ChannelData, Message, Method, attribute},
};

use super::{
    reference::{
        ALLOCATIONS, Allocated, CHANNELS, Owner, PER_ADDRESS, PER_CREDENTIAL, PERMISSIONS, PORTS, Reference,
    },
    step::{CLIENTS, Family, PEERS, RELAYED, Step, Wish},
};
use crate::harness::{
    Client, Got, PUBLIC, PUBLIC_V6, Response, UDP, World, address, channel_data, config, ip,
};

/// How long a nonce holds, in seconds of the clock on the wall.
const NONCE: u64 = 600;
/// Names with their passwords, as the harness knows them.
const NAMES: [(&str, &str); 2] = [("alice", "correct horse"), ("bob", "battery")];
/// Of each client: address, transport, name. Some share an address, all share two names.
const WAYS: [(&str, Transport, usize); CLIENTS] = [
    ("192.0.2.1:40000", Transport::Udp, 0),
    ("192.0.2.1:40001", Transport::Udp, 1),
    ("192.0.2.1:40000", Transport::Tcp, 0),
    ("192.0.2.2:40000", Transport::Tls, 1),
    ("[2a00::1]:40000", Transport::Udp, 0),
    ("[2a00::1]:40001", Transport::Tcp, 1),
    ("192.0.2.3:40000", Transport::Udp, 0),
];

struct Player {
    client: Client,
    nonce_made: u64,
    /// The last Allocate request: its bytes, its number, what it wishes, and when its nonce was made.
    allocate: Option<(Vec<u8>, u64, Wish, u64)>,
}

pub(super) struct Play {
    world: World,
    players: Vec<Player>,
    reference: Reference,
    requests: u64,
}

impl Play {
    pub(super) fn new(seed: u64) -> Self {
        let mut config = config();
        config.ports = PortRange::new(PORTS[0], PORTS[PORTS.len() - 1]);
        config.limits = Limits {
            unauthenticated: None,
            bandwidth: None,
            permissions: PERMISSIONS,
            channels: CHANNELS,
            allocations_per_credential: PER_CREDENTIAL,
            allocations_per_address: PER_ADDRESS,
            allocations: ALLOCATIONS,
            ..Limits::default()
        };
        let mut world = World::new(config);
        // Ports are chosen at random: the reference must not depend on which.
        world.now += std::time::Duration::from_millis(seed % 1000);
        let owner =
            |(client, _, name): (&str, Transport, usize)| Owner { name, address: address(client).ip() };
        let mut reference = Reference::new(WAYS.map(owner));
        reference.now = seed % 1000;
        let players = WAYS.map(|(client, transport, name)| {
            let mut client = Client::at(client, transport).named(NAMES[name].0, NAMES[name].1);
            client.challenge(&mut world);
            Player { client, nonce_made: 0, allocate: None }
        });
        Self { world, players: players.into(), reference, requests: 0 }
    }

    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Allocate(c, wish) => self.allocate(c, wish),
            Step::AllocateAgain(c) => self.allocate_again(c),
            Step::Refresh(c, lifetime, family) => self.refresh(c, lifetime, family),
            Step::Permit(c, peers, count) => self.permit(c, &peers[..count]),
            Step::Bind(c, number, peer) => self.bind(c, number, peer),
            Step::Send(c, peer) => self.send(c, peer),
            Step::ChannelData(c, number) => self.channel_data(c, number),
            Step::Receive(c, peer) => self.receive(c, peer),
            Step::Intrude(c) => self.intrude(c),
            Step::Close(c) => {
                self.world.server.handle_closed(self.world.now, self.players[c].client.tuple);
                self.reference.close(c);
            }
            Step::BindFailures(failures) => self.world.bind_failures = failures,
            Step::Pass(time, is_woken) => self.pass(time, is_woken),
        }
        self.world.server.handle_timeout(self.world.now);
        assert_eq!(self.world.act(), None);
        let live = self.reference.count(|_, _| true);
        assert_eq!((self.world.bound.len(), self.world.server.counters().allocations), (live, live as u64));
    }

    fn pass(&mut self, time: u64, is_woken: bool) {
        let time_passed = std::time::Duration::from_millis(time);
        if is_woken {
            self.world.pass(time_passed);
        } else {
            self.world.now += time_passed;
        }
        self.reference.now += time;
    }

    fn address(&mut self, peer: usize) -> SocketAddr {
        match PEERS.get(peer) {
            Some(peer) => address(peer),
            None => {
                let allocation = self.reference.live(peer - RELAYED);
                allocation.map_or_else(|| SocketAddr::new(ip(PUBLIC), PORTS[0]), |it| it.relayed)
            }
        }
    }

    /// Sends a request; its answer, none if the nonce was stale and said to be so.
    fn ask(&mut self, c: usize, packet: &[u8], nonce_made: u64) -> Option<Response> {
        let Player { client, .. } = &mut self.players[c];
        let response = self.world.send(client.tuple, packet).reply();
        let request = Message::parse(packet).unwrap();
        assert_eq!(response.message().transaction_id(), request.transaction_id());
        assert_eq!(response.message().method(), request.method());
        let is_stale = self.reference.now / 1000 - nonce_made / 1000 >= NONCE;
        assert_eq!(response.code() == 438, is_stale);
        assert_eq!(client.trusts(&response.message()), !is_stale);
        if !is_stale {
            return Some(response);
        }
        client.nonce = response.get(attribute::NONCE).unwrap().to_vec();
        self.players[c].nonce_made = self.reference.now;
        None
    }

    fn allocate(&mut self, c: usize, wish: Wish) {
        let packet = self.players[c].client.request(Method::ALLOCATE, |writer| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
            if let Some(lifetime) = wish.lifetime {
                writer.number(attribute::LIFETIME, lifetime);
            }
            if let Some(family) = wish.family {
                writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &value(family));
            }
            if wish.even {
                writer.attribute(attribute::EVEN_PORT, &[0]);
            }
        });
        self.requests += 1;
        self.players[c].allocate = Some((packet, self.requests, wish, self.players[c].nonce_made));
        self.allocate_again(c);
    }

    fn allocate_again(&mut self, c: usize) {
        let Some((packet, request, wish, nonce_made)) = self.players[c].allocate.clone() else { return };
        let mut failures = self.world.bind_failures;
        let Some(response) = self.ask(c, &packet, nonce_made) else { return };
        match self.reference.allocate(c, request, wish, &mut failures) {
            Allocated::Refused(code) => assert_eq!(response.code(), code),
            Allocated::Same => {
                let allocation = self.reference.live(c).unwrap();
                let (relayed, granted) = (allocation.relayed, allocation.granted);
                self.check_allocated(c, &response, granted);
                assert_eq!(response.address(attribute::XOR_RELAYED_ADDRESS), relayed);
            }
            Allocated::New(family, granted) => {
                self.check_allocated(c, &response, granted);
                let relayed = response.address(attribute::XOR_RELAYED_ADDRESS);
                assert_eq!(relayed.ip(), ip(if family == Family::V4 { PUBLIC } else { PUBLIC_V6 }));
                assert!(PORTS.contains(&relayed.port()) && (!wish.even || relayed.port().is_multiple_of(2)));
                assert_eq!(self.reference.owner_of(relayed), None);
                self.reference.allocated(c, request, relayed, granted);
            }
        }
        assert_eq!(self.world.bind_failures, failures);
    }

    fn check_allocated(&self, c: usize, response: &Response, granted: u64) {
        assert_eq!((response.code(), u64::from(response.lifetime())), (0, granted));
        assert_eq!(response.address(attribute::XOR_MAPPED_ADDRESS), self.players[c].client.tuple.client);
    }

    fn refresh(&mut self, c: usize, lifetime: u32, family: Option<Family>) {
        let packet = self.players[c].client.request(Method::REFRESH, |writer| {
            writer.number(attribute::LIFETIME, lifetime);
            if let Some(family) = family {
                writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &value(family));
            }
        });
        let Some(response) = self.ask(c, &packet, self.players[c].nonce_made) else { return };
        let (code, granted) = self.reference.refresh(c, lifetime, family);
        assert_eq!(response.code(), code);
        if code == 0 {
            assert_eq!(u64::from(response.lifetime()), granted);
        }
    }

    fn permit(&mut self, c: usize, peers: &[usize]) {
        let peers: Vec<SocketAddr> = peers.iter().map(|peer| self.address(*peer)).collect();
        let packet = self.players[c].client.request(Method::CREATE_PERMISSION, |writer| {
            for peer in &peers {
                writer.xor_address(attribute::XOR_PEER_ADDRESS, *peer);
            }
        });
        let Some(response) = self.ask(c, &packet, self.players[c].nonce_made) else { return };
        let ips: Vec<IpAddr> = peers.iter().map(SocketAddr::ip).collect();
        assert_eq!(response.code(), self.reference.permit(c, &ips, allows));
    }

    fn bind(&mut self, c: usize, number: u16, peer: usize) {
        let peer = self.address(peer);
        let packet = self.players[c].client.request(Method::CHANNEL_BIND, |writer| {
            writer.number(attribute::CHANNEL_NUMBER, u32::from(number) << 16);
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        });
        let Some(response) = self.ask(c, &packet, self.players[c].nonce_made) else { return };
        assert_eq!(response.code(), self.reference.bind(c, number, peer, allows));
    }

    /// With a nonce of its own, and a name that is right but did not make the allocation.
    fn intrude(&mut self, c: usize) {
        let FiveTuple { client, transport, .. } = self.players[c].client.tuple;
        let (name, password) = NAMES[1 - WAYS[c].2];
        let mut intruder = Client::at(&client.to_string(), transport).named(name, password);
        intruder.challenge(&mut self.world);
        let code = intruder.refresh(&mut self.world, 0).code();
        assert_eq!(code, if self.reference.live(c).is_some() { 441 } else { 437 });
    }

    fn send(&mut self, c: usize, peer: usize) {
        let peer = self.address(peer);
        let got = self.players[c].client.send(&mut self.world, &peer.to_string(), b"sent");
        let expected = self.reference.permitted(c, peer.ip()).then_some(peer);
        self.passed(c, got, expected, b"sent");
    }

    fn channel_data(&mut self, c: usize, number: u16) {
        let got = self.world.send(self.players[c].client.tuple, &channel_data(number, b"data"));
        let expected = self.reference.peer_of(c, number);
        self.passed(c, got, expected, b"data");
    }

    /// Compares what came of a client's data with the peer that it should reach.
    fn passed(&mut self, c: usize, got: Got, expected: Option<SocketAddr>, sent: &[u8]) {
        let relayed = self.reference.live(c).map(|it| it.relayed);
        match got {
            Got::Nothing => assert_eq!(expected, None),
            Got::ToPeer { from, peer, payload, .. } => {
                assert_eq!((Some(peer), &payload[..]), (expected, sent));
                assert_eq!(Some(from), relayed.map(|relayed| self.world.relay(relayed)));
                assert!(![ip(PUBLIC), ip(PUBLIC_V6)].contains(&peer.ip()));
            }
            Got::ToRelayed { from, to, payload } => {
                assert_eq!((Some(from), Some(to), &payload[..]), (relayed, expected, sent));
                assert!([ip(PUBLIC), ip(PUBLIC_V6)].contains(&to.ip()));
                self.across(from, to, sent);
            }
            Got::Reply(response) => panic!("data is not answered: {response:?}"),
        }
    }

    /// What one of our own relayed addresses sends to another.
    fn across(&mut self, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
        let (relayed, at) = (RelayedAddr(from), RelayedAddr(to));
        let to_client = self.world.server.handle_relayed(self.world.now, relayed, at, payload);
        let packet = to_client.map(|it| [&it.header[..], payload].concat());
        match self.reference.owner_of(to) {
            Some(owner) => self.received(owner, from, payload, packet),
            None => assert_eq!(packet, None),
        }
    }

    fn receive(&mut self, c: usize, peer: usize) {
        let peer = self.address(peer);
        let Some(relayed) = self.reference.live(c).map(|it| it.relayed) else { return };
        let received = self.world.receive_from(self.world.relay(relayed), peer, b"came");
        if let Some((to, _)) = &received {
            assert_eq!(*to, self.players[c].client.tuple);
        }
        self.received(c, peer, b"came", received.map(|(_, packet)| packet));
    }

    /// Compares what a client got of a peer's datagram with what it should get.
    fn received(&mut self, c: usize, peer: SocketAddr, payload: &[u8], packet: Option<Vec<u8>>) {
        assert_eq!(packet.is_some(), self.reference.permitted(c, peer.ip()));
        let Some(packet) = packet else { return };
        if let Some(number) = self.reference.number_of(c, peer) {
            assert_eq!(ChannelData::parse(&packet), Some(ChannelData { number, payload }));
        } else {
            let message = Message::parse(&packet).unwrap();
            assert_eq!(message.method(), Method::DATA);
            assert_eq!(message.attribute(attribute::DATA), Some(payload));
            let from = message.attribute(attribute::XOR_PEER_ADDRESS).unwrap();
            assert_eq!(attribute::xor_address(from, message.transaction_id()), Some(peer));
        }
    }
}

/// What the policy says of the addresses that are used here.
fn allows(ip: IpAddr) -> bool {
    ![address(PEERS[7]).ip(), address(PEERS[8]).ip()].contains(&ip)
}

const fn value(family: Family) -> [u8; 4] {
    match family {
        Family::V4 => [1, 0, 0, 0],
        Family::V6 => [2, 0, 0, 0],
    }
}
