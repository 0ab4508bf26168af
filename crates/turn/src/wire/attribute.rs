//! Attribute types (RFC 8489 section 18.3, RFC 8656 section 18) and the one value of them that has a form of its own, the address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::TransactionId;

macro_rules! types {
    ($($(#[$doc:meta])* $name:ident = $value:literal),+ $(,)?) => {
        $($(#[$doc])* pub const $name: u16 = $value;)+

        /// Whether this server knows what the type means, if only to ignore it.
        #[must_use]
        pub const fn is_known(kind: u16) -> bool {
            matches!(kind, $($value)|+)
        }
    };
}

types! {
    /// The client's address in plain, for RFC 3489 clients.
    MAPPED_ADDRESS = 0x0001,
    /// The name of the credential.
    USERNAME = 0x0006,
    /// HMAC-SHA1 over what stands before it.
    MESSAGE_INTEGRITY = 0x0008,
    /// Why a request is refused.
    ERROR_CODE = 0x0009,
    /// Which attributes a 420 is about.
    UNKNOWN_ATTRIBUTES = 0x000a,
    /// The channel to bind.
    CHANNEL_NUMBER = 0x000c,
    /// Seconds that an allocation lives.
    LIFETIME = 0x000d,
    /// A peer's address.
    XOR_PEER_ADDRESS = 0x0012,
    /// A payload.
    DATA = 0x0013,
    /// The realm of the credential.
    REALM = 0x0014,
    /// What the server gave out to be sent back.
    NONCE = 0x0015,
    /// The relayed transport address.
    XOR_RELAYED_ADDRESS = 0x0016,
    /// The family that a relayed transport address is wanted of.
    REQUESTED_ADDRESS_FAMILY = 0x0017,
    /// A wish for an even port.
    EVEN_PORT = 0x0018,
    /// The transport between server and peers.
    REQUESTED_TRANSPORT = 0x0019,
    /// A wish that datagrams to peers are not fragmented.
    DONT_FRAGMENT = 0x001a,
    /// HMAC-SHA256 over what stands before it.
    MESSAGE_INTEGRITY_SHA256 = 0x001c,
    /// How the key of a request is made.
    PASSWORD_ALGORITHM = 0x001d,
    /// The client's address.
    XOR_MAPPED_ADDRESS = 0x0020,
    /// A port that EVEN-PORT kept back.
    RESERVATION_TOKEN = 0x0022,
    /// A second family that a relayed transport address is wanted of.
    ADDITIONAL_ADDRESS_FAMILY = 0x8000,
    /// Which of two wanted families is not given, and why.
    ADDRESS_ERROR_CODE = 0x8001,
    /// How the server knows to make keys.
    PASSWORD_ALGORITHMS = 0x8002,
    /// An ICMP error about a peer.
    ICMP = 0x8004,
    /// What program sent this.
    SOFTWARE = 0x8022,
    /// CRC-32 over the whole message.
    FINGERPRINT = 0x8028,
}

/// Whether a message with an unknown attribute of this type must be refused (RFC 8489 section 14).
#[must_use]
pub const fn must_be_known(kind: u16) -> bool {
    kind < 0x8000
}

/// Whether the type is one of those that sign a message.
#[must_use]
pub const fn is_integrity(kind: u16) -> bool {
    matches!(kind, MESSAGE_INTEGRITY | MESSAGE_INTEGRITY_SHA256)
}

/// The family bytes of addresses and of REQUESTED-ADDRESS-FAMILY.
pub(crate) const IPV4: u8 = 1;
pub(crate) const IPV6: u8 = 2;

/// An encoded address; 8 or 20 bytes.
pub(crate) struct AddressValue {
    bytes: [u8; 20],
    length: usize,
}

impl AddressValue {
    /// MAPPED-ADDRESS (RFC 8489 section 14.1).
    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self::encode(address.port(), address.ip())
    }

    /// XOR-MAPPED-ADDRESS and its like (RFC 8489 section 14.2).
    pub(crate) fn xored(address: SocketAddr, id: TransactionId) -> Self {
        Self::encode(address.port() ^ id.port_mask(), xor_ip(address.ip(), id))
    }

    fn encode(port: u16, ip: IpAddr) -> Self {
        let mut bytes = [0; 20];
        bytes[2..4].copy_from_slice(&port.to_be_bytes());
        let length = match ip {
            IpAddr::V4(v4) => {
                bytes[1] = IPV4;
                bytes[4..8].copy_from_slice(&v4.octets());
                8
            }
            IpAddr::V6(v6) => {
                bytes[1] = IPV6;
                bytes[4..].copy_from_slice(&v6.octets());
                20
            }
        };
        Self { bytes, length }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Reads an XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS or XOR-RELAYED-ADDRESS; none if family and length are not those of an address.
#[must_use]
pub fn xor_address(value: &[u8], id: TransactionId) -> Option<SocketAddr> {
    let (&[_, family, p0, p1], ip) = value.split_first_chunk()?;
    let ip = match family {
        IPV4 => Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?).into(),
        IPV6 => Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(xor_ip(ip, id), u16::from_be_bytes([p0, p1]) ^ id.port_mask()))
}

fn xor_ip(ip: IpAddr, id: TransactionId) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() ^ super::MAGIC_COOKIE).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() ^ id.address_mask()).into(),
    }
}
