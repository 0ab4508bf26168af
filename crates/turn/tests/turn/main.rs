//! The server, sentence by sentence, in virtual time.
#![allow(clippy::unwrap_used)]

mod algorithms;
mod allocate;
mod authentication;
mod binding;
mod channel;
mod circle;
mod dont_fragment;
mod dual;
mod expiry;
mod frame;
mod garbage;
mod harness;
mod icmp;
mod indication;
mod limits;
mod model;
mod peer_policy;
mod permission;
mod refresh;
mod retransmission;
mod vectors;
