//! ChannelData (RFC 8656 section 12.4).

use super::{CHANNEL_DATA_HEADER, CHANNEL_NUMBERS};

/// A payload with nothing before it but a channel number and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelData<'a> {
    /// The channel's number.
    pub number: u16,
    /// The payload without padding.
    pub payload: &'a [u8],
}

impl<'a> ChannelData<'a> {
    /// Takes the message at the beginning of `bytes`, whatever stands behind it (over UDP it may be padded or
    /// not); none if the number is reserved or the payload is shorter than it says.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (&[n0, n1, l0, l1], body) = bytes.split_first_chunk::<CHANNEL_DATA_HEADER>()?;
        let number = u16::from_be_bytes([n0, n1]);
        let payload = body.get(..usize::from(u16::from_be_bytes([l0, l1])))?;
        CHANNEL_NUMBERS.contains(&number).then_some(Self { number, payload })
    }
}
