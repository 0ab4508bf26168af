//! Two sockets of one allocation.

use std::{
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use crate::{
    client::{Client, Heard},
    harness::Harness,
    peer::{PATIENCE, next, peer},
};

const CHANNEL: u16 = 0x4001;

/// Talks over both, then gives them up.
fn talk(harness: &Harness, mut client: Client) {
    let relayed = client.allocate_both();
    assert_eq!(relayed.map(|relayed| relayed.is_ipv6()), [false, true]);
    let peers = [peer(false), peer(true)];
    for (number, ((peer, address), relayed)) in (CHANNEL..).zip(peers.iter().zip(relayed)) {
        client.permit(*address);
        client.send_to(*address, b"hello");
        assert_eq!(next(peer), (b"hello".to_vec(), relayed));
        peer.send_to(b"hello", relayed).unwrap();
        assert_eq!(client.hear(), Some(Heard::Indication(*address, b"hello".to_vec())));
        client.bind_channel(number, *address);
        client.send_on(number, b"again");
        assert_eq!(next(peer), (b"again".to_vec(), relayed));
        peer.send_to(b"again", relayed).unwrap();
        assert_eq!(client.hear(), Some(Heard::Channel(number, b"again".to_vec())));
    }
    client.refresh_family(false, 0);
    wait_until_free(relayed[0]);
    client.send_on(CHANNEL + 1, b"still");
    assert_eq!(next(&peers[1].0), (b"still".to_vec(), relayed[1]));
    client.refresh_family(true, 0);
    wait_until_free(relayed[1]);
    harness.wait_for("no allocation", |stats| stats.turn.allocations == 0);
}

/// The answer leaves before the socket is closed.
fn wait_until_free(relayed: SocketAddr) {
    let start = Instant::now();
    while let Err(error) = UdpSocket::bind(relayed) {
        assert!(start.elapsed() < PATIENCE, "{relayed} is never closed: {error}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn a_client_talks_over_both_families_at_once() {
    let harness = Harness::new(1);
    talk(&harness, harness.udp());
    talk(&harness, harness.udp_v6());
    talk(&harness, harness.tcp());
}

#[test]
fn allocations_of_two_shards_meet_over_either_family() {
    let harness = Harness::new(2);
    let (mut alice, mut bob) = (harness.tcp(), harness.tcp());
    let (at_alice, at_bob) = (alice.allocate_both(), bob.allocate_both());
    for (from, to) in at_alice.into_iter().zip(at_bob) {
        assert_ne!(from.port() / 2 % 2, to.port() / 2 % 2, "streams go to the shards in turn");
        alice.permit(to);
        bob.permit(from);
        alice.send_to(to, b"hello");
        assert_eq!(bob.hear(), Some(Heard::Indication(from, b"hello".to_vec())));
        bob.send_to(from, b"hello");
        assert_eq!(alice.hear(), Some(Heard::Indication(to, b"hello".to_vec())));
    }
}
