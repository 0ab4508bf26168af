//! CreatePermission (RFC 8656 sections 9 and 10).

use visavis_turn::wire::{Method, attribute};

use crate::harness::{Client, Got, PEER, PEER_V6, World, seconds};

#[test]
fn a_peer_reaches_the_client_only_with_permission() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relay = alice.allocate(&mut world);
    let relay = world.relay(relay);
    assert_eq!(world.receive(relay, PEER, b"x"), None);
    assert_eq!(world.server.counters().drops.no_permission, 1);
    assert_eq!(alice.permit(&mut world, &[PEER]), 0);
    assert!(world.receive(relay, PEER, b"x").is_some());
}

#[test]
fn a_permission_is_for_the_address_whatever_the_port() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    assert_eq!(alice.permit(&mut world, &["8.8.8.8:0"]), 0);
    assert!(world.receive(relay, "8.8.8.8:1", b"x").is_some());
    assert!(world.receive(relay, "8.8.8.9:1", b"x").is_none());
}

#[test]
fn several_peers_are_permitted_together_or_not_at_all() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    assert_eq!(alice.permit(&mut world, &["8.8.8.8:1", "10.0.0.1:1"]), 403);
    assert!(world.receive(relay, "8.8.8.8:1", b"x").is_none());
    assert_eq!(alice.permit(&mut world, &["8.8.8.8:1", "9.9.9.9:1"]), 0);
    assert!(world.receive(relay, "8.8.8.8:1", b"x").is_some());
    assert!(world.receive(relay, "9.9.9.9:1", b"x").is_some());
}

#[test]
fn no_peer_or_a_malformed_one_is_a_bad_request() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    assert_eq!(alice.permit(&mut world, &[]), 400);
    for value in [
        &[][..],
        &[0, 1, 0, 0],
        &[0, 3, 0, 0, 1, 2, 3, 4],
        &[0, 2, 0, 0, 1, 2, 3, 4],
        &[0, 1, 0, 0, 1, 2, 3, 4, 5],
    ] {
        let response = alice.ask(&mut world, Method::CREATE_PERMISSION, |writer| {
            writer.attribute(attribute::XOR_PEER_ADDRESS, value);
        });
        assert_eq!(response.code(), 400);
    }
}

#[test]
fn without_an_allocation_there_is_a_mismatch() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    assert_eq!(alice.permit(&mut world, &[PEER]), 437);
    assert_eq!(alice.bind(&mut world, 0x4000, PEER), 437);
}

#[test]
fn a_peer_of_the_other_family_is_a_mismatch_but_a_refused_one_is_refused_first() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    assert_eq!(alice.permit(&mut world, &[PEER_V6]), 443);
    assert_eq!(alice.permit(&mut world, &["[fe80::1]:1"]), 403);
    assert_eq!(alice.bind(&mut world, 0x4000, PEER_V6), 443);
    assert_eq!(alice.bind(&mut world, 0x4000, "[fe80::1]:1"), 403);
}

#[test]
fn an_ipv6_relay_has_ipv6_peers() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let response = alice.ask_allocate(&mut world, |writer| {
        writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    let relay = world.relay(response.address(attribute::XOR_RELAYED_ADDRESS));
    assert_eq!(alice.permit(&mut world, &[PEER]), 443);
    assert_eq!(alice.permit(&mut world, &[PEER_V6]), 0);
    assert!(matches!(alice.send(&mut world, PEER_V6, b"x"), Got::ToPeer { .. }));
    let (_, packet) = world.receive(relay, PEER_V6, b"xyz").unwrap();
    assert_eq!(packet.len(), 48 + 4);
}

#[test]
fn sixty_four_permissions_are_enough_and_expired_ones_make_room() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    let peers: Vec<String> = (0..66).map(|n| format!("8.8.8.{n}:1")).collect();
    let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
    assert_eq!(alice.permit(&mut world, &peers[..65]), 508);
    assert_eq!(alice.permit(&mut world, &peers[..64]), 0);
    assert_eq!(alice.permit(&mut world, &peers[64..65]), 508);
    assert_eq!(alice.permit(&mut world, &peers[..64]), 0, "refreshing needs no room");
    assert_eq!(alice.bind(&mut world, 0x4000, peers[65]), 508);
    assert_eq!(alice.bind(&mut world, 0x4000, peers[5]), 0);
    world.pass(seconds(300));
    assert_eq!(alice.permit(&mut world, &peers[64..65]), 0);
}

#[test]
fn one_peer_named_often_takes_one_place() {
    let mut world = World::with(|config| config.limits.permissions = 2);
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    assert_eq!(alice.permit(&mut world, &["8.8.8.8:1", "8.8.8.8:2"]), 0);
    assert_eq!(alice.permit(&mut world, &["8.8.4.4:1"]), 0);
    assert_eq!(alice.permit(&mut world, &["8.8.4.5:1"]), 508);
}
