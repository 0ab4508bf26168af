//! JSON Web Tokens of Scaledrone channels (RFC 7515, RFC 7519): HMAC-SHA256 under the channel's secret, nothing else.
//!
//! Verified here and not by a crate: of what such crates bring (other algorithms, key formats, certificates) every
//! part is one that a token must not be able to ask for, and HMAC and base64 are here already.

pub(crate) mod lane;
pub(crate) mod rules;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use visavis_hub::Permission;
use visavis_signal::{Object, Refusal};

use crate::channels::{Channel, ChannelSecret};
use lane::Lane;
use rules::Rules;

/// Bytes of a token.
const TOKEN: usize = 8 * 1024;
/// Bytes of its `data`: as much as a client may say about itself.
const DATA: usize = 4 * 1024;
/// Above this a time is in milliseconds: in seconds it would be the year 5138.
const SECONDS_AT_MOST: f64 = 1e11;
/// Later than this is no time that anybody means, in seconds.
const END_OF_TIME: f64 = 1e13;
/// By so much the clock of who made a token may be ahead.
const AHEAD: Duration = Duration::from_secs(60);

/// Who shows a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder<'a> {
    /// The client of that id, on its connection.
    Client(&'a str),
    /// A program, through REST.
    Program,
}

/// What a token gives to who shows it.
#[derive(Clone)]
pub(crate) struct Grant {
    rules: Arc<Rules>,
    lane: Lane,
    /// When it ends, since 1970.
    pub(crate) expiry: Duration,
    /// What members are told about the client, as JSON.
    pub(crate) auth_data: Option<Arc<[u8]>>,
}

impl Channel {
    /// Whether a token is good for its holder, now. Its signature is looked at in place; its permissions, which may
    /// take long, only by the future.
    pub(crate) fn authenticate(
        &self,
        token: &str,
        holder: Holder<'_>,
        unix_time: Duration,
    ) -> impl Future<Output = Result<Grant, Refusal>> + Send + use<> {
        let verified = self.verify(token, holder, unix_time);
        async move {
            let grant = verified?;
            let rules = Arc::clone(&grant.rules);
            let sound = grant.lane.ask(move || rules.are_sound()).await;
            if sound == Some(true) { Ok(grant) } else { Err(Refusal::TokenPermissions) }
        }
    }

    fn verify(&self, token: &str, holder: Holder<'_>, unix_time: Duration) -> Result<Grant, Refusal> {
        if self.secrets.is_empty() {
            return Err(Refusal::NoAuthentication);
        }
        let claims = signed_claims(token, &self.secrets)?;
        let claims = Object::read_strictly(&claims).map_err(bad)?;
        let expiry = check_times(&claims, unix_time)?;
        let channel = claims.string("channel").map_err(bad)?.ok_or(Refusal::BadToken)?;
        if *channel != *self.id {
            return Err(Refusal::TokenChannel);
        }
        match (holder, claims.string("client").map_err(bad)?) {
            (Holder::Client(id), Some(client)) if *client == *id => {}
            (Holder::Program, None) => {}
            _ => return Err(Refusal::TokenClient),
        }
        let auth_data = claims.value("data").map(|data| data.get().as_bytes());
        if auth_data.is_some_and(|data| data.len() > DATA) {
            return Err(Refusal::TokenTooLarge);
        }
        let permissions = claims.value("permissions").ok_or(Refusal::BadToken)?.get();
        let rules = Rules::read(permissions).ok_or(Refusal::TokenPermissions)?;
        let (lane, auth_data) = (self.lane.clone(), auth_data.map(Into::into));
        Ok(Grant { rules: Arc::new(rules), lane, expiry, auth_data })
    }
}

impl Grant {
    /// What it permits in a room.
    pub(crate) fn permission(&self, room: &str) -> impl Future<Output = Permission> + Send + use<> {
        let (rules, room, lane) = (Arc::clone(&self.rules), room.to_owned(), self.lane.clone());
        async move { lane.ask(move || rules.permission(&room)).await.unwrap_or_default() }
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grant(…)")
    }
}

/// The claims of a token that one of the secrets has signed, as JSON.
fn signed_claims(token: &str, secrets: &[ChannelSecret]) -> Result<String, Refusal> {
    if token.len() > TOKEN {
        return Err(Refusal::TokenTooLarge);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::TokenParts);
    };
    let signed = &token[..header.len() + 1 + claims.len()];
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refusal::BadToken)?;
    let is_by = |secret| mac(secret, signed).verify_slice(&signature).is_ok();
    let is_signed = secrets.iter().any(is_by);
    // Of what nobody has signed no more than this is read, to say better what is wrong with it.
    check_header(&decode(header)?)?;
    if is_signed { decode(claims) } else { Err(Refusal::TokenSignature) }
}

fn check_header(header: &str) -> Result<(), Refusal> {
    let header = Object::read_strictly(header).map_err(bad)?;
    if header.string("alg").map_err(bad)?.as_deref() != Some("HS256") {
        return Err(Refusal::TokenAlgorithm);
    }
    let kind = header.string("typ").map_err(bad)?.unwrap_or(Cow::Borrowed("JWT"));
    // An extension that must be understood is understood by nobody here (RFC 7515 section 4.1.11).
    if !kind.eq_ignore_ascii_case("JWT") || header.value("crit").is_some() {
        return Err(Refusal::BadToken);
    }
    Ok(())
}

/// When the token ends.
fn check_times(claims: &Object<'_>, unix_time: Duration) -> Result<Duration, Refusal> {
    let expiry = time(claims, "exp")?.ok_or(Refusal::BadToken)?;
    for begin in ["nbf", "iat"] {
        if time(claims, begin)?.is_some_and(|begin| begin > unix_time + AHEAD) {
            return Err(Refusal::TokenTooEarly);
        }
    }
    if expiry <= unix_time { Err(Refusal::TokenExpired) } else { Ok(expiry) }
}

/// A time since 1970, in seconds or milliseconds.
fn time(claims: &Object<'_>, name: &str) -> Result<Option<Duration>, Refusal> {
    let Some(value) = claims.value(name) else { return Ok(None) };
    let number: f64 = serde_json::from_str(value.get()).map_err(bad)?;
    let seconds = if number > SECONDS_AT_MOST { number / 1000.0 } else { number };
    let sane = (0.0..=END_OF_TIME).contains(&seconds);
    if sane { Ok(Some(Duration::from_secs_f64(seconds))) } else { Err(Refusal::BadToken) }
}

fn bad(_: serde_json::Error) -> Refusal {
    Refusal::BadToken
}

/// A part of a token: base64url without padding, and text.
fn decode(part: &str) -> Result<String, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::BadToken)?;
    String::from_utf8(bytes).map_err(|_| Refusal::BadToken)
}

fn mac(secret: &ChannelSecret, signed: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes()).expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    mac
}

/// Whether the JSON is a claim `permissions` that can be used. May take long.
pub(crate) fn permits(permissions: &str) -> bool {
    Rules::read(permissions).is_some_and(|rules| rules.are_sound())
}

/// Signs claims, which are a JSON object.
pub(crate) fn sign(secret: &ChannelSecret, claims: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", encode(r#"{"alg":"HS256","typ":"JWT"}"#), encode(claims));
    let signature = mac(secret, &signed).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
