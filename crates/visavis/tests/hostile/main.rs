//! Clients that break the rules, by mistake or on purpose, against the real program.

#![allow(clippy::unwrap_used)]

#[path = "../client/mod.rs"]
mod client;
mod http;
mod limits;
#[path = "../program/mod.rs"]
mod program;
mod raw;
mod websocket;
