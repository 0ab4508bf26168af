//! Who may make which call.

use std::{
    borrow::Cow,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use visavis_signal::rest::{RestRefusal, What};

use super::ROOMS;
use crate::{
    channels::{Channel, PAGE_CHANNEL},
    token::{Grant, Holder},
};

/// Who makes a call.
enum Caller {
    /// Anybody.
    Stranger,
    /// Who shows a token that is for no client.
    Holder(Grant),
    /// Who knows the channel's secret.
    Owner,
}

/// Whether the headers of a call open what it wants.
pub(super) async fn check(
    what: &What<'_>,
    channel: &Channel,
    headers: &HeaderMap,
) -> Result<(), RestRefusal> {
    let caller = caller(channel, headers).await?;
    let shown = matches!(what, What::Publish(_) | What::IceServers);
    if channel.id == PAGE_CHANNEL && !shown {
        // The names of its rooms are the links to calls.
        return Err(RestRefusal::NotListed);
    }
    match (caller, what) {
        (Caller::Owner, _) => Ok(()),
        (Caller::Holder(grant), what) => check_grant(&grant, what, channel).await,
        (Caller::Stranger, What::IceServers) => Err(RestRefusal::Unauthorized),
        (Caller::Stranger, _) if channel.hub.require_auth => Err(RestRefusal::Unauthorized),
        (Caller::Stranger, What::Publish(_) | What::Stats) => Ok(()),
        (Caller::Stranger, _) if channel.public_listing => Ok(()),
        (Caller::Stranger, _) => Err(RestRefusal::NotListed),
    }
}

/// Who shows what opens nothing is told so, even where nothing would have been needed. A channel that has no secret
/// does not look: clients of Scaledrone's always send one.
async fn caller(channel: &Channel, headers: &HeaderMap) -> Result<Caller, RestRefusal> {
    let Some(shown) = headers.get(header::AUTHORIZATION).filter(|_| !channel.secrets.is_empty()) else {
        return Ok(Caller::Stranger);
    };
    let shown = shown.to_str().map_err(|_| RestRefusal::Unauthorized)?;
    let (scheme, rest) = shown.split_once(' ').ok_or(RestRefusal::Unauthorized)?;
    if scheme.eq_ignore_ascii_case("basic") && knows_secret(channel, rest.trim()) {
        return Ok(Caller::Owner);
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let grant = channel.authenticate(rest.trim(), Holder::Program, now).await;
        return grant.map(Caller::Holder).map_err(RestRefusal::BadToken);
    }
    Err(RestRefusal::Unauthorized)
}

/// What a token opens: what it permits in rooms, and what concerns none. Lists of all rooms are the secret's.
async fn check_grant(grant: &Grant, what: &What<'_>, channel: &Channel) -> Result<(), RestRefusal> {
    let permitted = match what {
        What::Stats | What::IceServers => true,
        What::Publish(rooms) => may_publish(grant, rooms).await,
        What::RoomMembers(room) => grant.permission(room).await.subscribe,
        What::Users | What::Members | What::Rooms | What::RoomsAndMembers => {
            channel.public_listing && !channel.hub.require_auth
        }
    };
    permitted.then_some(()).ok_or(RestRefusal::NotPermitted)
}

/// Into all of them or into none. More than there may be are refused later, and not looked at here.
async fn may_publish(grant: &Grant, rooms: &[Cow<'_, str>]) -> bool {
    for room in rooms.iter().take(ROOMS) {
        if !grant.permission(room).await.publish {
            return false;
        }
    }
    true
}

/// `base64(channel:secret)`.
fn knows_secret(channel: &Channel, shown: &str) -> bool {
    let Ok(shown) = STANDARD.decode(shown) else { return false };
    let secret = shown.strip_prefix(channel.id.as_bytes()).and_then(|rest| rest.strip_prefix(b":"));
    secret.is_some_and(|secret| channel.has_secret(secret))
}
