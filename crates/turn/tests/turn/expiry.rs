//! What ends by itself, and when.

use visavis_turn::{RelayedAddr, wire::attribute};

use crate::harness::{Client, Got, PEER, World, channel_data, seconds};

#[test]
fn an_allocation_ends_after_its_lifetime() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    assert_eq!(world.server.poll_timeout(), Some(world.now + seconds(600)));
    world.pass(seconds(599));
    assert!(world.server.relay_at(RelayedAddr(relayed)).is_some());
    world.pass(seconds(1));
    assert!(world.server.relay_at(RelayedAddr(relayed)).is_none());
    assert!(world.bound.is_empty());
    assert_eq!(world.server.poll_timeout(), None);
    assert_eq!(world.server.counters().allocations, 0);
}

#[test]
fn an_expired_allocation_passes_nothing_even_if_nobody_woke_the_server() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    world.pass(seconds(200));
    alice.bind(&mut world, 0x4000, PEER);
    world.pass(seconds(399));
    alice.bind(&mut world, 0x4000, PEER);
    world.now += seconds(1);
    assert_eq!(world.receive(relay, PEER, b"x"), None);
    assert_eq!(world.send(alice.tuple, &channel_data(0x4000, b"x")), Got::Nothing);
    assert!(world.bound.is_empty());
}

#[test]
fn allocations_end_in_their_own_order() {
    let mut world = World::default();
    let mut clients: Vec<Client> = (1..=5).map(Client::new).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.ask_allocate(&mut world, |writer| {
            writer.number(attribute::LIFETIME, 2000 - 200 * n as u32);
        });
    }
    for live in (0..5).rev() {
        assert_eq!(world.bound.len(), live + 1);
        let next = world.server.poll_timeout().unwrap();
        world.pass(next.since(world.now));
    }
    assert!(world.bound.is_empty());
}

#[test]
fn a_permission_ends_after_five_minutes_unless_renewed() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    alice.permit(&mut world, &[PEER]);
    world.pass(seconds(299));
    assert!(world.receive(relay, PEER, b"x").is_some());
    alice.permit(&mut world, &[PEER]);
    world.pass(seconds(299));
    assert!(matches!(alice.send(&mut world, PEER, b"x"), Got::ToPeer { .. }));
    world.pass(seconds(1));
    assert!(world.receive(relay, PEER, b"x").is_none());
    assert_eq!(alice.send(&mut world, PEER, b"x"), Got::Nothing);
}

#[test]
fn neither_data_nor_a_refresh_renews_a_permission() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    alice.permit(&mut world, &[PEER]);
    world.pass(seconds(200));
    alice.send(&mut world, PEER, b"x");
    world.receive(relay, PEER, b"x");
    alice.refresh(&mut world, 600);
    world.pass(seconds(100));
    assert!(world.receive(relay, PEER, b"x").is_none());
}

#[test]
fn a_channel_lives_ten_minutes_and_its_permission_five() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    alice.refresh(&mut world, 3600);
    alice.bind(&mut world, 0x4000, PEER);
    world.pass(seconds(300));
    assert!(world.receive(relay, PEER, b"x").is_none());
    assert!(matches!(world.send(alice.tuple, &channel_data(0x4000, b"x")), Got::ToPeer { .. }));
    alice.permit(&mut world, &[PEER]);
    world.pass(seconds(299));
    assert!(matches!(world.send(alice.tuple, &channel_data(0x4000, b"x")), Got::ToPeer { .. }));
    assert_eq!(world.receive(relay, PEER, b"x").unwrap().1[..2], [0x40, 0x00]);
    world.pass(seconds(1));
    assert_eq!(world.send(alice.tuple, &channel_data(0x4000, b"x")), Got::Nothing);
    alice.challenge(&mut world);
    assert_eq!(alice.bind(&mut world, 0x4000, "8.8.4.4:1"), 0, "an expired number is free");
}

#[test]
fn an_index_and_a_port_are_used_again() {
    let mut world = World::default();
    let mut first = Client::new(1);
    let relayed = first.allocate(&mut world);
    let relay = world.relay(relayed);
    first.bind(&mut world, 0x4000, PEER);
    first.refresh(&mut world, 0);
    let mut second = Client::new(2);
    let relayed = second.allocate(&mut world);
    assert_eq!(world.relay(relayed), relay);
    assert!(world.receive(relay, PEER, b"x").is_none(), "nothing is inherited");
    assert_eq!(world.send(second.tuple, &channel_data(0x4000, b"x")), Got::Nothing);
}
