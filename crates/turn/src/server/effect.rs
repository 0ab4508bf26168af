//! What comes out of the server.

use std::{fmt, net::SocketAddr, ops::Deref};

use crate::{
    FiveTuple, PeerAddr, RelayedAddr,
    allocation::AllocationKey,
    channel::ChannelNumber,
    family::Family,
    wire::{
        Class, Method, TransactionId,
        attribute::{self, AddressValue},
        message_type,
    },
};

/// One relayed transport address of a [`Server`](crate::Server): a small number, reused after [`Action::CloseRelay`], so
/// that a shell can index its sockets by it. An allocation has an even one for IPv4 and the next higher for IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayKey(pub u32);

impl RelayKey {
    pub(crate) const fn new(AllocationKey(index): AllocationKey, family: Family) -> Self {
        Self(index << 1 | family as u32)
    }

    pub(crate) const fn allocation(self) -> AllocationKey {
        AllocationKey(self.0 >> 1)
    }

    pub(crate) const fn family(self) -> Family {
        if self.0 & 1 == 0 { Family::V4 } else { Family::V6 }
    }
}

/// What came of a packet from a client.
#[derive(Debug)]
#[must_use]
pub enum FromClient<'s> {
    /// Dropped and counted, or waiting for the answer to an [`Action`].
    Nothing,
    /// To be sent back on the same five-tuple.
    Reply(Reply<'s>),
    /// To be sent from a relayed transport address to a peer.
    ToPeer {
        /// Where it leaves.
        from: RelayKey,
        /// Where it goes.
        peer: PeerAddr,
        /// A part of the packet.
        payload: &'s [u8],
        /// Whether no router may fragment the datagram (DONT-FRAGMENT, RFC 8656 section 14).
        dont_fragment: bool,
    },
    /// The peer is a relayed transport address of this very process, perhaps another shard's: handed across in process to
    /// [`Server::handle_relayed`](crate::Server::handle_relayed) of the shard that owns `to`'s port, never through the kernel.
    ToRelayed {
        /// What the other side sees as its peer.
        from: RelayedAddr,
        /// The relayed transport address it is for; perhaps not a live one.
        to: RelayedAddr,
        /// A part of the packet.
        payload: &'s [u8],
    },
}

/// A message to a client.
#[derive(Debug)]
#[must_use]
pub struct Reply<'s> {
    /// Whom it is for: an answer takes the way that the request took.
    pub to: FiveTuple,
    /// The whole message; on streams it needs no further padding.
    pub bytes: &'s [u8],
}

/// What surrounds a peer's payload on its way to the client: ChannelData or a Data indication.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ToClient {
    /// The client.
    pub to: FiveTuple,
    /// What goes before the payload.
    pub header: Header,
    /// How many zero bytes go behind the payload; at most 3.
    pub padding: u8,
}

/// At most [`Header::LONGEST`] bytes that go before a payload.
#[derive(Clone, Copy)]
pub struct Header {
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl Header {
    /// A ChannelData header (RFC 8656 section 12.4).
    pub(crate) fn channel_data(number: ChannelNumber, payload: u16) -> Self {
        let mut header = Self::default();
        header.push(&number.get().to_be_bytes());
        header.push(&payload.to_be_bytes());
        header
    }

    /// A Data indication as far as its payload; none if both together are too long for one message.
    pub(crate) fn data_indication(id: TransactionId, peer: SocketAddr, payload: usize) -> Option<Self> {
        let address = AddressValue::xored(peer, id);
        let address = address.as_bytes();
        let length = 4 + address.len() + 4 + payload.next_multiple_of(4);
        let mut header = Self::default();
        header.push(&message_type(Class::Indication, Method::DATA).to_be_bytes());
        header.push(&u16::try_from(length).ok()?.to_be_bytes());
        header.push(&id.0);
        header.push(&attribute::XOR_PEER_ADDRESS.to_be_bytes());
        header.push(&u16::try_from(address.len()).ok()?.to_be_bytes());
        header.push(address);
        header.push(&attribute::DATA.to_be_bytes());
        header.push(&u16::try_from(payload).ok()?.to_be_bytes());
        Some(header)
    }

    fn push(&mut self, bytes: &[u8]) {
        let start = usize::from(self.length);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len() as u8;
    }

    /// The headroom a shell keeps before each payload it receives.
    pub const LONGEST: usize = 48;
}

impl Default for Header {
    fn default() -> Self {
        Self { bytes: [0; Self::LONGEST], length: 0 }
    }
}

impl Deref for Header {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A slow effect. Applied in order, before anything else is handed in. What can fail comes without a reply, which its
/// answer releases; a reply may leave before the effects that come with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Bind a UDP socket; answered by [`Server::handle_relay_bound`](crate::Server::handle_relay_bound).
    BindRelay {
        /// The index it gets.
        relay: RelayKey,
        /// The local address and port.
        local: SocketAddr,
    },
    /// Close that socket; its index may be reused at once.
    CloseRelay {
        /// The index of the socket.
        relay: RelayKey,
    },
}
