//! What an allocation is beside its data path (RFC 8656 section 3.2).

use std::time::Duration;

use visavis_clock::Now;

use crate::{
    auth::Seal,
    family::{ByFamily, Family},
    route::Route,
    server::Code,
    wire::TransactionId,
};

/// Index of an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AllocationKey(pub(crate) u32);

pub(crate) struct Allocation {
    pub(crate) route: Route,
    pub(crate) username: Box<[u8]>,
    pub(crate) seal: Seal,
    /// What made it: a retransmission gets the same answer.
    pub(crate) transaction: TransactionId,
    /// When it was asked for.
    pub(crate) since: Now,
    /// How long it was given at first.
    pub(crate) granted: Duration,
    /// The family that was wanted and not given, and why.
    pub(crate) refused: Option<(Family, Code)>,
    pub(crate) state: State,
}

pub(crate) enum State {
    /// A socket is being bound; the request waits.
    Binding(Pending),
    /// Answered. Each relayed transport address has its own end.
    Live { expires: ByFamily<Now> },
    /// The client went while a socket was being bound.
    Abandoned,
}

/// What is still to be done before the answer, and what it will need.
#[derive(Clone, Copy)]
pub(crate) struct Pending {
    /// The family whose socket is being bound.
    pub(crate) family: Family,
    /// Whether IPv6 is wanted after that.
    pub(crate) additional: bool,
    pub(crate) attempts: u8,
    pub(crate) even: bool,
    pub(crate) fingerprint: bool,
}

impl Allocation {
    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.state, State::Live { .. })
    }

    /// The family whose socket is being bound.
    pub(crate) const fn binding(&self) -> Option<Family> {
        match self.state {
            State::Binding(pending) => Some(pending.family),
            State::Live { .. } | State::Abandoned => None,
        }
    }
}
