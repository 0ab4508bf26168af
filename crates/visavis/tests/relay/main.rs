//! The relay of the real program, as signaling binds it and as the system lets it.

#![allow(clippy::unwrap_used)]

mod circles;
#[path = "../client/mod.rs"]
mod client;
mod exhaustion;
#[path = "../program/mod.rs"]
mod program;
mod turn;
