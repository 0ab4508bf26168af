//! Data between clients and peers, each way that there is.

use std::net::SocketAddr;

use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};

use crate::{
    client::{Client, Heard, channel_data},
    harness::{HandOver, Harness},
    peer::{next, peer},
};

const CHANNEL: u16 = 0x4001;

/// Payloads of every padding, an empty one and a large one.
fn payloads() -> Vec<Vec<u8>> {
    [0, 1, 2, 3, 4, 171, 1200, 40_000].map(|length| (0..length).map(|i| i as u8).collect()).into()
}

/// Sends payloads both ways, in indications and then on a channel.
fn echoes(mut client: Client, v6: bool) {
    let relayed = client.allocate(v6);
    assert_eq!(relayed.is_ipv6(), v6);
    let (peer, address) = peer(v6);
    client.permit(address);
    for payload in payloads() {
        client.send_to(address, &payload);
        assert_eq!(next(&peer), (payload.clone(), relayed));
        peer.send_to(&payload, relayed).unwrap();
        assert_eq!(client.hear(), Some(Heard::Indication(address, payload)));
    }
    client.bind_channel(CHANNEL, address);
    for payload in payloads() {
        client.send_on(CHANNEL, &payload);
        assert_eq!(next(&peer), (payload.clone(), relayed));
        peer.send_to(&payload, relayed).unwrap();
        assert_eq!(client.hear(), Some(Heard::Channel(CHANNEL, payload)));
    }
}

#[test]
fn a_client_over_udp_talks_with_a_peer() {
    echoes(Harness::new(1).udp(), false);
}

#[test]
fn a_client_over_ipv6_talks_with_a_peer_over_ipv6() {
    echoes(Harness::new(1).udp_v6(), true);
}

#[test]
fn a_client_over_ipv6_talks_with_a_peer_over_ipv4() {
    echoes(Harness::new(1).udp_v6(), false);
}

#[test]
fn a_client_over_tcp_talks_with_a_peer() {
    echoes(Harness::new(1).tcp(), false);
}

#[test]
fn a_client_over_tls_talks_with_a_peer() {
    let harness = Harness::new(1);
    echoes(harness.tls(HandOver::BeforeHandshake), false);
    echoes(harness.tls(HandOver::AfterFirstBytes), false);
}

/// Two clients give each other their relayed addresses as peers.
fn talk_to_each_other(mut a: Client, mut b: Client) -> (SocketAddr, SocketAddr) {
    let (at_a, at_b) = (a.allocate(false), b.allocate(false));
    a.bind_channel(CHANNEL, at_b);
    b.permit(at_a);
    for payload in payloads() {
        a.send_on(CHANNEL, &payload);
        assert_eq!(b.hear(), Some(Heard::Indication(at_a, payload.clone())));
        b.send_to(at_a, &payload);
        assert_eq!(a.hear(), Some(Heard::Channel(CHANNEL, payload)));
    }
    (at_a, at_b)
}

fn shard_of(relayed: SocketAddr) -> u16 {
    relayed.port() / 2 % 2
}

#[test]
fn two_allocations_of_one_shard_talk_to_each_other() {
    let harness = Harness::new(1);
    talk_to_each_other(harness.udp(), harness.tcp());
}

#[test]
fn two_allocations_of_different_shards_talk_to_each_other() {
    let harness = Harness::new(2);
    let (at_a, at_b) = talk_to_each_other(harness.tcp(), harness.tcp());
    assert_ne!(shard_of(at_a), shard_of(at_b));
}

/// Many at once both ways, of many lengths: what one turn gathers for the other shard is left there whole.
#[test]
fn many_packets_between_two_shards_arrive_in_order() {
    const PACKETS: u32 = 3000;
    const AT_ONCE: u32 = 100;
    let harness = Harness::new(2);
    let (mut a, mut b) = (harness.tcp(), harness.tcp());
    let (at_a, at_b) = (a.allocate(false), b.allocate(false));
    assert_ne!(shard_of(at_a), shard_of(at_b));
    a.bind_channel(CHANNEL, at_b);
    b.permit(at_a);
    let payload = |number: u32| [&number.to_be_bytes()[..], &vec![7; number as usize * 37 % 1200]].concat();
    for first in (0..PACKETS).step_by(AT_ONCE as usize) {
        for number in first..first + AT_ONCE {
            a.send_on(CHANNEL, &payload(number));
            b.send_to(at_a, &payload(number));
        }
        for number in first..first + AT_ONCE {
            assert_eq!(b.hear(), Some(Heard::Indication(at_a, payload(number))));
            assert_eq!(a.hear(), Some(Heard::Channel(CHANNEL, payload(number))));
        }
    }
    assert_eq!(harness.relay.stats().sockets.crossings, 0);
}

#[test]
fn clients_over_udp_are_served_by_all_shards() {
    let harness = Harness::new(2);
    let mut seen = [false; 2];
    while seen != [true; 2] {
        let mut client = harness.udp();
        seen[usize::from(shard_of(client.allocate(false)))] = true;
    }
}

#[test]
fn a_train_of_datagrams_arrives_whole_and_in_order_both_ways() {
    let harness = Harness::new(1);
    let server = harness.relay.local_addrs()[0];
    let (socket, _) = peer(false);
    socket.connect(server).unwrap();
    let train_of_client = socket.try_clone().unwrap();
    let mut client = Client::over(socket);
    let relayed = client.allocate(false);
    let (peer, address) = peer(false);
    client.bind_channel(CHANNEL, address);

    let payloads: Vec<Vec<u8>> = (0..9).map(|i| vec![i; if i == 8 { 300 } else { 1000 }]).collect();
    let frames: Vec<u8> = payloads.iter().flat_map(|payload| channel_data(CHANNEL, payload)).collect();
    send_train(&train_of_client, server, &frames, 1004);
    for payload in &payloads {
        assert_eq!(next(&peer), (payload.clone(), relayed));
    }
    send_train(&peer, relayed, &payloads.concat(), 1000);
    for payload in payloads {
        assert_eq!(client.hear(), Some(Heard::Channel(CHANNEL, payload)));
    }
}

/// More ways at once than the relay has places for trains, and payloads of many lengths: what is gathered neither
/// mixes nor turns around.
#[test]
fn data_of_many_peers_at_once_arrives_in_order() {
    const LENGTHS: [usize; 8] = [20, 20, 7, 1300, 20, 20, 1, 20];
    let harness = Harness::new(1);
    let mut clients = [(); 3].map(|()| {
        let mut client = harness.udp();
        let relayed = client.allocate(false);
        let peers = [(); 50].map(|()| peer(false));
        for ((_, address), channel) in peers.iter().zip(CHANNEL..) {
            client.bind_channel(channel, *address);
        }
        (client, relayed, peers)
    });
    for length in LENGTHS {
        for (client, _, peers) in &mut clients {
            for channel in CHANNEL..CHANNEL + peers.len() as u16 {
                client.send_on(channel, &vec![channel as u8; length]);
            }
        }
    }
    for (_, relayed, peers) in &clients {
        for ((peer, _), channel) in peers.iter().zip(CHANNEL..) {
            for length in LENGTHS {
                assert_eq!(next(peer), (vec![channel as u8; length], *relayed));
            }
        }
    }
    for (client, relayed, peers) in &mut clients {
        // As many as the client's socket has room for.
        let peers = &peers[..12];
        for length in LENGTHS {
            for (peer, _) in peers {
                peer.send_to(&vec![9; length], *relayed).unwrap();
            }
        }
        let mut heard = vec![Vec::new(); peers.len()];
        while heard.iter().any(|of_peer| of_peer.len() < LENGTHS.len()) {
            let Some(Heard::Channel(channel, payload)) = client.hear() else { panic!("{heard:?}") };
            heard[usize::from(channel - CHANNEL)].push(payload.len());
        }
        assert!(heard.iter().all(|of_peer| of_peer[..] == LENGTHS));
    }
}

fn send_train(socket: &std::net::UdpSocket, to: SocketAddr, bytes: &[u8], segment: usize) {
    // What the state sets up is for receiving in trains, which this socket does not want.
    let state = UdpSocketState::new(UdpSockRef::from(&peer(false).0)).unwrap();
    assert!(state.max_gso_segments() > 8, "this kernel sends no trains");
    let train =
        Transmit { destination: to, ecn: None, contents: bytes, segment_size: Some(segment), src_ip: None };
    state.try_send(UdpSockRef::from(socket), &train).unwrap();
}

#[test]
fn a_peer_that_cannot_be_reached_harms_nobody() {
    let harness = Harness::new(1);
    let mut client = harness.udp();
    let relayed = client.allocate(false);
    let (peer, address) = peer(false);
    client.permit(address);
    // No way leads from loopback to a foreign network, and nobody listens on a port just left.
    let nowhere: SocketAddr = "192.0.2.1:9".parse().unwrap();
    let (left, nobody) = crate::peer::peer(false);
    drop(left);
    client.permit(nowhere);
    client.permit(nobody);
    for _ in 0..5 {
        client.send_to(nowhere, b"lost");
        client.send_to(nobody, b"lost");
        client.send_to(address, b"found");
        assert_eq!(next(&peer), (b"found".to_vec(), relayed));
        peer.send_to(b"back", relayed).unwrap();
        // What the system says of the port where nobody is comes before or after.
        let mut heard = [client.hear().unwrap(), client.hear().unwrap()];
        heard.sort_by_key(|heard| matches!(heard, Heard::Icmp(..)));
        assert_eq!(heard[0], Heard::Indication(address, b"back".to_vec()));
        assert!(matches!(heard[1], Heard::Icmp(about, _) if about == nobody));
    }
    harness.wait_for("five packets refused by the system", |stats| stats.sockets.refused == 5);
}

#[test]
fn an_ended_allocation_leaves_its_port_and_its_numbers() {
    let harness = Harness::new(1);
    let mut client = harness.udp();
    let relayed = client.allocate(false);
    harness.wait_for("one allocation", |stats| stats.turn.allocations == 1);
    assert!(std::net::UdpSocket::bind(relayed).is_err());
    client.refresh(0);
    harness.wait_for("no allocation", |stats| stats.turn.allocations == 0);
    std::net::UdpSocket::bind(relayed).expect("the relay socket is closed");
}
