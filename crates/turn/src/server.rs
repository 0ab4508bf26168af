//! The server: what a client or a peer sent goes in, what is to be sent and done comes out.

use std::{collections::VecDeque, net::SocketAddr, ops::Deref};

use visavis_clock::Now;

use crate::{Config, Counters, FiveTuple, PeerAddr, RelayedAddr};

/// Index of one relayed transport address of a [`Server`]: small, dense and reused after
/// [`Action::CloseRelay`], so that a shell can index its sockets by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayKey(pub u32);

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
    },
    /// The peer is a relayed transport address of this very process, perhaps another shard's: handed across in process to
    /// [`Server::handle_peer`] of the shard that owns `to`'s port, with `from` as the peer, never through the kernel.
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
    /// The way that the request took.
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
    /// The headroom a shell keeps before each payload it receives.
    pub const LONGEST: usize = 48;
}

impl Deref for Header {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

/// A slow effect. Applied in order, before anything else is handed in and before a returned reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Bind a UDP socket; answered by [`Server::handle_relay_bound`].
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

/// One shard of a STUN and TURN server.
pub struct Server {
    config: Config,
    counters: Counters,
    actions: VecDeque<Action>,
    out: Vec<u8>,
}

impl Server {
    /// A server without allocations. `seed` feeds the choice of ports and the keys of its tables.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let _ = seed;
        Self { config, counters: Counters::default(), actions: VecDeque::new(), out: Vec::new() }
    }

    /// Takes one datagram, or one whole [`frame`](crate::frame()) of a stream, from a client.
    pub fn handle_client<'s>(&'s mut self, now: Now, from: FiveTuple, packet: &'s [u8]) -> FromClient<'s> {
        let _ = (now, packet, &self.config);
        FromClient::Reply(Reply { to: from, bytes: &self.out })
    }

    /// Takes a datagram that reached the relayed transport address `at` from `peer`: says whether it is for the client and what
    /// goes before and behind it.
    pub fn handle_peer(
        &mut self,
        now: Now,
        at: RelayKey,
        peer: PeerAddr,
        payload: &[u8],
    ) -> Option<ToClient> {
        let _ = (now, at, peer, payload);
        None
    }

    /// Takes the answer to [`Action::BindRelay`]: success releases the reply to the Allocate request; after a
    /// failure another port is tried, in the end the request is refused with 508.
    pub fn handle_relay_bound(&mut self, now: Now, relay: RelayKey, bound: bool) -> Option<Reply<'_>> {
        let _ = (now, relay, bound);
        None
    }

    /// A client's stream is gone: its allocation ends.
    pub fn handle_closed(&mut self, now: Now, five_tuple: FiveTuple) {
        let _ = (now, five_tuple);
    }

    /// The next effect to apply.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Server::handle_timeout`] wants to be called, if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Now> {
        None
    }

    /// Ends what has expired.
    pub fn handle_timeout(&mut self, now: Now) {
        let _ = now;
    }

    /// What happened so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether `five_tuple` has an allocation now: a stream without one need not be kept open for long.
    #[must_use]
    pub fn has_allocation(&self, five_tuple: &FiveTuple) -> bool {
        let _ = five_tuple;
        false
    }

    /// Which live relayed transport address of this shard `addr` is, if it is one.
    #[must_use]
    pub fn relay_at(&self, addr: RelayedAddr) -> Option<RelayKey> {
        let _ = addr;
        None
    }
}
