//! ICMP errors told to the client (RFC 8656 sections 11.5 and 18.13).

use visavis_turn::{
    Icmp, PeerAddr, RelayKey, Transport,
    wire::{Class, Message, Method, attribute},
};

use crate::harness::{Client, PEER, PEER_V6, Response, World, address, seconds};

fn icmp(kind: u8, code: u8) -> Icmp {
    Icmp { kind, code, mtu: 1400 }
}

impl World {
    /// What the client hears of an error about `peer`.
    fn fail(&mut self, at: RelayKey, peer: &str, icmp: Icmp) -> Option<Response> {
        let told = self.server.handle_icmp(self.now, at, PeerAddr(address(peer)), icmp)?;
        Some(Response(told.bytes.to_vec()))
    }
}

/// A client with permission for the peer, and its relay.
fn alice(world: &mut World, peer: &str) -> (Client, RelayKey) {
    let mut alice = Client::new(1);
    let family = if address(peer).is_ipv4() { 1 } else { 2 };
    let response = alice.ask_allocate(world, |writer| {
        writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
    });
    let relay = world.relay(response.address(attribute::XOR_RELAYED_ADDRESS));
    assert_eq!(alice.permit(world, &[peer]), 0);
    (alice, relay)
}

#[test]
fn an_unreachable_port_reaches_the_client() {
    let mut world = World::default();
    let (alice, relay) = alice(&mut world, PEER);
    let told = world.server.handle_icmp(world.now, relay, PeerAddr(address(PEER)), icmp(3, 3)).unwrap();
    assert_eq!(told.to, alice.tuple);
    let message = Message::parse(told.bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
    let peer = message.attribute(attribute::XOR_PEER_ADDRESS).unwrap();
    assert_eq!(attribute::xor_address(peer, message.transaction_id()), Some(address(PEER)));
    // Seven bits of type, nine of code; the MTU is for packets too big.
    assert_eq!(message.attribute(attribute::ICMP), Some(&[0, 0, 3 << 1, 3, 0, 0, 0, 0][..]));
    assert_eq!(message.attribute(attribute::DATA), None);
    assert_eq!(world.server.counters().icmp, 1);
}

#[test]
fn the_types_of_the_rfc_are_told_and_no_others() {
    for (peer, told) in [(PEER, &[3, 11][..]), (PEER_V6, &[1, 2, 3])] {
        let mut world = World::default();
        let (_, relay) = alice(&mut world, peer);
        for kind in 0..=255 {
            let heard = world.fail(relay, peer, icmp(kind, 0)).is_some();
            assert_eq!(heard, told.contains(&kind), "type {kind} about {peer}");
        }
    }
}

#[test]
fn a_packet_too_big_says_what_would_fit() {
    for (peer, kind, code) in [(PEER, 3, 4), (PEER_V6, 2, 0)] {
        let mut world = World::default();
        let (_, relay) = alice(&mut world, peer);
        let told = world.fail(relay, peer, icmp(kind, code)).unwrap();
        assert_eq!(told.get(attribute::ICMP), Some(&[0, 0, kind << 1, code, 0, 0, 5, 120][..]));
    }
}

#[test]
fn an_error_about_a_peer_without_permission_is_dropped() {
    let mut world = World::default();
    let (mut alice, relay) = alice(&mut world, PEER);
    assert_eq!(world.fail(relay, "8.8.4.4:5000", icmp(3, 3)), None);
    assert_eq!(world.fail(relay, PEER_V6, icmp(1, 4)), None);
    assert!(world.fail(relay, "8.8.8.8:9", icmp(3, 3)).is_some(), "a permission has no port");
    assert_eq!(world.server.counters().drops.no_permission, 2);
    alice.bind(&mut world, 0x4000, PEER);
    world.pass(seconds(300));
    assert_eq!(world.fail(relay, PEER, icmp(3, 3)), None, "the channel outlives the permission");
    alice.challenge(&mut world);
    alice.refresh(&mut world, 0);
    assert_eq!(world.fail(relay, PEER, icmp(3, 3)), None);
    assert_eq!(world.server.counters().drops.no_allocation, 1);
}

#[test]
fn errors_are_indications_also_where_a_channel_is_bound_and_over_streams() {
    let mut world = World::default();
    let mut alice = Client::at("192.0.2.1:40000", Transport::Tls);
    let relayed = alice.allocate(&mut world);
    alice.bind(&mut world, 0x4000, PEER);
    let told = world.fail(world.relay(relayed), PEER, icmp(11, 0)).unwrap();
    assert_eq!(told.message().method(), Method::DATA);
    assert!(told.0.len().is_multiple_of(4));
}

#[test]
fn errors_use_up_bandwidth() {
    let mut world = World::with(|config| config.limits.bandwidth = Some(8 * 28));
    let (_, relay) = alice(&mut world, PEER);
    let heard = (0..10).filter(|_| world.fail(relay, PEER, icmp(3, 3)).is_some()).count();
    assert_eq!(heard, 2);
    assert_eq!(world.server.counters().drops.bandwidth, 8);
}
