//! One stream of packets: who sends it and what they look like.

use std::net::SocketAddr;

use visavis_turn::wire::{Class, Method, TransactionId, Writer, attribute};

use crate::stamp::{LENGTH, MARK, PAYLOAD, Stamp};

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Client(usize),
    /// A peer, to a relayed address.
    Peer(usize, SocketAddr),
}

/// What is sent.
pub(crate) enum Shape {
    /// Bytes with a stamp at that place.
    Stamped(Vec<u8>, usize),
    /// A Send indication whose FINGERPRINT covers the stamp.
    Indication { peer: SocketAddr, payload: Vec<u8> },
}

/// Packets of one source, of one shape, under way to one receiver.
pub(crate) struct Flow {
    pub(crate) source: Source,
    pub(crate) shape: Shape,
    pub(crate) under_way: usize,
    /// When something of it last arrived or was given up, in nanoseconds since the start.
    pub(crate) moved: u64,
}

impl Flow {
    pub(crate) const fn new(source: Source, shape: Shape) -> Self {
        Self { source, shape, under_way: 0, moved: 0 }
    }
}

impl Shape {
    pub(crate) fn payload(size: usize) -> Self {
        Self::Stamped(marked(size), MARK.len())
    }

    pub(crate) fn channel_data(channel: u16, size: usize) -> Self {
        let payload = marked(size);
        let length = payload.len() as u16;
        let bytes = [&channel.to_be_bytes()[..], &length.to_be_bytes(), &payload].concat();
        Self::Stamped(bytes, 4 + MARK.len())
    }

    pub(crate) fn indication(peer: SocketAddr, size: usize) -> Self {
        Self::Indication { peer, payload: marked(size) }
    }

    pub(crate) fn binding() -> Self {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId::new([0; 12]));
        Self::Stamped(bytes, 8)
    }

    /// Adds one packet to `out`.
    pub(crate) fn write(&self, stamp: Stamp, out: &mut Vec<u8>) {
        match self {
            Self::Stamped(bytes, at) => {
                let start = out.len() + at;
                out.extend_from_slice(bytes);
                out[start..start + LENGTH].copy_from_slice(&stamp.bytes());
            }
            Self::Indication { peer, payload } => {
                let mut payload = payload.clone();
                payload[MARK.len()..PAYLOAD].copy_from_slice(&stamp.bytes());
                let mut message = Vec::with_capacity(payload.len() + 64);
                Writer::new(&mut message, Class::Indication, Method::SEND, TransactionId::new(stamp.bytes()))
                    .xor_address(attribute::XOR_PEER_ADDRESS, *peer)
                    .attribute(attribute::DATA, &payload)
                    .fingerprint();
                out.append(&mut message);
            }
        }
    }
}

fn marked(size: usize) -> Vec<u8> {
    let mut payload = vec![0x2a; size.max(PAYLOAD)];
    payload[..MARK.len()].copy_from_slice(&MARK);
    payload
}
