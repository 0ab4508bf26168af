//! MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and FINGERPRINT (RFC 8489 sections 14.5 to 14.7).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::{
    HEADER, Message,
    attribute::{self, FINGERPRINT},
};

/// Which of the two attributes signs a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integrity {
    /// MESSAGE-INTEGRITY, what browsers use.
    Sha1,
    /// MESSAGE-INTEGRITY-SHA256, never truncated: TURN does not allow it.
    Sha256,
}

impl Integrity {
    /// The attribute's type.
    pub(crate) const fn kind(self) -> u16 {
        match self {
            Self::Sha1 => attribute::MESSAGE_INTEGRITY,
            Self::Sha256 => attribute::MESSAGE_INTEGRITY_SHA256,
        }
    }

    /// Bytes of the attribute with its header.
    const fn length(self) -> usize {
        match self {
            Self::Sha1 => 4 + 20,
            Self::Sha256 => 4 + 32,
        }
    }
}

pub(crate) const FINGERPRINT_LENGTH: usize = 8;
const FINGERPRINT_MASK: u32 = 0x5354_554e;

impl Message<'_> {
    /// Whether the first MESSAGE-INTEGRITY was made with `key`; false without one. Takes the same time wherever the
    /// difference is.
    #[must_use]
    pub fn integrity_holds(&self, key: &[u8]) -> bool {
        self.is_signed(Integrity::Sha1, key)
    }

    /// The same for MESSAGE-INTEGRITY-SHA256.
    #[must_use]
    pub fn integrity_sha256_holds(&self, key: &[u8]) -> bool {
        self.is_signed(Integrity::Sha256, key)
    }

    pub(crate) fn is_signed(&self, integrity: Integrity, key: &[u8]) -> bool {
        let Some(attribute) = self.attributes().find(|attribute| attribute.kind == integrity.kind()) else {
            return false;
        };
        let before = &self.bytes()[..attribute.offset];
        match integrity {
            Integrity::Sha1 => mac::<Hmac<Sha1>>(before, integrity, key).verify_slice(attribute.value),
            Integrity::Sha256 => mac::<Hmac<Sha256>>(before, integrity, key).verify_slice(attribute.value),
        }
        .is_ok()
    }

    /// Whether the FINGERPRINT is right; none without one.
    #[must_use]
    pub fn fingerprint_holds(&self) -> Option<bool> {
        let (covered, last) = self.bytes()[HEADER..].split_last_chunk::<FINGERPRINT_LENGTH>()?;
        let &[k0, k1, l0, l1, v0, v1, v2, v3] = last;
        if [k0, k1, l0, l1] != [0x80, 0x28, 0, 4] {
            return None;
        }
        // What looks like it may still be the end of another attribute's value.
        self.attributes().last().filter(|attribute| attribute.kind == FINGERPRINT)?;
        let covered = &self.bytes()[..HEADER + covered.len()];
        Some(fingerprint(covered) == u32::from_be_bytes([v0, v1, v2, v3]))
    }
}

/// The digest over what stands before the attribute; how much of the bytes it fills.
pub(crate) fn digest(before: &[u8], integrity: Integrity, key: &[u8]) -> ([u8; 32], usize) {
    let mut digest = [0; 32];
    let length = integrity.length() - 4;
    match integrity {
        Integrity::Sha1 => digest[..length]
            .copy_from_slice(&mac::<Hmac<Sha1>>(before, integrity, key).finalize().into_bytes()),
        Integrity::Sha256 => digest[..length]
            .copy_from_slice(&mac::<Hmac<Sha256>>(before, integrity, key).finalize().into_bytes()),
    }
    (digest, length)
}

/// An HMAC over what stands before the attribute, with the length that ends behind it.
fn mac<M: Mac + KeyInit>(before: &[u8], integrity: Integrity, key: &[u8]) -> M {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    let length = (before.len() - HEADER + integrity.length()) as u16;
    mac.update(&before[..2]);
    mac.update(&length.to_be_bytes());
    mac.update(&before[4..]);
    mac
}

/// CRC-32 over what stands before the attribute; its length must already end behind it.
pub(crate) fn fingerprint(before: &[u8]) -> u32 {
    crc32fast::hash(before) ^ FINGERPRINT_MASK
}
