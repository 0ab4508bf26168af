//! Nothing that arrives can break the server.

use proptest::prelude::*;
use visavis_turn::{
    FiveTuple, Frame, PeerAddr, RelayKey, frame,
    wire::{ChannelData, Class, Message, Method, Writer, attribute},
};

use crate::harness::{Client, PEER, UDP, World, address, channel_data};

/// One valid packet of every kind.
fn valid_packets(client: &mut Client) -> Vec<Vec<u8>> {
    client.fingerprint = true;
    let peer = address(PEER);
    let mut packets = vec![
        client.bare(Method::BINDING, |_| {}),
        client.request(Method::ALLOCATE, |writer| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP).number(attribute::LIFETIME, 700);
            writer.attribute(attribute::EVEN_PORT, &[0]).attribute(attribute::DONT_FRAGMENT, &[]);
            writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0]);
        }),
        client.request(Method::REFRESH, |writer| {
            writer.number(attribute::LIFETIME, 600);
        }),
        client.request(Method::CREATE_PERMISSION, |writer| {
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
            writer.xor_address(attribute::XOR_PEER_ADDRESS, address("[2a00::1]:1"));
        }),
        client.request(Method::CHANNEL_BIND, |writer| {
            writer.number(attribute::CHANNEL_NUMBER, 0x4000 << 16);
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        }),
        client.indication(PEER, b"payload"),
        channel_data(0x4000, b"payload"),
    ];
    client.fingerprint = false;
    packets.push(client.indication(PEER, b"payload"));
    packets
}

/// A world in which a client has an allocation with a channel, so that garbage reaches every corner.
fn busy() -> (World, Client, RelayKey) {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    assert_eq!(alice.bind(&mut world, 0x4000, PEER), 0);
    let relay = world.relay(relayed);
    (world, alice, relay)
}

fn swallow(world: &mut World, tuple: FiveTuple, bytes: &[u8]) {
    let _ = world.send(tuple, bytes);
    if let Frame::Whole(length) = frame(bytes) {
        assert!(length <= bytes.len());
    }
    if let Some(message) = Message::parse(bytes) {
        let _ =
            (message.class(), message.method(), message.fingerprint_holds(), message.integrity_holds(b"key"));
        for seen in message.attributes() {
            assert!(seen.offset + 4 + seen.value.len() <= bytes.len());
            let _ = attribute::xor_address(seen.value, message.transaction_id());
        }
    }
    if let Some(data) = ChannelData::parse(bytes) {
        assert!(data.payload.len() + 4 <= bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_swallowed(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20)) {
        let (mut world, alice, _) = busy();
        for packet in packets {
            swallow(&mut world, alice.tuple, &packet);
        }
    }

    #[test]
    fn noise_behind_a_valid_header_is_swallowed(
        kind in 0u16..0x4000,
        body in prop::collection::vec((0u16..0x30, prop::collection::vec(any::<u8>(), 0..24)), 0..8),
    ) {
        let (mut world, mut alice, _) = busy();
        let mut packet = alice.bare(Method::BINDING, |writer| {
            for (kind, value) in &body {
                writer.attribute(*kind, value);
            }
        });
        packet[..2].copy_from_slice(&kind.to_be_bytes());
        swallow(&mut world, alice.tuple, &packet);
    }

    #[test]
    fn signed_noise_is_swallowed(
        method in prop::sample::select(vec![3u16, 4, 8, 9]),
        body in prop::collection::vec((0u16..0x30, prop::collection::vec(any::<u8>(), 0..24)), 0..8),
    ) {
        let (mut world, mut alice, _) = busy();
        let packet = alice.request(Method(method), |writer| {
            for (kind, value) in &body {
                writer.attribute(*kind, value);
            }
        });
        swallow(&mut world, alice.tuple, &packet);
        world.pass(std::time::Duration::from_secs(4000));
        prop_assert!(world.bound.is_empty());
    }

    #[test]
    fn a_valid_packet_with_changed_bytes_is_swallowed(
        which in 0usize..8,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (mut world, mut alice, _) = busy();
        let mut packet = valid_packets(&mut alice).swap_remove(which);
        for (index, byte) in changes {
            let index = index.index(packet.len());
            packet[index] = byte;
        }
        swallow(&mut world, alice.tuple, &packet);
    }

    #[test]
    fn any_payload_of_a_peer_arrives_whole(payload in prop::collection::vec(any::<u8>(), 0..2000), bound: bool) {
        let (mut world, mut alice, relay) = busy();
        prop_assert_eq!(alice.permit(&mut world, &["8.8.4.4:1"]), 0);
        let (_, packet) = world.receive(relay, if bound { PEER } else { "8.8.4.4:1" }, &payload).unwrap();
        if bound {
            prop_assert_eq!(ChannelData::parse(&packet).unwrap().payload, &payload);
        } else {
            let message = Message::parse(&packet).unwrap();
            prop_assert_eq!(message.attribute(attribute::DATA), Some(&payload[..]));
        }
    }

    #[test]
    fn what_is_written_is_read(
        body in prop::collection::vec((0u16..0x8000, prop::collection::vec(any::<u8>(), 0..40)), 0..10),
        method in 0u16..0x1000,
    ) {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, Class::Error, Method(method), Client::new(1).id());
        for (kind, value) in &body {
            writer.attribute(*kind, value);
        }
        writer.integrity(b"key").fingerprint();
        let message = Message::parse(&out).unwrap();
        prop_assert_eq!((message.class(), message.method()), (Class::Error, Method(method)));
        let read: Vec<_> = message.attributes().map(|seen| (seen.kind, seen.value.to_vec())).collect();
        prop_assert_eq!(&read[..body.len()], &body[..]);
        prop_assert_eq!(message.fingerprint_holds(), Some(true));
        prop_assert!(message.integrity_holds(b"key") || body.iter().any(|(kind, _)| *kind == 8));
    }
}

#[test]
fn every_truncation_of_every_packet_is_swallowed() {
    let (mut world, mut alice, _) = busy();
    for packet in valid_packets(&mut alice) {
        for length in 0..packet.len() {
            swallow(&mut world, alice.tuple, &packet[..length]);
        }
    }
}

#[test]
fn answers_to_relays_that_were_never_asked_for_are_ignored() {
    let (mut world, _, relay) = busy();
    let now = world.now;
    for key in [relay, RelayKey(7), RelayKey(u32::MAX)] {
        assert!(world.server.handle_relay_bound(now, key, true).is_none());
        assert!(world.server.handle_relay_bound(now, key, false).is_none());
    }
    assert!(world.server.handle_peer(now, RelayKey(u32::MAX), PeerAddr(address(PEER)), b"x").is_none());
    world.server.handle_closed(now, Client::new(9).tuple);
    assert_eq!(world.server.poll_action(), None);
}

#[test]
fn a_message_of_thousands_of_peers_or_attributes_is_answered_in_time() {
    let (mut world, mut alice, _) = busy();
    let response = alice.ask(&mut world, Method::CREATE_PERMISSION, |writer| {
        for n in 0..5000u32 {
            let peer = (std::net::Ipv4Addr::from_bits(0x0808_0000 + n), 1).into();
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        }
    });
    assert_eq!(response.code(), 508);
    let response = alice.ask(&mut world, Method::REFRESH, |writer| {
        for n in 0..15_000 {
            writer.attribute(0x7000 + n % 0x1000, &[]);
        }
    });
    assert_eq!(response.code(), 420);
    assert_eq!(response.get(attribute::UNKNOWN_ATTRIBUTES).unwrap().len(), 16);
}
