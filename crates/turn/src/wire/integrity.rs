//! MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 sections 14.5 and 14.7).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::{
    HEADER, Message,
    attribute::{FINGERPRINT, MESSAGE_INTEGRITY},
};

/// Bytes of the attribute with its header.
pub(crate) const INTEGRITY: usize = 24;
pub(crate) const FINGERPRINT_LENGTH: usize = 8;
const FINGERPRINT_MASK: u32 = 0x5354_554e;

impl Message<'_> {
    /// Whether the first MESSAGE-INTEGRITY was made with `key`; false without one. Takes the same time wherever the difference is.
    #[must_use]
    pub fn integrity_holds(&self, key: &[u8]) -> bool {
        let Some(attribute) = self.attributes().find(|attribute| attribute.kind == MESSAGE_INTEGRITY) else {
            return false;
        };
        integrity(&self.bytes()[..attribute.offset], key).verify_slice(attribute.value).is_ok()
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

/// HMAC-SHA1 over what stands before the attribute, with the length that ends behind it.
pub(crate) fn integrity(before: &[u8], key: &[u8]) -> Hmac<Sha1> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    let length = (before.len() - HEADER + INTEGRITY) as u16;
    mac.update(&before[..2]);
    mac.update(&length.to_be_bytes());
    mac.update(&before[4..]);
    mac
}

/// CRC-32 over what stands before the attribute; its length must already end behind it.
pub(crate) fn fingerprint(before: &[u8]) -> u32 {
    crc32fast::hash(before) ^ FINGERPRINT_MASK
}
