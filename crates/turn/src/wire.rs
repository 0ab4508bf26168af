//! The bytes of STUN and ChannelData.
//!
//! An own parser rather than a crate: it borrows from the datagram, never allocates, and does for a Send indication, which is
//! all that Firefox sends, one walk over three attributes. What it parses is checked once, in [`Message::parse`];
//! reading afterwards cannot fail.

use std::ops::RangeInclusive;

pub mod attribute;
mod channel_data;
mod integrity;
mod message;
mod writer;

pub use channel_data::ChannelData;
pub(crate) use integrity::Integrity;
pub(crate) use message::message_type;
pub use message::{Attribute, Attributes, Class, Message, Method, TransactionId};
pub use writer::Writer;

/// The fixed value behind type and length (RFC 8489 section 5).
pub const MAGIC_COOKIE: u32 = 0x2112_a442;
/// Bytes of a STUN header.
pub const HEADER: usize = 20;
/// Bytes of a ChannelData header.
pub const CHANNEL_DATA_HEADER: usize = 4;
/// The channel numbers that may be bound. RFC 8656 section 12 leaves 0x4000 to 0x4fff to clients; those of RFC 5766,
/// coturn's among them, choose from all of these, and nothing else uses the rest on a TURN server's ports.
pub const CHANNEL_NUMBERS: RangeInclusive<u16> = 0x4000..=0x7fff;
