//! ICMP errors, as clients hear of them (RFC 8656 sections 11.5 and 18.13).

use std::net::IpAddr;

/// An ICMP error about a datagram that left a relayed transport address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Its type: ICMP's about an IPv4 peer, ICMPv6's about an IPv6 one.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// The MTU of the next hop, where the error says that a datagram was too big for it.
    pub mtu: u32,
}

impl Icmp {
    const UNREACHABLE: u8 = 3;
    const TIME_EXCEEDED: u8 = 11;
    const FRAGMENTATION_NEEDED: u8 = 4;
    const V6_UNREACHABLE: u8 = 1;
    const V6_PACKET_TOO_BIG: u8 = 2;
    const V6_TIME_EXCEEDED: u8 = 3;

    /// Whether a client hears of it: what else there is says nothing of a peer.
    pub(crate) const fn is_reported(self, peer: IpAddr) -> bool {
        match peer {
            IpAddr::V4(_) => matches!(self.kind, Self::UNREACHABLE | Self::TIME_EXCEEDED),
            IpAddr::V6(_) => {
                matches!(self.kind, Self::V6_UNREACHABLE | Self::V6_PACKET_TOO_BIG | Self::V6_TIME_EXCEEDED)
            }
        }
    }

    /// The value of the attribute: type in seven bits, code in nine, and the MTU if it is about that.
    pub(crate) fn value(self, peer: IpAddr) -> [u8; 8] {
        let [high, low] = (u16::from(self.kind & 0x7f) << 9 | u16::from(self.code)).to_be_bytes();
        let is_too_big = match peer {
            IpAddr::V4(_) => (self.kind, self.code) == (Self::UNREACHABLE, Self::FRAGMENTATION_NEEDED),
            IpAddr::V6(_) => self.kind == Self::V6_PACKET_TOO_BIG,
        };
        let [m0, m1, m2, m3] = if is_too_big { self.mtu } else { 0 }.to_be_bytes();
        [0, 0, high, low, m0, m1, m2, m3]
    }
}
