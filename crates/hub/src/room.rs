//! One room: its members in the order in which they came.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{ClientId, ConnectionId, Member, Position, RoomName};

/// One room. Lives as long as it has members.
pub(crate) struct Room {
    seats: BTreeMap<u64, Seat>,
    places: HashMap<ClientId, u64>,
    next_place: u64,
    /// Of the last delivery that was applied.
    position: Position,
}

/// How a delivery stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is the next one.
    Next,
    /// It was applied already.
    Repeated,
    /// Something between is missing, or nobody knows.
    Missed,
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
    fn new(position: Position) -> Self {
        Self { seats: BTreeMap::new(), places: HashMap::new(), next_place: 0, position }
    }

    pub(crate) fn len(&self) -> usize {
        self.seats.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// Takes note of a delivery's position.
    pub(crate) fn advance(&mut self, position: Position) -> Step {
        let last = self.position;
        if last.epoch == position.epoch && position.offset <= last.offset {
            return Step::Repeated;
        }
        self.position = position;
        let next = Position { offset: last.offset + 1, ..last };
        if position == next { Step::Next } else { Step::Missed }
    }

    /// Nobody hears anything any more until it enters again: who listened so far.
    pub(crate) fn interrupt(&mut self) -> Vec<ConnectionId> {
        self.seats.values_mut().filter_map(|seat| seat.connection.take()).collect()
    }

    pub(crate) fn enter(&mut self, member: Member, connection: Option<ConnectionId>) -> Entry {
        if let Some(seat) = self.places.get(&member.id).and_then(|place| self.seats.get_mut(place)) {
            *seat = Seat { member, connection };
            return Entry::Again;
        }
        let place = self.next_place;
        self.next_place += 1;
        self.places.insert(member.id.clone(), place);
        self.seats.insert(place, Seat { member, connection });
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

    /// As they came.
    pub(crate) fn member_ids(&self) -> impl Iterator<Item = ClientId> {
        self.seats.values().map(|seat| seat.member.id.clone())
    }

    /// As they came, each with whether it is connected.
    pub(crate) fn seats(&self) -> impl Iterator<Item = (&Member, bool)> {
        self.seats.values().map(|seat| (&seat.member, seat.connection.is_some()))
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

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RoomName, &Room)> {
        self.0.iter()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Room> {
        self.0.get(name)
    }

    pub(crate) fn find_mut(&mut self, name: &RoomName) -> Option<&mut Room> {
        self.0.get_mut(name)
    }

    /// The room of that name; one that is made now has its `position` from here on.
    pub(crate) fn open(&mut self, name: &RoomName, position: Position) -> &mut Room {
        self.0.entry(name.clone()).or_insert_with(|| Room::new(position))
    }

    /// Whether it is closed now.
    pub(crate) fn close_if_empty(&mut self, name: &RoomName) -> bool {
        let empty = self.0.get(name).is_some_and(Room::is_empty);
        if empty {
            self.0.remove(name);
        }
        empty
    }
}

/// Client data as members carry it.
pub(crate) type ClientData = Option<Arc<[u8]>>;
