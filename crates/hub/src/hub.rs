//! The state machine.

mod authenticate;
mod connect;
mod deliver;
mod listing;
mod overview;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use foldhash::fast::FixedState;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;
use visavis_clock::Now;

use crate::{
    Bucket, Change, ChannelId, ChannelSettings, ClientId, Config, ConnectionId, Event, Member, Recall,
    Refusal, Request, RoomName, Tag,
    channel::{Asked, Channel},
    history,
    permission::{Permission, Standing},
};
pub use connect::{Ending, Hello, Resume, Welcome};
pub use overview::{ChannelSize, Glimpse, Overview, Present, RoomSize};

/// All channels of one node. See the crate's documentation for the loop of its shell.
pub struct Hub {
    config: Config,
    random: ChaCha12Rng,
    channels: HashMap<ChannelId, Channel>,
    /// By the shell's own numbers, which no stranger chooses.
    connections: HashMap<ConnectionId, Connection, FixedState>,
    /// When places that are only kept are given up.
    deadlines: BTreeSet<(Now, ChannelId, ClientId)>,
    requests: VecDeque<Request>,
    events: VecDeque<Event>,
    closed: Vec<(ChannelId, RoomName)>,
}

/// A connection that was welcomed.
struct Connection {
    channel: ChannelId,
    client: ClientId,
    standing: Standing,
    messages: Bucket,
    peeks: Bucket,
    authentications: Bucket,
}

impl Connection {
    fn new(channel: ChannelId, client: ClientId, standing: Standing) -> Self {
        let [messages, peeks, authentications] = [Bucket::default(); 3];
        Self { channel, client, standing, messages, peeks, authentications }
    }
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Channels.
    pub channels: usize,
    /// Rooms with members.
    pub rooms: usize,
    /// Members of all rooms: a client counts in each of its rooms.
    pub members: usize,
    /// Clients, those whose place is only kept included.
    pub clients: usize,
    /// Connections that were welcomed.
    pub connections: usize,
}

impl Hub {
    /// A hub without clients. `seed` makes the client ids: nobody else may know it.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let (channels, open) = (config.channels.clone(), config.open_channels);
        let mut hub = Self {
            config,
            random: ChaCha12Rng::from_seed(seed),
            channels: HashMap::default(),
            connections: HashMap::default(),
            deadlines: BTreeSet::new(),
            requests: VecDeque::new(),
            events: VecDeque::new(),
            closed: Vec::new(),
        };
        hub.handle_channels(channels, open);
        hub
    }

    /// From now on there are these channels, and any other if `open`. What goes on in others goes on, but nobody
    /// new gets into them; what a connection must show was settled when it came.
    pub fn handle_channels(&mut self, channels: HashMap<ChannelId, ChannelSettings>, open: bool) {
        for (id, channel) in &mut self.channels {
            let settings = channels.get(id);
            channel.passing = settings.is_none();
            channel.settings = settings.copied().unwrap_or_default();
        }
        for (id, settings) in &channels {
            self.channels
                .entry(id.clone())
                .or_insert_with(|| Channel { settings: *settings, ..Channel::default() });
        }
        self.channels.retain(|_, channel| !channel.is_spent());
        self.config.channels = channels;
        self.config.open_channels = open;
    }

    /// The clock was set: from now on this is the Unix time at `Now::ZERO`.
    pub fn handle_clock(&mut self, unix_time_at_zero: Duration) {
        self.config.unix_time_at_zero = unix_time_at_zero;
    }

    /// A connection enters a room, or enters it once more, and wants to hear of before. [`Event::Entered`] answers.
    ///
    /// # Errors
    /// The connection may not, or there is no place.
    pub fn handle_subscribe(
        &mut self,
        now: Now,
        connection: ConnectionId,
        room: &str,
        recall: Recall,
        tag: Option<Tag>,
    ) -> Result<(), Refusal> {
        let (channel, id, permission) = self.admit(now, connection, room)?;
        if !permission.subscribe {
            return Err(Refusal::Unauthorized);
        }
        let limits = &self.config.limits;
        let asking = self.connections.get_mut(&connection).ok_or(Refusal::NotConnected)?;
        let found = self.channels.get_mut(&channel).ok_or(Refusal::NotConnected)?;
        let members = found.rooms.find(room).map_or(0, crate::room::Room::len);
        let client = found.clients.get_mut(&id).ok_or(Refusal::NotConnected)?;
        // The list of members may be long, and who has it hears of every change.
        if client.rooms.get(room) == Some(&Asked::Now) && !asking.peeks.admit(now, limits.peeks) {
            return Err(Refusal::TooManyRequests);
        }
        if !client.rooms.contains_key(room) {
            if client.rooms.len() >= limits.rooms_per_client {
                return Err(Refusal::TooManyRooms);
            }
            if members >= limits.members_per_room {
                return Err(Refusal::RoomFull);
            }
        }
        let room = RoomName::from(room);
        client.rooms.insert(room.clone(), Asked::Now);
        client.is_only_back = false;
        let (client_data, auth_data) = (client.client_data.clone(), client.auth_data.clone());
        let member = Member { id, client_data, auth_data, device: client.device.clone() };
        let recall = recall.at_most(permission.history.min(history::MESSAGES));
        let change = Change::Enter { member, connection, tag, recall };
        self.requests.push_back(Request { channel, room, change });
        Ok(())
    }

    /// A connection leaves a room; it need not be in it. With a tag, [`Event::Unsubscribed`] answers.
    ///
    /// # Errors
    /// The connection was not welcomed, or no room can have such a name.
    pub fn handle_unsubscribe(
        &mut self,
        now: Now,
        connection: ConnectionId,
        room: &str,
        tag: Option<Tag>,
    ) -> Result<(), Refusal> {
        self.count_message(now, connection)?;
        self.check_room(room)?;
        let asking = self.connections.get(&connection).ok_or(Refusal::NotConnected)?;
        let (channel, id) = (asking.channel.clone(), asking.client.clone());
        if let Some(client) = self.channels.get_mut(&channel).and_then(|channel| channel.clients.get_mut(&id))
        {
            client.rooms.remove(room);
        }
        let change = Change::Leave { client: id, answer: tag.map(|tag| (connection, tag)) };
        self.requests.push_back(Request { channel, room: room.into(), change });
        Ok(())
    }

    /// A connection says something in a room; it need not be in it.
    ///
    /// # Errors
    /// The connection may not.
    pub fn handle_publish(
        &mut self,
        now: Now,
        connection: ConnectionId,
        room: &str,
        payload: Arc<[u8]>,
    ) -> Result<(), Refusal> {
        let (channel, id, permission) = self.admit(now, connection, room)?;
        if !permission.publish {
            return Err(Refusal::Unauthorized);
        }
        let change = Change::Publish { from: Some(id), payload };
        self.requests.push_back(Request { channel, room: room.into(), change });
        Ok(())
    }

    /// How many members a room has. Who may not enter it may not ask.
    ///
    /// # Errors
    /// The connection may not, or asks too often.
    pub fn handle_peek(&mut self, now: Now, connection: ConnectionId, room: &str) -> Result<usize, Refusal> {
        let (channel, _, permission) = self.admit(now, connection, room)?;
        if !permission.subscribe {
            return Err(Refusal::Unauthorized);
        }
        let rate = self.config.limits.peeks;
        let asking = self.connections.get_mut(&connection).ok_or(Refusal::NotConnected)?;
        if !asking.peeks.admit(now, rate) {
            return Err(Refusal::TooManyRequests);
        }
        let found = self.channels.get(&channel).and_then(|channel| channel.rooms.find(room));
        Ok(found.map_or(0, crate::room::Room::len))
    }

    /// What a connection may do in a room, and as whom: every request but to unsubscribe passes here. One that is
    /// undecided was not counted, since it comes again.
    fn admit(
        &mut self,
        now: Now,
        connection: ConnectionId,
        room: &str,
    ) -> Result<(ChannelId, ClientId, Permission), Refusal> {
        if self.is_undecided(now, connection, room) {
            return Err(Refusal::Undecided);
        }
        self.count_message(now, connection)?;
        let asking = self.connections.get(&connection).ok_or(Refusal::NotConnected)?;
        self.check_room(room)?;
        let permission = asking.standing.permission(now, room)?;
        Ok((asking.channel.clone(), asking.client.clone(), permission))
    }

    fn check_room(&self, room: &str) -> Result<(), Refusal> {
        let named = !room.is_empty() && room.len() <= self.config.limits.name_length;
        named.then_some(()).ok_or(Refusal::BadRoomName)
    }

    /// Counts a message of a kind that no other method is for.
    ///
    /// # Errors
    /// The connection sends more than any honest client does, or was not welcomed.
    pub fn count_message(&mut self, now: Now, connection: ConnectionId) -> Result<(), Refusal> {
        let asking = self.connections.get_mut(&connection).ok_or(Refusal::NotConnected)?;
        let admitted = asking.messages.admit(now, self.config.limits.messages);
        admitted.then_some(()).ok_or(Refusal::RateExceeded)
    }

    /// What the bus is to order next.
    pub fn poll_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// A room in which nobody is left here: the bus need not go on about it.
    pub fn poll_closed(&mut self) -> Option<(ChannelId, RoomName)> {
        self.closed.pop()
    }

    /// What connections are to hear next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Hub::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Now> {
        self.deadlines.first().map(|(at, ..)| *at)
    }

    /// Gives up the places whose clients did not come back in time.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((at, channel, id)) = self.deadlines.pop_first() {
            if at > now {
                self.deadlines.insert((at, channel, id));
                return;
            }
            self.give_up(&channel, &id);
        }
    }

    fn give_up(&mut self, channel_id: &ChannelId, id: &ClientId) {
        let Some(channel) = self.channels.get_mut(channel_id) else { return };
        let rooms = channel.take_kept(id);
        if channel.clients.get(id).is_some_and(|client| client.connection.is_none()) {
            channel.clients.remove(id);
        }
        self.request_leaves(channel_id, id, rooms);
    }

    fn request_leaves(&mut self, channel: &ChannelId, id: &ClientId, rooms: Vec<RoomName>) {
        for room in rooms {
            let change = Change::Leave { client: id.clone(), answer: None };
            self.requests.push_back(Request { channel: channel.clone(), room, change });
        }
        self.close_if_spent(channel);
    }

    /// A channel that only its use has made goes with its last client.
    fn close_if_spent(&mut self, id: &ChannelId) {
        if self.channels.get(id).is_some_and(Channel::is_spent) {
            self.channels.remove(id);
        }
    }

    /// How much there is.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            channels: self.channels.len(),
            rooms: self.channels.values().map(|channel| channel.rooms.len()).sum(),
            members: self.channels.values().map(|channel| channel.members).sum(),
            clients: self.channels.values().map(|channel| channel.clients.len()).sum(),
            connections: self.connections.len(),
        }
    }
}
