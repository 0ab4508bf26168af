//! What an allocation is beside its data path (RFC 8656 section 3.2).

use std::time::Duration;

use visavis_clock::Now;

use crate::{auth::Seal, route::Route, wire::TransactionId};

pub(crate) struct Allocation {
    pub(crate) route: Route,
    pub(crate) username: Box<[u8]>,
    pub(crate) seal: Seal,
    /// What made it: a retransmission gets the same answer.
    pub(crate) transaction: TransactionId,
    /// How long it was given at first.
    pub(crate) granted: Duration,
    pub(crate) state: State,
}

pub(crate) enum State {
    /// The socket is being bound; the request waits.
    Binding(Pending),
    /// Answered.
    Live { expires: Now },
    /// The client went while the socket was being bound.
    Abandoned,
}

/// What the answer will need when the socket is bound.
#[derive(Clone, Copy)]
pub(crate) struct Pending {
    pub(crate) attempts: u8,
    pub(crate) even: bool,
    pub(crate) fingerprint: bool,
}

impl Allocation {
    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.state, State::Live { .. })
    }
}
