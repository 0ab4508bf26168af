//! One `RTCPeerConnection` to one remote.

use visavis_clock::Now;

use crate::{
    ConnectionId,
    negotiation::{Act, Negotiation},
    quality::Score,
    recovery::{ANSWER, CROSSING, Life},
};

/// One connection: what has been agreed on it, and whether it lives.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    /// Both ends name it by the number that its offerer gave it; a foreign page knows no such thing.
    pub(crate) generation: Option<u32>,
    pub(crate) offerer: bool,
    pub(crate) negotiation: Negotiation,
    pub(crate) life: Life,
    pub(crate) score: Score,
    /// When the last offer went out.
    pub(crate) offered: Now,
}

impl Connection {
    pub(crate) fn new(now: Now, id: ConnectionId, generation: Option<u32>, offerer: bool) -> Self {
        Self {
            id,
            generation,
            offerer,
            negotiation: Negotiation::new(),
            life: Life::new(now, generation.is_none()),
            score: Score::default(),
            offered: now,
        }
    }

    /// An attempt of this side that the remote has not taken up.
    pub(crate) fn unanswered(&self) -> bool {
        self.offerer && !self.negotiation.agreed()
    }

    /// It stands: a remote has been heard on it, or its media seen.
    pub(crate) fn stands(&self) -> bool {
        self.life.stood.is_some()
    }

    /// Whether an offer should go out again; says yes once per time.
    pub(crate) fn offer_again(&mut self, now: Now) -> bool {
        let due = self.negotiation.waits_for_answer() && now.since(self.offered) >= ANSWER;
        if due {
            self.offered = now;
        }
        due
    }

    /// The remote still makes offers of its own, although it should give way: it has not heard this one,
    /// unless the two have only just crossed.
    pub(crate) fn insist(&mut self, now: Now, acts: &mut Vec<Act>) {
        if self.negotiation.waits_for_answer() && now.since(self.offered) >= CROSSING {
            self.offered = now;
            self.negotiation.send_again(acts);
        }
    }

    pub(crate) fn wake(&self, now: Now) -> Now {
        let life = self.life.wake(now);
        if self.negotiation.waits_for_answer() { life.min(self.offered + ANSWER) } else { life }
    }
}
