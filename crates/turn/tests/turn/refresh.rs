//! Refresh (RFC 8656 section 8).

use visavis_turn::wire::{Method, attribute};

use crate::harness::{Client, World, seconds};

#[test]
fn an_allocation_is_prolonged() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    let response = alice.refresh(&mut world, 3600);
    assert_eq!((response.code(), response.lifetime()), (0, 3600));
    world.pass(seconds(3599));
    assert!(world.server.has_allocation(&alice.tuple));
    world.pass(seconds(1));
    assert!(!world.server.has_allocation(&alice.tuple));
}

#[test]
fn a_refresh_may_shorten_a_long_life_to_the_default() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.ask_allocate(&mut world, |writer| {
        writer.number(attribute::LIFETIME, 3600);
    });
    assert_eq!(alice.refresh(&mut world, 1).lifetime(), 600);
    world.pass(seconds(600));
    assert!(!world.server.has_allocation(&alice.tuple));
}

#[test]
fn a_lifetime_of_zero_ends_the_allocation() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    let response = alice.refresh(&mut world, 0);
    assert_eq!((response.code(), response.lifetime()), (0, 0));
    assert!(world.bound.is_empty());
    assert_eq!(world.server.poll_timeout(), None);
    assert_eq!(world.server.counters().allocations, 0);
    assert_eq!(alice.refresh(&mut world, 0).code(), 437);
}

#[test]
fn without_an_allocation_there_is_nothing_to_refresh() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    assert_eq!(alice.refresh(&mut world, 600).code(), 437);
}

#[test]
fn another_name_is_not_the_owner() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    let mut bob = alice.clone().named("bob", "battery");
    assert_eq!(bob.refresh(&mut world, 0).code(), 441);
    assert_eq!(bob.permit(&mut world, &["8.8.8.8:1"]), 441);
    assert_eq!(bob.bind(&mut world, 0x4000, "8.8.8.8:1"), 441);
    assert!(world.server.has_allocation(&alice.tuple));
}

#[test]
fn the_family_must_be_that_of_the_allocation() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    for (value, code) in [(&[1, 0, 0, 0][..], 0), (&[2, 0, 0, 0], 443), (&[9, 0, 0, 0], 443), (&[1], 400)] {
        let response = alice.ask(&mut world, Method::REFRESH, |writer| {
            writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, value);
        });
        assert_eq!(response.code(), code);
    }
}

#[test]
fn a_malformed_lifetime_changes_nothing() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    let response = alice.ask(&mut world, Method::REFRESH, |writer| {
        writer.attribute(attribute::LIFETIME, &[0, 0]);
    });
    assert_eq!(response.code(), 400);
    assert!(world.server.has_allocation(&alice.tuple));
}
