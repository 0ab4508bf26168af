//! Just enough of STUN's wire format to be a client, written apart from the server's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

pub(crate) const BINDING: u16 = 0x001;
pub(crate) const ALLOCATE: u16 = 0x003;
pub(crate) const REFRESH: u16 = 0x004;
pub(crate) const SEND: u16 = 0x016;
pub(crate) const DATA: u16 = 0x017;
pub(crate) const CREATE_PERMISSION: u16 = 0x008;
pub(crate) const CHANNEL_BIND: u16 = 0x009;
pub(crate) const SUCCESS: u16 = 0x100;
pub(crate) const ERROR: u16 = 0x110;

pub(crate) const USERNAME: u16 = 0x0006;
pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
pub(crate) const ERROR_CODE: u16 = 0x0009;
pub(crate) const CHANNEL_NUMBER: u16 = 0x000c;
pub(crate) const LIFETIME: u16 = 0x000d;
pub(crate) const XOR_PEER_ADDRESS: u16 = 0x0012;
pub(crate) const DATA_ATTRIBUTE: u16 = 0x0013;
pub(crate) const REALM: u16 = 0x0014;
pub(crate) const NONCE: u16 = 0x0015;
pub(crate) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
pub(crate) const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
pub(crate) const REQUESTED_TRANSPORT: u16 = 0x0019;
pub(crate) const DONT_FRAGMENT: u16 = 0x001a;
pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
pub(crate) const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
pub(crate) const ICMP: u16 = 0x8004;

/// A message being written.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new(kind: u16, transaction: [u8; 12]) -> Self {
        Self([&kind.to_be_bytes()[..], &[0, 0], &COOKIE, &transaction].concat())
    }

    pub(crate) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        self.0.extend_from_slice(&kind.to_be_bytes());
        self.0.extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self.set_length(self.0.len() - 20);
        self
    }

    pub(crate) fn address(self, kind: u16, address: SocketAddr) -> Self {
        let value = xor(address, &self.0[4..20]);
        self.attribute(kind, &value)
    }

    pub(crate) fn sign(mut self, name: &str, realm: &str, password: &str) -> Self {
        let key = Md5::digest(format!("{name}:{realm}:{password}"));
        self.set_length(self.0.len() - 20 + 24);
        let mac = Hmac::<Sha1>::new_from_slice(&key).unwrap().chain_update(&self.0).finalize().into_bytes();
        self.attribute(MESSAGE_INTEGRITY, &mac)
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }

    fn set_length(&mut self, length: usize) {
        self.0[2..4].copy_from_slice(&(length as u16).to_be_bytes());
    }
}

/// A message that was received.
#[derive(Clone, Debug)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        assert_eq!(bytes[4..8], COOKIE, "the server sends STUN");
        Self(bytes)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn kind(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    pub(crate) fn transaction(&self) -> &[u8] {
        &self.0[8..20]
    }

    pub(crate) fn attribute(&self, kind: u16) -> Option<&[u8]> {
        self.attributes(kind).first().copied()
    }

    /// All of one kind, in their order.
    fn attributes(&self, kind: u16) -> Vec<&[u8]> {
        let (mut rest, mut found) = (&self.0[20..], Vec::new());
        while let [k0, k1, l0, l1, ..] = *rest {
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            if u16::from_be_bytes([k0, k1]) == kind {
                found.push(&rest[4..4 + length]);
            }
            rest = &rest[4 + length.next_multiple_of(4)..];
        }
        found
    }

    pub(crate) fn text(&self, kind: u16) -> Option<String> {
        self.attribute(kind).map(|value| String::from_utf8(value.to_vec()).unwrap())
    }

    pub(crate) fn address(&self, kind: u16) -> Option<SocketAddr> {
        self.attribute(kind).map(|value| unxor(value, &self.0[4..20]))
    }

    pub(crate) fn addresses(&self, kind: u16) -> Vec<SocketAddr> {
        self.attributes(kind).into_iter().map(|value| unxor(value, &self.0[4..20])).collect()
    }

    pub(crate) fn error_code(&self) -> Option<u16> {
        self.attribute(ERROR_CODE).map(|value| u16::from(value[2]) * 100 + u16::from(value[3]))
    }
}

fn xor(address: SocketAddr, mask: &[u8]) -> Vec<u8> {
    let (family, ip) = match address.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let port = address.port().to_be_bytes();
    let masked = ip.iter().zip(mask).map(|(byte, mask)| byte ^ mask);
    [0, family, port[0] ^ mask[0], port[1] ^ mask[1]].into_iter().chain(masked).collect()
}

fn unxor(value: &[u8], mask: &[u8]) -> SocketAddr {
    let port = u16::from_be_bytes([value[2] ^ mask[0], value[3] ^ mask[1]]);
    let ip: Vec<u8> = value[4..].iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    match value[1] {
        1 => SocketAddr::from((Ipv4Addr::from(<[u8; 4]>::try_from(ip).unwrap()), port)),
        _ => SocketAddr::from((Ipv6Addr::from(<[u8; 16]>::try_from(ip).unwrap()), port)),
    }
}
