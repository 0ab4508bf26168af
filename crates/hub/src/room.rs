//! One room: its members in the order in which they came.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{ClientId, ConnectionId, Member, RoomName};

/// One room. Lives as long as it has members.
#[derive(Default)]
pub(crate) struct Room {
    seats: BTreeMap<u64, Seat>,
    places: HashMap<ClientId, u64>,
}

struct Seat {
    member: Member,
    /// The connection that hears what happens here; none while the place is only kept.
    connection: Option<ConnectionId>,
}

/// What entering came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A new member: others hear of it.
    New,
    /// It was a member before, on this or an earlier connection.
    Again,
}

impl Room {
    pub(crate) fn len(&self) -> usize {
        self.seats.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    pub(crate) fn enter(&mut self, member: Member, connection: Option<ConnectionId>, offset: u64) -> Entry {
        if let Some(seat) = self.places.get(&member.id).and_then(|place| self.seats.get_mut(place)) {
            *seat = Seat { member, connection };
            return Entry::Again;
        }
        self.places.insert(member.id.clone(), offset);
        self.seats.insert(offset, Seat { member, connection });
        Entry::New
    }

    pub(crate) fn leave(&mut self, client: &ClientId) -> Option<Member> {
        let place = self.places.remove(client)?;
        self.seats.remove(&place).map(|seat| seat.member)
    }

    /// The client's connection is gone; its place stays.
    pub(crate) fn keep(&mut self, client: &ClientId) {
        if let Some(seat) = self.places.get(client).and_then(|place| self.seats.get_mut(place)) {
            seat.connection = None;
        }
    }

    /// `first`, then the others, who came last first.
    pub(crate) fn members(&self, first: &ClientId) -> Vec<Member> {
        let own = self.places.get(first).and_then(|place| self.seats.get(place));
        let others = self.seats.values().rev().filter(|seat| seat.member.id != *first);
        own.into_iter().chain(others).map(|seat| seat.member.clone()).collect()
    }

    pub(crate) fn connections(&self) -> Vec<ConnectionId> {
        self.seats.values().filter_map(|seat| seat.connection).collect()
    }

    pub(crate) fn connections_without(&self, client: &ClientId) -> Vec<ConnectionId> {
        let others = self.seats.values().filter(|seat| seat.member.id != *client);
        others.filter_map(|seat| seat.connection).collect()
    }
}

/// The rooms of a channel that have members.
#[derive(Default)]
pub(crate) struct Rooms(HashMap<RoomName, Room>);

impl Rooms {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Room> {
        self.0.get(name)
    }

    pub(crate) fn find_mut(&mut self, name: &RoomName) -> Option<&mut Room> {
        self.0.get_mut(name)
    }

    pub(crate) fn open(&mut self, name: &RoomName) -> &mut Room {
        self.0.entry(name.clone()).or_default()
    }

    pub(crate) fn close_if_empty(&mut self, name: &RoomName) {
        if self.0.get(name).is_some_and(Room::is_empty) {
            self.0.remove(name);
        }
    }
}

/// Client data as members carry it.
pub(crate) type ClientData = Option<Arc<[u8]>>;
