//! Frames of the signaling link: what this crate says, and what it takes from what it hears.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use visavis_signal::{
    Object,
    call::Envelope,
    inbound::{Handshake, IceServers, Inbound, Peek, Publish, Resume, Subscribe, Unsubscribe},
    outbound::Member,
};

use crate::{CHANNEL, roster::Present};

/// What a page of ours says of itself to everyone in the room.
#[derive(Serialize)]
struct ClientData {
    visavis: u32,
}

/// The member that the server tells of. What is no page of ours is taken for a page of the tutorial.
pub(crate) fn present(member: &Member<'_>) -> Present {
    let device = member.device.as_ref().filter(|_| member.client_data.is_some_and(is_ours));
    Present { id: member.id.clone().into_owned(), device: device.map(ToString::to_string), parted: false }
}

fn is_ours(client_data: &RawValue) -> bool {
    Object::read(client_data.get()).and_then(|data| data.plain::<u32>("visavis")).ok().flatten() >= Some(1)
}

pub(crate) fn handshake(device_secret: &str, resume: Option<&str>, callback: i64) -> String {
    let client_data = raw(&ClientData { visavis: 1 });
    Inbound::Handshake(Handshake {
        channel: CHANNEL.into(),
        version: None,
        client_data: Some(&client_data),
        device_secret: Some(device_secret.into()),
        resume: Some(resume.map_or(Resume::Ask, |token| Resume::Token(token.into()))),
        callback: Some(callback),
    })
    .to_json()
}

pub(crate) fn subscribe(room: &str, callback: i64) -> String {
    Inbound::Subscribe(Subscribe {
        room: room.into(),
        history_count: None,
        since: None,
        callback: Some(callback),
    })
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

fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("strings and numbers always serialize")
}
