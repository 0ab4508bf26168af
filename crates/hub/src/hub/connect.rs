//! Connections come, come back and go.

use std::{sync::Arc, time::Duration};

use visavis_clock::Now;

use super::{Connection, Hub};
use crate::{
    ChannelId, ClientId, ConnectionId, Event, Refusal,
    channel::{Channel, Client},
    device,
    permission::Standing,
    resume,
    room::ClientData,
};

/// How a connection introduces itself.
#[derive(Clone)]
pub struct Hello<'a> {
    /// The channel it wants.
    pub channel: &'a str,
    /// What its application tells others about it.
    pub client_data: Option<Arc<[u8]>>,
    /// What its device alone knows, if others are to know the device again.
    pub device_secret: Option<&'a str>,
    /// Whether it wants to keep its client id over a reconnect.
    pub resume: Option<Resume<'a>>,
}

impl std::fmt::Debug for Hello<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hello").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// The wish to keep a client id.
#[derive(Clone, Copy)]
pub enum Resume<'a> {
    /// From now on.
    Ask,
    /// With the token of an earlier connection. One that is not good counts as [`Resume::Ask`].
    Token(&'a str),
}

impl std::fmt::Debug for Resume<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ask => "Ask",
            Self::Token(_) => "Token(…)",
        })
    }
}

/// What a connection is told when it is let in.
#[derive(Clone)]
pub struct Welcome {
    /// Who it is.
    pub client: ClientId,
    /// The name of its device, as others are told it.
    pub device: Option<Arc<str>>,
    /// The token for its next connection, if it asked for one.
    pub resume: Option<String>,
    /// Whether it got back an earlier client id.
    pub resumed: bool,
    /// Whether it must authenticate before it may do anything.
    pub require_auth: bool,
}

impl std::fmt::Debug for Welcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Welcome").field("client", &self.client).finish_non_exhaustive()
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client said that it goes: it leaves its rooms at once.
    Left,
    /// It broke: a client that can resume keeps its places for the grace.
    Lost,
}

impl Hub {
    /// A connection wants to become a client of a channel.
    ///
    /// Older connections of a client that resumes are told to end ([`Event::Replaced`]). The rooms of a
    /// client that resumes are kept for the grace, until it subscribes to them again.
    ///
    /// # Errors
    /// There is no such channel, or no place in it.
    pub fn handle_connect(
        &mut self,
        now: Now,
        connection: ConnectionId,
        hello: Hello<'_>,
    ) -> Result<Welcome, Refusal> {
        if self.connections.contains_key(&connection) {
            return Err(Refusal::AlreadyConnected);
        }
        let channel = self.channel_for(hello.channel)?;
        let resumed = match hello.resume {
            Some(Resume::Token(token)) => self.client_of(now, &channel, token),
            _ => None,
        };
        let back = resumed.is_some();
        let device = hello.device_secret.map(device::name);
        let id = match resumed {
            Some(id) if self.is_client(&channel, &id) => {
                self.come_back(now, &channel, &id, connection, (hello.client_data, device.clone()));
                id
            }
            resumed => {
                let id = resumed.unwrap_or_else(|| self.new_client_id());
                let client =
                    Client::new(connection, hello.client_data, device.clone(), hello.resume.is_some());
                self.come(&channel, &id, client)?;
                id
            }
        };
        let resume = hello.resume.map(|_| self.token(now, &channel, &id));
        let require_auth = self.channels.get(&channel).is_some_and(|channel| channel.settings.require_auth);
        let standing = if require_auth { Standing::Stranger } else { Standing::Free };
        self.connections.insert(connection, Connection::new(channel, id.clone(), standing));
        Ok(Welcome { client: id, device, resume, resumed: back, require_auth })
    }

    /// A connection has ended. One that was never welcomed, or was replaced, means nothing.
    pub fn handle_disconnect(&mut self, now: Now, connection: ConnectionId, ending: Ending) {
        let Some(Connection { channel: channel_id, client: id, .. }) = self.connections.remove(&connection)
        else {
            return;
        };
        let Some(channel) = self.channels.get_mut(&channel_id) else { return };
        channel.keep_places(&id);
        let Some(client) = channel.clients.get(&id) else { return };
        if ending == Ending::Lost && client.resumable && !client.rooms.is_empty() {
            self.keep_for_the_grace(now, &channel_id, &id);
        } else {
            self.forget_deadline(&channel_id, &id);
            self.give_up(&channel_id, &id);
        }
    }

    /// A client id that belongs to nobody: for replies that must carry one.
    #[must_use]
    pub fn new_client_id(&mut self) -> ClientId {
        ClientId::random(&mut self.random)
    }

    pub(super) fn channel_for(&self, name: &str) -> Result<ChannelId, Refusal> {
        let well_named = !name.is_empty() && name.len() <= self.config.limits.name_length;
        if self.config.channels.contains_key(name) || (self.config.open_channels && well_named) {
            return Ok(ChannelId::from(name));
        }
        Err(Refusal::UnknownChannel)
    }

    fn is_client(&self, channel: &ChannelId, id: &ClientId) -> bool {
        self.channels.get(channel).is_some_and(|channel| channel.clients.contains_key(id))
    }

    fn come(&mut self, channel_id: &ChannelId, id: &ClientId, client: Client) -> Result<(), Refusal> {
        let limit = self.config.limits.clients_per_channel;
        let channel = self
            .channels
            .entry(channel_id.clone())
            .or_insert_with(|| Channel { passing: true, ..Channel::default() });
        if channel.clients.len() >= channel.settings.clients.unwrap_or(limit) {
            return Err(Refusal::ChannelFull);
        }
        channel.clients.insert(id.clone(), client);
        Ok(())
    }

    fn come_back(
        &mut self,
        now: Now,
        channel_id: &ChannelId,
        id: &ClientId,
        connection: ConnectionId,
        (client_data, device): (ClientData, Option<Arc<str>>),
    ) {
        let Some(channel) = self.channels.get_mut(channel_id) else { return };
        let older = channel.clients.get(id).and_then(|client| client.connection);
        channel.keep_places(id);
        if let Some(client) = channel.clients.get_mut(id) {
            client.connection = Some(connection);
            client.client_data = client_data;
            client.device = device;
            client.auth_data = None;
            client.resumable = true;
        }
        if let Some(older) = older {
            self.connections.remove(&older);
            self.events.push_back(Event::Replaced { connection: older });
        }
        self.keep_for_the_grace(now, channel_id, id);
        let client = self.channels.get_mut(channel_id).and_then(|channel| channel.clients.get_mut(id));
        if let Some(client) = client {
            client.is_only_back = true;
        }
    }

    fn keep_for_the_grace(&mut self, now: Now, channel: &ChannelId, id: &ClientId) {
        let client = self.channels.get_mut(channel).and_then(|channel| channel.clients.get_mut(id));
        let Some(client) = client else { return };
        if client.is_only_back && client.deadline.is_some() {
            return;
        }
        let deadline = now + self.config.grace;
        let earlier = client.deadline.replace(deadline);
        if let Some(earlier) = earlier {
            self.deadlines.remove(&(earlier, channel.clone(), id.clone()));
        }
        self.deadlines.insert((deadline, channel.clone(), id.clone()));
    }

    fn forget_deadline(&mut self, channel: &ChannelId, id: &ClientId) {
        let client = self.channels.get_mut(channel).and_then(|channel| channel.clients.get_mut(id));
        if let Some(at) = client.and_then(|client| client.deadline.take()) {
            self.deadlines.remove(&(at, channel.clone(), id.clone()));
        }
    }

    fn token(&self, now: Now, channel: &ChannelId, id: &ClientId) -> String {
        let expiry = self.unix_time(now) + self.config.resume_lifetime;
        resume::token(&self.config.resume_key, channel, id, expiry)
    }

    fn client_of(&self, now: Now, channel: &ChannelId, token: &str) -> Option<ClientId> {
        resume::client(&self.config.resume_key, channel, token, self.unix_time(now))
    }

    fn unix_time(&self, now: Now) -> Duration {
        self.config.unix_time_at_zero + now.since_start()
    }
}
