//! Channels, rooms and members as one state machine, without I/O, clock or wire.
//!
//! A [`Hub`] takes what connections ask for ([`Hub::handle_subscribe`] and the others) and turns it into
//! [`Request`]s. A bus gives each request its place in the order of all, an id and a timestamp, and hands it
//! back as a [`Delivery`]. Only then does anything happen, and [`Event`]s say who hears of it. With one node
//! the bus answers at once; with many it may be a stream shared by all of them, and every node applies the
//! same deliveries in the same order.
//!
//! # The loop of a shell
//! 1. Hand in a fact with one `handle_*`.
//! 2. Take every [`Hub::poll_request`] to the bus, and every delivery to [`Hub::handle_delivery`].
//! 3. Carry out every [`Hub::poll_event`], in order.
//! 4. Arm one timer for [`Hub::poll_timeout`].
//!
//! # What a bus promises
//! Every request of a room gets the next [`Position`] of that room: the same epoch and the next offset. A hub
//! applies each position once and in order. What it has seen before it leaves alone; where one is missing, or the
//! epoch is another (a bus that lost its memory), nobody can say what was missed: [`Event::Interrupted`] names the
//! connections that are to come back and ask for the history. When nobody is left in a room here,
//! [`Hub::poll_closed`] says so, and the bus need not go on about it. The [`History`] belongs to the bus, which
//! alone knows what came before.
//!
//! Payloads, client data and what tokens say are opaque bytes. [`Hub`] asks in one place (`admit`) whether a
//! connection may do what it asks for. Where a channel requires authentication, the shell says who has shown a token
//! ([`Hub::handle_authenticate`]), and what that permits in each room ([`Hub::handle_permission`]) when a request is
//! undecided ([`Hub::is_undecided`]): finding out may take long, and a hub never waits.

#![forbid(unsafe_code)]

mod bus;
mod channel;
mod config;
mod device;
mod event;
pub mod history;
mod hub;
mod names;
mod permission;
mod rate;
mod refusal;
mod resume;
mod room;

pub use bus::{MemoryBus, Record};
pub use config::{ChannelSettings, Config, HistoryBounds, Limits, ResumeKey};
pub use event::{Change, Delivery, Event, Member, Place, Position, Recall, Request, Tag};
pub use history::{History, Message};
pub use hub::{
    ChannelSize, Counts, Ending, Glimpse, Hello, Hub, Overview, Present, Resume, RoomSize, Welcome,
};
pub use names::{ChannelId, ClientId, ConnectionId, RoomName};
pub use permission::Permission;
pub use rate::{Bucket, Rate};
pub use refusal::Refusal;
pub use visavis_clock::Now;
