//! Tokens that give a client id back.
//!
//! A token is `ID.EXPIRY.MAC`: the client id, Unix seconds, and the HMAC-SHA256 of both and of the channel
//! under the server's key, in hexadecimal. Nothing about it is kept, so it outlives a restart.

use std::{fmt::Write as _, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{ChannelId, ClientId, ResumeKey};

/// Makes a token for `client` that is good until `expiry`, in Unix time.
pub(crate) fn token(key: &ResumeKey, channel: &ChannelId, client: &ClientId, expiry: Duration) -> String {
    let mut token = format!("{}.{}.", client.as_str(), expiry.as_secs());
    for byte in mac(key, channel, client.as_str(), expiry.as_secs()) {
        write!(token, "{byte:02x}").expect("writing to a String cannot fail");
    }
    token
}

/// The client that `token` belongs to, if it was made here, for `channel`, and is still good at `unix_time`.
pub(crate) fn client(
    key: &ResumeKey,
    channel: &ChannelId,
    token: &str,
    unix_time: Duration,
) -> Option<ClientId> {
    let mut parts = token.splitn(3, '.');
    let (id, expiry, theirs) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    let mut ours = String::with_capacity(64);
    for byte in mac(key, channel, id, expiry) {
        write!(ours, "{byte:02x}").expect("writing to a String cannot fail");
    }
    let genuine = bool::from(ours.as_bytes().ct_eq(theirs.as_bytes()));
    (genuine && unix_time.as_secs() < expiry && ClientId::has_shape(id)).then(|| ClientId::from(id))
}

fn mac(key: &ResumeKey, channel: &ChannelId, client: &str, expiry: u64) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes keys of any length");
    mac.update(&(channel.as_str().len() as u64).to_be_bytes());
    mac.update(channel.as_str().as_bytes());
    mac.update(&expiry.to_be_bytes());
    mac.update(client.as_bytes());
    mac.finalize().into_bytes().into()
}
