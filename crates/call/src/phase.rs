//! Where a call stands, in the words that a view shows.

/// Where a call stands. `status` on the page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not joined yet.
    Lobby,
    /// Inside, and nobody else is.
    Waiting,
    /// On the way into the room, or to the first remote.
    Connecting,
    /// Media of at least one remote flows.
    InCall,
    /// It did, and does not now; recovery is at work.
    Reconnecting,
    /// The person left.
    Left,
    /// Given up after a minute without a way to anybody. [`Call::retry`](crate::Call::retry) starts over.
    Lost,
    /// As many devices as fit are inside already. [`Call::retry`](crate::Call::retry) asks again.
    Full,
    /// A newer page of this device has taken the call over.
    Replaced,
    /// The server refuses this call.
    Error(Problem),
}

/// Why the server refuses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The handshake was refused: the channel is unknown here, or this page's origin is not allowed on it.
    Channel,
    /// Subscribing to the room was refused.
    Room,
}

impl Problem {
    /// Key of the sentence that a view shows.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Channel => "error-channel",
            Self::Room => "error-room",
        }
    }
}

/// How the signaling link is. A call whose media flows goes on without it; a chip says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Not wanted: the lobby before the first peek, or after the end.
    Idle,
    /// On the way for the first time.
    Opening,
    /// The server answers.
    Open,
    /// It was open, and is being tried again.
    Away,
}
