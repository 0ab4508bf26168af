//! The REST interface: which call a path means, and what answers look like.
//!
//! Lists are plain arrays of texts; everything else is an object.

use std::{borrow::Cow, fmt};

use serde::Serialize;

use crate::{IceServer, Refusal};

/// A call of the REST interface. Its first path segment is the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The channel's id.
    pub channel: Cow<'a, str>,
    /// What is wanted of it.
    pub what: What<'a>,
}

/// What is wanted of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// `POST /{channel}/{room}/publish` and `POST /{channel}/publish/rooms?r=a&r=b`.
    Publish(Vec<Cow<'a, str>>),
    /// `GET /{channel}/stats`: how many connections there are.
    Stats,
    /// `GET /{channel}/users`: the clients that are connected.
    Users,
    /// `GET /{channel}/members`: the members of any room.
    Members,
    /// `GET /{channel}/rooms`: the rooms with members.
    Rooms,
    /// `GET /{channel}/room-members`: the rooms with members, and these.
    RoomsAndMembers,
    /// `GET /{channel}/{room}/members`: the members of one room.
    RoomMembers(Cow<'a, str>),
    /// `GET /{channel}/ice-servers`: STUN and TURN for a back end. Extension.
    IceServers,
}

/// The answer to [`What::Stats`].
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Stats {
    /// Connections in the channel.
    pub users_count: usize,
}

/// The answer to [`What::IceServers`].
#[derive(Clone, Debug, Serialize)]
pub struct IceServers {
    /// As in `RTCConfiguration.iceServers`.
    pub ice_servers: Vec<IceServer>,
    /// For how many seconds the credential holds.
    pub ttl: u64,
}

/// The answer to a call that was refused.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Failure {
    /// Why, in words that do not change.
    pub message: &'static str,
}

/// Why a call was refused. The texts are part of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestRefusal {
    /// A part of the path or of the query is not percent-encoded UTF-8.
    BadEncoding,
    /// A room's name is empty or too long.
    BadRoomName,
    /// A call for several rooms names none.
    NoRooms,
    /// A call names more rooms than one may.
    TooManyRooms,
    /// The body is said to be JSON and is not.
    NotJson,
    /// The body is not UTF-8.
    NotText,
    /// The channel wants a secret or a token, or the secret that was given is not the channel's.
    Unauthorized,
    /// The token is not good, for this reason.
    BadToken(Refusal),
    /// The token does not permit this.
    NotPermitted,
    /// The page that calls is of an origin that the channel does not accept.
    OriginNotAllowed,
    /// The channel shows this to nobody, or only to who knows its secret.
    NotListed,
    /// No such channel here.
    UnknownChannel,
    /// The call works with another method.
    WrongMethod,
    /// The body took too long to come.
    TooSlow,
    /// The body is larger than a message may be.
    MessageTooLarge,
    /// Later it works again.
    TooManyRequests,
    /// The message was said, but could not be kept.
    NotStored,
    /// The server ends, and says nothing any more.
    Ending,
}

impl RestRefusal {
    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadEncoding
            | Self::BadRoomName
            | Self::NoRooms
            | Self::TooManyRooms
            | Self::NotJson
            | Self::NotText => 400,
            Self::Unauthorized | Self::BadToken(_) => 401,
            Self::NotPermitted | Self::OriginNotAllowed | Self::NotListed => 403,
            Self::UnknownChannel => 404,
            Self::WrongMethod => 405,
            Self::TooSlow => 408,
            Self::MessageTooLarge => 413,
            Self::TooManyRequests => 429,
            Self::NotStored => 500,
            Self::Ending => 503,
        }
    }

    /// What [`Failure`] says.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::BadEncoding => "Path or query is not valid",
            Self::BadRoomName => "Room name is not valid",
            Self::NoRooms => "No room given",
            Self::TooManyRooms => "Too many rooms",
            Self::NotJson => "Message is not valid JSON",
            Self::NotText => "Message is not valid UTF-8",
            Self::Unauthorized => "Unauthorized",
            Self::BadToken(why) => why.text(),
            Self::NotPermitted => "Not permitted",
            Self::OriginNotAllowed => "Origin not allowed",
            Self::NotListed => "Channel is not listed",
            Self::UnknownChannel => "Channel not found",
            Self::WrongMethod => "Method not allowed",
            Self::TooSlow => "Request took too long",
            Self::MessageTooLarge => "Message is too large",
            Self::TooManyRequests => "Too many requests",
            Self::NotStored => "Message could not be stored",
            Self::Ending => "Server is ending",
        }
    }
}

impl fmt::Display for RestRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for RestRefusal {}

impl<'a> Call<'a> {
    /// What a path and its query mean; `None` if the path is none of this interface.
    ///
    /// # Errors
    /// It is, but something in it is not percent-encoded UTF-8.
    pub fn read(path: &'a str, query: Option<&'a str>) -> Option<Result<Self, RestRefusal>> {
        let mut segments = path.strip_prefix('/')?.split('/');
        let (channel, second, third) = (segments.next()?, segments.next()?, segments.next());
        if segments.next().is_some() {
            return None;
        }
        let what = match (second, third) {
            ("stats", None) => Ok(What::Stats),
            ("users", None) => Ok(What::Users),
            ("members", None) => Ok(What::Members),
            ("rooms", None) => Ok(What::Rooms),
            ("room-members", None) => Ok(What::RoomsAndMembers),
            ("ice-servers", None) => Ok(What::IceServers),
            ("publish", Some("rooms")) => rooms(query.unwrap_or_default()).map(What::Publish),
            (room, Some("publish")) => decode(room, false).map(|room| What::Publish(vec![room])),
            (room, Some("members")) => decode(room, false).map(What::RoomMembers),
            _ => return None,
        };
        Some(what.and_then(|what| Ok(Self { channel: decode(channel, false)?, what })))
    }

    /// The method that the call works with.
    #[must_use]
    pub fn method(&self) -> &'static str {
        if matches!(self.what, What::Publish(_)) { "POST" } else { "GET" }
    }
}

/// The rooms that a query names, as `r=` or `r[]=`.
fn rooms(query: &str) -> Result<Vec<Cow<'_, str>>, RestRefusal> {
    let mut rooms = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if matches!(&*decode(name, true)?, "r" | "r[]") {
            rooms.push(decode(value, true)?);
        }
    }
    Ok(rooms)
}

/// Undoes percent-encoding, and in a query the plus signs that stand for spaces.
fn decode(text: &str, in_query: bool) -> Result<Cow<'_, str>, RestRefusal> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        decoded.push(match byte {
            b'%' => {
                let (digits, behind) = rest.split_at_checked(2).ok_or(RestRefusal::BadEncoding)?;
                rest = behind;
                digit(digits[0])? << 4 | digit(digits[1])?
            }
            b'+' if in_query => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| RestRefusal::BadEncoding)
}

fn digit(byte: u8) -> Result<u8, RestRefusal> {
    let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digit.ok_or(RestRefusal::BadEncoding)
}
