//! How browsers agree on a call.
//!
//! One [`Call`] is one person's part in one room: the signaling link with its callbacks, reconnects and
//! `resume`; the roster of who is inside; perfect negotiation with each remote; recovery when the network
//! changes; and how good it all is. It does no I/O and reads no clock: the page feeds it facts and runs
//! the effects it asks for.
//!
//! # The loop of a driver
//!
//! 1. Hand in a fact: a person's wish ([`Call::join`], [`Call::set_microphone`], …), a frame
//!    ([`Call::handle_link_frame`]), an event of a connection ([`Call::handle_connection`]), or the time
//!    ([`Call::handle_timeout`]).
//! 2. Run every [`Effect`] that [`Call::poll_effect`] gives, in order.
//! 3. Show [`Call::phase`] and [`Call::remotes`].
//! 4. Arm one timer for [`Call::poll_timeout`].
//!
//! Facts about a connection that the call has already let go are ignored, so a driver need not filter
//! late events.
#![forbid(unsafe_code)]

mod call;
mod config;
mod connection;
mod dialogue;
mod effect;
mod entry;
mod frame;
mod link;
mod media;
mod name;
mod negotiation;
mod phase;
mod quality;
mod recovery;
mod remote;
mod room;
mod roster;
mod tend;

pub use call::Call;
pub use config::{Config, RelayOnly, Wishes};
pub use effect::{ConnectionEvent, ConnectionId, ConnectionState, Effect, SignalingState, Step};
pub use entry::{Entry, Wish, entry};
pub use name::room_name;
pub use phase::{LinkState, Phase, Problem};
pub use quality::{Path, Quality, Stats};
pub use remote::{Remote, RemoteState};
pub use visavis_clock::Now;
pub use visavis_signal::{
    call::{Candidate, Description},
    outbound::IceServer,
};

/// How many devices a room holds, one's own included.
pub const CAPACITY: usize = 4;

/// The signaling channel that the page's calls share.
pub const CHANNEL: &str = "visavis";

/// Where the signaling link is: a WebSocket at this path of the page's own origin.
pub const LINK_PATH: &str = "/v3/websocket";

/// Label of the one data channel of a connection. Both ends make it with `negotiated: true` and
/// [`DATA_CHANNEL_ID`].
pub const DATA_CHANNEL_LABEL: &str = "visavis";

/// Stream id of the one negotiated data channel.
pub const DATA_CHANNEL_ID: u16 = 0;
