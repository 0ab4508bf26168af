//! Packets between relayed addresses of this process.

use std::{mem, ops::Range};

use visavis_turn::RelayedAddr;

use super::Shard;
use crate::{crossing::Door, parcel::Parcel};

/// Packets of other shards in one turn.
const CROSSINGS: usize = 256;

/// What one shard keeps of packets for others and from others.
pub(crate) struct Crossings {
    /// For each shard what it will be left at the end of the turn.
    outgoing: Vec<Parcel>,
    /// What was taken last, and how many of its packets have arrived.
    incoming: Parcel,
    arrived: usize,
    /// The shard whose packets are taken next, so that none starves another.
    next: usize,
    /// Whether some memory is kept for more packets.
    keeps_memory: bool,
}

impl Crossings {
    pub(super) fn new(shards: usize) -> Self {
        Self {
            outgoing: (0..shards).map(|_| Parcel::default()).collect(),
            incoming: Parcel::default(),
            arrived: 0,
            next: 0,
            keeps_memory: false,
        }
    }

    /// Whether [`Crossings::give_back`] may find something.
    pub(super) const fn keeps_memory(&self) -> bool {
        self.keeps_memory
    }

    /// Gives back memory that was not needed since the last time.
    pub(super) fn give_back(&mut self, doors: &[Door], own: u16) {
        if self.keeps_memory {
            let mut keeps = self.incoming.give_back();
            for (parcel, door) in self.outgoing.iter_mut().zip(doors) {
                keeps |= parcel.give_back();
                keeps |= door.slot(own).give_back();
            }
            self.keeps_memory = keeps;
        }
    }
}

impl Shard {
    /// Hands a payload to another relayed address of this process.
    pub(super) fn cross(
        &mut self,
        from: RelayedAddr,
        to: RelayedAddr,
        buffer: &mut [u8],
        payload: Range<usize>,
    ) {
        let Some(owner) = self.ports.shard_of(to.0.port()) else { return };
        if owner == self.ports.shard {
            return self.arrive(from, to, buffer, payload);
        }
        if !self.crossings.outgoing[usize::from(owner)].put(from, to, &buffer[payload]) {
            self.sockets.drops.crossings += 1;
        }
    }

    fn arrive(&mut self, from: RelayedAddr, to: RelayedAddr, buffer: &mut [u8], payload: Range<usize>) {
        let to_client = self.server.handle_relayed(self.now, from, to, &buffer[payload.clone()]);
        self.deliver(to_client, buffer, payload);
    }

    /// Takes packets that other shards have left.
    pub(super) fn serve_crossings(&mut self) {
        if !self.inbox_waits {
            return;
        }
        self.inbox_waits = false;
        self.sockets.gather = true;
        let (mut parcel, mut arrived) = (mem::take(&mut self.crossings.incoming), self.crossings.arrived);
        for _ in 0..CROSSINGS {
            if parcel.packet(arrived).is_none() {
                parcel.clear();
                arrived = 0;
                if !self.take_parcel(&mut parcel) {
                    break;
                }
            }
            let Some((from, to, payload)) = parcel.packet(arrived) else { break };
            self.arrive(from, to, parcel.bytes(), payload);
            arrived += 1;
            self.served += 1;
        }
        // More may wait if this is not the end of the last one.
        self.inbox_waits = arrived > 0;
        (self.crossings.incoming, self.crossings.arrived) = (parcel, arrived);
        self.sockets.flush_trains();
    }

    /// Takes what some other shard has left; whether there was anything.
    fn take_parcel(&mut self, parcel: &mut Parcel) -> bool {
        let shards = self.doors.len();
        let own = &self.doors[usize::from(self.ports.shard)];
        for shard in (self.crossings.next..shards).chain(0..self.crossings.next) {
            if own.slot(shard as u16).take(parcel) {
                self.crossings.next = (shard + 1) % shards;
                self.crossings.keeps_memory = true;
                return true;
            }
        }
        false
    }

    /// Leaves for each other shard what was gathered for it in this turn.
    pub(super) fn leave_parcels(&mut self) {
        for (parcel, door) in self.crossings.outgoing.iter_mut().zip(&self.doors) {
            if !parcel.is_empty() {
                self.crossings.keeps_memory = true;
                self.sockets.drops.crossings += door.slot(self.ports.shard).leave(parcel);
                door.wake();
            }
        }
    }
}
