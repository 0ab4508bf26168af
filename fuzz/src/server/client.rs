//! A client that knows its password.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use md5::{Digest, Md5};
use sha2::Sha256;
use visavis_turn::{
    FiveTuple, Transport,
    wire::{Class, Message, Method, TransactionId, Writer, attribute},
};

use super::step::{Attribute, Wish};

pub(super) const REALM: &str = "example.org";
/// Names and passwords; of the last the server knows another password.
pub(super) const ACCOUNTS: [(&str, &str); 3] = [("alice", "north"), ("bob", "south"), ("carol", "wrong")];
const UDP: u8 = 17;
/// SHA-256 without parameters, as PASSWORD-ALGORITHM names it.
const SHA256: [u8; 4] = [0, 2, 0, 0];

pub(super) struct Client {
    pub(super) from: FiveTuple,
    account: usize,
    sha256: bool,
    fingerprint: bool,
    nonce: Vec<u8>,
    offered: Vec<u8>,
    count: u32,
    /// What it sent last.
    pub(super) last: Vec<u8>,
}

impl Client {
    /// The client of that number, each on a way of its own.
    pub(super) fn new(number: u8) -> Self {
        let v6 = number & 1 == 1;
        let host = 1 + u16::from(number / 4);
        let client = if v6 {
            SocketAddr::from((Ipv6Addr::new(0x2a00, 0, 0, 0, 0, 0, 0, host), 40_000))
        } else {
            SocketAddr::from((Ipv4Addr::new(192, 0, 2, host as u8), 40_000))
        };
        let server = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 8), 3478));
        let transport = if number & 2 == 2 { Transport::Tcp } else { Transport::Udp };
        Self {
            from: FiveTuple { client, server, transport },
            account: usize::from(number) % 2,
            sha256: false,
            fingerprint: false,
            nonce: Vec::new(),
            offered: Vec::new(),
            count: 0,
            last: Vec::new(),
        }
    }

    pub(super) fn become_other(&mut self, account: u8, sha256: bool, fingerprint: bool) {
        self.account = usize::from(account) % ACCOUNTS.len();
        (self.sha256, self.fingerprint) = (sha256, fingerprint);
    }

    /// Learns what a refusal tells of how to sign.
    pub(super) fn learn(&mut self, answer: &Message<'_>) {
        if let Some(nonce) = answer.attribute(attribute::NONCE) {
            self.nonce = nonce.to_vec();
            self.offered = answer.attribute(attribute::PASSWORD_ALGORITHMS).unwrap_or_default().to_vec();
        }
    }

    /// Whether the server knows its password.
    pub(super) const fn is_known(&self) -> bool {
        self.account < ACCOUNTS.len() - 1
    }

    fn key(&self) -> Vec<u8> {
        let (name, password) = ACCOUNTS[self.account];
        let text = format!("{name}:{REALM}:{password}");
        if self.sha256 { Sha256::digest(text).to_vec() } else { Md5::digest(text).to_vec() }
    }

    /// Whether an answer is signed with this client's key, in the way that it signs.
    pub(super) fn trusts(&self, answer: &Message<'_>) -> bool {
        if self.sha256 {
            answer.integrity_sha256_holds(&self.key())
        } else {
            answer.integrity_holds(&self.key())
        }
    }

    fn id(&mut self) -> TransactionId {
        self.count += 1;
        let mut chosen = [0; 12];
        chosen[..4].copy_from_slice(&self.count.to_be_bytes());
        TransactionId::new(chosen)
    }

    /// A message with nothing of credentials in it.
    pub(super) fn plain(
        &mut self,
        class: Class,
        method: Method,
        write: impl FnOnce(&mut Writer<'_>),
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, class, method, self.id());
        write(&mut writer);
        if self.fingerprint {
            writer.fingerprint();
        }
        out
    }

    /// A signed request.
    pub(super) fn signed(&mut self, method: Method, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, Class::Request, method, self.id());
        write(&mut writer);
        writer.attribute(attribute::USERNAME, ACCOUNTS[self.account].0.as_bytes());
        writer.attribute(attribute::REALM, REALM.as_bytes());
        writer.attribute(attribute::NONCE, &self.nonce);
        if self.sha256 {
            writer.attribute(attribute::PASSWORD_ALGORITHMS, &self.offered);
            writer.attribute(attribute::PASSWORD_ALGORITHM, &SHA256);
            writer.integrity_sha256(&self.key());
        } else {
            writer.integrity(&self.key());
        }
        if self.fingerprint {
            writer.fingerprint();
        }
        out
    }
}

pub(super) fn write_wish(writer: &mut Writer<'_>, wish: &Wish) {
    writer.attribute(attribute::REQUESTED_TRANSPORT, &[wish.transport.unwrap_or(UDP), 0, 0, 0]);
    if let Some(lifetime) = wish.lifetime {
        writer.number(attribute::LIFETIME, lifetime.into());
    }
    if let Some(family) = wish.family {
        writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &family.value());
    }
    if let Some(family) = wish.additional_family {
        writer.attribute(attribute::ADDITIONAL_ADDRESS_FAMILY, &family.value());
    }
    if let Some(reserve) = wish.even_port {
        writer.attribute(attribute::EVEN_PORT, &[u8::from(reserve) << 7]);
    }
    if wish.reservation {
        writer.attribute(attribute::RESERVATION_TOKEN, &[0; 8]);
    }
    if wish.dont_fragment {
        writer.attribute(attribute::DONT_FRAGMENT, &[]);
    }
}

/// As many attributes as fit with those that sign the message.
pub(super) fn write_attributes(writer: &mut Writer<'_>, attributes: &[Attribute]) {
    let mut room = 60_000;
    for Attribute { kind, value } in attributes {
        let length = 4 + value.len().next_multiple_of(4);
        if length > room {
            break;
        }
        room -= length;
        writer.attribute(kind.get(), value);
    }
}
