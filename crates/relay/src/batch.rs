//! Buffers to receive into, and trains of datagrams to send in one go.

use std::{array, io::IoSliceMut, net::SocketAddr, ops::Range};

use quinn_udp::RecvMeta;
use visavis_turn::{Header, RelayKey};

/// Buffers of one batch; with receive offload each takes up to 64 datagrams of one sender.
pub(crate) const BUFFERS: usize = 16;
/// Room before what is received, so that a header is written in place.
pub(crate) const HEADROOM: usize = Header::LONGEST;
/// Room behind what is received, for padding.
const TAILROOM: usize = 4;
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

/// Between which two addresses datagrams go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// From a relayed address to a peer.
    Peer { relay: RelayKey, peer: SocketAddr },
    /// From a listening socket, as `server`, to a client.
    Client { listener: usize, server: SocketAddr, client: SocketAddr },
}

/// Datagrams of one route and one size, the last perhaps shorter, gathered to be sent in one go.
pub(crate) struct Train {
    route: Option<Route>,
    bytes: Vec<u8>,
    segment: usize,
}

impl Train {
    /// The most datagrams that the system takes in one go.
    const DATAGRAMS: usize = 64;
    /// Longer datagrams go alone: the system refuses a train of datagrams that need fragmenting, and every path
    /// carries those that fit into the smallest MTU of IPv6.
    const SEGMENT: usize = 1280 - 40 - 8;

    pub(crate) const fn new() -> Self {
        Self { route: None, bytes: Vec::new(), segment: 0 }
    }

    /// Adds a datagram; false if it does not fit to what is there.
    #[must_use]
    pub(crate) fn push(&mut self, route: Route, datagram: &[u8]) -> bool {
        if datagram.is_empty() || datagram.len() > Self::SEGMENT {
            return false;
        }
        match self.route {
            None => (self.route, self.segment) = (Some(route), datagram.len()),
            Some(own) if own != route || !self.has_room(datagram.len()) => return false,
            Some(_) => {}
        }
        self.bytes.extend_from_slice(datagram);
        true
    }

    fn has_room(&self, length: usize) -> bool {
        let whole = self.bytes.len().is_multiple_of(self.segment);
        whole
            && length <= self.segment
            && self.bytes.len() < Self::DATAGRAMS * self.segment
            && self.bytes.len() + length <= LONGEST - 48
    }

    /// What was gathered, if anything.
    pub(crate) fn gathered(&self) -> Option<(Route, &[u8], usize)> {
        self.route.map(|route| (route, self.bytes.as_slice(), self.segment))
    }

    pub(crate) fn clear(&mut self) {
        self.route = None;
        self.bytes.clear();
    }
}
