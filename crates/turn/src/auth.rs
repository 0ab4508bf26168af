//! Who may: nonces that need no memory, and the keys of long-term credentials (RFC 8489 section 9.2).

use std::{collections::HashMap, net::IpAddr, net::SocketAddr, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5, digest::Output};
use sha2::Sha256;
use visavis_clock::Now;

use crate::{
    Config, Secret,
    credential::{base64, expiry, time_limited_password},
    wire::Integrity,
};

const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// How far another shard's clock may be ahead, in seconds.
const SKEW: u64 = 5;
/// Usernames are shorter than that (RFC 8489 section 14.3).
const LONGEST_USERNAME: usize = 508;

/// The value of PASSWORD-ALGORITHMS: SHA-256, then MD5, neither with parameters (RFC 8489 section 14.11).
pub(crate) const PASSWORD_ALGORITHMS: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];
/// How a nonce begins (RFC 8489 section 9.2): the nonce cookie, and of the security features the first bit, *Password
/// algorithms*. Who takes either away on its way to the client makes the nonce worthless, for the signature covers the
/// whole.
const COOKIE: &[u8; 13] = b"obMatJos2gAAA";

/// How a key is made of name, realm and password (RFC 8489 section 18.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    /// What a request says by PASSWORD-ALGORITHM and by PASSWORD-ALGORITHMS, which must be what was offered: an
    /// attacker may have offered less. None if they contradict the offer or each other.
    pub(crate) fn of(chosen: Option<&[u8]>, offered: Option<&[u8]>) -> Option<Self> {
        match (chosen, offered) {
            (None, None) => Some(Self::Md5),
            (Some([0, 1, 0, 0]), Some(offered)) if *offered == PASSWORD_ALGORITHMS => Some(Self::Md5),
            (Some([0, 2, 0, 0]), Some(offered)) if *offered == PASSWORD_ALGORITHMS => Some(Self::Sha256),
            _ => None,
        }
    }
}

/// What messages are signed with.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    Md5([u8; 16]),
    Sha256([u8; 32]),
}

impl Key {
    fn new(algorithm: Algorithm, username: &[u8], realm: &str, password: &[u8]) -> Self {
        let parts = [username, b":", realm.as_bytes(), b":", password];
        match algorithm {
            Algorithm::Md5 => Self::Md5(digest::<Md5>(parts).into()),
            Algorithm::Sha256 => Self::Sha256(digest::<Sha256>(parts).into()),
        }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Md5(_) => Algorithm::Md5,
            Self::Sha256(_) => Algorithm::Sha256,
        }
    }

    pub(crate) const fn bytes(&self) -> &[u8] {
        match self {
            Self::Md5(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }
}

fn digest<D: Digest>(parts: [&[u8]; 5]) -> Output<D> {
    let mut digest = D::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize()
}

/// How a request is signed, and so how its answer is: with the attribute that it used and no other, for Firefox
/// understands only one.
#[derive(Clone, Copy)]
pub(crate) struct Seal {
    pub(crate) integrity: Integrity,
    pub(crate) key: Key,
}

/// A nonce as it stands in the attribute: the cookie, the time and a signature over it and the client's address.
pub(crate) type Nonce = [u8; COOKIE.len() + 15];

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
        let digits = nonce.get(COOKIE.len()..COOKIE.len() + 6);
        let Some(made) = digits.and_then(time_of) else { return false };
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
        let mut bytes = [0; 11];
        bytes[..4].copy_from_slice(&made.to_be_bytes());
        bytes[4..].copy_from_slice(&signature[..7]);
        let mut nonce = [0; COOKIE.len() + 15];
        let (cookie, digits) = nonce.split_at_mut(COOKIE.len());
        cookie.copy_from_slice(COOKIE);
        base64(&bytes, URL_SAFE, digits);
        nonce
    }

    /// The key of `username` by that algorithm which `is_right`, if there is one: several secrets may be valid.
    pub(crate) fn key(
        &self,
        username: &[u8],
        algorithm: Algorithm,
        is_right: impl Fn(&Key) -> bool,
    ) -> Option<Key> {
        if username.len() > LONGEST_USERNAME {
            return None;
        }
        let key = |password: &[u8]| Key::new(algorithm, username, &self.realm, password);
        if let Some(password) = self.accounts.get(username) {
            return Some(key(password.bytes())).filter(is_right);
        }
        expiry(username)?;
        let passwords = self.secrets.iter().map(|secret| time_limited_password(secret, username));
        passwords.map(|password| key(&password)).find(is_right)
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
