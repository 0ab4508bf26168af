//! What passes between a hub, its bus and its connections.

use std::sync::Arc;

use crate::{ChannelId, ClientId, ConnectionId, RoomName};

/// What the shell wants to recognize an answer by. A hub only hands it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag(pub i64);

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub id: ClientId,
    /// What its application tells others about it.
    pub client_data: Option<Arc<[u8]>>,
}

/// A change that waits for its place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where.
    pub channel: ChannelId,
    /// Where in it.
    pub room: RoomName,
    /// What.
    pub change: Change,
}

/// What happens in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A client enters, or enters once more, through a connection.
    Enter {
        /// Who.
        member: Member,
        /// Through which connection of the node that asked.
        connection: ConnectionId,
        /// Comes back in [`Event::Entered`].
        tag: Option<Tag>,
    },
    /// A client leaves.
    Leave {
        /// Who.
        client: ClientId,
        /// The connection that asked for it and wants to hear; none if it is gone.
        answer: Option<(ConnectionId, Tag)>,
    },
    /// Somebody says something.
    Publish {
        /// Who; nobody if it did not come through a connection.
        from: Option<ClientId>,
        /// What.
        payload: Arc<[u8]>,
    },
}

/// A request that a bus has given its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The request.
    pub request: Request,
    /// Its place: greater than that of every earlier delivery of the same room.
    pub offset: u64,
    /// An id of its own.
    pub id: Arc<str>,
    /// When, in Unix seconds.
    pub timestamp: u64,
}

/// What connections are to hear. The shell carries events out in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A subscribe was carried out.
    Entered {
        /// Who asked.
        connection: ConnectionId,
        /// As given with the request.
        tag: Option<Tag>,
        /// Where.
        room: RoomName,
        /// Observable rooms: the one who asked first, then the others, who came last first.
        members: Option<Vec<Member>>,
    },
    /// An unsubscribe was carried out, and its connection wants to hear of it.
    Unsubscribed {
        /// Who asked.
        connection: ConnectionId,
        /// As given with the request.
        tag: Tag,
    },
    /// Somebody entered an observable room.
    Joined {
        /// Who hears of it.
        to: Vec<ConnectionId>,
        /// Where.
        room: RoomName,
        /// Who.
        member: Member,
    },
    /// Somebody left an observable room.
    Left {
        /// Who hears of it.
        to: Vec<ConnectionId>,
        /// Where.
        room: RoomName,
        /// Who.
        member: Member,
    },
    /// Somebody said something.
    Published {
        /// Who hears it.
        to: Vec<ConnectionId>,
        /// Where.
        room: RoomName,
        /// Who said it.
        from: Option<ClientId>,
        /// The message's own id.
        id: Arc<str>,
        /// When, in Unix seconds.
        timestamp: u64,
        /// What.
        payload: Arc<[u8]>,
    },
    /// Another connection resumed this one's client: this one is not part of the hub any more and is to end.
    Replaced {
        /// The older connection.
        connection: ConnectionId,
    },
}
