//! What strangers may send: the bodies of the fuzz targets.
//!
//! Each takes any bytes and panics if a promise is broken. `targets/` feeds them with what libFuzzer invents
//! (`cargo xtask fuzz`), `tests/replay.rs` with the committed corpora.

#![forbid(unsafe_code)]
// A broken promise ends the run: that is what a fuzzer looks for.
#![allow(clippy::unwrap_used)]

mod framing;
mod message;
mod server;

pub use framing::framing;
pub use message::message;
pub use server::server;
