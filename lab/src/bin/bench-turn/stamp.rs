//! What every measured packet carries: which flow it belongs to and when it was sent.

use visavis_turn::wire::{Message, attribute};

/// Bytes of a stamp.
pub(crate) const LENGTH: usize = 12;
/// What stands before a stamp in a payload; no message of STUN and no ChannelData begins so.
pub(crate) const MARK: [u8; 4] = [0xff; 4];
/// The shortest payload.
pub(crate) const PAYLOAD: usize = MARK.len() + LENGTH;

/// One packet's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Tells this measurement's packets from late ones of the last.
    pub(crate) generation: u16,
    pub(crate) flow: u16,
    /// Nanoseconds since the start.
    pub(crate) sent: u64,
}

impl Stamp {
    pub(crate) fn bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..2].copy_from_slice(&self.generation.to_be_bytes());
        bytes[2..4].copy_from_slice(&self.flow.to_be_bytes());
        bytes[4..].copy_from_slice(&self.sent.to_be_bytes());
        bytes
    }

    /// Finds the stamp in whatever a client or a peer received.
    pub(crate) fn of(packet: &[u8]) -> Option<Self> {
        let bytes = match packet {
            [0xff, ..] => packet.get(MARK.len()..)?,
            [0x40..=0x7f, ..] => packet.get(4 + MARK.len()..)?,
            [0x00, 0x17, ..] => Message::parse(packet)?.attribute(attribute::DATA)?.get(MARK.len()..)?,
            // A Binding request or response: the stamp is its transaction's id, behind the magic cookie.
            [0x00 | 0x01, 0x01, ..] => packet.get(8..)?,
            _ => return None,
        };
        let (bytes, _) = bytes.split_first_chunk::<LENGTH>()?;
        let (&[g0, g1, f0, f1], sent) = bytes.split_first_chunk()?;
        Some(Self {
            generation: u16::from_be_bytes([g0, g1]),
            flow: u16::from_be_bytes([f0, f1]),
            sent: u64::from_be_bytes(sent.try_into().ok()?),
        })
    }
}
