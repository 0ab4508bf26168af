//! Where one message ends in a stream (RFC 8489 section 6.2.2, RFC 8656 section 12.5).

use crate::wire::{CHANNEL_DATA_HEADER, CHANNEL_NUMBERS, HEADER, MAGIC_COOKIE};

/// What both begin with: type or channel number, and length.
const START: usize = CHANNEL_DATA_HEADER;

/// What stands at the beginning of a stream's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Not yet a whole frame: read more. So many bytes it has, or the beginning of it that tells how many.
    Incomplete(usize),
    /// A whole frame of that many bytes, padding included.
    Whole(usize),
    /// Neither STUN nor ChannelData: the stream cannot be read any further.
    Invalid,
}

/// Finds the first frame of `buffer`; at most 64 KiB and a header long.
#[must_use]
pub fn frame(buffer: &[u8]) -> Frame {
    match buffer.first() {
        None => Frame::Incomplete(START),
        Some(0x00..=0x3f) => stun_frame(buffer),
        Some(0x40..=0x7f) => channel_data_frame(buffer),
        Some(_) => Frame::Invalid,
    }
}

fn stun_frame(buffer: &[u8]) -> Frame {
    let Some((&[_, _, l0, l1], rest)) = buffer.split_first_chunk::<START>() else {
        return Frame::Incomplete(START);
    };
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    let cookie = MAGIC_COOKIE.to_be_bytes();
    let seen = rest.len().min(cookie.len());
    if !length.is_multiple_of(4) || rest[..seen] != cookie[..seen] {
        return Frame::Invalid;
    }
    whole(buffer, HEADER + length)
}

fn channel_data_frame(buffer: &[u8]) -> Frame {
    let Some(&[n0, n1, l0, l1]) = buffer.first_chunk::<START>() else {
        return Frame::Incomplete(START);
    };
    if !CHANNEL_NUMBERS.contains(&u16::from_be_bytes([n0, n1])) {
        return Frame::Invalid;
    }
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    whole(buffer, CHANNEL_DATA_HEADER + length.next_multiple_of(4))
}

const fn whole(buffer: &[u8], length: usize) -> Frame {
    if buffer.len() < length { Frame::Incomplete(length) } else { Frame::Whole(length) }
}
