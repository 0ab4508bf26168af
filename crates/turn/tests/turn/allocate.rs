//! Allocate (RFC 8656 section 7).

use visavis_turn::{
    PortRange, RelayedAddr, Transport,
    wire::{Method, attribute},
};

use crate::harness::{Client, Got, PUBLIC, PUBLIC_V6, UDP, World, address, ip};

#[test]
fn a_client_gets_a_relayed_address() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let mut world = World::default();
        let mut alice = Client::at("192.0.2.1:40000", transport);
        let response = alice.ask_allocate(&mut world, |_| {});
        let relayed = response.address(attribute::XOR_RELAYED_ADDRESS);
        assert_eq!(response.code(), 0);
        assert_eq!(relayed.ip(), ip(PUBLIC));
        assert!((49_152..=65_535).contains(&relayed.port()));
        assert_eq!(response.address(attribute::XOR_MAPPED_ADDRESS), alice.tuple.client);
        assert_eq!(response.lifetime(), 600);
        assert_eq!(world.bound[&world.relay(relayed)].ip(), ip("10.0.0.8"), "bound to the local address");
        assert!(world.server.has_allocation(&alice.tuple));
        assert_eq!((world.server.counters().allocations, world.server.counters().created), (1, 1));
    }
}

#[test]
fn a_lifetime_is_granted_between_default_and_longest() {
    for (wished, granted) in [(0, 600), (60, 600), (601, 601), (3600, 3600), (u32::MAX, 3600)] {
        let mut alice = Client::new(1);
        let response = alice.ask_allocate(&mut World::default(), |writer| {
            writer.number(attribute::LIFETIME, wished);
        });
        assert_eq!(response.lifetime(), granted);
    }
}

#[test]
fn only_udp_is_relayed() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let mut ask = |transport: Option<&[u8]>| {
        let response = alice.ask(&mut world, Method::ALLOCATE, |writer| {
            if let Some(transport) = transport {
                writer.attribute(attribute::REQUESTED_TRANSPORT, transport);
            }
        });
        response.code()
    };
    assert_eq!(ask(None), 400);
    assert_eq!(ask(Some(&[17])), 400);
    assert_eq!(ask(Some(&[17, 0, 0, 0, 0])), 400);
    assert_eq!(ask(Some(&[6, 0, 0, 0])), 442);
    assert_eq!(ask(Some(&UDP)), 0);
}

#[test]
fn a_family_may_be_asked_for() {
    for (family, code, relayed) in [(1, 0, Some(PUBLIC)), (2, 0, Some(PUBLIC_V6)), (3, 440, None)] {
        let mut alice = Client::new(1);
        let response = alice.ask_allocate(&mut World::default(), |writer| {
            writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
        });
        assert_eq!(response.code(), code);
        if let Some(relayed) = relayed {
            assert_eq!(response.address(attribute::XOR_RELAYED_ADDRESS).ip(), ip(relayed));
        }
    }
}

#[test]
fn an_ipv6_client_that_asks_for_no_family_gets_ipv4() {
    let mut alice = Client::at("[2a02::1]:40000", Transport::Udp);
    assert_eq!(alice.allocate(&mut World::default()).ip(), ip(PUBLIC));
}

#[test]
fn a_family_that_is_not_served_is_refused() {
    let mut v4_only = World::with(|config| config.relays.truncate(1));
    let response = Client::new(1).ask_allocate(&mut v4_only, |writer| {
        writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    assert_eq!(response.code(), 440);
    let mut v6_only = World::with(|config| config.relays.retain(|relay| relay.advertised.is_ipv6()));
    assert_eq!(Client::new(1).ask_allocate(&mut v6_only, |_| {}).code(), 440, "IPv4 is meant");
}

#[test]
fn an_even_port_is_given_and_the_next_one_is_not_kept() {
    for n in 1..20 {
        let mut alice = Client::new(n);
        let response = alice.ask_allocate(&mut World::default(), |writer| {
            writer.attribute(attribute::EVEN_PORT, &[0]);
        });
        assert_eq!(response.code(), 0);
        assert!(response.address(attribute::XOR_RELAYED_ADDRESS).port().is_multiple_of(2));
    }
    let refused = [
        (attribute::EVEN_PORT, &[0x80][..], 508),
        (attribute::EVEN_PORT, &[], 400),
        (attribute::RESERVATION_TOKEN, &[1; 8], 508),
    ];
    for (kind, value, code) in refused {
        let response = Client::new(1).ask_allocate(&mut World::default(), |writer| {
            writer.attribute(kind, value);
        });
        assert_eq!(response.code(), code);
    }
}

#[test]
fn a_reservation_with_another_wish_contradicts_itself() {
    for (kind, value) in
        [(attribute::EVEN_PORT, &[0][..]), (attribute::REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0])]
    {
        let response = Client::new(1).ask_allocate(&mut World::default(), |writer| {
            writer.attribute(attribute::RESERVATION_TOKEN, &[1; 8]).attribute(kind, value);
        });
        assert_eq!(response.code(), 400);
    }
}

#[test]
fn a_malformed_lifetime_or_family_is_a_bad_request() {
    for (kind, value) in [(attribute::LIFETIME, &[1][..]), (attribute::REQUESTED_ADDRESS_FAMILY, &[1])] {
        let response = Client::new(1).ask_allocate(&mut World::default(), |writer| {
            writer.attribute(kind, value);
        });
        assert_eq!(response.code(), 400);
    }
}

#[test]
fn a_retransmission_is_answered_the_same() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let packet = alice.request(Method::ALLOCATE, |writer| {
        writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP).number(attribute::LIFETIME, 1000);
    });
    let first = world.send(alice.tuple, &packet);
    assert_eq!(first, world.send(alice.tuple, &packet));
    assert_eq!(world.server.counters().created, 1);
}

#[test]
fn a_second_allocation_on_one_five_tuple_is_a_mismatch() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    let response = alice.ask_allocate(&mut world, |_| {});
    assert_eq!(response.code(), 437);
    // Another transport or port is another five-tuple.
    Client::at("192.0.2.1:40000", Transport::Tcp).allocate(&mut world);
    Client::new(1).port(40_001).allocate(&mut world);
    assert_eq!(world.server.counters().allocations, 3);
}

#[test]
fn a_retransmission_while_the_socket_is_being_bound_waits_too() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let packet = alice.request(Method::ALLOCATE, |writer| {
        writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
    });
    for _ in 0..3 {
        let _ = world.server.handle_client(world.now, alice.tuple, &packet);
    }
    let (_, response) = world.act().unwrap();
    assert_eq!(response.code(), 0);
    assert_eq!(world.ever_tried.len(), 1);
}

#[test]
fn another_port_is_tried_where_one_cannot_be_bound() {
    let mut world = World { bind_failures: 3, ..World::default() };
    let relayed = Client::new(1).allocate(&mut world);
    assert_eq!(world.ever_tried.len(), 4);
    let mut distinct = world.ever_tried.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 4);
    assert_eq!(world.ever_tried[3].port(), relayed.port());
    assert_eq!(world.server.counters().bind_failures, 3);
}

#[test]
fn where_no_port_can_be_bound_there_is_no_capacity_and_nothing_is_left_behind() {
    let mut world = World { bind_failures: 8, ..World::default() };
    let mut alice = Client::new(1);
    assert_eq!(alice.ask_allocate(&mut world, |_| {}).code(), 508);
    assert_eq!(world.ever_tried.len(), 8);
    assert!(!world.server.has_allocation(&alice.tuple));
    assert_eq!(world.server.counters().refusals.insufficient_capacity, 1);
    alice.allocate(&mut world);
}

#[test]
fn an_even_port_stays_even_when_another_is_tried() {
    let mut world = World { bind_failures: 5, ..World::default() };
    let response = Client::new(1).ask_allocate(&mut world, |writer| {
        writer.attribute(attribute::EVEN_PORT, &[0]);
    });
    assert_eq!(response.code(), 0);
    assert!(world.ever_tried.iter().all(|tried| tried.port().is_multiple_of(2)));
}

#[test]
fn ports_end_and_come_back() {
    let mut world = World::with(|config| config.ports = PortRange::new(50_001, 50_003));
    let mut clients: Vec<Client> = (1..=3).map(Client::new).collect();
    let mut ports: Vec<u16> = clients.iter_mut().map(|client| client.allocate(&mut world).port()).collect();
    ports.sort();
    assert_eq!(ports, [50_001, 50_002, 50_003]);
    assert_eq!(Client::new(4).ask_allocate(&mut world, |_| {}).code(), 508);
    assert_eq!(clients[1].refresh(&mut world, 0).code(), 0);
    Client::new(5).allocate(&mut world);
}

#[test]
fn one_family_does_not_use_up_the_ports_of_the_other() {
    let mut world = World::with(|config| config.ports = PortRange::new(50_001, 50_001));
    Client::new(1).allocate(&mut world);
    let response = Client::new(2).ask_allocate(&mut world, |writer| {
        writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    assert_eq!(response.code(), 0);
}

#[test]
fn a_shard_gives_out_its_own_ports_only() {
    let range = PortRange { first: 50_001, last: 50_020, shard: 1, count: 3 };
    let mut world = World::with(|config| config.ports = range);
    let mut ports = Vec::new();
    for n in 1..=30 {
        let response = Client::new(n).ask_allocate(&mut world, |_| {});
        if response.code() == 0 {
            ports.push(response.address(attribute::XOR_RELAYED_ADDRESS).port());
        }
    }
    ports.sort();
    assert_eq!(ports, [50_001, 50_006, 50_007, 50_012, 50_013, 50_018, 50_019]);
    assert!(ports.iter().all(|&port| range.shard_of(port) == Some(1)));
}

#[test]
fn well_known_ports_are_never_given_out() {
    let mut world = World::with(|config| config.ports = PortRange::new(1, 1025));
    let mut ports: Vec<u16> = (1..=2).map(|n| Client::new(n).allocate(&mut world).port()).collect();
    ports.sort();
    assert_eq!(ports, [1024, 1025]);
    assert_eq!(Client::new(3).ask_allocate(&mut world, |_| {}).code(), 508);
}

#[test]
fn ports_cannot_be_guessed_from_one_another() {
    let mut world = World::default();
    let mut ports: Vec<u16> = (1..=40).map(|n| Client::new(n).allocate(&mut world).port()).collect();
    ports.sort();
    let spread = ports[39] - ports[0];
    assert!(spread > 4000, "forty ports within {spread}");
}

#[test]
fn a_stream_that_ends_takes_its_allocation_along() {
    let mut world = World::default();
    let mut alice = Client::at("192.0.2.1:40000", Transport::Tls);
    let relayed = alice.allocate(&mut world);
    world.server.handle_closed(world.now, alice.tuple);
    world.act();
    assert!(world.bound.is_empty());
    assert_eq!(world.server.relay_at(RelayedAddr(relayed)), None);
    assert_eq!(world.server.poll_timeout(), None);
}

#[test]
fn a_stream_that_ends_while_its_socket_is_being_bound_leaves_nothing() {
    for fails in [0, 1] {
        let mut world = World { bind_failures: fails, ..World::default() };
        let mut alice = Client::at("192.0.2.1:40000", Transport::Tcp);
        alice.challenge(&mut world);
        let packet = alice.request(Method::ALLOCATE, |writer| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
        });
        let _ = world.server.handle_client(world.now, alice.tuple, &packet);
        world.server.handle_closed(world.now, alice.tuple);
        assert_eq!(world.act(), None);
        assert!(world.bound.is_empty());
        assert_eq!(world.server.counters().allocations, 0);
        alice.allocate(&mut world);
    }
}

#[test]
fn only_this_servers_live_addresses_are_found() {
    let mut world = World::default();
    let relayed = Client::new(1).allocate(&mut world);
    assert!(world.server.relay_at(RelayedAddr(relayed)).is_some());
    let other_port = address(&format!("{PUBLIC}:{}", relayed.port() ^ 1));
    let other_ip = address(&format!("5.6.7.9:{}", relayed.port()));
    let other_family = address(&format!("[{PUBLIC_V6}]:{}", relayed.port()));
    for other in [other_port, other_ip, other_family] {
        assert_eq!(world.server.relay_at(RelayedAddr(other)), None);
    }
}

#[test]
fn data_before_the_socket_is_bound_goes_nowhere() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let packet = alice.request(Method::ALLOCATE, |writer| {
        writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
    });
    let _ = world.server.handle_client(world.now, alice.tuple, &packet);
    let data = alice.indication("8.8.8.8:1", b"x");
    let _ = world.server.handle_client(world.now, alice.tuple, &data);
    assert_eq!(world.server.counters().drops.no_allocation, 1);
    assert_eq!(world.act().map(|(to, _)| to), Some(alice.tuple));
    assert_eq!(world.send(alice.tuple, &data), Got::Nothing);
    assert_eq!(world.server.counters().drops.no_permission, 1);
}
