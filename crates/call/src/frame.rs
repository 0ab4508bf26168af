//! Frames of the signaling link, as this crate needs them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use visavis_signal::outbound::IceServer;

use crate::{CHANNEL, roster::Present};

/// A frame of the server.
#[derive(Debug)]
pub(crate) enum Frame {
    Reply { callback: u64, reply: Reply },
    Members { room: String, members: Vec<Present> },
    Joined { room: String, member: Present },
    Left { room: String, member: Present },
    Message { room: String, from: Option<String>, message: Box<RawValue> },
    Error,
    Unknown,
}

/// The answer to a request: whatever of it is there.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) refused: bool,
    pub(crate) client_id: Option<String>,
    pub(crate) resume: Option<String>,
    pub(crate) ice_servers: Option<Vec<IceServer>>,
    pub(crate) ttl: Option<u64>,
    pub(crate) count: Option<usize>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: Option<String>,
    callback: Option<u64>,
    error: Option<String>,
    client_id: Option<String>,
    resume: Option<String>,
    ice_servers: Option<Vec<IceServer>>,
    ttl: Option<u64>,
    count: Option<usize>,
    room: Option<String>,
    data: Option<Box<RawValue>>,
    message: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Member {
    id: String,
    #[serde(rename = "clientData")]
    client_data: Option<Value>,
}

impl From<Member> for Present {
    fn from(member: Member) -> Self {
        let data = member.client_data.unwrap_or(Value::Null);
        let device = data.get("device").and_then(Value::as_str).filter(|_| data.get("visavis").is_some());
        Self { id: member.id, device: device.map(str::to_owned), parted: false }
    }
}

pub(crate) fn parse(text: &str) -> Frame {
    let Ok(wire) = serde_json::from_str::<Wire>(text) else { return Frame::Unknown };
    if let Some(callback) = wire.callback {
        let refused = wire.error.is_some();
        let Wire { client_id, resume, ice_servers, ttl, count, .. } = wire;
        return Frame::Reply { callback, reply: Reply { refused, client_id, resume, ice_servers, ttl, count } };
    }
    if wire.error.is_some() {
        return Frame::Error;
    }
    in_room(wire).unwrap_or(Frame::Unknown)
}

fn in_room(wire: Wire) -> Option<Frame> {
    let room = wire.room?;
    let data = wire.data.as_deref().map(RawValue::get);
    let member = || serde_json::from_str::<Member>(data?).ok().map(Present::from);
    match wire.kind?.as_str() {
        "observable_members" => {
            let members: Vec<Member> = serde_json::from_str(data?).ok()?;
            Some(Frame::Members { room, members: members.into_iter().map(Present::from).collect() })
        }
        "observable_member_join" => Some(Frame::Joined { room, member: member()? }),
        "observable_member_leave" => Some(Frame::Left { room, member: member()? }),
        "publish" => Some(Frame::Message { room, from: wire.client_id, message: wire.message? }),
        _ => None,
    }
}

pub(crate) fn handshake(device: &str, resume: Option<&str>, callback: u64) -> String {
    let client_data = json!({"visavis": 1, "device": device});
    json!({"type": "handshake", "channel": CHANNEL, "version": 2, "client_data": client_data, "resume": resume, "callback": callback})
        .to_string()
}

pub(crate) fn subscribe(room: &str, callback: u64) -> String {
    json!({"type": "subscribe", "room": room, "callback": callback}).to_string()
}

pub(crate) fn unsubscribe(room: &str, callback: u64) -> String {
    json!({"type": "unsubscribe", "room": room, "callback": callback}).to_string()
}

pub(crate) fn peek(room: &str, callback: u64) -> String {
    json!({"type": "peek", "room": room, "callback": callback}).to_string()
}

pub(crate) fn ice_servers(callback: u64) -> String {
    json!({"type": "ice_servers", "callback": callback}).to_string()
}

#[derive(Serialize)]
struct Publish<'m, M> {
    #[serde(rename = "type")]
    kind: &'static str,
    room: &'m str,
    message: &'m M,
}

pub(crate) fn publish(room: &str, message: &impl Serialize) -> String {
    serde_json::to_string(&Publish { kind: "publish", room, message }).expect("signals are plain JSON")
}
