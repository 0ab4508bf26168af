//! What the server says to a client.

mod spoken;

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Error, value::RawValue};

use crate::object::{Object, needed, string, wrong_type};
pub use spoken::Spoken;

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

/// Answers a request. Which fields are there follows from the request; beside `error` stands at most the
/// `client_id` of a refused handshake, which means nothing.
#[derive(Clone, Default, Serialize)]
pub struct Reply<'a> {
    /// The request's own number; without it, the error belongs to no request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<i64>,
    /// Why the request failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// Handshake: this connection's client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
    /// Handshake: whether the channel wants a token before anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_auth: Option<bool>,
    /// Handshake with a device's secret: the name that others are told. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Cow<'a, str>>,
    /// Handshake that asked for it: the token that gives the same client id to a later connection. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Cow<'a, str>>,
    /// ICE servers: where to find STUN and TURN. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ice_servers: Option<Vec<IceServer>>,
    /// ICE servers, or authenticate that asked for it: how many seconds the credentials or the token hold. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// Peek: how many members the room has. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Subscribe that asked for it: the place, which stands for everything that was said before. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Cow<'a, str>>,
    /// Subscribe that asked for its place: how many messages of before come behind this. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub past: Option<usize>,
    /// Subscribe that asked since when: whether others of then are missing, or may be. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<bool>,
}

/// One entry of `RTCConfiguration.iceServers`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URLs of one server.
    pub urls: Vec<String>,
    /// TURN only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// TURN only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Somebody in a room.
#[derive(Clone, Debug, Serialize)]
pub struct Member<'a> {
    /// The client id.
    pub id: Cow<'a, str>,
    /// The `data` claim of the token it showed.
    #[serde(rename = "authData", skip_serializing_if = "Option::is_none")]
    pub auth_data: Option<&'a RawValue>,
    /// The `client_data` of its handshake.
    #[serde(rename = "clientData", skip_serializing_if = "Option::is_none")]
    pub client_data: Option<&'a RawValue>,
    /// The name of its device, which no other device can bear, if it has shown a device's secret. Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Cow<'a, str>>,
}

/// Who is in an observable room.
#[derive(Clone, Debug, Serialize)]
pub struct ObservableMembers<'a> {
    /// The room's name.
    pub room: Cow<'a, str>,
    /// The receiver itself first, then the others, who came last first.
    pub data: Vec<Member<'a>>,
}

/// Somebody entered or left an observable room.
#[derive(Clone, Debug, Serialize)]
pub struct MemberChange<'a> {
    /// The room's name.
    pub room: Cow<'a, str>,
    /// Who.
    pub data: Member<'a>,
}

/// Somebody said something in a room.
#[derive(Clone, Debug, Serialize)]
pub struct Published<'a> {
    /// The room's name.
    pub room: Cow<'a, str>,
    /// What was said.
    pub message: &'a RawValue,
    /// Who said it; missing if it came through REST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
    /// The message's own id.
    pub id: Cow<'a, str>,
    /// When, in Unix seconds.
    pub timestamp: u64,
}

/// Something that was said before.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryMessage<'a> {
    /// The room's name.
    pub room: Cow<'a, str>,
    /// Place in the window that is sent, oldest = 0.
    pub index: u32,
    /// The message's own id.
    pub id: Cow<'a, str>,
    /// When, in Unix seconds.
    pub timestamp: u64,
    /// Who said it; missing if it came through REST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
    /// What was said.
    pub message: &'a RawValue,
}

impl<'a> Outbound<'a> {
    /// Reads one frame.
    ///
    /// # Errors
    /// The frame is not JSON, lacks a field, or its `type` is unknown; a client ignores it.
    pub fn parse(frame: &'a str) -> Result<Self, Error> {
        Self::read(frame)
    }

    /// The frame that carries this message.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and raw JSON always serialize")
    }

    fn read(frame: &'a str) -> Result<Self, Error> {
        let fields = Object::read(frame)?;
        match fields.string("type")?.as_deref() {
            None => Reply::read(&fields).map(Self::Reply),
            Some("observable_members") => ObservableMembers::read(&fields).map(Self::ObservableMembers),
            Some("observable_member_join") => MemberChange::read(&fields).map(Self::ObservableMemberJoin),
            Some("observable_member_leave") => MemberChange::read(&fields).map(Self::ObservableMemberLeave),
            Some("publish") => Published::read(&fields).map(Self::Publish),
            Some("history_message") => HistoryMessage::read(&fields).map(Self::HistoryMessage),
            Some(_) => Err(Error::custom("unknown type")),
        }
    }
}

impl<'a> Reply<'a> {
    fn read(fields: &Object<'a>) -> Result<Self, Error> {
        let ice_servers = fields.array("ice_servers")?;
        let ice_servers = ice_servers.map(|servers| servers.into_iter().map(IceServer::read).collect());
        Ok(Self {
            callback: fields.plain("callback")?,
            error: fields.string("error")?,
            client_id: fields.string("client_id")?,
            require_auth: fields.plain("require_auth")?,
            device: fields.string("device")?,
            resume: fields.string("resume")?,
            ice_servers: ice_servers.transpose()?,
            ttl: fields.plain("ttl")?,
            count: fields.plain("count")?,
            at: fields.string("at")?,
            past: fields.plain("past")?,
            gap: fields.plain("gap")?,
        })
    }
}

impl IceServer {
    fn read(raw: &RawValue) -> Result<Self, Error> {
        let fields = Object::read(raw.get())?;
        let owned = |name| fields.string(name).map(|text| text.map(Cow::into_owned));
        let urls = needed(fields.array("urls")?)?.into_iter().map(string);
        Ok(Self {
            urls: urls.map(|url| url.map(Cow::into_owned)).collect::<Option<_>>().ok_or_else(wrong_type)?,
            username: owned("username")?,
            credential: owned("credential")?,
        })
    }
}

impl<'a> Member<'a> {
    fn read(fields: &Object<'a>) -> Result<Self, Error> {
        Ok(Self {
            id: needed(fields.string("id")?)?,
            auth_data: fields.value("authData"),
            client_data: fields.value("clientData"),
            device: fields.string("device")?,
        })
    }
}

impl<'a> ObservableMembers<'a> {
    fn read(fields: &Object<'a>) -> Result<Self, Error> {
        let data = needed(fields.array("data")?)?.into_iter();
        let data = data.map(|member| Member::read(&Object::read(member.get())?)).collect::<Result<_, _>>()?;
        Ok(Self { room: needed(fields.string("room")?)?, data })
    }
}

impl<'a> MemberChange<'a> {
    fn read(fields: &Object<'a>) -> Result<Self, Error> {
        let data = Member::read(&needed(fields.object("data")?)?)?;
        Ok(Self { room: needed(fields.string("room")?)?, data })
    }
}

impl<'a> Published<'a> {
    fn read(fields: &Object<'a>) -> Result<Self, Error> {
        Ok(Self {
            room: needed(fields.string("room")?)?,
            message: needed(fields.raw("message"))?,
            client_id: fields.string("client_id")?,
            id: needed(fields.string("id")?)?,
            timestamp: needed(fields.plain("timestamp")?)?,
        })
    }
}

impl<'a> HistoryMessage<'a> {
    fn read(fields: &Object<'a>) -> Result<Self, Error> {
        Ok(Self {
            room: needed(fields.string("room")?)?,
            index: needed(fields.plain("index")?)?,
            id: needed(fields.string("id")?)?,
            timestamp: needed(fields.plain("timestamp")?)?,
            client_id: fields.string("client_id")?,
            message: needed(fields.raw("message"))?,
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Outbound<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(<&RawValue>::deserialize(deserializer)?.get()).map_err(D::Error::custom)
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
            .field("at", &self.at)
            .field("past", &self.past)
            .field("gap", &self.gap)
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
