//! Credentials that reach only some peers, and those that are revoked.

use std::{net::IpAddr, sync::Arc};

use visavis_turn::{Circle, Transport, wire::attribute};

use crate::harness::{Client, Got, PEER, PEER_V6, World, ip, seconds};

/// Alice reaches one address of each family; one who was expelled may not allocate.
struct AliceAndPeer;

impl Circle for AliceAndPeer {
    fn admits(&self, username: &[u8]) -> bool {
        !username.ends_with(b":m:x")
    }

    fn holds(&self, username: &[u8], peer: IpAddr) -> bool {
        username != b"alice" || peer == ip("8.8.8.8") || peer == ip("2a00:1450::1")
    }
}

fn world() -> World {
    World::with(|config| config.peers = config.peers.clone().within(Arc::new(AliceAndPeer)))
}

#[test]
fn peers_outside_the_circle_are_forbidden_by_both_methods_and_nothing_reaches_them() {
    let mut world = world();
    let mut alice = Client::new(1).named("alice", "correct horse");
    let relayed = alice.allocate(&mut world);
    for stranger in ["8.8.8.9:5000", "9.9.9.9:1"] {
        assert_eq!(alice.permit(&mut world, &[stranger]), 403, "{stranger}");
        assert_eq!(alice.permit(&mut world, &[PEER, stranger]), 403, "all or none");
        assert_eq!(alice.bind(&mut world, 0x4000, stranger), 403, "{stranger}");
        assert_eq!(alice.send(&mut world, stranger, b"x"), Got::Nothing);
    }
    assert_eq!(alice.send(&mut world, PEER, b"x"), Got::Nothing, "all or none");
    assert_eq!(world.server.counters().outside_circle, 6);
    assert_eq!(alice.permit(&mut world, &[PEER]), 0);
    assert_eq!(alice.bind(&mut world, 0x4000, PEER), 0);
    assert!(matches!(alice.send(&mut world, PEER, b"x"), Got::ToPeer { .. }));
    // Whoever is relayed here is reached across: which ports live decides.
    assert_eq!(alice.permit(&mut world, &[&relayed.to_string()]), 0);
}

#[test]
fn the_circle_opens_nothing_that_the_policy_closes() {
    struct All;
    impl Circle for All {
        fn admits(&self, _: &[u8]) -> bool {
            true
        }
        fn holds(&self, _: &[u8], _: IpAddr) -> bool {
            true
        }
    }
    let mut world = World::with(|config| config.peers = config.peers.clone().within(Arc::new(All)));
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    assert_eq!(alice.permit(&mut world, &["127.0.0.1:5000"]), 403);
    assert_eq!(world.server.counters().outside_circle, 0);
}

#[test]
fn another_credential_is_not_bound_by_it() {
    let mut world = world();
    let mut bob = Client::new(2).named("bob", "battery");
    bob.allocate(&mut world);
    assert_eq!(bob.permit(&mut world, &["9.9.9.9:1"]), 0);
}

#[test]
fn who_is_not_admitted_gets_no_allocation() {
    let mut world = world();
    let mut expelled = Client::new(1).until(3600);
    let response = expelled.ask_allocate(&mut world, |_| {});
    assert_eq!(response.code(), 403);
    assert!(world.bound.is_empty());
    assert_eq!(world.server.counters().outside_circle, 1);
}

#[test]
fn ipv6_peers_have_their_circle_too() {
    let mut world = world();
    let mut alice = Client::new(1).named("alice", "correct horse");
    alice.ask_allocate(&mut world, |writer| {
        writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    assert_eq!(alice.permit(&mut world, &[PEER_V6]), 0);
    assert_eq!(alice.permit(&mut world, &["[2a00:1450::2]:5000"]), 403);
}

#[test]
fn revoked_credentials_lose_every_allocation_and_others_none() {
    let mut world = World::default();
    let mut revoked: Vec<Client> = (0..3).map(|n| Client::new(n).until(600)).collect();
    revoked.push(Client::at("192.0.2.9:1", Transport::Tcp).until(600));
    let mut bob = Client::new(100).named("bob", "battery");
    let relayed: Vec<_> = revoked.iter_mut().map(|client| client.allocate(&mut world)).collect();
    for client in revoked.iter_mut().chain([&mut bob]) {
        if client.username == "bob" {
            client.allocate(&mut world);
        }
        assert_eq!(client.bind(&mut world, 0x4000, PEER), 0);
    }
    world.pass(seconds(10));
    let ended = world.server.handle_revoked(world.now, |name| name.ends_with(b":m:x"));
    assert_eq!((ended, world.act()), (4, None));
    assert_eq!((world.bound.len(), world.server.counters().revoked), (1, 4));
    for (client, relayed) in revoked.iter_mut().zip(relayed) {
        assert!(world.server.relay_at(visavis_turn::RelayedAddr(relayed)).is_none());
        assert_eq!(client.refresh(&mut world, 600).code(), 437);
    }
    assert_eq!(bob.refresh(&mut world, 600).code(), 0);
    let counters = world.server.counters();
    assert_eq!((counters.allocations, counters.permissions, counters.channels), (1, 1, 1));
    assert_eq!(world.server.handle_revoked(world.now, |name| name.ends_with(b":m:x")), 0);
}

#[test]
fn what_lives_is_listed_without_the_addresses_of_those_who_use_it() {
    let mut world = World::default();
    let mut alice = Client::at("192.0.2.9:1", Transport::Tls);
    let relayed = alice.allocate(&mut world);
    alice.bind(&mut world, 0x4000, PEER);
    assert!(matches!(alice.send(&mut world, PEER, &[0; 100]), Got::ToPeer { .. }));
    world.pass(seconds(10));
    let listed: Vec<_> = world.server.listed(world.now, 10).collect();
    let [one] = &listed[..] else { panic!("one allocation: {listed:?}") };
    assert_eq!((&*one.username, one.transport), (&b"alice"[..], Transport::Tls));
    assert_eq!(one.relayed, [relayed]);
    assert_eq!((one.age, one.left), (seconds(10), seconds(590)));
    assert_eq!((one.permissions, one.channels, one.bytes), (1, 1, 100));
    assert!(!one.over_ipv6 && !format!("{one:?}").contains("192.0.2.9"));
    let mut bob = Client::at("[2001:db8::9]:1", Transport::Udp);
    bob.allocate(&mut world);
    assert_eq!(world.server.listed(world.now, 10).filter(|one| one.over_ipv6).count(), 1);
    for n in 0..5 {
        Client::new(n).allocate(&mut world);
    }
    assert_eq!(world.server.listed(world.now, 3).count(), 3);
}
