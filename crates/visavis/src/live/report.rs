//! The words of the live view: what `/live.json` and `/members/{channel}/{room}` on the admin port say.

use serde::Serialize;
use visavis_hub::{Glimpse, Overview};

use super::{
    samples::{Rates, Samples},
    troubles::Trouble,
};
use crate::metrics::Figures;

/// Characters of what a member says about itself.
const DATA: usize = 200;

/// Everything that the view shows.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    version: &'static str,
    /// Whether new calls are welcome.
    ready: bool,
    /// This computer's clock, in Unix seconds.
    time: u64,
    /// Seconds since the start.
    uptime: u64,
    connections: Connections,
    signaling: Signaling,
    relay: Relay,
    series: Series,
    channels: Vec<Channel<'a>>,
    rooms: Vec<Room<'a>>,
    errors: Vec<Trouble>,
}

#[derive(Serialize)]
struct Connections {
    open: usize,
    websockets: usize,
    turn_streams: u64,
    refused: u64,
}

#[derive(Serialize)]
struct Signaling {
    channels: usize,
    clients: usize,
    rooms: usize,
    members: usize,
    published: u64,
    delivered: u64,
    published_per_second: f64,
    delivered_per_second: f64,
    kept: usize,
}

#[derive(Serialize)]
struct Relay {
    allocations: u64,
    bytes_per_second: f64,
}

/// Each second of the last two minutes, oldest first.
#[derive(Serialize)]
struct Series {
    published: Vec<f64>,
    relayed_bytes: Vec<f64>,
}

#[derive(Serialize)]
struct Channel<'a> {
    id: &'a str,
    clients: usize,
    rooms: usize,
    members: usize,
}

#[derive(Serialize)]
struct Room<'a> {
    channel: &'a str,
    name: &'a str,
    members: usize,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        ready: bool,
        [time, uptime]: [u64; 2],
        figures: &Figures,
        overview: &'a Overview,
        samples: &Samples,
        errors: Vec<Trouble>,
    ) -> Self {
        let rates = samples.rates();
        let series = |pick: fn(&Rates) -> f64| samples.each().map(|rates| rounded(pick(&rates))).collect();
        let channels = overview.channels.iter().map(|channel| Channel {
            id: channel.id.as_str(),
            clients: channel.clients,
            rooms: channel.rooms,
            members: channel.members,
        });
        let rooms = overview.rooms.iter().map(|room| Room {
            channel: room.channel.as_str(),
            name: room.name.as_str(),
            members: room.members,
        });
        Self {
            version: env!("CARGO_PKG_VERSION"),
            ready,
            time,
            uptime,
            connections: Connections {
                open: figures.open,
                websockets: figures.signaling.connections,
                turn_streams: figures.relay.streams.live,
                refused: figures.turned_away,
            },
            signaling: signaling(figures, &rates),
            relay: Relay {
                allocations: figures.relay.turn.allocations,
                bytes_per_second: rounded(rates.relayed),
            },
            series: Series {
                published: series(|rates| rates.published),
                relayed_bytes: series(|rates| rates.relayed),
            },
            channels: channels.collect(),
            rooms: rooms.collect(),
            errors,
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }
}

fn signaling(figures: &Figures, rates: &Rates) -> Signaling {
    let counters = &figures.signaling;
    Signaling {
        channels: counters.channels,
        clients: counters.clients,
        rooms: counters.rooms,
        members: counters.members,
        published: counters.published,
        delivered: counters.delivered,
        published_per_second: rounded(rates.published),
        delivered_per_second: rounded(rates.delivered),
        kept: counters.kept,
    }
}

/// To tenths: nobody reads more.
fn rounded(rate: f64) -> f64 {
    (rate * 10.0).round() / 10.0
}

/// Who is in a room.
#[derive(Serialize)]
pub(super) struct Members<'a> {
    channel: &'a str,
    room: &'a str,
    /// How many there are.
    count: usize,
    /// The first of them, as they came.
    members: Vec<Member<'a>>,
}

#[derive(Serialize)]
struct Member<'a> {
    id: &'a str,
    /// The beginning of its `client_data`, as a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    /// Whether it is connected, or its place only kept.
    connected: bool,
}

impl<'a> Members<'a> {
    pub(super) fn new(channel: &'a str, room: &'a str, glimpse: &'a Glimpse) -> Self {
        let members = glimpse.first.iter().map(|member| Member {
            id: member.id.as_str(),
            data: member.client_data.as_deref().map(beginning),
            connected: member.connected,
        });
        Self { channel, room, count: glimpse.members, members: members.collect() }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }
}

fn beginning(data: &[u8]) -> String {
    String::from_utf8_lossy(data).chars().take(DATA).collect()
}
