//! What the server says of itself, read from its JSON. A field that is missing counts as nothing.

use std::str::FromStr;

use visavis_signal::{Object, RawValue};

/// Everything at one moment.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Report {
    pub(crate) version: String,
    pub(crate) ready: bool,
    /// The server's clock, in Unix seconds.
    pub(crate) time: u64,
    /// Seconds since the start.
    pub(crate) uptime: u64,
    pub(crate) open: u64,
    pub(crate) websockets: u64,
    pub(crate) channel_count: u64,
    pub(crate) room_count: u64,
    pub(crate) clients: u64,
    pub(crate) members: u64,
    pub(crate) published: f64,
    pub(crate) delivered: f64,
    pub(crate) allocations: u64,
    pub(crate) relayed: f64,
    /// Messages in each second of the last two minutes.
    pub(crate) series: Vec<f64>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) rooms: Vec<Room>,
    pub(crate) errors: Vec<Trouble>,
}

/// One of the largest channels.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) clients: u64,
    pub(crate) rooms: u64,
}

/// One of the largest rooms.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Room {
    pub(crate) channel: String,
    pub(crate) name: String,
    pub(crate) members: u64,
}

/// Something that went wrong.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Trouble {
    pub(crate) source: String,
    pub(crate) what: String,
    pub(crate) count: u64,
    pub(crate) last: u64,
}

/// Who is in a room.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Members {
    /// How many there are; not all need be listed.
    pub(crate) count: u64,
    pub(crate) listed: Vec<Member>,
}

/// Somebody in a room.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Member {
    pub(crate) id: String,
    /// What it says about itself.
    pub(crate) data: String,
    pub(crate) connected: bool,
}

impl Report {
    /// Reads `/live.json`.
    pub(crate) fn read(json: &str) -> Option<Self> {
        let all = Object::read(json).ok()?;
        let connections = all.object("connections").ok()??;
        let signaling = all.object("signaling").ok()??;
        let relay = all.object("relay").ok()??;
        let series = all.object("series").ok()??;
        Some(Self {
            version: text(&all, "version"),
            ready: plain(&all, "ready"),
            time: plain(&all, "time"),
            uptime: plain(&all, "uptime"),
            open: plain(&connections, "open"),
            websockets: plain(&connections, "websockets"),
            channel_count: plain(&signaling, "channels"),
            room_count: plain(&signaling, "rooms"),
            clients: plain(&signaling, "clients"),
            members: plain(&signaling, "members"),
            published: plain(&signaling, "published_per_second"),
            delivered: plain(&signaling, "delivered_per_second"),
            allocations: plain(&relay, "allocations"),
            relayed: plain(&relay, "bytes_per_second"),
            series: items(&series, "published").filter_map(|rate| rate.get().parse().ok()).collect(),
            channels: objects(&all, "channels").map(|one| Channel::read(&one)).collect(),
            rooms: objects(&all, "rooms").map(|one| Room::read(&one)).collect(),
            errors: objects(&all, "errors").map(|one| Trouble::read(&one)).collect(),
        })
    }
}

impl Channel {
    fn read(one: &Object<'_>) -> Self {
        Self { id: text(one, "id"), clients: plain(one, "clients"), rooms: plain(one, "rooms") }
    }
}

impl Room {
    fn read(one: &Object<'_>) -> Self {
        Self { channel: text(one, "channel"), name: text(one, "name"), members: plain(one, "members") }
    }

    /// What tells it from all others.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.channel, self.name)
    }
}

impl Trouble {
    fn read(one: &Object<'_>) -> Self {
        Self {
            source: text(one, "source"),
            what: text(one, "what"),
            count: plain(one, "count"),
            last: plain(one, "last"),
        }
    }

    /// What tells it from all others.
    pub(crate) fn key(&self) -> String {
        format!("{} {}", self.source, self.what)
    }
}

impl Members {
    /// Reads `/members/{channel}/{room}`.
    pub(crate) fn read(json: &str) -> Option<Self> {
        let all = Object::read(json).ok()?;
        let listed = objects(&all, "members").map(|one| Member {
            id: text(&one, "id"),
            data: text(&one, "data"),
            connected: plain(&one, "connected"),
        });
        Some(Self { count: plain(&all, "count"), listed: listed.collect() })
    }
}

fn plain<T: FromStr + Default>(object: &Object<'_>, name: &str) -> T {
    object.plain(name).ok().flatten().unwrap_or_default()
}

fn text(object: &Object<'_>, name: &str) -> String {
    object.string(name).ok().flatten().unwrap_or_default().into_owned()
}

fn items<'a>(object: &Object<'a>, name: &str) -> impl Iterator<Item = &'a RawValue> {
    object.array(name).ok().flatten().unwrap_or_default().into_iter()
}

fn objects<'a>(object: &Object<'a>, name: &str) -> impl Iterator<Item = Object<'a>> {
    items(object, name).filter_map(|one| Object::read(one.get()).ok())
}
