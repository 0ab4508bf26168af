//! One client, as far as the relay must know it.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
};

use visavis_hub::{ConnectionId, Now};

use super::{AFTER_GOODBYE, Gone, REENTRY, candidates::Said};

/// Addresses of candidates that are kept of one member; the oldest give way.
const ADDRESSES: usize = 64;

/// One client.
pub(super) struct Member {
    pub(super) connection: ConnectionId,
    /// Whether its credentials reach nobody but members of its rooms.
    pub(super) bound: bool,
    /// Whether it was given credentials.
    pub(super) equipped: bool,
    pub(super) rooms: BTreeMap<Box<str>, Place>,
    /// Where it is connected from.
    address: Option<IpAddr>,
    /// What it named as candidates, oldest first.
    candidates: VecDeque<IpAddr>,
    gone: Option<Gone>,
    /// When its allocations end.
    ends: Option<Now>,
    /// By when it must have entered its rooms again.
    reenters: Now,
}

/// A place in a room.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The connection that asked for it last.
    connection: ConnectionId,
    /// Whether the client has left the call, though not the room.
    pub(super) said_bye: bool,
}

/// What came of a message.
#[derive(Default)]
pub(super) struct Named {
    pub(super) new: u64,
    pub(super) replaced: u64,
    /// The client is in no call any more.
    pub(super) leaves: bool,
}

impl Member {
    pub(super) fn new(bound: bool) -> Self {
        Self {
            connection: ConnectionId(usize::MAX),
            bound,
            equipped: false,
            rooms: BTreeMap::new(),
            address: None,
            candidates: VecDeque::new(),
            gone: None,
            ends: None,
            reenters: Now::ZERO,
        }
    }

    pub(super) fn come(&mut self, now: Now, connection: ConnectionId, address: IpAddr) {
        self.connection = connection;
        self.address = Some(address.to_canonical());
        self.gone = None;
        self.ends = None;
        self.reenters = now + REENTRY;
    }

    pub(super) fn go(&mut self, ends: Now, gone: Gone) {
        self.gone = Some(gone);
        self.ends = Some(ends);
    }

    pub(super) fn enter(&mut self, room: &str) {
        let place = Place { connection: self.connection, said_bye: false };
        self.rooms.insert(room.into(), place);
        self.ends = None;
    }

    /// Whether it is in no call any more.
    pub(super) fn leave(&mut self, now: Now, room: &str) -> bool {
        self.rooms.remove(room).is_some() && self.ends_without_call(now)
    }

    /// Takes note of what the member says in a room that it is in.
    pub(super) fn say(&mut self, now: Now, room: &str, said: Said) -> Named {
        let mut named = Named::default();
        let Some(place) = self.rooms.get_mut(room) else { return named };
        place.said_bye = matches!(said, Said::Bye);
        match said {
            Said::Bye => named.leaves = self.ends_without_call(now),
            Said::Addresses(addresses) => {
                self.ends = None;
                addresses.into_iter().for_each(|address| self.name(address, &mut named));
            }
        }
        named
    }

    fn name(&mut self, address: IpAddr, named: &mut Named) {
        if self.candidates.contains(&address) {
            return;
        }
        named.new += 1;
        if self.candidates.len() >= ADDRESSES {
            self.candidates.pop_front();
            named.replaced += 1;
        }
        self.candidates.push_back(address);
    }

    fn ends_without_call(&mut self, now: Now) -> bool {
        let is_over = self.rooms.values().all(|place| place.said_bye);
        if is_over {
            self.ends = Some(now + AFTER_GOODBYE);
        }
        is_over
    }

    /// The rooms that it was in before it came back, and has not entered again.
    pub(super) fn not_reentered(&mut self, now: Now) -> Vec<Box<str>> {
        if self.gone.is_some() || now < self.reenters {
            return Vec::new();
        }
        let connection = self.connection;
        self.rooms.extract_if(.., |_, place| place.connection != connection).map(|(room, _)| room).collect()
    }

    /// Whether its allocations end now.
    pub(super) fn take_end(&mut self, now: Now) -> bool {
        self.ends.take_if(|ends| *ends <= now).is_some()
    }

    pub(super) fn take_rooms(&mut self) -> BTreeMap<Box<str>, Place> {
        std::mem::take(&mut self.rooms)
    }

    pub(super) const fn is_gone(&self) -> bool {
        self.gone.is_some()
    }

    /// Whether anybody may ask for it although its connection is lost.
    pub(super) const fn matters(&self) -> bool {
        self.equipped || self.bound
    }

    pub(super) fn may_allocate(&self) -> bool {
        self.gone != Some(Gone::Left)
    }

    pub(super) fn is_in(&self, room: &str) -> bool {
        self.rooms.get(room).is_some_and(|place| !place.said_bye)
    }

    pub(super) fn has(&self, address: IpAddr) -> bool {
        self.address == Some(address) || self.candidates.contains(&address)
    }
}
