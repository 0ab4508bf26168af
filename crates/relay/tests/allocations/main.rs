//! No packet costs an allocation. In a program of its own, because its allocator counts.

#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "the other tests use all of it")]
#[path = "../relay/client.rs"]
mod client;
mod counter;
#[allow(dead_code, reason = "the other tests use all of it")]
#[path = "../relay/harness.rs"]
mod harness;
#[allow(dead_code, reason = "the other tests use all of it")]
#[path = "../relay/message.rs"]
mod message;
#[path = "../relay/peer.rs"]
mod peer;

use std::{
    io::Write,
    net::{SocketAddr, UdpSocket},
    sync::{Mutex, MutexGuard, PoisonError},
};

use visavis_relay::ClientStream;

use crate::{
    client::{Client, Heard, channel_data},
    counter::allocations,
    harness::{HandOver, Harness},
    peer::{next, peer},
};

const CHANNEL: u16 = 0x4001;
/// Packets sent before the first is received.
const AT_ONCE: usize = 25;
/// How often that is done while allocations are counted.
const TIMES: usize = 100;
/// Counted this often at most: what is kept for packets grows with the most that waited at once, so a first round may
/// allocate, and a later one where the machine paused. One allocation for each packet, or each turn, is in every round.
const ROUNDS: usize = 10;

/// One test at a time: the counter is everybody's.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The fewest allocations of a round.
fn fewest(mut exchange: impl FnMut()) -> usize {
    let mut fewest = usize::MAX;
    for _ in 0..ROUNDS {
        fewest = fewest.min(allocations(|| (0..TIMES).for_each(|_| exchange())));
        if fewest == 0 {
            break;
        }
    }
    fewest
}

fn costs_nothing(what: &str, exchange: impl FnMut()) {
    let fewest = fewest(exchange);
    assert_eq!(fewest, 0, "{what}: allocations while {TIMES} times up to {AT_ONCE} packets went each way");
}

/// A client's talk with a peer.
struct Talk {
    client: Client,
    relayed: SocketAddr,
    peer: UdpSocket,
    address: SocketAddr,
    payload: [u8; 500],
}

impl Talk {
    fn new(mut client: Client) -> Self {
        let relayed = client.allocate(false);
        let (peer, address) = peer(false);
        client.permit(address);
        Self { client, relayed, peer, address, payload: [7; 500] }
    }

    /// From now on on a channel.
    fn on_channel(mut self) -> Self {
        self.client.bind_channel(CHANNEL, self.address);
        self
    }

    fn channel_up(&mut self, count: usize) {
        (0..count).for_each(|_| self.client.send_on(CHANNEL, &self.payload));
        self.arrive(count);
    }

    fn indications_up(&mut self, count: usize) {
        (0..count).for_each(|_| self.client.send_to(self.address, &self.payload));
        self.arrive(count);
    }

    fn arrive(&self, count: usize) {
        (0..count).for_each(|_| assert_eq!(next(&self.peer).0, self.payload));
    }

    fn down(&mut self, count: usize) {
        for _ in 0..count {
            self.peer.send_to(&self.payload, self.relayed).unwrap();
        }
        for _ in 0..count {
            let (Heard::Channel(_, heard) | Heard::Indication(_, heard)) = self.client.hear().unwrap() else {
                panic!("an error of the peer");
            };
            assert_eq!(heard, self.payload);
        }
    }
}

#[test]
fn channel_data_over_udp_costs_no_allocation() {
    let (_alone, harness) = (alone(), Harness::new(1));
    let mut talk = Talk::new(harness.udp()).on_channel();
    costs_nothing("up", || talk.channel_up(AT_ONCE));
    costs_nothing("down", || talk.down(AT_ONCE));
    costs_nothing("up, one by one", || talk.channel_up(1));
    costs_nothing("down, one by one", || talk.down(1));
}

#[test]
fn indications_over_udp_cost_no_allocation() {
    let (_alone, harness) = (alone(), Harness::new(1));
    let mut talk = Talk::new(harness.udp());
    costs_nothing("up", || talk.indications_up(AT_ONCE));
    costs_nothing("down", || talk.down(AT_ONCE));
}

#[test]
fn data_over_tcp_costs_no_allocation() {
    let (_alone, harness) = (alone(), Harness::new(1));
    let mut talk = Talk::new(harness.tcp());
    costs_nothing("indications up", || talk.indications_up(AT_ONCE));
    costs_nothing("indications down", || talk.down(AT_ONCE));
    let mut talk = talk.on_channel();
    costs_nothing("up", || talk.channel_up(AT_ONCE));
    costs_nothing("down", || talk.down(AT_ONCE));
    costs_nothing("down, one by one", || talk.down(1));
}

#[test]
fn frames_that_arrive_in_pieces_cost_no_allocation() {
    let (_alone, harness) = (alone(), Harness::new(1));
    let (socket, server) = harness.connect();
    harness.relay.hand_over(ClientStream { socket: server, tls: None, read: Vec::new() });
    let mut raw = socket.try_clone().unwrap();
    let talk = Talk::new(Client::tcp(socket)).on_channel();
    let frames = channel_data(CHANNEL, &talk.payload).repeat(2);
    let mut at = 0;
    costs_nothing("up", || {
        at = at % (frames.len() - 1) + 1;
        let (head, tail) = frames.split_at(at);
        raw.write_all(head).unwrap();
        raw.write_all(tail).unwrap();
        talk.arrive(2);
    });
}

/// Rustls itself allocates for each record, and the relay nothing beside: where one is written, a vector for the
/// ciphertext, and one more for a record of two slices (where the ring of what waits has its seam); where one is read, a
/// vector for the plaintext, and one more where its buffer was larger than for one read.
#[test]
fn data_over_tls_costs_only_what_rustls_allocates_for_a_record() {
    const WRITTEN: usize = 1;
    const READ: usize = 1;
    let (_alone, harness) = (alone(), Harness::new(1));
    let mut talk = Talk::new(harness.tls(HandOver::BeforeHandshake)).on_channel();
    let down = fewest(|| talk.down(1));
    assert!(down <= WRITTEN * TIMES, "{down} allocations for {TIMES} records down");
    let up = fewest(|| talk.channel_up(1));
    assert!(up <= READ * TIMES, "{up} allocations for {TIMES} records up");
    // What waits together shares a record.
    let down = fewest(|| talk.down(AT_ONCE));
    assert!(down <= WRITTEN * AT_ONCE * TIMES, "{down} allocations for {} packets down", AT_ONCE * TIMES);
}

/// What two clients say to each other's relayed addresses.
fn between(mut a: Client, mut b: Client) {
    let (at_a, at_b) = (a.allocate(false), b.allocate(false));
    a.bind_channel(CHANNEL, at_b);
    b.permit(at_a);
    let payload = [7; 500];
    costs_nothing("between two clients", || {
        (0..AT_ONCE).for_each(|_| a.send_on(CHANNEL, &payload));
        (0..AT_ONCE).for_each(|_| b.send_to(at_a, &payload));
        for _ in 0..AT_ONCE {
            assert_eq!(b.hear(), Some(Heard::Indication(at_a, payload.into())));
            assert_eq!(a.hear(), Some(Heard::Channel(CHANNEL, payload.into())));
        }
    });
}

#[test]
fn data_between_two_clients_of_one_shard_costs_no_allocation() {
    let (_alone, harness) = (alone(), Harness::new(1));
    between(harness.udp(), harness.udp());
    between(harness.udp(), harness.tcp());
}

#[test]
fn data_between_two_clients_of_two_shards_costs_no_allocation() {
    let (_alone, harness) = (alone(), Harness::new(2));
    // Streams go to the shards in turn.
    between(harness.tcp(), harness.tcp());
}
