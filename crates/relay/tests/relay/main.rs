//! The relay as its clients and peers see it, on loopback.

#![allow(clippy::unwrap_used)]

mod client;
mod data;
mod dual;
mod harness;
mod icmp;
mod message;
mod peer;
mod start;
mod streams;
