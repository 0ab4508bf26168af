//! Requests that arrive twice: over UDP an answer may get lost (RFC 8489 section 6.3.1, RFC 8656 sections 7.2 and 8.2).

use visavis_turn::wire::{Method, Writer, attribute};

use crate::harness::{Client, PEER, PEER_V6, UDP, World, address};

type Write<'w> = &'w dyn Fn(&mut Writer<'_>);

fn transport(writer: &mut Writer<'_>) {
    writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
}

fn tcp(writer: &mut Writer<'_>) {
    writer.attribute(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0]);
}

fn unknown(writer: &mut Writer<'_>) {
    writer.attribute(0x7ff0, b"");
}

fn peer(peer: &str) -> impl Fn(&mut Writer<'_>) {
    let peer = address(peer);
    move |writer| {
        writer.number(attribute::CHANNEL_NUMBER, 0x4000 << 16);
        writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
    }
}

fn lifetime(seconds: u32) -> impl Fn(&mut Writer<'_>) {
    move |writer| {
        writer.number(attribute::LIFETIME, seconds);
    }
}

/// Sends one request twice; the code, after both answers were the same.
#[track_caller]
fn twice(world: &mut World, client: &mut Client, method: Method, write: Write<'_>) -> u16 {
    let packet = client.request(method, write);
    let first = world.send(client.tuple, &packet);
    assert_eq!(first, world.send(client.tuple, &packet));
    first.reply().code()
}

#[test]
fn what_is_granted_is_granted_again() {
    for fingerprint in [false, true] {
        let mut world = World::default();
        let mut alice = Client::new(1);
        alice.fingerprint = fingerprint;
        let packet = alice.bare(Method::BINDING, |_| {});
        assert_eq!(world.send(alice.tuple, &packet), world.send(alice.tuple, &packet));
        alice.challenge(&mut world);
        assert_eq!(twice(&mut world, &mut alice, Method::ALLOCATE, &transport), 0);
        assert_eq!(twice(&mut world, &mut alice, Method::CREATE_PERMISSION, &peer(PEER)), 0);
        assert_eq!(twice(&mut world, &mut alice, Method::CHANNEL_BIND, &peer(PEER)), 0);
        assert_eq!(twice(&mut world, &mut alice, Method::REFRESH, &lifetime(900)), 0);
        assert_eq!((world.bound.len(), world.server.counters().created), (1, 1));
    }
}

#[test]
fn what_is_refused_is_refused_again() {
    let mut world = World::with(|config| {
        config.limits.allocations_per_credential = 1;
        config.limits.permissions = 1;
    });
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let nothing: Write<'_> = &|_| {};
    for (method, write, code) in [
        (Method::ALLOCATE, nothing, 400),
        (Method::REFRESH, nothing, 437),
        (Method::CREATE_PERMISSION, &peer(PEER), 437),
        (Method::CHANNEL_BIND, &peer(PEER), 437),
        (Method::ALLOCATE, &tcp, 442),
        (Method::ALLOCATE, &unknown, 420),
    ] {
        assert_eq!(twice(&mut world, &mut alice, method, write), code);
    }
    alice.allocate(&mut world);
    alice.permit(&mut world, &[PEER]);
    for (method, write, code) in [
        (Method::ALLOCATE, &transport as Write<'_>, 437),
        (Method::CREATE_PERMISSION, &peer("10.0.0.1:1"), 403),
        (Method::CREATE_PERMISSION, &peer(PEER_V6), 443),
        (Method::CREATE_PERMISSION, &peer("8.8.4.4:1"), 508),
        (Method::CHANNEL_BIND, nothing, 400),
    ] {
        assert_eq!(twice(&mut world, &mut alice, method, write), code);
    }
    let mut again = Client::new(2);
    again.challenge(&mut world);
    assert_eq!(twice(&mut world, &mut again, Method::ALLOCATE, &transport), 486);
    let mut bob = alice.clone().named("bob", "battery");
    assert_eq!(twice(&mut world, &mut bob, Method::REFRESH, &lifetime(0)), 441);
}

/// Clients take the mismatch for a success then (RFC 8656 section 8.3).
#[test]
fn an_end_that_comes_again_finds_nothing() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    let packet = alice.request(Method::REFRESH, lifetime(0));
    assert_eq!(world.send(alice.tuple, &packet).reply().code(), 0);
    assert_eq!(world.send(alice.tuple, &packet).reply().code(), 437);
}
