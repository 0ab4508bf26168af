//! What a client may do, and in which rooms.

use std::collections::HashMap;

use visavis_clock::Now;

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
    /// What its shell says of each room, and no more from a time on.
    Authenticated { until: Now, decided: HashMap<RoomName, Permission> },
}

impl Standing {
    /// Whether the connection may do anything at all.
    pub(crate) fn check(&self, now: Now) -> Result<(), Refusal> {
        match self {
            Self::Stranger => Err(Refusal::Unauthorized),
            Self::Authenticated { until, .. } if now >= *until => Err(Refusal::Expired),
            Self::Free | Self::Authenticated { .. } => Ok(()),
        }
    }

    /// What the connection may do in a room.
    pub(crate) fn permission(&self, now: Now, room: &str) -> Result<Permission, Refusal> {
        self.check(now)?;
        match self {
            Self::Authenticated { decided, .. } => decided.get(room).copied().ok_or(Refusal::Undecided),
            Self::Free | Self::Stranger => Ok(Permission::ALL),
        }
    }

    /// Remembers what the connection may do in a room. It knows of so many only; then it is asked anew.
    pub(crate) fn decide(&mut self, room: &str, permission: Permission) {
        let Self::Authenticated { decided, .. } = self else { return };
        if decided.len() >= DECIDED {
            decided.clear();
        }
        decided.insert(room.into(), permission);
    }
}
