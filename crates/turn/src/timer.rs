//! When what is relayed expires.

use std::collections::BTreeSet;

use visavis_clock::Now;

use crate::RelayKey;

/// One moment for each relayed transport address. Moving one is logarithmic, asking for the first costs nothing.
#[derive(Default)]
pub(crate) struct Timers {
    order: BTreeSet<(Now, RelayKey)>,
    first: Option<Now>,
}

impl Timers {
    pub(crate) const fn first(&self) -> Option<Now> {
        self.first
    }

    pub(crate) fn insert(&mut self, at: Now, relay: RelayKey) {
        self.order.insert((at, relay));
        self.look();
    }

    pub(crate) fn remove(&mut self, at: Now, relay: RelayKey) {
        self.order.remove(&(at, relay));
        self.look();
    }

    /// An allocation that has expired by `now`.
    pub(crate) fn due(&self, now: Now) -> Option<RelayKey> {
        if self.first.is_none_or(|first| first > now) {
            return None;
        }
        self.order.first().map(|&(_, relay)| relay)
    }

    fn look(&mut self) {
        self.first = self.order.first().map(|&(at, _)| at);
    }
}
