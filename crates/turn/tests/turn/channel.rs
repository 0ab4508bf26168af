//! ChannelBind and ChannelData (RFC 8656 section 12).

use visavis_turn::{
    Transport,
    wire::{Method, attribute},
};

use crate::harness::{Client, Got, PEER, World, address, channel_data, seconds};

#[test]
fn data_passes_both_ways_on_a_channel() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    assert_eq!(alice.bind(&mut world, 0x4001, PEER), 0);
    let got = world.send(alice.tuple, &channel_data(0x4001, b"hello"));
    assert_eq!(got, Got::to_peer(relay, PEER, b"hello"));
    let (to, packet) = world.receive(relay, PEER, b"hello").unwrap();
    assert_eq!(to, alice.tuple);
    assert_eq!(packet, channel_data(0x4001, b"hello"), "not padded over UDP");
    let counters = world.server.counters();
    assert_eq!((counters.to_peers.packets, counters.to_peers.bytes), (1, 5));
    assert_eq!((counters.to_clients.packets, counters.to_clients.bytes), (1, 5));
}

#[test]
fn on_a_stream_channel_data_is_padded() {
    for (length, padding) in [(0, 0), (1, 3), (2, 2), (3, 1), (4, 0)] {
        let mut world = World::default();
        let mut alice = Client::at("192.0.2.1:40000", Transport::Tcp);
        let relayed = alice.allocate(&mut world);
        let relay = world.relay(relayed);
        alice.bind(&mut world, 0x4001, PEER);
        let payload = vec![7; length];
        let (_, packet) = world.receive(relay, PEER, &payload).unwrap();
        assert_eq!(packet, [channel_data(0x4001, &payload), vec![0; padding]].concat());
        let got = world.send(alice.tuple, &packet);
        assert_eq!(got, Got::to_peer(relay, PEER, &payload));
    }
}

#[test]
fn another_port_of_the_peer_has_no_channel() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    alice.bind(&mut world, 0x4001, "8.8.8.8:5000");
    let (_, packet) = world.receive(relay, "8.8.8.8:5001", b"x").unwrap();
    assert_eq!(packet[..2], [0x00, 0x17], "a Data indication");
}

#[test]
fn a_number_has_one_peer_and_a_peer_one_number() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    assert_eq!(alice.bind(&mut world, 0x4000, "8.8.8.8:1"), 0);
    assert_eq!(alice.bind(&mut world, 0x4000, "8.8.8.8:1"), 0, "bound again");
    assert_eq!(alice.bind(&mut world, 0x4000, "8.8.8.8:2"), 400);
    assert_eq!(alice.bind(&mut world, 0x4001, "8.8.8.8:1"), 400);
    assert_eq!(alice.bind(&mut world, 0x4001, "8.8.8.8:2"), 0);
}

#[test]
fn only_numbers_of_the_range_are_bound() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    for (number, code) in [(0, 400), (0x3fff, 400), (0x4000, 0), (0x7fff, 0), (0x8000, 400), (0xffff, 400)] {
        let peer = format!("8.8.8.8:{}", 1 + number / 2);
        assert_eq!(alice.bind(&mut world, number, &peer), code, "{number:#x}");
    }
}

#[test]
fn number_and_peer_are_both_wanted() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    let response = alice.ask(&mut world, Method::CHANNEL_BIND, |writer| {
        writer.number(attribute::CHANNEL_NUMBER, 0x4000 << 16);
    });
    assert_eq!(response.code(), 400);
    let response = alice.ask(&mut world, Method::CHANNEL_BIND, |writer| {
        writer.xor_address(attribute::XOR_PEER_ADDRESS, address(PEER));
    });
    assert_eq!(response.code(), 400);
}

#[test]
fn data_on_a_channel_that_is_not_bound_is_dropped() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    assert_eq!(world.send(alice.tuple, &channel_data(0x4000, b"x")), Got::Nothing);
    alice.allocate(&mut world);
    assert_eq!(world.send(alice.tuple, &channel_data(0x4000, b"x")), Got::Nothing);
    let drops = world.server.counters().drops;
    assert_eq!((drops.no_allocation, drops.no_channel), (1, 1));
}

#[test]
fn channel_data_that_lies_about_its_length_is_dropped() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    alice.bind(&mut world, 0x4000, PEER);
    for packet in [&[0x40][..], &[0x40, 0, 0], &[0x40, 0, 0, 2, 9], &[0x80, 0, 0, 1, 9], &[0xff; 8], &[]] {
        assert_eq!(world.send(alice.tuple, packet), Got::Nothing);
    }
    assert_eq!(world.server.counters().drops.malformed, 6);
    let longer = [channel_data(0x4000, b"x"), vec![0; 3]].concat();
    assert!(matches!(world.send(alice.tuple, &longer), Got::ToPeer { payload, .. } if payload == b"x"));
}

#[test]
fn an_empty_payload_is_a_datagram_too() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    alice.bind(&mut world, 0x4000, PEER);
    let got = world.send(alice.tuple, &channel_data(0x4000, b""));
    assert!(matches!(got, Got::ToPeer { payload, .. } if payload.is_empty()));
}

#[test]
fn sixty_four_channels_are_enough_and_expired_ones_make_room() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    for n in 0..64 {
        assert_eq!(alice.bind(&mut world, 0x4000 + n, &format!("8.8.8.8:{}", n + 1)), 0);
    }
    assert_eq!(alice.bind(&mut world, 0x4100, "8.8.8.8:99"), 508);
    assert_eq!(alice.bind(&mut world, 0x4000, "8.8.8.8:1"), 0);
    alice.refresh(&mut world, 3600);
    world.pass(seconds(600));
    alice.challenge(&mut world);
    assert_eq!(alice.bind(&mut world, 0x4100, "8.8.8.8:99"), 0);
}

#[test]
fn a_channel_has_no_port_zero() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    assert_eq!(alice.bind(&mut world, 0x4000, "8.8.8.8:0"), 403);
}
