//! Rooms and members, as lists.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use visavis_signal::rest::{RestRefusal, What};

use super::{json, refusal};
use crate::signaling::Signaling;

/// Answers with a list, in order. What is listed is copied under the lock and sorted without it.
pub(super) fn answer(signaling: &Signaling, channel: &str, what: &What<'_>) -> Result<Response, RestRefusal> {
    if let What::RoomMembers(room) = what {
        let members = signaling.with(|state, _| state.hub.members_of_room(channel, room)).map_err(refusal)?;
        return Ok(json(&members.iter().map(|id| id.as_str()).collect::<Vec<_>>()));
    }
    if let What::Users = what {
        let users = signaling.with(|state, _| state.hub.clients_of(channel)).map_err(refusal)?;
        return Ok(json(&users.iter().map(|id| id.as_str()).collect::<BTreeSet<_>>()));
    }
    let rooms = signaling.with(|state, _| state.hub.rooms_of(channel)).map_err(refusal)?;
    let rooms: BTreeMap<_, Vec<_>> = rooms
        .iter()
        .map(|(room, members)| (room.as_str(), members.iter().map(|id| id.as_str()).collect()))
        .collect();
    Ok(match what {
        What::Rooms => json(&rooms.keys().collect::<Vec<_>>()),
        What::Members => json(&rooms.values().flatten().collect::<BTreeSet<_>>()),
        _ => json(&rooms),
    })
}
