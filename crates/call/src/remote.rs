//! What a view needs to know about one other person.

use visavis_clock::Now;

use crate::{ConnectionId, Path, Quality};

/// One other person in the call: one tile.
#[derive(Clone, Debug, PartialEq)]
pub struct Remote {
    /// The member id; stays the same while the tile stands, unless the server had to give a new one.
    pub member: String,
    /// The connection whose media the tile shows now. A second one may be on its way beside it; when it
    /// has taken over, this changes.
    pub connection: Option<ConnectionId>,
    /// How the way to this remote is.
    pub state: RemoteState,
    /// Since when `state` holds.
    pub since: Now,
    /// The name, once told.
    pub name: Option<String>,
    /// The remote's microphone is off. Unknown counts as on.
    pub muted: bool,
    /// The remote's camera is on. Unknown counts as on.
    pub camera: bool,
    /// A page of the tutorial: no names, no states, no data channel.
    pub foreign: bool,
    /// How the media travels, once known.
    pub path: Option<Path>,
    /// How good it is, once measured.
    pub quality: Option<Quality>,
}

/// How the way to a remote is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteState {
    /// On the way for the first time.
    Connecting,
    /// Media flows.
    Connected,
    /// Nothing heard for a second.
    Unstable,
    /// Nothing heard for longer; ICE restarts and second connections are being tried.
    Reconnecting,
    /// Given up after a minute.
    Lost,
}
