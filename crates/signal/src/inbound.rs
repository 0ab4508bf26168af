//! What a client says to the server.

mod malformed;

use std::{borrow::Cow, ops::RangeInclusive};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::value::RawValue;

use crate::{Refusal, object::string};
pub use malformed::Malformed;

/// One message of a client. It borrows from the frame it was read from.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Inbound<'a> {
    /// Opens the session; must come first.
    Handshake(Handshake<'a>),
    /// Shows a token to a channel that requires one.
    Authenticate(Authenticate<'a>),
    /// Enters a room.
    Subscribe(Subscribe<'a>),
    /// Leaves a room.
    Unsubscribe(Unsubscribe<'a>),
    /// Says something to everybody in a room.
    Publish(Publish<'a>),
    /// Answers an application-level ping, which this server never sends. Means nothing.
    Pong,
    /// Asks for STUN and TURN servers. Extension.
    IceServers(IceServers),
    /// Asks how many members a room has, without entering it. Extension.
    Peek(Peek<'a>),
}

/// Opens a session on a channel.
#[derive(Clone, Serialize)]
pub struct Handshake<'a> {
    /// The channel's id.
    pub channel: Cow<'a, str>,
    /// The protocol version that a client claims; nothing depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// What the application tells others about this client. Never `null`: that means unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_data: Option<&'a RawValue>,
    /// What only this device knows: the others are told a name that is made of it. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_secret: Option<Cow<'a, str>>,
    /// Whether the client wants to keep its id over a reconnect. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume<'a>>,
    /// Comes back in the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<i64>,
}

/// The wish to keep a client id. On the wire `null` or the token.
#[derive(Clone, PartialEq, Eq)]
pub enum Resume<'a> {
    /// A first connection: give me a token.
    Ask,
    /// A later connection: this is the token of the one before.
    Token(Cow<'a, str>),
}

/// Shows a token.
#[derive(Clone, Serialize)]
pub struct Authenticate<'a> {
    /// A JSON Web Token.
    pub token: Cow<'a, str>,
    /// Whether the client wants to know how long that holds. Extension.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ttl: bool,
    /// Comes back in the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<i64>,
}

/// Enters a room.
#[derive(Clone, Debug, Serialize)]
pub struct Subscribe<'a> {
    /// The room's name.
    pub room: Cow<'a, str>,
    /// How many past messages the client wants (`history` is another spelling of it).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_count: Option<u32>,
    /// The id of a message or of an earlier place: the client wants what was said since instead, and to be told its
    /// place. An empty one only asks for the place. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Cow<'a, str>>,
    /// Comes back in the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<i64>,
}

/// Leaves a room.
#[derive(Clone, Debug, Serialize)]
pub struct Unsubscribe<'a> {
    /// The room's name.
    pub room: Cow<'a, str>,
    /// Comes back in the reply, if given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<i64>,
}

/// Says something to everybody in a room.
#[derive(Clone, Debug, Serialize)]
pub struct Publish<'a> {
    /// The room's name; being in it is not required.
    pub room: Cow<'a, str>,
    /// What is said.
    pub message: &'a RawValue,
    /// Clients send none, and get no reply; one that is sent all the same comes back in a reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<i64>,
}

/// Asks for STUN and TURN servers.
#[derive(Clone, Debug, Serialize)]
pub struct IceServers {
    /// Comes back in the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<i64>,
}

/// Asks how many members a room has.
#[derive(Clone, Debug, Serialize)]
pub struct Peek<'a> {
    /// The room's name.
    pub room: Cow<'a, str>,
    /// Comes back in the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<i64>,
}

impl<'a> Inbound<'a> {
    /// Reads one frame.
    ///
    /// # Errors
    /// [`Malformed`] with the text for the client and, where it can be read, the callback it waits for.
    pub fn parse(frame: &'a str) -> Result<Self, Malformed> {
        match serde_json::from_str::<Fields<'a>>(frame) {
            // An array is refused as well: it would be taken for the fields in their order here.
            Ok(fields) if frame.trim_ascii_start().starts_with('{') => {
                fields.inbound().map_err(|refusal| fields.malformed(refusal))
            }
            _ => Err(Malformed::of(frame)),
        }
    }

    /// The frame that carries this message.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and raw JSON always serialize")
    }

    /// The callback that waits for an answer to this message.
    #[must_use]
    pub fn callback(&self) -> Option<i64> {
        match self {
            Self::Handshake(message) => message.callback,
            Self::Authenticate(message) => message.callback,
            Self::Subscribe(message) => message.callback,
            Self::Unsubscribe(message) => message.callback,
            Self::Publish(message) => message.callback,
            Self::IceServers(message) => message.callback,
            Self::Peek(message) => message.callback,
            Self::Pong => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Inbound<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(|malformed| D::Error::custom(malformed.refusal))
    }
}

/// Bytes of a device's secret.
const DEVICE_SECRET: RangeInclusive<usize> = 16..=128;

const HANDSHAKE: &str = "handshake";

/// Every field that any message has, still raw: one pass over the frame, whatever its type turns out to be.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(default, borrow, rename = "type", deserialize_with = "present")]
    kind: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    callback: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    channel: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    version: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    client_data: Option<&'a RawValue>,
    /// What some third-party clients call `client_data`.
    #[serde(default, borrow, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    device_secret: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    resume: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    token: Option<&'a RawValue>,
    /// What some third-party clients call `token`.
    #[serde(default, borrow, deserialize_with = "present")]
    jwt: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    ttl: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    room: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    message: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    history_count: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    history: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    since: Option<&'a RawValue>,
}

/// Keeps an explicit `null` apart from a missing field.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Fields<'a> {
    fn inbound(&self) -> Result<Inbound<'a>, Refusal> {
        let kind = self.kind.and_then(string).ok_or(Refusal::UnknownType)?;
        if self.callback().is_none() && self.callback.is_some_and(|raw| raw.get() != "null") {
            return Err(Refusal::BadCallback);
        }
        match &*kind {
            HANDSHAKE => self.handshake().map(Inbound::Handshake),
            "authenticate" => self.authenticate().map(Inbound::Authenticate),
            "subscribe" => self.subscribe().map(Inbound::Subscribe),
            "unsubscribe" => self.unsubscribe().map(Inbound::Unsubscribe),
            "publish" => self.publish().map(Inbound::Publish),
            "pong" => Ok(Inbound::Pong),
            "ice_servers" => Ok(Inbound::IceServers(IceServers { callback: self.callback() })),
            "peek" => self.peek().map(Inbound::Peek),
            _ => Err(Refusal::UnknownType),
        }
    }

    fn malformed(&self, refusal: Refusal) -> Malformed {
        let handshake = self.kind.and_then(string).is_some_and(|kind| kind == HANDSHAKE);
        Malformed { callback: self.callback(), refusal, handshake }
    }

    fn handshake(&self) -> Result<Handshake<'a>, Refusal> {
        Ok(Handshake {
            channel: self.channel.and_then(string).ok_or(Refusal::BadField)?,
            version: self.version.and_then(number),
            client_data: self.client_data.or(self.data).filter(|data| data.get() != "null"),
            device_secret: self.device_secret.map(device_secret).transpose()?,
            resume: self.resume.map(resume).transpose()?,
            callback: self.callback(),
        })
    }

    fn authenticate(&self) -> Result<Authenticate<'a>, Refusal> {
        let token = self.token.or(self.jwt).and_then(string).ok_or(Refusal::BadField)?;
        let ttl = self.ttl.is_some_and(|raw| raw.get() == "true");
        Ok(Authenticate { token, ttl, callback: self.callback() })
    }

    fn subscribe(&self) -> Result<Subscribe<'a>, Refusal> {
        let history_count = self.history_count.or(self.history).and_then(number);
        let since = self.since.map(|since| string(since).ok_or(Refusal::BadField)).transpose()?;
        Ok(Subscribe { room: self.room()?, history_count, since, callback: self.callback() })
    }

    fn unsubscribe(&self) -> Result<Unsubscribe<'a>, Refusal> {
        Ok(Unsubscribe { room: self.room()?, callback: self.callback() })
    }

    fn publish(&self) -> Result<Publish<'a>, Refusal> {
        let message = self.message.ok_or(Refusal::BadField)?;
        Ok(Publish { room: self.room()?, message, callback: self.callback() })
    }

    fn peek(&self) -> Result<Peek<'a>, Refusal> {
        Ok(Peek { room: self.room()?, callback: self.callback() })
    }

    fn room(&self) -> Result<Cow<'a, str>, Refusal> {
        self.room.and_then(string).ok_or(Refusal::BadField)
    }

    fn callback(&self) -> Option<i64> {
        self.callback.and_then(|raw| raw.get().parse().ok())
    }
}

fn number(raw: &RawValue) -> Option<u32> {
    raw.get().parse().ok()
}

/// One that is short could be guessed.
fn device_secret(raw: &RawValue) -> Result<Cow<'_, str>, Refusal> {
    string(raw).filter(|secret| DEVICE_SECRET.contains(&secret.len())).ok_or(Refusal::BadField)
}

fn resume(raw: &RawValue) -> Result<Resume<'_>, Refusal> {
    match raw.get() {
        "null" => Ok(Resume::Ask),
        _ => string(raw).map(Resume::Token).ok_or(Refusal::BadField),
    }
}

impl Serialize for Resume<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ask => serializer.serialize_none(),
            Self::Token(token) => serializer.serialize_str(token),
        }
    }
}

impl std::fmt::Debug for Resume<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ask => "Ask",
            Self::Token(_) => "Token(…)",
        })
    }
}

impl std::fmt::Debug for Handshake<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handshake")
            .field("channel", &self.channel)
            .field("client_data", &self.client_data)
            .field("resume", &self.resume)
            .field("callback", &self.callback)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Authenticate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticate").field("callback", &self.callback).finish_non_exhaustive()
    }
}
