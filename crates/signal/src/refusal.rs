//! The one table of texts that tell a client what was refused.

use std::fmt;

/// Why a request was refused. The texts are part of the protocol: clients compare them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The channel asks for authentication first, or its permissions do not allow this.
    Unauthorized,
    /// The frame is not valid JSON, or not text at all.
    NotJson,
    /// The frame is JSON, but not an object.
    NotAnObject,
    /// `type` is missing or names nothing that this server knows.
    UnknownType,
    /// A field that the message needs is missing or has the wrong type.
    BadField,
    /// `callback` is something else than an integer, so that no reply could carry it.
    BadCallback,
    /// The frame is larger than a message may be.
    MessageTooLarge,
    /// Anything but a handshake came first.
    HandshakeRequired,
    /// A second handshake after one that was accepted.
    HandshakeRepeated,
    /// No such channel here.
    UnknownChannel,
    /// The page that opened this connection is of an origin that the channel does not accept.
    OriginNotAllowed,
    /// `client_data` is larger than 4 KiB.
    ClientDataTooLarge,
    /// The channel has no authentication, so a token means nothing to it.
    NoAuthentication,
    /// The token is not made of three parts.
    TokenParts,
    /// The token is larger than one may be, or its `data` is.
    TokenTooLarge,
    /// The token is no JSON Web Token, or lacks a claim.
    BadToken,
    /// The token is signed in another way than HS256, or not at all.
    TokenAlgorithm,
    /// The channel's secret did not sign the token.
    TokenSignature,
    /// The token has expired.
    TokenExpired,
    /// The token is of the future.
    TokenTooEarly,
    /// The token is for another channel.
    TokenChannel,
    /// The token is for another client, or for none where it should be for one.
    TokenClient,
    /// The token's permissions are too many, or no regular expressions.
    TokenPermissions,
    /// The room's name is empty or too long.
    BadRoomName,
    /// This connection is in as many rooms as one may be.
    TooManyRooms,
    /// The room has as many members as it may have.
    RoomFull,
    /// The channel has as many connections as it may have.
    ChannelFull,
    /// Asked too often; later it works again.
    TooManyRequests,
    /// Sent far too much: the connection closes with this text, and a client must not come back by itself.
    RateExceeded,
    /// A newer connection resumed this client id: the connection closes with this text.
    Replaced,
}

impl Refusal {
    /// The text that goes over the wire.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::NotJson => "Message is not valid JSON",
            Self::NotAnObject => "Message is not a JSON object",
            Self::UnknownType => "Unknown message type",
            Self::BadField => "A field is missing or has the wrong type",
            Self::BadCallback => "callback is not an integer",
            Self::MessageTooLarge => "Message is too large",
            Self::HandshakeRequired => "Handshake required",
            Self::HandshakeRepeated => "Handshake already done",
            Self::UnknownChannel => "Channel not found",
            Self::OriginNotAllowed => "Origin not allowed",
            Self::ClientDataTooLarge => "client_data is too large",
            Self::NoAuthentication => "Channel does not use authentication",
            Self::TokenParts => "JWT does not have 3 parts",
            Self::TokenTooLarge => "JWT is too large",
            Self::BadToken => "JWT is not valid",
            Self::TokenAlgorithm => "JWT algorithm is not HS256",
            Self::TokenSignature => "JWT signature does not match",
            Self::TokenExpired => "JWT has expired",
            Self::TokenTooEarly => "JWT is not valid yet",
            Self::TokenChannel => "JWT is for another channel",
            Self::TokenClient => "JWT is for another client",
            Self::TokenPermissions => "JWT permissions are not valid",
            Self::BadRoomName => "Room name is not valid",
            Self::TooManyRooms => "Too many rooms",
            Self::RoomFull => "Room is full",
            Self::ChannelFull => "Channel is full",
            Self::TooManyRequests => "Too many requests",
            Self::RateExceeded => "Rate limit exceeded",
            Self::Replaced => "Replaced by a newer connection",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Refusal {}
