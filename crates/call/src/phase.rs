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
    /// There can be no call here.
    Error(Problem),
}

impl Phase {
    /// The person is in the call, or on the way in.
    #[must_use]
    pub const fn is_inside(self) -> bool {
        matches!(self, Self::Waiting | Self::Connecting | Self::InCall | Self::Reconnecting)
    }

    /// The call is over for this page, until the person asks for it again.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Left | Self::Lost | Self::Full | Self::Replaced | Self::Error(_))
    }
}

/// Why there can be no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The handshake was refused: the channel is unknown here, or this page's origin is not allowed on it.
    Channel,
    /// Subscribing to the room was refused.
    Room,
    /// Only a relay is wanted ([`RelayOnly`](crate::RelayOnly)), and the server offers none of that kind.
    Relay,
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
