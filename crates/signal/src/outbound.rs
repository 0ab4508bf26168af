//! What the server says to a client.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::value::RawValue;

/// One message of the server. It borrows from the frame it was read from.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outbound<'a> {
    /// Who is in an observable room; comes before the reply to the subscribe.
    ObservableMembers(ObservableMembers<'a>),
    /// Somebody entered an observable room.
    ObservableMemberJoin(MemberChange<'a>),
    /// Somebody left an observable room.
    ObservableMemberLeave(MemberChange<'a>),
    /// Somebody said something in a room.
    Publish(Published<'a>),
    /// Something that was said before this client entered.
    HistoryMessage(HistoryMessage<'a>),
    /// Answers a request, or tells of an error that belongs to none. The only message without `type`.
    #[serde(untagged)]
    Reply(Reply<'a>),
}

/// Answers a request. Which fields are there follows from the request; `error` stands alone.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Reply<'a> {
    /// The request's own number; without it, the error belongs to no request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<i64>,
    /// Why the request failed.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// Handshake: this connection's client id.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
    /// Handshake: whether the channel wants a token before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_auth: Option<bool>,
    /// Handshake that asked for it: the token that gives the same client id to a later connection. Extension.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Cow<'a, str>>,
    /// ICE servers: where to find STUN and TURN. Extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ice_servers: Option<Vec<IceServer>>,
    /// ICE servers: how many seconds their credentials hold. Extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// Peek: how many members the room has. Extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

/// One entry of `RTCConfiguration.iceServers`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URLs of one server.
    pub urls: Vec<String>,
    /// TURN only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// TURN only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Somebody in a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Member<'a> {
    /// The client id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// The `data` claim of the token it showed.
    #[serde(default, borrow, rename = "authData", skip_serializing_if = "Option::is_none")]
    pub auth_data: Option<&'a RawValue>,
    /// The `client_data` of its handshake.
    #[serde(default, borrow, rename = "clientData", skip_serializing_if = "Option::is_none")]
    pub client_data: Option<&'a RawValue>,
}

/// Who is in an observable room.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObservableMembers<'a> {
    /// The room's name.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// The receiver itself first, then the others, who came last first.
    #[serde(borrow)]
    pub data: Vec<Member<'a>>,
}

/// Somebody entered or left an observable room.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MemberChange<'a> {
    /// The room's name.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// Who.
    #[serde(borrow)]
    pub data: Member<'a>,
}

/// Somebody said something in a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Published<'a> {
    /// The room's name.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// What was said.
    #[serde(borrow)]
    pub message: &'a RawValue,
    /// Who said it; missing if it came through REST.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
    /// The message's own id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// When, in Unix seconds.
    pub timestamp: u64,
}

/// Something that was said before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HistoryMessage<'a> {
    /// The room's name.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// Place in the window that is sent, oldest = 0.
    pub index: u32,
    /// The message's own id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// When, in Unix seconds.
    pub timestamp: u64,
    /// Who said it; missing if it came through REST.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
    /// What was said.
    #[serde(borrow)]
    pub message: &'a RawValue,
}

impl<'a> Outbound<'a> {
    /// Reads one frame.
    ///
    /// # Errors
    /// The frame is not JSON, lacks a field, or its `type` is unknown; a client ignores it.
    pub fn parse(frame: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(frame).and_then(Self::read)
    }

    /// The frame that carries this message.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and raw JSON always serialize")
    }

    fn read(raw: &'a RawValue) -> Result<Self, serde_json::Error> {
        let frame = raw.get();
        let Kind { kind } = serde_json::from_str(frame)?;
        match kind.as_deref() {
            None => serde_json::from_str(frame).map(Self::Reply),
            Some("observable_members") => serde_json::from_str(frame).map(Self::ObservableMembers),
            Some("observable_member_join") => serde_json::from_str(frame).map(Self::ObservableMemberJoin),
            Some("observable_member_leave") => serde_json::from_str(frame).map(Self::ObservableMemberLeave),
            Some("publish") => serde_json::from_str(frame).map(Self::Publish),
            Some("history_message") => serde_json::from_str(frame).map(Self::HistoryMessage),
            Some(_) => Err(serde_json::Error::custom("unknown type")),
        }
    }
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(default, borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Outbound<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(<&RawValue>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'a> Reply<'a> {
    /// The request was carried out, and there is nothing more to say.
    #[must_use]
    pub fn done(callback: i64) -> Self {
        Self { callback: Some(callback), ..Self::default() }
    }

    /// The request was refused; without a callback, the error belongs to no request.
    #[must_use]
    pub fn refused(callback: Option<i64>, error: impl Into<Cow<'a, str>>) -> Self {
        Self { callback, error: Some(error.into()), ..Self::default() }
    }
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("callback", &self.callback)
            .field("error", &self.error)
            .field("client_id", &self.client_id)
            .field("require_auth", &self.require_auth)
            .field("resume", &self.resume.as_ref().map(|_| "…"))
            .field("ice_servers", &self.ice_servers)
            .field("ttl", &self.ttl)
            .field("count", &self.count)
            .finish()
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .field("username", &self.username)
            .field("credential", &self.credential.as_ref().map(|_| "…"))
            .finish()
    }
}
