//! Binding (RFC 8489), from clients of every age.

use visavis_turn::{
    Transport,
    wire::{Class, Method, Writer, attribute},
};

use crate::harness::{Client, Got, World, address};

#[test]
fn a_client_learns_its_address() {
    for client in ["192.0.2.9:1234", "[2a02::9]:1234"] {
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            let mut world = World::default();
            let mut alice = Client::at(client, transport);
            let packet = alice.bare(Method::BINDING, |_| {});
            let response = world.send(alice.tuple, &packet).reply();
            assert_eq!(response.code(), 0);
            assert_eq!(response.address(attribute::XOR_MAPPED_ADDRESS), address(client));
            assert_eq!(world.server.counters().bindings, 1);
        }
    }
}

#[test]
fn an_answer_is_no_longer_than_it_must_be() {
    let mut alice = Client::new(1);
    let packet = alice.bare(Method::BINDING, |_| {});
    let response = World::default().send(alice.tuple, &packet).reply();
    assert_eq!((packet.len(), response.0.len()), (20, 32));
}

#[test]
fn an_ipv4_client_on_an_ipv6_socket_is_told_its_ipv4_address() {
    let mut alice = Client::at("[::ffff:192.0.2.9]:1234", Transport::Udp);
    let packet = alice.bare(Method::BINDING, |_| {});
    let response = World::default().send(alice.tuple, &packet).reply();
    assert_eq!(response.address(attribute::XOR_MAPPED_ADDRESS), address("192.0.2.9:1234"));
}

#[test]
fn a_fingerprint_is_answered_with_one() {
    let mut alice = Client::new(1);
    alice.fingerprint = true;
    let packet = alice.bare(Method::BINDING, |_| {});
    let response = World::default().send(alice.tuple, &packet).reply();
    assert_eq!(response.message().fingerprint_holds(), Some(true));
}

#[test]
fn a_wrong_fingerprint_is_dropped() {
    let mut alice = Client::new(1);
    alice.fingerprint = true;
    let mut packet = alice.bare(Method::BINDING, |_| {});
    *packet.last_mut().unwrap() ^= 1;
    let mut world = World::default();
    assert_eq!(world.send(alice.tuple, &packet), Got::Nothing);
    assert_eq!(world.server.counters().drops.malformed, 1);
}

#[test]
fn a_client_without_magic_cookie_gets_its_address_in_plain() {
    let mut packet = vec![0, 1, 0, 0];
    packet.extend_from_slice(&[9; 16]);
    let response = World::default().send(Client::new(1).tuple, &packet).reply();
    let expected = [&[1, 1, 0, 12][..], &[9; 16], &[0, 1, 0, 8, 0, 1, 0x9c, 0x40, 192, 0, 2, 1]].concat();
    assert_eq!(response.0, expected);
}

#[test]
fn a_classic_client_is_refused_what_would_send_the_answer_elsewhere() {
    // RESPONSE-ADDRESS and CHANGE-REQUEST of RFC 3489.
    for kind in [0x0002u16, 0x0003] {
        let mut packet = vec![0, 1, 0, 8];
        packet.extend_from_slice(&[9; 16]);
        packet.extend_from_slice(&kind.to_be_bytes());
        packet.extend_from_slice(&[0, 4, 0, 0, 0, 6]);
        let response = World::default().send(Client::new(1).tuple, &packet).reply();
        assert_eq!(response.code(), 420);
        assert_eq!(response.get(attribute::UNKNOWN_ATTRIBUTES), Some(&kind.to_be_bytes()[..]));
    }
}

#[test]
fn turn_without_magic_cookie_is_dropped() {
    let mut packet = vec![0, 3, 0, 0];
    packet.extend_from_slice(&[9; 16]);
    assert_eq!(World::default().send(Client::new(1).tuple, &packet), Got::Nothing);
}

#[test]
fn what_may_be_unknown_is_ignored_and_what_must_be_known_is_named() {
    let mut alice = Client::new(1);
    let mut world = World::default();
    let packet = alice.bare(Method::BINDING, |writer| {
        writer.attribute(0x8ff0, b"whatever").attribute(attribute::SOFTWARE, b"x");
    });
    assert_eq!(world.send(alice.tuple, &packet).reply().code(), 0);
    let packet = alice.bare(Method::BINDING, |writer| {
        writer.attribute(0x7ff0, b"whatever").attribute(0x7ff1, b"");
    });
    let response = world.send(alice.tuple, &packet).reply();
    assert_eq!(response.code(), 420);
    assert_eq!(response.get(attribute::UNKNOWN_ATTRIBUTES), Some(&[0x7f, 0xf0, 0x7f, 0xf1][..]));
}

#[test]
fn a_keepalive_indication_and_responses_are_not_answered() {
    let mut alice = Client::new(1);
    for class in [Class::Indication, Class::Success, Class::Error] {
        let mut packet = Vec::new();
        Writer::new(&mut packet, class, Method::BINDING, alice.id());
        assert_eq!(World::default().send(alice.tuple, &packet), Got::Nothing);
    }
}

#[test]
fn an_unknown_method_is_not_answered() {
    let mut alice = Client::new(1);
    for method in [0x002, 0x005, 0x00a, 0x00b, 0xfff] {
        let packet = alice.bare(Method(method), |_| {});
        assert_eq!(World::default().send(alice.tuple, &packet), Got::Nothing);
    }
}
