//! What the system hears of peers that cannot be reached, and datagrams that may not be fragmented.

use std::net::SocketAddr;

use crate::{
    client::{Client, Heard},
    harness::Harness,
    peer::{next, peer},
};

const CHANNEL: u16 = 0x4001;

/// An address where nobody listens any more.
fn nobody(v6: bool) -> SocketAddr {
    peer(v6).1
}

/// Port unreachable, as the ICMP attribute has it.
fn unreachable(v6: bool) -> Vec<u8> {
    let (kind, code) = if v6 { (1, 4) } else { (3, 3) };
    vec![0, 0, kind << 1, code, 0, 0, 0, 0]
}

fn hears_of_nobody(mut client: Client, v6: bool) {
    client.allocate(v6);
    let nobody = nobody(v6);
    client.permit(nobody);
    client.send_to(nobody, b"anybody?");
    assert_eq!(client.hear(), Some(Heard::Icmp(nobody, unreachable(v6))));
    client.bind_channel(CHANNEL, nobody);
    client.send_on(CHANNEL, b"anybody?");
    assert_eq!(client.hear(), Some(Heard::Icmp(nobody, unreachable(v6))));
}

#[test]
fn a_client_hears_of_a_port_where_nobody_listens() {
    let harness = Harness::new(1);
    hears_of_nobody(harness.udp(), false);
    hears_of_nobody(harness.udp(), true);
    hears_of_nobody(harness.tcp(), false);
    hears_of_nobody(harness.tcp(), true);
    harness.wait_for("all eight", |stats| stats.turn.icmp == 8);
}

/// With errors in the queue of a socket, what it receives and sends is neither lost nor left lying.
#[test]
fn errors_of_one_peer_cost_another_peer_and_another_client_nothing() {
    let harness = Harness::new(1);
    let (mut alice, mut bob) = (harness.tcp(), harness.udp());
    let (at_alice, at_bob) = (alice.allocate(false), bob.allocate(false));
    let ((peer, address), nobody) = (peer(false), nobody(false));
    for client in [&mut alice, &mut bob] {
        client.permit(address);
    }
    let mut told = 0;
    for round in 0..50_u8 {
        for n in 0..40 {
            alice.send_to(nobody, b"anybody?");
            alice.send_to(address, &[round, n]);
            peer.send_to(&[n, round], at_alice).unwrap();
        }
        for n in 0..40 {
            assert_eq!(next(&peer), (vec![round, n], at_alice));
        }
        let mut heard = 0;
        while heard < 40 {
            match alice.hear().unwrap() {
                Heard::Icmp(..) => told += 1,
                data => {
                    assert_eq!(data, Heard::Indication(address, vec![heard, round]));
                    heard += 1;
                }
            }
        }
        bob.send_to(address, b"and you?");
        assert_eq!(next(&peer), (b"and you?".to_vec(), at_bob));
    }
    assert!(told > 0, "permission of an address has no port: {nobody}");
    alice.refresh(600);
}

/// Over IPv6, a datagram longer than loopback's MTU of 65,536 bytes fits into a UDP datagram.
#[test]
fn a_datagram_that_may_not_be_fragmented_is_not() {
    let harness = Harness::new(1);
    let mut client = harness.tcp();
    let relayed = client.allocate(true);
    let (peer, address) = peer(true);
    client.permit(address);
    let long = vec![7; 65_500];
    client.send_to(address, &long);
    assert_eq!(next(&peer), (long.clone(), relayed));
    client.send_unfragmented(address, &long);
    harness.wait_for("the long one refused", |stats| stats.sockets.refused == 1);
    client.send_unfragmented(address, b"short");
    assert_eq!(next(&peer), (b"short".to_vec(), relayed));
    client.send_to(address, &long);
    assert_eq!(next(&peer), (long, relayed), "the next one may be fragmented again");
}
