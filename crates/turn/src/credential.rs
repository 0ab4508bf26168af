//! Secrets, and the time-limited credentials that are made from them.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// A shared secret or a password. Never printed.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Keeps `bytes` as a secret.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Mints the username `expiry:name` and its credential, as coturn's `use-auth-secret` and every browser
/// understand them (draft-uberti-behave-turn-rest).
///
/// `expiry_unix` is in seconds of Unix time. The credential opens new allocations until then; an
/// allocation that lives by then may go on.
#[must_use]
pub fn time_limited_credential(secret: &Secret, expiry_unix: u64, name: &str) -> (String, String) {
    let username = format!("{expiry_unix}:{name}");
    let password = time_limited_password(secret, username.as_bytes());
    let credential = password.iter().copied().map(char::from).collect();
    (username, credential)
}

/// `base64(HMAC-SHA1(secret, username))`.
pub(crate) fn time_limited_password(secret: &Secret, username: &[u8]) -> [u8; 28] {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.bytes()).expect("HMAC takes keys of any length");
    mac.update(username);
    let digest: [u8; 20] = mac.finalize().into_bytes().into();
    let mut password = [b'='; 28];
    base64(&digest, STANDARD, &mut password);
    password
}

/// When a username of the form `expiry:name`, or `expiry` alone, ends, in seconds of Unix time.
pub(crate) fn expiry(username: &[u8]) -> Option<u64> {
    let digits = username.split(|&byte| byte == b':').next()?;
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

pub(crate) const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes the digits of `bytes` into the beginning of `out`; what padding it wants is there before.
pub(crate) fn base64(bytes: &[u8], alphabet: &[u8; 64], out: &mut [u8]) {
    for (group, digits) in bytes.chunks(3).zip(out.chunks_mut(4)) {
        let mut padded = [0; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let word = u32::from_be_bytes(padded);
        for (digit, shift) in digits.iter_mut().zip([18, 12, 6, 0]).take(group.len() + 1) {
            *digit = alphabet[(word >> shift) as usize & 63];
        }
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
    }
}
