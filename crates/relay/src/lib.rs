//! The sockets of STUN and TURN: one thread and one epoll loop per shard, each driving its own
//! [`visavis_turn::Server`].
//!
//! Nothing is shared on the way of a packet. Every shard has its own socket on every listening address
//! (SO_REUSEPORT: the kernel keeps a client with one shard) and owns every so many-th pair of relay ports.
//! A packet between two relayed addresses of this process never meets the kernel in between: it goes to the
//! other allocation at once, or in a bounded parcel with all others of this turn if another shard owns that.
//!
//! No packet costs an allocation or a lock. What must wait for the end of a turn, for a stream or for another shard is
//! copied once, into memory that is kept while packets come and given back when they do not.
//!
//! [`Relay::start`] binds everything before it returns; TCP and TLS are accepted elsewhere and come in
//! through [`Relay::hand_over`].

#![deny(unsafe_op_in_unsafe_fn)]

mod batch;
mod crossing;
mod error;
mod error_queue;
mod pace;
mod parcel;
mod partial;
mod relay;
mod send_queue;
mod shard;
mod sockets;
mod stats;
mod stream;
mod sys;
mod train;
mod udp;

pub use crossing::IsRevoked;
pub use error::StartError;
pub use relay::{Options, Relay};
pub use stats::{SocketDrops, Stats, StreamCounts};
pub use stream::ClientStream;
