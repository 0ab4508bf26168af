//! Rates and quotas.

use visavis_turn::{
    Limits, Transport,
    wire::{Method, attribute},
};

use crate::harness::{Client, Got, PEER, World, channel_data, seconds};

fn answered(world: &mut World, client: &mut Client, method: Method, times: usize) -> usize {
    let mut sent = || {
        let packet = client.bare(method, |_| {});
        world.send(client.tuple, &packet) != Got::Nothing
    };
    (0..times).filter(|_| sent()).count()
}

#[test]
fn a_stranger_gets_fifty_answers_and_then_ten_a_second() {
    for method in [Method::BINDING, Method::ALLOCATE, Method::REFRESH] {
        let mut world = World::default();
        assert_eq!(answered(&mut world, &mut Client::new(1), method, 60), 50);
        world.pass(seconds(1));
        assert_eq!(answered(&mut world, &mut Client::new(1), method, 60), 10);
        assert_eq!(world.server.counters().limited, 60);
        world.pass(seconds(3600));
        assert_eq!(answered(&mut world, &mut Client::new(1), method, 60), 50);
    }
}

/// What goes in and what comes out of one prefix that asks so often, behind its burst.
fn bytes_behind_burst(
    client: &str,
    per_second: u64,
    request: impl Fn(&mut Client) -> Vec<u8>,
) -> (usize, usize) {
    let mut world = World::default();
    let mut stranger = Client::at(client, Transport::Udp);
    for _ in 0..50 {
        let packet = request(&mut stranger);
        assert_ne!(world.send(stranger.tuple, &packet), Got::Nothing, "the burst");
    }
    let (mut asked, mut answered) = (0, 0);
    for _ in 0..300 + 5 * per_second {
        world.pass(std::time::Duration::from_secs(1) / per_second as u32);
        let packet = request(&mut stranger);
        asked += packet.len();
        if let Got::Reply(response) = world.send(stranger.tuple, &packet) {
            answered += response.0.len();
        }
    }
    (asked, answered)
}

/// How to ask for something, and what it is called.
type Asking = (&'static str, fn(&mut Client) -> Vec<u8>);

#[test]
fn behind_its_burst_a_prefix_draws_no_more_bytes_than_it_sends() {
    let requests: [Asking; 6] = [
        ("binding", |client| client.bare(Method::BINDING, |_| {})),
        ("binding with an unknown attribute", |client| {
            client.bare(Method::BINDING, |writer| {
                writer.attribute(0x7ff1, b"");
            })
        }),
        ("allocate", |client| {
            client.bare(Method::ALLOCATE, |writer| {
                writer.attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            })
        }),
        ("allocate with nothing in it", |client| client.bare(Method::ALLOCATE, |_| {})),
        ("refresh with an invented nonce", |client| {
            client.nonce = b"x".to_vec();
            client.request(Method::REFRESH, |_| {})
        }),
        ("allocate with a fingerprint", |client| {
            client.fingerprint = true;
            client.bare(Method::ALLOCATE, |_| {})
        }),
    ];
    for client in ["192.0.2.1:1000", "[2a02:0:0:1::1]:1"] {
        for (name, request) in requests {
            for per_second in [11, 20, 100, 1000] {
                let (asked, answered) = bytes_behind_burst(client, per_second, request);
                assert!(
                    answered <= asked,
                    "{name} from {client}, {per_second}/s: {asked} in, {answered} out"
                );
                assert!(answered > 0, "{name} from {client}, {per_second}/s: nobody is locked out");
            }
        }
    }
}

#[test]
fn ports_of_one_address_count_together_and_addresses_apart() {
    let mut world = World::default();
    let mut asked =
        |client: &str| answered(&mut world, &mut Client::at(client, Transport::Udp), Method::BINDING, 50);
    assert_eq!(asked("192.0.2.1:1000"), 50);
    assert_eq!(asked("192.0.2.1:1001"), 0);
    assert_eq!(asked("[::ffff:192.0.2.1]:1001"), 0);
    assert_eq!(asked("192.0.2.2:1000"), 50);
    assert_eq!(asked("[2a02:0:0:1::1]:1"), 50);
    assert_eq!(asked("[2a02:0:0:1:ffff::1]:1"), 0);
    assert_eq!(asked("[2a02:0:0:2::1]:1"), 50);
}

#[test]
fn who_has_an_allocation_is_no_stranger() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    assert_eq!(answered(&mut world, &mut alice, Method::BINDING, 100), 100);
    assert_eq!(answered(&mut world, &mut alice, Method::REFRESH, 100), 100);
}

#[test]
fn a_stream_cannot_be_used_to_reflect_but_guessing_is_slow_there_too() {
    let mut world = World::default();
    let mut alice = Client::at("192.0.2.1:40000", Transport::Tcp);
    assert_eq!(answered(&mut world, &mut alice, Method::BINDING, 100), 100);
    assert_eq!(answered(&mut world, &mut alice, Method::ALLOCATE, 100), 100);
    alice.challenge(&mut world);
    let mut guesser = alice.clone().named("alice", "guess");
    let mut guess = || {
        let packet = guesser.request(Method::ALLOCATE, |_| {});
        world.send(guesser.tuple, &packet) != Got::Nothing
    };
    assert_eq!((0..100).filter(|_| guess()).count(), 50);
}

#[test]
fn who_has_an_allocation_guesses_other_passwords_as_slowly_as_a_stranger() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut world = World::default();
        let mut alice = Client::at("192.0.2.1:40000", transport);
        alice.allocate(&mut world);
        let mut guesser = alice.clone().named("bob", "guess");
        let mut guess = || {
            let packet = guesser.request(Method::REFRESH, |_| {});
            world.send(guesser.tuple, &packet) != Got::Nothing
        };
        assert!((0..100).filter(|_| guess()).count() <= 50);
        assert_eq!(alice.refresh(&mut world, 600).code(), 0);
    }
}

#[test]
fn a_flood_from_invented_addresses_locks_nobody_out() {
    let mut world = World::default();
    for n in 0..20_000u32 {
        let [_, a, b, c] = n.to_be_bytes();
        let mut stranger = Client::at(&format!("7{a}.{b}.{c}.9:1"), Transport::Udp);
        assert_eq!(answered(&mut world, &mut stranger, Method::BINDING, 1), 1);
    }
    assert_eq!(answered(&mut world, &mut Client::new(1), Method::BINDING, 60), 50);
}

#[test]
fn limits_off_means_no_limits() {
    let mut world = World::with(|config| config.limits = Limits::off());
    assert_eq!(answered(&mut world, &mut Client::new(1), Method::BINDING, 1000), 1000);
    for n in 0..100 {
        Client::new(1).port(1000 + n).allocate(&mut world);
    }
}

#[test]
fn a_credential_has_sixty_four_allocations() {
    let mut world = World::default();
    let mut clients: Vec<Client> = (0..64).map(|n| Client::new(n).port(1000)).collect();
    for client in &mut clients {
        client.allocate(&mut world);
    }
    let mut another = Client::new(200);
    assert_eq!(another.ask_allocate(&mut world, |_| {}).code(), 486);
    another.clone().named("bob", "battery").allocate(&mut world);
    clients[0].refresh(&mut world, 0);
    Client::new(201).allocate(&mut world);
}

#[test]
fn an_address_has_its_quota_whoever_asks() {
    let mut world = World::with(|config| config.limits.allocations_per_address = 3);
    for n in 0..3 {
        Client::new(1).port(1000 + n).until(600 + u64::from(n)).allocate(&mut world);
    }
    assert_eq!(Client::new(1).port(2000).until(700).ask_allocate(&mut world, |_| {}).code(), 486);
    Client::new(2).allocate(&mut world);
    world.pass(seconds(600));
    Client::new(1).port(2000).until(700).allocate(&mut world);
}

#[test]
fn a_failed_bind_uses_up_no_quota() {
    let mut world = World::with(|config| config.limits.allocations_per_credential = 1);
    for _ in 0..3 {
        world.bind_failures = 8;
        assert_eq!(Client::new(1).ask_allocate(&mut world, |_| {}).code(), 508);
    }
    Client::new(1).allocate(&mut world);
}

#[test]
fn a_server_has_a_number_of_allocations_in_all() {
    let mut world = World::with(|config| config.limits.allocations = 2);
    Client::new(1).allocate(&mut world);
    Client::new(2).allocate(&mut world);
    assert_eq!(Client::new(3).ask_allocate(&mut world, |_| {}).code(), 508);
}

#[test]
fn bandwidth_is_limited_each_way_with_a_burst_of_two_seconds() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    alice.bind(&mut world, 0x4000, PEER);
    let payload = [0; 1000 - 28];
    let packet = channel_data(0x4000, &payload);
    let up =
        |world: &mut World| (0..5000).filter(|_| world.send(alice.tuple, &packet) != Got::Nothing).count();
    let down =
        |world: &mut World| (0..5000).filter(|_| world.receive(relay, PEER, &payload).is_some()).count();
    assert_eq!((up(&mut world), down(&mut world)), (2000, 2000));
    world.pass(seconds(1));
    assert_eq!((up(&mut world), down(&mut world)), (1000, 1000));
    world.pass(seconds(100));
    assert_eq!((up(&mut world), down(&mut world)), (2000, 2000));
    assert_eq!(world.server.counters().drops.bandwidth, 20_000);
}

/// Four bytes on a stream would else become a datagram at whoever is permitted, as often as the line carries them.
#[test]
fn empty_packets_use_up_bandwidth_too() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let relayed = alice.allocate(&mut world);
    let relay = world.relay(relayed);
    alice.bind(&mut world, 0x4000, PEER);
    let packet = channel_data(0x4000, &[]);
    let up = (0..80_000).filter(|_| world.send(alice.tuple, &packet) != Got::Nothing).count();
    let down = (0..80_000).filter(|_| world.receive(relay, PEER, &[]).is_some()).count();
    assert_eq!((up, down), (2_000_000 / 28, 2_000_000 / 28));
}

#[test]
fn nothing_of_an_allocation_stays() {
    let mut world = World::default();
    for round in 0..500u32 {
        let mut alice = Client::new((round % 200) as u8);
        alice.ask_allocate(&mut world, |writer| {
            writer.number(attribute::LIFETIME, 3600);
        });
        alice.refresh(&mut world, 0);
        world.pass(seconds(1));
    }
    assert_eq!(world.server.poll_timeout(), None);
    assert_eq!(world.server.counters().created, 500);
    assert!(world.bound.is_empty());
}
