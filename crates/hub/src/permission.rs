//! What a client may do, and in which rooms.

use std::collections::HashMap;

use crate::{Refusal, RoomName};

/// About so many rooms at most it is remembered what a connection may do there.
pub(crate) const DECIDED: usize = 256;

/// What somebody may do in one room. By default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// Whether it may speak there.
    pub publish: bool,
    /// Whether it may enter, and ask who is there.
    pub subscribe: bool,
    /// How many messages of before it may hear.
    pub history: usize,
}

impl Permission {
    /// What everybody may where nobody is asked who they are.
    pub const ALL: Self = Self { publish: true, subscribe: true, history: usize::MAX };
}

/// What a connection may do.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Everything: its channel requires no authentication.
    Free,
    /// Nothing yet: its channel does.
    Stranger,
    /// What its shell says of each room.
    Authenticated(HashMap<RoomName, Permission>),
}

impl Standing {
    /// What the connection may do in a room.
    pub(crate) fn permission(&self, room: &str) -> Result<Permission, Refusal> {
        match self {
            Self::Free => Ok(Permission::ALL),
            Self::Stranger => Err(Refusal::Unauthorized),
            Self::Authenticated(decided) => decided.get(room).copied().ok_or(Refusal::Undecided),
        }
    }

    /// Remembers what the connection may do in a room. It knows of so many only; then it is asked anew.
    pub(crate) fn decide(&mut self, room: &str, permission: Permission) {
        let Self::Authenticated(decided) = self else { return };
        if decided.len() >= DECIDED {
            decided.clear();
        }
        decided.insert(room.into(), permission);
    }
}
