//! The bytes of STUN and ChannelData.

use std::ops::RangeInclusive;

/// The fixed value behind type and length (RFC 8489 section 5).
pub const MAGIC_COOKIE: u32 = 0x2112_a442;
/// Bytes of a STUN header.
pub const HEADER: usize = 20;
/// Bytes of a ChannelData header.
pub const CHANNEL_DATA_HEADER: usize = 4;
/// The channel numbers that may be bound (RFC 8656 section 12).
pub const CHANNEL_NUMBERS: RangeInclusive<u16> = 0x4000..=0x4fff;
