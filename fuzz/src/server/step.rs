//! What may happen, as a fuzzer chooses it: mostly sensible, never only so.

use arbitrary::Arbitrary;

/// One thing that happens.
#[derive(Arbitrary, Debug)]
pub(super) enum Step {
    /// A client gets a nonce.
    Challenge {
        client: u8,
    },
    Allocate {
        client: u8,
        wish: Wish,
    },
    Refresh {
        client: u8,
        lifetime: Option<u16>,
        family: Option<Family>,
    },
    CreatePermission {
        client: u8,
        peers: Vec<Peer>,
    },
    ChannelBind {
        client: u8,
        number: Number,
        peer: Peer,
    },
    Send {
        client: u8,
        peer: Peer,
        length: Length,
    },
    ChannelData {
        client: u8,
        number: Number,
        length: Length,
    },
    /// A signed request of any method with any attributes.
    Signed {
        client: u8,
        method: u16,
        attributes: Vec<Attribute>,
    },
    /// Any message without a signature.
    Plain {
        client: u8,
        class: u8,
        method: u16,
        attributes: Vec<Attribute>,
    },
    /// Any datagram.
    Bytes {
        client: u8,
        bytes: Vec<u8>,
    },
    /// The last packet of the client again, perhaps with a changed byte.
    Again {
        client: u8,
        change: Option<(u16, u8)>,
    },
    /// A client takes another name, another password or another way of signing.
    Become {
        client: u8,
        account: u8,
        sha256: bool,
        fingerprint: bool,
    },
    /// A client's stream ends.
    Closed {
        client: u8,
    },
    /// A datagram reaches a relayed transport address.
    FromPeer {
        relay: u8,
        peer: Peer,
        length: Length,
    },
    /// An ICMP error about a datagram that a relayed transport address sent.
    Icmp {
        relay: u8,
        peer: Peer,
        kind: u8,
        code: u8,
        mtu: u16,
    },
    /// Time passes, up to an hour or up to a minute.
    Seconds(u16),
    Milliseconds(u16),
    /// So many of the next sockets cannot be bound.
    BindFailures(u8),
    /// Whether the answers to bindings wait, and when they no longer do, all come.
    HoldAnswers(bool),
}

/// What an Allocate request carries.
#[derive(Arbitrary, Debug)]
pub(super) struct Wish {
    pub(super) transport: Option<u8>,
    pub(super) lifetime: Option<u16>,
    pub(super) family: Option<Family>,
    pub(super) additional_family: Option<Family>,
    pub(super) even_port: Option<bool>,
    pub(super) reservation: bool,
    pub(super) dont_fragment: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Family {
    V4,
    V6,
    Other(u8),
}

impl Family {
    pub(super) const fn value(self) -> [u8; 4] {
        match self {
            Self::V4 => [1, 0, 0, 0],
            Self::V6 => [2, 0, 0, 0],
            Self::Other(family) => [family, 0, 0, 0],
        }
    }
}

/// A peer's address: one of a few, so that requests meet.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Peer {
    Public(u8),
    PublicV6(u8),
    /// The relayed transport address of another client.
    Relayed(u8),
    /// An address of the server that is no relayed one.
    Own(u16),
    Any([u8; 4], u16),
    AnyV6([u8; 16], u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Number {
    Few(u8),
    Any(u16),
}

impl Number {
    pub(super) fn get(self) -> u16 {
        match self {
            Self::Few(few) => 0x4000 + u16::from(few % 12),
            Self::Any(any) => any,
        }
    }
}

/// How long a payload is.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Length {
    Short(u8),
    Any(u16),
}

impl Length {
    pub(super) fn get(self) -> usize {
        match self {
            Self::Short(length) => length.into(),
            Self::Any(length) => length.into(),
        }
    }
}

#[derive(Arbitrary, Debug)]
pub(super) struct Attribute {
    pub(super) kind: Kind,
    pub(super) value: Vec<u8>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Kind {
    /// The lowest types, where almost all that TURN knows lies.
    Low(u8),
    /// The lowest of those that may be ignored.
    High(u8),
    Any(u16),
}

impl Kind {
    pub(super) fn get(self) -> u16 {
        match self {
            Self::Low(low) => low.into(),
            Self::High(high) => 0x8000 | u16::from(high),
            Self::Any(any) => any,
        }
    }
}
