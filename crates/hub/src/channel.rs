//! One channel: its clients and rooms.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use visavis_clock::Now;

use crate::{
    ChannelSettings, ClientId, ConnectionId, RoomName,
    room::{ClientData, Rooms},
};

/// One channel.
#[derive(Default)]
pub(crate) struct Channel {
    pub(crate) settings: ChannelSettings,
    pub(crate) clients: HashMap<ClientId, Client>,
    pub(crate) rooms: Rooms,
    /// Members of all rooms, counted as they come and go.
    pub(crate) members: usize,
    /// Not from the configuration: goes with its last client.
    pub(crate) passing: bool,
}

/// A client: connected, or only kept in case it comes back.
pub(crate) struct Client {
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) client_data: ClientData,
    /// What the token says that its present connection has shown.
    pub(crate) auth_data: ClientData,
    /// The name of its device.
    pub(crate) device: Option<Arc<str>>,
    pub(crate) resumable: bool,
    /// The rooms it is in or has asked to enter, and whether its present connection has asked. A room that
    /// it has not asked for again is only kept until `deadline`.
    pub(crate) rooms: BTreeMap<RoomName, Asked>,
    pub(crate) deadline: Option<Now>,
    /// It came back and has asked for no room since: coming back once more gives no more time.
    pub(crate) is_only_back: bool,
}

/// Whether a client's present connection has asked for a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Now,
    Before,
}

impl Client {
    pub(crate) fn new(
        connection: ConnectionId,
        client_data: ClientData,
        device: Option<Arc<str>>,
        resumable: bool,
    ) -> Self {
        let (connection, rooms) = (Some(connection), BTreeMap::new());
        Self {
            connection,
            client_data,
            auth_data: None,
            device,
            resumable,
            rooms,
            deadline: None,
            is_only_back: false,
        }
    }
}

impl Channel {
    /// The client's connection is gone: its places are kept until it asks for them again.
    pub(crate) fn keep_places(&mut self, id: &ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        client.connection = None;
        for (name, asked) in &mut client.rooms {
            *asked = Asked::Before;
            if let Some(room) = self.rooms.find_mut(name) {
                room.keep(id);
            }
        }
    }

    /// The rooms that the client has not asked for again; it is in them no more.
    pub(crate) fn take_kept(&mut self, id: &ClientId) -> Vec<RoomName> {
        let Some(client) = self.clients.get_mut(id) else { return Vec::new() };
        client.deadline = None;
        client.rooms.extract_if(.., |_, asked| *asked == Asked::Before).map(|(name, _)| name).collect()
    }

    /// Whether nothing of it needs to be kept.
    pub(crate) fn is_spent(&self) -> bool {
        self.passing && self.clients.is_empty() && self.rooms.len() == 0
    }
}
