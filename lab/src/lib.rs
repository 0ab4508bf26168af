//! Where the product is tried as people use it: real browsers, networks of its own, other people's clients.
//!
//! A test is a sentence, and its body is a walk through the [`Lab`]:
//!
//! ```no_run
//! use visavis_lab::{Engine, lab};
//!
//! lab::run(async |lab| {
//!     lab.server(&[]).await?;
//!     let alice = lab.browser(Engine::Chromium, "alice").await?;
//!     alice.join(&lab.room("blue")).await?;
//!     alice.reaches(&["waiting"]).await
//! });
//! ```
//!
//! Each test gets network namespaces, a certificate authority, a name server and processes that end with it.
//! What a test needs and cannot find is named: `skipped: … needs …`, and a failure where `CI` or
//! `VISAVIS_REQUIRE_ALL=1` is set.
#![forbid(unsafe_code)]

pub mod browser;
pub mod ca;
pub mod coturn;
pub mod firewall;
pub mod lab;
pub mod need;
pub mod network;
pub mod process;
pub mod script;
pub mod server;
pub mod stats;
pub mod turn;
pub mod until;

pub use browser::{Browser, Engine};
pub use lab::Lab;
pub use server::Server;
pub use stats::{Connection, Path};
pub use until::until;
