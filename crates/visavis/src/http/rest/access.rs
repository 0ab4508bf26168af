//! Who may make which call.

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use visavis_signal::rest::{RestRefusal, What};

use crate::channels::{Channel, PAGE_CHANNEL};

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// Anybody.
    Stranger,
    /// Who knows the channel's secret.
    Owner,
}

/// Whether the headers of a call open what it wants.
pub(super) fn check(what: &What<'_>, channel: &Channel, headers: &HeaderMap) -> Result<(), RestRefusal> {
    let caller = caller(channel, headers)?;
    let shown = matches!(what, What::Publish(_) | What::IceServers);
    if channel.id == PAGE_CHANNEL && !shown {
        // The names of its rooms are the links to calls.
        return Err(RestRefusal::NotListed);
    }
    match (caller, what) {
        (Caller::Owner, _) => Ok(()),
        (Caller::Stranger, What::IceServers) => Err(RestRefusal::Unauthorized),
        (Caller::Stranger, _) if channel.hub.require_auth => Err(RestRefusal::Unauthorized),
        (Caller::Stranger, What::Publish(_) | What::Stats) => Ok(()),
        (Caller::Stranger, _) if channel.public_listing => Ok(()),
        (Caller::Stranger, _) => Err(RestRefusal::NotListed),
    }
}

/// Who shows what opens nothing is told so, even where nothing would have been needed. A channel that has no secret
/// does not look: clients of Scaledrone's always send one.
fn caller(channel: &Channel, headers: &HeaderMap) -> Result<Caller, RestRefusal> {
    let Some(shown) = headers.get(header::AUTHORIZATION).filter(|_| !channel.secrets.is_empty()) else {
        return Ok(Caller::Stranger);
    };
    let shown = shown.to_str().map_err(|_| RestRefusal::Unauthorized)?;
    let (scheme, rest) = shown.split_once(' ').ok_or(RestRefusal::Unauthorized)?;
    if scheme.eq_ignore_ascii_case("basic") && knows_secret(channel, rest.trim()) {
        return Ok(Caller::Owner);
    }
    Err(RestRefusal::Unauthorized)
}

/// `base64(channel:secret)`.
fn knows_secret(channel: &Channel, shown: &str) -> bool {
    let Ok(shown) = STANDARD.decode(shown) else { return false };
    let secret = shown.strip_prefix(channel.id.as_bytes()).and_then(|rest| rest.strip_prefix(b":"));
    secret.is_some_and(|secret| channel.has_secret(secret))
}
