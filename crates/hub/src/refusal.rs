//! What a connection may be refused.

use std::fmt;

/// Why a request was refused. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No such channel.
    UnknownChannel,
    /// The channel has as many clients as it may have.
    ChannelFull,
    /// The connection has not been welcomed in any channel.
    NotConnected,
    /// The connection has been welcomed already.
    AlreadyConnected,
    /// The channel requires authentication first, or does not permit this.
    Unauthorized,
    /// What the connection has shown has expired.
    Expired,
    /// What the connection may do in this room is to be found out first ([`crate::Hub::handle_permission`]).
    Undecided,
    /// The room's name is empty or too long.
    BadRoomName,
    /// The connection is in as many rooms as it may be.
    TooManyRooms,
    /// The room has as many members as it may have.
    RoomFull,
    /// Asked too often for the moment.
    TooManyRequests,
    /// Sent more than any honest client does; the connection deserves to end.
    RateExceeded,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownChannel => "no such channel",
            Self::ChannelFull => "channel full",
            Self::NotConnected => "not connected to a channel",
            Self::AlreadyConnected => "already connected to a channel",
            Self::Unauthorized => "unauthorized",
            Self::Expired => "authentication expired",
            Self::Undecided => "undecided",
            Self::BadRoomName => "room name empty or too long",
            Self::TooManyRooms => "in too many rooms",
            Self::RoomFull => "room full",
            Self::TooManyRequests => "too many requests",
            Self::RateExceeded => "rate exceeded",
        })
    }
}

impl std::error::Error for Refusal {}
