//! What there is in a channel, for those who may ask, and what is said from outside of any connection.

use std::sync::Arc;

use super::Hub;
use crate::{Change, ChannelId, ClientId, Refusal, Request, RoomName, channel::Channel, room::Room};

impl Hub {
    /// Somebody who is not connected says something in some rooms, in all of them or in none.
    ///
    /// # Errors
    /// There is no such channel, or no room can have such a name.
    pub fn handle_post(&mut self, channel: &str, rooms: &[&str], payload: &Arc<[u8]>) -> Result<(), Refusal> {
        let channel = self.channel_for(channel)?;
        rooms.iter().try_for_each(|room| self.check_room(room))?;
        for room in rooms {
            let change = Change::Publish { from: None, payload: Arc::clone(payload) };
            self.requests.push_back(Request { channel: channel.clone(), room: (*room).into(), change });
        }
        Ok(())
    }

    /// How many connections a channel has.
    ///
    /// # Errors
    /// There is no such channel.
    pub fn connections_of(&self, channel: &str) -> Result<usize, Refusal> {
        let Some(channel) = self.listed(channel)? else { return Ok(0) };
        Ok(channel.clients.values().filter(|client| client.connection.is_some()).count())
    }

    /// The clients of a channel that are connected.
    ///
    /// # Errors
    /// There is no such channel.
    pub fn clients_of(&self, channel: &str) -> Result<Vec<ClientId>, Refusal> {
        let Some(channel) = self.listed(channel)? else { return Ok(Vec::new()) };
        let connected = channel.clients.iter().filter(|(_, client)| client.connection.is_some());
        Ok(connected.map(|(id, _)| id.clone()).collect())
    }

    /// The rooms of a channel that have members, each with its members as they came.
    ///
    /// # Errors
    /// There is no such channel.
    pub fn rooms_of(&self, channel: &str) -> Result<Vec<(RoomName, Vec<ClientId>)>, Refusal> {
        let Some(channel) = self.listed(channel)? else { return Ok(Vec::new()) };
        let rooms = channel.rooms.iter().map(|(name, room)| (name.clone(), room.member_ids().collect()));
        Ok(rooms.collect())
    }

    /// Who is in a room, as they came; nobody where there is no such room.
    ///
    /// # Errors
    /// There is no such channel.
    pub fn members_of_room(&self, channel: &str, room: &str) -> Result<Vec<ClientId>, Refusal> {
        let found = self.listed(channel)?.and_then(|channel| channel.rooms.find(room));
        Ok(found.map(|room| Room::member_ids(room).collect()).unwrap_or_default())
    }

    fn listed(&self, channel: &str) -> Result<Option<&Channel>, Refusal> {
        let id: ChannelId = self.channel_for(channel)?;
        Ok(self.channels.get(&id))
    }
}
