//! Writing a STUN message into a buffer that is used again and again.

use std::net::SocketAddr;

use super::{
    Class, HEADER, Integrity, Method, TransactionId,
    attribute::{self, AddressValue},
    integrity::{FINGERPRINT_LENGTH, digest, fingerprint},
    message::message_type,
};

/// A message under construction. It is whole after every call.
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
    id: TransactionId,
}

impl<'o> Writer<'o> {
    /// Begins a message without attributes in `out`, whatever was in there before.
    pub fn new(out: &'o mut Vec<u8>, class: Class, method: Method, id: TransactionId) -> Self {
        out.clear();
        out.extend_from_slice(&message_type(class, method).to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&id.0);
        Self { out, id }
    }

    /// Adds an attribute and its padding.
    ///
    /// # Panics
    /// If the message becomes longer than 64 KiB.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        let length = u16::try_from(value.len()).expect("an attribute is shorter than 64 KiB");
        self.out.extend_from_slice(&kind.to_be_bytes());
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(value);
        self.out.resize(self.out.len().next_multiple_of(4), 0);
        self.set_length(0)
    }

    /// Adds an attribute of one 32-bit number.
    pub fn number(&mut self, kind: u16, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_be_bytes())
    }

    /// Adds an address in plain.
    pub fn address(&mut self, kind: u16, address: SocketAddr) -> &mut Self {
        self.attribute(kind, AddressValue::plain(address).as_bytes())
    }

    /// Adds an address in the form of XOR-MAPPED-ADDRESS.
    pub fn xor_address(&mut self, kind: u16, address: SocketAddr) -> &mut Self {
        let value = AddressValue::xored(address, self.id);
        self.attribute(kind, value.as_bytes())
    }

    /// Adds an ERROR-CODE without a reason phrase (RFC 8489 section 14.8).
    pub fn error_code(&mut self, code: u16) -> &mut Self {
        self.attribute(attribute::ERROR_CODE, &[0, 0, (code / 100) as u8, (code % 100) as u8])
    }

    /// Adds an ADDRESS-ERROR-CODE without a reason phrase (RFC 8656 section 18.12).
    pub fn address_error_code(&mut self, family: u8, code: u16) -> &mut Self {
        self.attribute(attribute::ADDRESS_ERROR_CODE, &[family, 0, (code / 100) as u8, (code % 100) as u8])
    }

    /// Adds MESSAGE-INTEGRITY over all that is there.
    pub fn integrity(&mut self, key: &[u8]) -> &mut Self {
        self.sign(Integrity::Sha1, key)
    }

    /// Adds MESSAGE-INTEGRITY-SHA256 over all that is there.
    pub fn integrity_sha256(&mut self, key: &[u8]) -> &mut Self {
        self.sign(Integrity::Sha256, key)
    }

    pub(crate) fn sign(&mut self, integrity: Integrity, key: &[u8]) -> &mut Self {
        let (digest, length) = digest(self.out, integrity, key);
        self.attribute(integrity.kind(), &digest[..length])
    }

    /// Adds FINGERPRINT over all that is there; nothing may follow.
    pub fn fingerprint(&mut self) -> &mut Self {
        self.set_length(FINGERPRINT_LENGTH);
        let value = fingerprint(self.out);
        self.number(attribute::FINGERPRINT, value)
    }

    fn set_length(&mut self, more: usize) -> &mut Self {
        let length = u16::try_from(self.out.len() - HEADER + more).expect("a message is shorter than 64 KiB");
        self.out[2..4].copy_from_slice(&length.to_be_bytes());
        self
    }
}
