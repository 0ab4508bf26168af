//! The wire words of signaling and of calls: types and their JSON, nothing else.
//!
//! Signaling speaks Scaledrone's v3 protocol plus our extensions, one JSON object per WebSocket frame:
//! [`Inbound`] goes from a client to the server, [`Outbound`] from the server to a client. Both can be read
//! and written, because the server and the page share them. [`call`] holds what two pages say to each other
//! inside room messages, and [`rest`] the words of the REST interface.
//!
//! Whatever an application sends stays raw JSON ([`RawValue`]) and is never decoded and encoded again.

#![forbid(unsafe_code)]

pub mod call;
pub mod inbound;
pub mod object;
pub mod outbound;
pub mod refusal;
pub mod rest;

pub use inbound::{Inbound, Malformed};
pub use object::Object;
pub use outbound::{IceServer, Member, Outbound, Reply};
pub use refusal::Refusal;
pub use serde_json::value::RawValue;

/// Rooms whose name starts with this tell their members about each other.
pub const OBSERVABLE_PREFIX: &str = "observable-";
