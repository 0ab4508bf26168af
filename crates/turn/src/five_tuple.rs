//! Who talks to whom: the five-tuple and the two kinds of address behind it.

use std::{
    fmt,
    hash::{Hash, Hasher},
    net::{IpAddr, SocketAddr},
};

/// What carries messages between a client and this server (RFC 8656 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// One message a datagram.
    Udp,
    /// A stream; messages are framed by [`frame`](crate::frame()).
    Tcp,
    /// A stream inside TLS, framed like TCP.
    Tls,
}

impl Transport {
    /// Whether messages are framed in a stream, where ChannelData is padded to four bytes (RFC 8656 section 12.5).
    #[must_use]
    pub const fn is_stream(self) -> bool {
        !matches!(self, Self::Udp)
    }
}

/// What identifies an allocation: both ends of the way between client and server, and what carries it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FiveTuple {
    /// The client's address as the server sees it.
    pub client: SocketAddr,
    /// The server's address that the client sent to.
    pub server: SocketAddr,
    /// What carries the messages.
    pub transport: Transport,
}

impl Hash for FiveTuple {
    /// Few wide words instead of the many narrow ones of a derived hash: this is hashed once a packet.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(ip_bits(self.client.ip()));
        state.write_u128(ip_bits(self.server.ip()));
        let ports = u64::from(self.client.port()) << 16 | u64::from(self.server.port());
        state.write_u64(ports << 8 | self.transport as u64);
    }
}

impl fmt::Debug for FiveTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} -> {}", self.transport, self.client, self.server)
    }
}

const fn ip_bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_bits() as u128,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// A relayed transport address as clients and peers see it (RFC 8656 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayedAddr(pub SocketAddr);

/// The transport address of a peer, as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerAddr(pub SocketAddr);
