//! Who may: nonces that need no memory, and the keys of long-term credentials (RFC 8489 section 9.2).

use std::{collections::HashMap, net::IpAddr, net::SocketAddr, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;
use visavis_clock::Now;

use crate::{
    Config, Secret,
    credential::{base64, expiry, time_limited_password},
    wire::Message,
};

const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// How far another shard's clock may be ahead, in seconds.
const SKEW: u64 = 5;
/// Usernames are shorter than that (RFC 8489 section 14.3).
const LONGEST_USERNAME: usize = 508;

/// What MESSAGE-INTEGRITY is made with. The other algorithm of PASSWORD-ALGORITHMS will be its other form.
#[derive(Clone, Copy)]
pub(crate) struct Key([u8; 16]);

impl Key {
    fn md5(username: &[u8], realm: &str, password: &[u8]) -> Self {
        let mut digest = Md5::new();
        for part in [username, b":", realm.as_bytes(), b":", password] {
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    pub(crate) const fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A nonce as it stands in the attribute: the time and a signature over it and the client's address.
pub(crate) type Nonce = [u8; 16];

pub(crate) struct Authenticator {
    realm: String,
    secrets: Vec<Secret>,
    accounts: HashMap<Vec<u8>, Secret>,
    nonce_mac: Hmac<Sha256>,
    nonce_lifetime: Duration,
    unix_time_at_zero: Duration,
}

impl Authenticator {
    pub(crate) fn new(config: &Config) -> Self {
        let accounts = config.accounts.iter();
        Self {
            realm: config.realm.clone(),
            secrets: config.secrets.clone(),
            accounts: accounts
                .map(|(name, password)| (name.clone().into_bytes(), password.clone()))
                .collect(),
            nonce_mac: Hmac::new_from_slice(&config.nonce_key).expect("HMAC takes keys of any length"),
            nonce_lifetime: config.limits.nonce_lifetime,
            unix_time_at_zero: config.unix_time_at_zero,
        }
    }

    pub(crate) fn realm(&self) -> &str {
        &self.realm
    }

    /// A nonce for `client` that holds from now.
    pub(crate) fn nonce(&self, now: Now, client: SocketAddr) -> Nonce {
        self.nonce_of(self.unix_seconds(now) as u32, client)
    }

    /// Whether `nonce` was made here for `client` and is not stale.
    pub(crate) fn nonce_holds(&self, now: Now, client: SocketAddr, nonce: &[u8]) -> bool {
        let Some(made) = nonce.get(..6).and_then(time_of) else { return false };
        let seconds = self.unix_seconds(now);
        let is_fresh = u64::from(made) <= seconds + SKEW
            && seconds.saturating_sub(u64::from(made)) < self.nonce_lifetime.as_secs();
        is_fresh && bool::from(subtle::ConstantTimeEq::ct_eq(nonce, &self.nonce_of(made, client)[..]))
    }

    fn nonce_of(&self, made: u32, client: SocketAddr) -> Nonce {
        let mut mac = self.nonce_mac.clone();
        mac.update(&made.to_be_bytes());
        match client.ip().to_canonical() {
            IpAddr::V4(v4) => mac.update(&v4.octets()),
            IpAddr::V6(v6) => mac.update(&v6.octets()),
        }
        mac.update(&client.port().to_be_bytes());
        let signature = mac.finalize().into_bytes();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&made.to_be_bytes());
        bytes[4..].copy_from_slice(&signature[..8]);
        let mut nonce = [0; 16];
        base64(&bytes, URL_SAFE, &mut nonce);
        nonce
    }

    /// The key that `message` was signed with, if `username` has one that it could be.
    pub(crate) fn key(&self, username: &[u8], message: &Message<'_>) -> Option<Key> {
        if username.len() > LONGEST_USERNAME {
            return None;
        }
        let signed = |key: &Key| message.integrity_holds(key.bytes());
        if let Some(password) = self.accounts.get(username) {
            return Some(Key::md5(username, &self.realm, password.bytes())).filter(signed);
        }
        expiry(username)?;
        let passwords = self.secrets.iter().map(|secret| time_limited_password(secret, username));
        passwords.map(|password| Key::md5(username, &self.realm, &password)).find(signed)
    }

    /// Whether a credential opens new allocations no longer.
    pub(crate) fn is_expired(&self, now: Now, username: &[u8]) -> bool {
        let is_static = self.accounts.contains_key(username);
        !is_static && expiry(username).is_none_or(|expiry| expiry <= self.unix_seconds(now))
    }

    fn unix_seconds(&self, now: Now) -> u64 {
        self.unix_time_at_zero.saturating_add(now.since_start()).as_secs()
    }
}

/// The time in the first six digits of a nonce; the last of them carries four bits of the signature.
fn time_of(digits: &[u8]) -> Option<u32> {
    let value = |digit: &u8| URL_SAFE.iter().position(|known| known == digit);
    let bits = digits.iter().try_fold(0u64, |bits, digit| Some(bits << 6 | value(digit)? as u64))?;
    u32::try_from(bits >> 4).ok()
}
