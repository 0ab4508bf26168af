//! Frames of the signaling link: what this crate says, and what it takes from what it hears.

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use visavis_signal::{
    call::Envelope,
    inbound::{Handshake, IceServers, Inbound, Peek, Publish, Resume, Subscribe, Unsubscribe},
    outbound::Member,
};

use crate::{CHANNEL, roster::Present};

/// What a page of ours says of itself to everyone in the room.
#[derive(Deserialize)]
struct ClientData {
    visavis: u32,
    device: String,
}

/// The member that the server tells of. What is no page of ours is taken for a page of the tutorial.
pub(crate) fn present(member: &Member<'_>) -> Present {
    let data = member.client_data.and_then(|data| serde_json::from_str::<ClientData>(data.get()).ok());
    let device = data.filter(|data| data.visavis >= 1).map(|data| data.device);
    Present { id: member.id.clone().into_owned(), device, parted: false }
}

pub(crate) fn handshake(device: &str, resume: Option<&str>, callback: i64) -> String {
    let client_data = serde_json::json!({"visavis": 1, "device": device});
    let client_data = raw(&client_data);
    Inbound::Handshake(Handshake {
        channel: CHANNEL.into(),
        version: None,
        client_data: Some(&client_data),
        resume: Some(resume.map_or(Resume::Ask, |token| Resume::Token(token.into()))),
        callback: Some(callback),
    })
    .to_json()
}

pub(crate) fn subscribe(room: &str, callback: i64) -> String {
    Inbound::Subscribe(Subscribe { room: room.into(), history_count: None, callback: Some(callback) })
        .to_json()
}

pub(crate) fn unsubscribe(room: &str, callback: i64) -> String {
    Inbound::Unsubscribe(Unsubscribe { room: room.into(), callback: Some(callback) }).to_json()
}

pub(crate) fn peek(room: &str, callback: i64) -> String {
    Inbound::Peek(Peek { room: room.into(), callback: Some(callback) }).to_json()
}

pub(crate) fn ice_servers(callback: i64) -> String {
    Inbound::IceServers(IceServers { callback: Some(callback) }).to_json()
}

pub(crate) fn publish(room: &str, envelope: &Envelope) -> String {
    Inbound::Publish(Publish { room: room.into(), message: &raw(envelope), callback: None }).to_json()
}

fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("strings and numbers always serialize")
}
