//! What the shards have done, in numbers that anybody may read at any time.

use std::{ops::AddAssign, sync::Mutex, time::Duration};

use visavis_turn::Counters;

/// How old the numbers of a shard may get.
pub(crate) const REFRESH: Duration = Duration::from_millis(100);

/// Numbers of all shards together, at most 100 ms old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// What the servers counted.
    pub turn: Counters,
    /// Packets lost between a server and the network.
    pub sockets: SocketDrops,
    /// TCP and TLS streams.
    pub streams: StreamCounts,
}

/// Packets that a socket or a queue could not take. All only grow, but for `not_received`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketDrops {
    /// Not received: the buffer of a listening socket was full. Counted modulo 2³² for each socket.
    pub not_received: u64,
    /// Not sent: the buffer of a UDP socket was full.
    pub buffer_full: u64,
    /// Not sent: the system refused (no route, forbidden, too long).
    pub refused: u64,
    /// Not handed to another shard: its queue was full.
    pub crossings: u64,
}

/// TCP and TLS streams. All but `live` only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamCounts {
    /// Streams that live now.
    pub live: u64,
    /// Streams ever taken over.
    pub opened: u64,
    /// Streams closed at once because there were too many.
    pub turned_away: u64,
    /// Streams closed because they held no allocation, for too long or when others needed their place.
    pub idle: u64,
    /// Messages dropped because the client read too slowly.
    pub frames_dropped: u64,
}

impl AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        self.turn += other.turn;
        self.sockets += other.sockets;
        self.streams += other.streams;
    }
}

impl AddAssign for SocketDrops {
    fn add_assign(&mut self, other: Self) {
        self.not_received += other.not_received;
        self.buffer_full += other.buffer_full;
        self.refused += other.refused;
        self.crossings += other.crossings;
    }
}

impl AddAssign for StreamCounts {
    fn add_assign(&mut self, other: Self) {
        self.live += other.live;
        self.opened += other.opened;
        self.turned_away += other.turned_away;
        self.idle += other.idle;
        self.frames_dropped += other.frames_dropped;
    }
}

/// Where a shard puts its numbers now and then, off the way of its packets.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<Stats>);

impl Board {
    pub(crate) fn publish(&self, stats: Stats) {
        *self.lock() = stats;
    }

    pub(crate) fn read(&self) -> Stats {
        *self.lock()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Stats> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
