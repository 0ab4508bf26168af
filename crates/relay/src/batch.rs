//! Buffers to receive into.

use std::{array, io::IoSliceMut, ops::Range};

use quinn_udp::RecvMeta;
use visavis_turn::Header;

/// Buffers of one batch; with receive offload each takes up to 64 datagrams of one sender.
pub(crate) const BUFFERS: usize = 16;
/// Room before what is received, so that a header is written in place.
pub(crate) const HEADROOM: usize = Header::LONGEST;
/// Room behind what is received, for padding.
pub(crate) const TAILROOM: usize = 4;
/// The most that one receive can bring.
const LONGEST: usize = 65_535;

/// What is received in one go.
pub(crate) struct Batch {
    buffers: [Box<[u8]>; BUFFERS],
    metas: [RecvMeta; BUFFERS],
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            buffers: array::from_fn(|_| vec![0; HEADROOM + LONGEST + TAILROOM].into_boxed_slice()),
            metas: [RecvMeta::default(); BUFFERS],
        }
    }

    /// What to receive into.
    pub(crate) fn parts(&mut self) -> ([IoSliceMut<'_>; BUFFERS], &mut [RecvMeta; BUFFERS]) {
        let space = HEADROOM..HEADROOM + LONGEST;
        (self.buffers.each_mut().map(|buffer| IoSliceMut::new(&mut buffer[space.clone()])), &mut self.metas)
    }

    /// A whole buffer with the room around it, and what is known of what was received into it.
    pub(crate) fn buffer(&mut self, index: usize) -> (&mut [u8], &RecvMeta) {
        (&mut self.buffers[index], &self.metas[index])
    }

    /// Whether the first `received` buffers hold one datagram and no more.
    pub(crate) fn is_single(&self, received: usize) -> bool {
        received == 1 && self.metas[0].len <= self.metas[0].stride
    }
}

/// Where in its buffer each datagram is.
pub(crate) fn datagrams(meta: &RecvMeta) -> impl Iterator<Item = Range<usize>> + use<> {
    let (length, stride) = (meta.len, meta.stride.max(1));
    // An empty datagram is one too.
    (0..length.div_ceil(stride).max(1)).map(move |index| {
        let start = index * stride;
        HEADROOM + start..HEADROOM + length.min(start + stride)
    })
}
