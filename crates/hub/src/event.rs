//! What passes between a hub, its bus and its connections.

use std::sync::Arc;

use crate::{ChannelId, ClientId, ConnectionId, Message, RoomName};

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
    /// What its channel's back end tells others about it.
    pub auth_data: Option<Arc<[u8]>>,
    /// The name of its device, if it has shown a secret of one.
    pub device: Option<Arc<str>>,
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

/// What somebody who enters a room wants to hear of what was said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recall {
    /// The newest messages, at most so many.
    Newest(usize),
    /// The same, and where it enters: by that it can ask later.
    First(usize),
    /// What was said since, at most so many of the newest; and where it enters. Since a message or an earlier
    /// [`Place`], by its id.
    Since(Arc<str>, usize),
}

impl Recall {
    /// The same, but for no more messages than these.
    pub(crate) fn at_most(self, most: usize) -> Self {
        match self {
            Self::Newest(count) => Self::Newest(count.min(most)),
            Self::First(count) => Self::First(count.min(most)),
            Self::Since(id, count) => Self::Since(id, count.min(most)),
        }
    }
}

/// Where somebody entered a room, among everything that is said in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Stands for everything up to here, as the id of a message stands for everything up to that.
    pub id: Arc<str>,
    /// [`Recall::Since`]: whether something was said since then that it is not told, or may have been.
    pub gap: Option<bool>,
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
        /// What it is to be told of before.
        recall: Recall,
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

/// A place in the order of one room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Which order: another one where a bus has lost its memory.
    pub epoch: u64,
    /// The place in it: one more than that of the delivery before. A room that was closed may begin anywhere.
    pub offset: u64,
}

/// A request that a bus has given its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The request.
    pub request: Request,
    /// Its place.
    pub position: Position,
    /// [`Change::Enter`]: what was said before, oldest first, as far as it was asked for.
    pub past: Vec<Arc<Message>>,
    /// [`Change::Enter`]: where, if that was asked for.
    pub place: Option<Place>,
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
        /// What was said before, oldest first, as far as it was asked for. What is said from now on comes as
        /// [`Event::Published`].
        past: Vec<Arc<Message>>,
        /// Where it entered, if that was asked for.
        place: Option<Place>,
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
    /// Something that happened in a room never got here: whoever listens is to come back and ask for the history.
    Interrupted {
        /// Who listens.
        to: Vec<ConnectionId>,
    },
    /// Another connection resumed this one's client: this one is not part of the hub any more and is to end.
    Replaced {
        /// The older connection.
        connection: ConnectionId,
    },
}
