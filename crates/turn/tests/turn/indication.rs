//! Send and Data indications (RFC 8656 section 11), and data between two relayed addresses of one server.

use visavis_turn::{
    IpNet, PeerPolicy, RelayedAddr, Transport,
    wire::{Class, Message, Method, Writer, attribute},
};

use crate::harness::{Client, Got, PEER, PUBLIC, World, address, channel_data, ip};

#[test]
fn data_goes_to_a_permitted_peer() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    assert_eq!(alice.send(&mut world, PEER, b"early"), Got::Nothing);
    alice.permit(&mut world, &[PEER]);
    let got = alice.send(&mut world, PEER, b"hello");
    assert_eq!(got, Got::to_peer(world.relay(relayed), PEER, b"hello"));
    assert_eq!(alice.send(&mut world, "8.8.8.9:1", b"x"), Got::Nothing);
    assert_eq!(world.server.counters().drops.no_permission, 2);
}

#[test]
fn data_from_a_peer_arrives_as_an_indication() {
    for transport in [Transport::Udp, Transport::Tls] {
        let mut world = World::default();
        let mut alice = Client::at("192.0.2.1:40000", transport);
        let relayed = alice.allocate(&mut world);
        let relay = world.relay(relayed);
        alice.permit(&mut world, &[PEER]);
        for payload in [&b""[..], b"a", b"ab", b"abc", b"abcd"] {
            let (to, packet) = world.receive(relay, PEER, payload).unwrap();
            let message = Message::parse(&packet).unwrap();
            let peer = message.attribute(attribute::XOR_PEER_ADDRESS).unwrap();
            assert_eq!(to, alice.tuple);
            assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
            assert_eq!(attribute::xor_address(peer, message.transaction_id()), Some(address(PEER)));
            assert_eq!(message.attribute(attribute::DATA), Some(payload));
        }
    }
}

#[test]
fn indications_differ_in_their_transaction_ids() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    alice.permit(&mut world, &[PEER]);
    let first = world.receive(relay, PEER, b"x").unwrap().1;
    let second = world.receive(relay, PEER, b"x").unwrap().1;
    assert_ne!(first[8..20], second[8..20]);
}

#[test]
fn a_send_without_peer_or_data_or_with_what_must_be_known_is_dropped() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    alice.permit(&mut world, &[PEER]);
    let mut send = |write: &dyn Fn(&mut Writer<'_>)| {
        let mut packet = Vec::new();
        write(&mut Writer::new(&mut packet, Class::Indication, Method::SEND, alice.id()));
        world.send(alice.tuple, &packet)
    };
    let peer = address(PEER);
    let (with_peer, with_data) = (attribute::XOR_PEER_ADDRESS, attribute::DATA);
    assert_eq!(
        send(&|writer| {
            writer.attribute(with_data, b"x");
        }),
        Got::Nothing
    );
    assert_eq!(
        send(&|writer| {
            writer.xor_address(with_peer, peer);
        }),
        Got::Nothing
    );
    let unknown = send(&|writer| {
        writer.xor_address(with_peer, peer).attribute(with_data, b"x").attribute(0x7ff0, b"");
    });
    assert_eq!(unknown, Got::Nothing);
    let whole = send(&|writer| {
        writer.xor_address(with_peer, peer).attribute(with_data, b"x");
    });
    assert!(matches!(whole, Got::ToPeer { .. }));
}

#[test]
fn a_send_to_port_zero_is_dropped() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    alice.permit(&mut world, &[PEER]);
    assert_eq!(alice.send(&mut world, "8.8.8.8:0", b"x"), Got::Nothing);
    assert_eq!(world.server.counters().drops.forbidden_peer, 1);
}

#[test]
fn a_payload_too_long_for_a_message_is_dropped() {
    let mut world = World::with(|config| config.limits.bandwidth = None);
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    alice.permit(&mut world, &[PEER]);
    let longest = 0xffff - 3 - 16;
    assert!(world.receive(relay, PEER, &vec![0; longest]).is_some());
    assert!(world.receive(relay, PEER, &vec![0; longest + 1]).is_none());
    alice.bind(&mut world, 0x4000, PEER);
    assert!(world.receive(relay, PEER, &vec![0; 0xffff]).is_some());
    assert!(world.receive(relay, PEER, &vec![0; 0x1_0000]).is_none());
    assert_eq!(world.server.counters().drops.too_long, 2);
}

#[test]
fn two_clients_of_one_server_meet_without_the_kernel() {
    let mut world = World::default();
    let (mut alice, mut bob) = (Client::new(1), Client::new(2));
    let at_alice = alice.allocate(&mut world);
    let at_bob = bob.allocate(&mut world);
    assert_eq!(alice.permit(&mut world, &[&at_bob.to_string()]), 0);
    let got = alice.send(&mut world, &at_bob.to_string(), b"hi");
    assert_eq!(got, Got::ToRelayed { from: at_alice, to: at_bob, payload: b"hi".to_vec() });
    let relay = world.relay(at_bob);
    assert_eq!(world.receive_from(relay, at_alice, b"hi"), None, "bob has not permitted it");
    assert_eq!(bob.bind(&mut world, 0x4000, &at_alice.to_string()), 0);
    let (to, packet) = world.receive_from(relay, at_alice, b"hi").unwrap();
    assert_eq!((to, packet), (bob.tuple, channel_data(0x4000, b"hi")));
    let got = world.send(bob.tuple, &channel_data(0x4000, b"ho"));
    assert_eq!(got, Got::ToRelayed { from: at_bob, to: at_alice, payload: b"ho".to_vec() });
}

#[test]
fn no_other_port_of_the_own_address_is_reached() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    let admin = format!("{PUBLIC}:22");
    assert_eq!(alice.permit(&mut world, &[&admin]), 0, "a permission has no port");
    assert_eq!(alice.send(&mut world, &admin, b"x"), Got::Nothing);
    assert_eq!(alice.bind(&mut world, 0x4000, &admin), 403);
    assert_eq!(alice.send(&mut world, &format!("{PUBLIC}:49151"), b"x"), Got::Nothing);
    let lowest = alice.send(&mut world, &format!("{PUBLIC}:49152"), b"x");
    assert!(matches!(lowest, Got::ToRelayed { .. }));
    assert_eq!(
        alice.permit(&mut world, &["10.0.0.8:49152"]),
        403,
        "the address it is bound to is no relayed one"
    );
}

#[test]
fn an_own_address_that_is_allowed_by_name_is_reached_through_the_kernel_but_for_relayed_ports() {
    let allow: IpNet = format!("{PUBLIC}/32").parse().unwrap();
    let mut world = World::with(|config| config.peers = PeerPolicy::new(&[ip(PUBLIC)], &[allow], &[]));
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    assert_eq!(alice.bind(&mut world, 0x4000, &format!("{PUBLIC}:3480")), 0);
    assert!(matches!(world.send(alice.tuple, &channel_data(0x4000, b"x")), Got::ToPeer { .. }));
    assert!(matches!(alice.send(&mut world, &format!("{PUBLIC}:50000"), b"x"), Got::ToRelayed { .. }));
}

#[test]
fn data_between_relayed_addresses_needs_a_permission_and_is_counted_where_nobody_lives() {
    let mut world = World::default();
    let (mut alice, mut bob) = (Client::new(1), Client::new(2));
    let (from, to) = (RelayedAddr(alice.allocate(&mut world)), RelayedAddr(bob.allocate(&mut world)));
    assert!(world.server.handle_relayed(world.now, from, to, b"early").is_none());
    bob.permit(&mut world, &[&from.0.to_string()]);
    assert_eq!(world.server.handle_relayed(world.now, from, to, b"hi").unwrap().to, bob.tuple);
    bob.refresh(&mut world, 0);
    assert!(world.server.handle_relayed(world.now, from, to, b"late").is_none());
    let drops = world.server.counters().drops;
    assert_eq!((drops.no_permission, drops.no_allocation), (1, 1));
}
