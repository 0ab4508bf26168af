//! Packets on their way from one shard to another, many at a time.

use std::{
    mem,
    ops::Range,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use visavis_turn::RelayedAddr;

use crate::batch::{HEADROOM, TAILROOM};

/// Packets that may wait for a shard from another one. Beyond it they are dropped: it could not serve them in time.
const PACKETS: usize = 2048;
/// Bytes that may wait with them: as many packets of the usual length.
const BYTES: usize = 2 << 20;

/// Packets between relayed addresses of two shards, in order.
///
/// The memory is kept while packets come, so that none costs an allocation, and [given back](Parcel::give_back) when
/// they do not.
#[derive(Debug, Default)]
pub(crate) struct Parcel {
    /// Headroom and the payloads, one behind the other.
    bytes: Vec<u8>,
    packets: Vec<Packet>,
    /// The most bytes that it held since [`Parcel::give_back`].
    most: usize,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    from: RelayedAddr,
    to: RelayedAddr,
    /// Where its payload ends: the next one begins there.
    end: usize,
}

impl Parcel {
    /// Adds a packet; false if there is no room.
    #[must_use]
    pub(crate) fn put(&mut self, from: RelayedAddr, to: RelayedAddr, payload: &[u8]) -> bool {
        if self.packets.len() == PACKETS || self.bytes.len() + payload.len() > BYTES {
            return false;
        }
        if self.packets.is_empty() {
            self.bytes.resize(HEADROOM, 0);
        }
        self.bytes.extend_from_slice(payload);
        self.packets.push(Packet { from, to, end: self.bytes.len() });
        true
    }

    /// The packet with that number, if there are so many: from where, to where, and where its payload is.
    pub(crate) fn packet(&self, number: usize) -> Option<(RelayedAddr, RelayedAddr, Range<usize>)> {
        let &Packet { from, to, end } = self.packets.get(number)?;
        let start = number.checked_sub(1).map_or(HEADROOM, |before| self.packets[before].end);
        Some((from, to, start..end))
    }

    /// All payloads with room around them, to write in place what surrounds them.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        let end = self.packets.last().map_or(0, |last| last.end);
        self.bytes.resize(end + TAILROOM, 0);
        &mut self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.most = self.most.max(self.bytes.len());
        self.bytes.clear();
        self.packets.clear();
    }

    /// Gives back memory that was not needed since the last time; whether some is left.
    pub(crate) fn give_back(&mut self) -> bool {
        let most = mem::take(&mut self.most);
        if self.is_empty() && self.bytes.capacity() > 4 * most {
            *self = Self::default();
        }
        self.bytes.capacity() > 0
    }

    /// Adds all packets of `other` for which there is room; how many were dropped.
    fn append(&mut self, other: &Self) -> u64 {
        let packets = (0..).map_while(|number| other.packet(number));
        let dropped =
            packets.filter(|(from, to, payload)| !self.put(*from, *to, &other.bytes[payload.clone()]));
        dropped.count() as u64
    }
}

/// Where one shard leaves packets for another: a parcel, taken whole.
///
/// The lock is taken once a turn on either side, and only held to exchange parcels, unless the other shard has not yet
/// taken the last one.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    is_filled: AtomicBool,
    parcel: Mutex<Parcel>,
}

impl Slot {
    /// Leaves what is in `parcel`, which is empty afterwards; how many packets were dropped.
    pub(crate) fn leave(&self, parcel: &mut Parcel) -> u64 {
        let mut left = self.lock();
        let dropped = if left.is_empty() {
            mem::swap(&mut *left, parcel);
            0
        } else {
            left.append(parcel)
        };
        parcel.clear();
        self.is_filled.store(true, Ordering::Release);
        dropped
    }

    /// Takes what was left, in exchange for the empty `parcel`; whether there was anything.
    pub(crate) fn take(&self, parcel: &mut Parcel) -> bool {
        if !self.is_filled.load(Ordering::Acquire) {
            return false;
        }
        let mut left = self.lock();
        self.is_filled.store(false, Ordering::Release);
        mem::swap(&mut *left, parcel);
        !parcel.is_empty()
    }

    /// Gives back memory that was not needed since the last time; whether some is left.
    pub(crate) fn give_back(&self) -> bool {
        self.lock().give_back()
    }

    /// What a shard left that panicked is no worse for that.
    fn lock(&self) -> MutexGuard<'_, Parcel> {
        self.parcel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relayed(port: u16) -> RelayedAddr {
        RelayedAddr(([192, 0, 2, 1], port).into())
    }

    fn fill(parcel: &mut Parcel, numbers: Range<u16>) {
        for number in numbers {
            assert!(parcel.put(relayed(number), relayed(7), &number.to_be_bytes()));
        }
    }

    /// The numbers of the packets, which each holds as its source and its payload.
    fn numbers(parcel: &mut Parcel) -> Vec<u16> {
        let packets: Vec<_> = (0..).map_while(|number| parcel.packet(number)).collect();
        let bytes = parcel.bytes();
        let number = |(from, to, payload): (RelayedAddr, RelayedAddr, Range<usize>)| {
            assert_eq!(to, relayed(7));
            assert!(payload.start >= HEADROOM && payload.end + TAILROOM <= bytes.len());
            assert_eq!(bytes[payload], from.0.port().to_be_bytes());
            from.0.port()
        };
        packets.into_iter().map(number).collect()
    }

    #[test]
    fn what_is_left_several_times_is_taken_at_once_and_in_order() {
        let (slot, mut own, mut taken) = (Slot::default(), Parcel::default(), Parcel::default());
        for round in 0..3 {
            assert!(!slot.take(&mut taken));
            for part in 0..3 {
                fill(&mut own, round + part * 10..round + part * 10 + 10);
                assert_eq!(slot.leave(&mut own), 0);
                assert!(own.is_empty());
            }
            assert!(slot.take(&mut taken));
            assert_eq!(numbers(&mut taken), Vec::from_iter(round..round + 30));
            taken.clear();
        }
    }

    #[test]
    fn what_waits_is_bounded() {
        let (slot, mut own, mut taken) = (Slot::default(), Parcel::default(), Parcel::default());
        fill(&mut own, 0..PACKETS as u16);
        assert!(!own.put(relayed(1), relayed(7), b"more"));
        assert_eq!(slot.leave(&mut own), 0);
        fill(&mut own, 0..3);
        assert_eq!(slot.leave(&mut own), 3);
        assert!(slot.take(&mut taken));
        assert_eq!(numbers(&mut taken).len(), PACKETS);

        let long = vec![0; BYTES / 4];
        let put = (0..9).filter(|_| own.put(relayed(1), relayed(7), &long)).count();
        assert_eq!(put, 3);
    }

    #[test]
    fn memory_that_is_not_needed_is_given_back() {
        let mut parcel = Parcel::default();
        fill(&mut parcel, 0..1000);
        assert!(parcel.give_back());
        assert_eq!(numbers(&mut parcel).len(), 1000);
        parcel.clear();
        assert!(parcel.give_back());
        assert!(!parcel.give_back());
        assert_eq!(parcel.packets.capacity(), 0);
    }
}
