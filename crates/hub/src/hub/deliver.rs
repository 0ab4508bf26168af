//! What the bus has ordered takes place.

use std::sync::Arc;

use super::Hub;
use crate::{
    Change, ChannelId, ClientId, ConnectionId, Delivery, Event, Member, Message, Place, Position, RoomName,
    Tag,
    channel::Channel,
    room::{Entry, Step},
};

/// A client on its way into a room.
struct Entrant {
    member: Member,
    connection: ConnectionId,
    tag: Option<Tag>,
    position: Position,
    past: Vec<Arc<Message>>,
    place: Option<Place>,
}

impl Hub {
    /// Applies what the bus has ordered, each position of a room once and in ascending order.
    pub fn handle_delivery(&mut self, delivery: Delivery) {
        let Delivery { request, position, past, place, id, timestamp } = delivery;
        let (channel, room) = (request.channel, request.room);
        if self.advance(&channel, &room, position) == Step::Repeated {
            return;
        }
        match request.change {
            Change::Enter { member, connection, tag, .. } => {
                self.enter(&channel, room, Entrant { member, connection, tag, position, past, place });
            }
            Change::Leave { client, answer } => self.leave(&channel, room, &client, answer),
            Change::Publish { from, payload } => {
                let to = self.members_of(&channel, &room);
                if !to.is_empty() {
                    self.events.push_back(Event::Published { to, room, from, id, timestamp, payload });
                }
            }
        }
    }

    /// Who listened when something was missed hears nothing any more.
    fn advance(&mut self, channel: &ChannelId, room: &RoomName, position: Position) -> Step {
        let channel = self.channels.get_mut(channel);
        let Some(room) = channel.and_then(|channel| channel.rooms.find_mut(room)) else { return Step::Next };
        let step = room.advance(position);
        if step == Step::Missed {
            let to = room.interrupt();
            if !to.is_empty() {
                self.events.push_back(Event::Interrupted { to });
            }
        }
        step
    }

    fn enter(&mut self, channel_id: &ChannelId, name: RoomName, entrant: Entrant) {
        let Entrant { member, connection, tag, position, past, place } = entrant;
        // The connection may be gone by now; then a leave is on its way, or the place is only kept.
        let listening = self.is_connection_of(connection, channel_id, &member.id).then_some(connection);
        let channel = self
            .channels
            .entry(channel_id.clone())
            .or_insert_with(|| Channel { passing: true, ..Channel::default() });
        let room = channel.rooms.open(&name, position);
        let entry = room.enter(member.clone(), listening);
        let to = room.connections_without(&member.id);
        let members = name.is_observable().then(|| room.members(&member.id));
        channel.members += usize::from(entry == Entry::New);
        if let Some(connection) = listening {
            let room = name.clone();
            self.events.push_back(Event::Entered { connection, tag, room, members, past, place });
        }
        if name.is_observable() && entry == Entry::New && !to.is_empty() {
            self.events.push_back(Event::Joined { to, room: name, member });
        }
    }

    fn leave(
        &mut self,
        channel_id: &ChannelId,
        name: RoomName,
        client: &ClientId,
        answer: Option<(ConnectionId, Tag)>,
    ) {
        if let Some((connection, tag)) = answer
            && self.is_connection_of(connection, channel_id, client)
        {
            self.events.push_back(Event::Unsubscribed { connection, tag });
        }
        let Some(channel) = self.channels.get_mut(channel_id) else { return };
        let Some(room) = channel.rooms.find_mut(&name) else { return };
        let Some(member) = room.leave(client) else { return };
        let to = room.connections();
        channel.members -= 1;
        if channel.rooms.close_if_empty(&name) {
            self.closed.push((channel_id.clone(), name.clone()));
        }
        self.close_if_spent(channel_id);
        if name.is_observable() && !to.is_empty() {
            self.events.push_back(Event::Left { to, room: name, member });
        }
    }

    fn members_of(&self, channel: &ChannelId, room: &RoomName) -> Vec<ConnectionId> {
        let channel = self.channels.get(channel);
        let room = channel.and_then(|channel| channel.rooms.find(room.as_str()));
        room.map(crate::room::Room::connections).unwrap_or_default()
    }

    fn is_connection_of(&self, connection: ConnectionId, channel: &ChannelId, client: &ClientId) -> bool {
        self.connections
            .get(&connection)
            .is_some_and(|found| found.channel == *channel && found.client == *client)
    }
}
