//! Allocations with two relayed transport addresses: ADDITIONAL-ADDRESS-FAMILY (RFC 8656 sections 7.2 and 8.2).

use std::net::SocketAddr;

use visavis_turn::{
    PortRange, RelayedAddr,
    wire::{Message, Method, attribute},
};

use crate::harness::{
    Client, Got, PEER, PEER_V6, PUBLIC, PUBLIC_V6, Response, UDP, World, channel_data, ip, seconds,
};

const V4: [u8; 4] = [1, 0, 0, 0];
const V6: [u8; 4] = [2, 0, 0, 0];
const FAMILY: u16 = attribute::REQUESTED_ADDRESS_FAMILY;
const ADDITIONAL: u16 = attribute::ADDITIONAL_ADDRESS_FAMILY;

fn ask(world: &mut World, client: &mut Client) -> Response {
    client.ask_allocate(world, |writer| {
        writer.attribute(ADDITIONAL, &V6);
    })
}

/// All relayed addresses of an answer, in their order.
fn relayed(response: &Response) -> Vec<SocketAddr> {
    let message = response.message();
    let relayed = message.attributes().filter(|attribute| attribute.kind == attribute::XOR_RELAYED_ADDRESS);
    relayed
        .map(|attribute| attribute::xor_address(attribute.value, message.transaction_id()).unwrap())
        .collect()
}

/// A client with an address of each family.
fn dual(world: &mut World) -> (Client, SocketAddr, SocketAddr) {
    let mut alice = Client::new(1);
    let response = ask(world, &mut alice);
    assert_eq!((response.code(), response.get(attribute::ADDRESS_ERROR_CODE)), (0, None));
    let &[v4, v6] = &*relayed(&response) else { panic!("{response:?}") };
    (alice, v4, v6)
}

fn refresh(world: &mut World, client: &mut Client, family: &[u8], lifetime: u32) -> u16 {
    let response = client.ask(world, Method::REFRESH, |writer| {
        writer.number(attribute::LIFETIME, lifetime).attribute(FAMILY, family);
    });
    response.code()
}

fn is_live(world: &World, relayed: SocketAddr) -> bool {
    world.server.relay_at(RelayedAddr(relayed)).is_some()
}

#[test]
fn a_client_gets_an_address_of_each_family() {
    let mut world = World::default();
    let (_, v4, v6) = dual(&mut world);
    assert_eq!((v4.ip(), v6.ip()), (ip(PUBLIC), ip(PUBLIC_V6)));
    assert_eq!(world.bound[&world.relay(v4)].ip(), ip("10.0.0.8"));
    assert_eq!(world.bound[&world.relay(v6)].ip(), ip(PUBLIC_V6));
    assert_eq!((world.bound.len(), world.server.counters().allocations), (2, 1));
}

#[test]
fn each_family_has_its_peers() {
    let mut world = World::default();
    let (mut alice, v4, v6) = dual(&mut world);
    assert_eq!(alice.permit(&mut world, &[PEER, PEER_V6]), 0);
    let (at_v4, at_v6) = (world.relay(v4), world.relay(v6));
    assert_eq!(alice.send(&mut world, PEER, b"four"), Got::to_peer(at_v4, PEER, b"four"));
    assert_eq!(alice.send(&mut world, PEER_V6, b"six"), Got::to_peer(at_v6, PEER_V6, b"six"));
    assert_eq!(alice.bind(&mut world, 0x4000, PEER_V6), 0);
    assert_eq!(world.send(alice.tuple, &channel_data(0x4000, b"six")), Got::to_peer(at_v6, PEER_V6, b"six"));
    let (to, packet) = world.receive(at_v6, PEER_V6, b"six").unwrap();
    assert_eq!((to, packet), (alice.tuple, channel_data(0x4000, b"six")));
    let (to, packet) = world.receive(at_v4, PEER, b"four").unwrap();
    assert_eq!(to, alice.tuple);
    assert_eq!(Message::parse(&packet).unwrap().attribute(attribute::DATA), Some(&b"four"[..]));
}

#[test]
fn two_clients_meet_over_either_family() {
    let mut world = World::default();
    let (mut alice, v4, v6) = dual(&mut world);
    let mut bob = Client::new(2);
    let at_bob = relayed(&ask(&mut world, &mut bob));
    for (from, to) in [v4, v6].into_iter().zip(at_bob) {
        assert_eq!(alice.permit(&mut world, &[&to.to_string()]), 0);
        let got = alice.send(&mut world, &to.to_string(), b"hi");
        assert_eq!(got, Got::ToRelayed { from, to, payload: b"hi".to_vec() });
    }
}

#[test]
fn a_retransmission_is_answered_the_same() {
    for relays in [1, 2] {
        let mut world = World::with(|config| config.relays.truncate(relays));
        let mut alice = Client::new(1);
        alice.challenge(&mut world);
        let packet = alice.request(Method::ALLOCATE, |writer| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP).attribute(ADDITIONAL, &V6);
        });
        let first = world.send(alice.tuple, &packet);
        assert_eq!(first, world.send(alice.tuple, &packet));
        assert_eq!(relayed(&first.reply()).len(), relays);
        assert_eq!(world.server.counters().created, 1);
    }
}

#[test]
fn contradictory_wishes_are_bad_requests() {
    let both = (ADDITIONAL, &V6[..]);
    let wishes: [&[(u16, &[u8])]; 6] = [
        &[(ADDITIONAL, &V4)],
        &[(ADDITIONAL, &[2])],
        &[(ADDITIONAL, &[9, 0, 0, 0])],
        &[both, (FAMILY, &V4)],
        &[both, (attribute::EVEN_PORT, &[0x80])],
        &[both, (attribute::RESERVATION_TOKEN, &[1; 8])],
    ];
    for wish in wishes {
        let mut world = World::default();
        let response = Client::new(1).ask_allocate(&mut world, |writer| {
            for (kind, value) in wish {
                writer.attribute(*kind, value);
            }
        });
        assert_eq!(response.code(), 400);
        assert!(world.bound.is_empty());
    }
}

#[test]
fn an_even_port_is_even_in_both_families() {
    for n in 1..10 {
        let response = Client::new(n).ask_allocate(&mut World::default(), |writer| {
            writer.attribute(ADDITIONAL, &V6).attribute(attribute::EVEN_PORT, &[0]);
        });
        let relayed = relayed(&response);
        assert_eq!(relayed.len(), 2);
        assert!(relayed.iter().all(|relayed| relayed.port().is_multiple_of(2)));
    }
}

/// What a client that wants both gets where only one is to be had.
#[track_caller]
fn one_of_two(world: &mut World, relayed_ip: &str, error: [u8; 4]) {
    let mut alice = Client::new(9);
    let response = ask(world, &mut alice);
    assert_eq!(response.code(), 0);
    let relayed = relayed(&response);
    assert_eq!(relayed.iter().map(SocketAddr::ip).collect::<Vec<_>>(), [ip(relayed_ip)]);
    assert_eq!(response.get(attribute::ADDRESS_ERROR_CODE), Some(&error[..]));
    let peer = if relayed_ip == PUBLIC { PEER } else { PEER_V6 };
    assert_eq!(alice.permit(world, &[peer]), 0);
    let other = if relayed_ip == PUBLIC { PEER_V6 } else { PEER };
    assert_eq!(alice.permit(world, &[other]), 443);
}

#[test]
fn a_family_that_is_not_served_is_named_beside_the_other() {
    let mut v4_only = World::with(|config| config.relays.truncate(1));
    one_of_two(&mut v4_only, PUBLIC, [2, 0, 4, 40]);
    let mut v6_only = World::with(|config| config.relays.retain(|relay| relay.advertised.is_ipv6()));
    one_of_two(&mut v6_only, PUBLIC_V6, [1, 0, 4, 40]);
    let mut none = World::with(|config| config.relays.clear());
    assert_eq!(ask(&mut none, &mut Client::new(1)).code(), 440);
}

#[test]
fn a_family_without_free_ports_is_named_beside_the_other() {
    for (family, left, error) in [(V4, PUBLIC_V6, [1, 0, 5, 8]), (V6, PUBLIC, [2, 0, 5, 8])] {
        let mut world = World::with(|config| config.ports = PortRange::new(50_001, 50_001));
        let response = Client::new(1).ask_allocate(&mut world, |writer| {
            writer.attribute(FAMILY, &family);
        });
        assert_eq!(response.code(), 0);
        one_of_two(&mut world, left, error);
        assert_eq!(ask(&mut world, &mut Client::new(2)).code(), 508, "both are used up");
    }
}

#[test]
fn a_family_whose_ports_cannot_be_bound_is_named_beside_the_other() {
    let mut world = World { bind_failures: 8, ..World::default() };
    one_of_two(&mut world, PUBLIC_V6, [1, 0, 5, 8]);
    assert_eq!(world.ever_tried.len(), 9);
    let mut world = World { bind_failures: 16, ..World::default() };
    let mut alice = Client::new(1);
    assert_eq!(ask(&mut world, &mut alice).code(), 508);
    assert!(world.bound.is_empty() && !world.server.has_allocation(&alice.tuple));
    let mut v6_only = World::with(|config| config.relays.retain(|relay| relay.advertised.is_ipv6()));
    v6_only.bind_failures = 8;
    assert_eq!(ask(&mut v6_only, &mut alice).code(), 508);
}

#[test]
fn a_client_that_goes_between_two_binds_leaves_nothing() {
    for (answered, fails) in [(0, false), (0, true), (1, false), (1, true)] {
        let range = PortRange::new(50_001, 50_001);
        let mut world = World::with(|config| config.ports = range);
        let mut alice = Client::new(1);
        alice.challenge(&mut world);
        let packet = alice.request(Method::ALLOCATE, |writer| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP).attribute(ADDITIONAL, &V6);
        });
        let _ = world.server.handle_client(world.now, alice.tuple, &packet);
        world.act_once(answered);
        world.server.handle_closed(world.now, alice.tuple);
        world.bind_failures = usize::from(fails);
        assert_eq!(world.act(), None);
        assert!(world.bound.is_empty());
        assert_eq!(world.server.counters().allocations, 0);
        dual(&mut world);
    }
}

#[test]
fn a_refresh_without_family_is_for_both() {
    let mut world = World::default();
    let (mut alice, v4, v6) = dual(&mut world);
    assert_eq!(alice.refresh(&mut world, 3600).lifetime(), 3600);
    world.pass(seconds(3599));
    assert!(is_live(&world, v4) && is_live(&world, v6));
    alice.challenge(&mut world);
    assert_eq!(alice.refresh(&mut world, 0).lifetime(), 0);
    assert!(world.bound.is_empty() && !world.server.has_allocation(&alice.tuple));
}

#[test]
fn each_family_is_prolonged_by_itself() {
    let mut world = World::default();
    let (mut alice, v4, v6) = dual(&mut world);
    assert_eq!(refresh(&mut world, &mut alice, &V6, 1200), 0);
    world.pass(seconds(600));
    assert!(!is_live(&world, v4) && is_live(&world, v6));
    assert_eq!((world.bound.len(), world.server.counters().allocations), (1, 1));
    alice.challenge(&mut world);
    assert_eq!(refresh(&mut world, &mut alice, &V4, 600), 443, "that one is gone");
    world.pass(seconds(600));
    assert!(!world.server.has_allocation(&alice.tuple));
    assert_eq!(world.server.counters().allocations, 0);
}

#[test]
fn one_family_may_be_given_up() {
    let mut world = World::default();
    let (mut alice, v4, v6) = dual(&mut world);
    alice.permit(&mut world, &[PEER, PEER_V6]);
    alice.bind(&mut world, 0x4000, PEER);
    let gone = world.relay(v4);
    assert_eq!(refresh(&mut world, &mut alice, &V4, 0), 0);
    assert!(!is_live(&world, v4) && is_live(&world, v6));
    assert_eq!(world.send(alice.tuple, &channel_data(0x4000, b"x")), Got::Nothing);
    assert_eq!(alice.send(&mut world, PEER, b"x"), Got::Nothing);
    assert_eq!(world.receive(gone, PEER, b"x"), None);
    assert_eq!(alice.permit(&mut world, &[PEER]), 443);
    assert_eq!(alice.bind(&mut world, 0x4001, PEER), 443);
    assert!(matches!(alice.send(&mut world, PEER_V6, b"x"), Got::ToPeer { .. }));
    assert_eq!(refresh(&mut world, &mut alice, &V6, 0), 0);
    assert!(world.bound.is_empty() && !world.server.has_allocation(&alice.tuple));
    dual(&mut world);
}
