//! STUN and TURN as a state machine: messages, credentials, allocations, permissions, channels.
//!
//! [`Server`] is one shard of a STUN and TURN server (RFC 8489, RFC 8656) without a socket or a clock: its
//! shell hands in what arrived and what time it is, and sends what comes back. Data takes the direct way:
//! [`Server::handle_client`] and [`Server::handle_peer`] say at once where a payload goes, without copying it.
//! Slow effects, binding and closing sockets, are [`Action`]s, applied in order before anything else.

#![forbid(unsafe_code)]

mod allocation;
mod auth;
mod channel;
mod circle;
mod config;
mod counters;
mod credential;
mod family;
mod five_tuple;
mod frame;
mod icmp;
mod peer_policy;
mod permission;
mod port;
mod quota;
mod rate;
mod route;
mod server;
mod timer;
pub mod wire;

pub use circle::Circle;
pub use config::{Config, Limits, Rate, RelayInterface};
pub use counters::{Counters, Drops, Refusals, Traffic, Ways};
pub use credential::{Secret, time_limited_credential};
pub use five_tuple::{FiveTuple, PeerAddr, RelayedAddr, Transport};
pub use frame::{Frame, frame};
pub use icmp::Icmp;
pub use ipnet::IpNet;
pub use peer_policy::PeerPolicy;
pub use port::PortRange;
pub use server::{Action, FromClient, Header, Listed, RelayKey, Reply, Server, ToClient};
