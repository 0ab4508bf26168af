//! Perfect negotiation on one connection.
//!
//! One step at a time: while the driver works on a description, whatever else comes waits. What a browser
//! does between two steps is therefore never guessed, only read from its answers.

use std::collections::VecDeque;

use visavis_signal::call::{Candidate, Description};

/// Descriptions that may wait while a step is under way.
const DESCRIPTIONS_WAITING: usize = 4;
/// Candidates that may wait for their description; and own ones kept for sending again.
const CANDIDATES_WAITING: usize = 64;

/// What a negotiation asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Act {
    SetLocal,
    SetRemote(Description),
    Add(Candidate),
    SendDescription(Description),
    SendCandidate(Candidate),
    /// A description could not be set: this connection is of no more use.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Busy {
    LocalOffer,
    LocalAnswer,
    RemoteOffer,
    RemoteAnswer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Stable,
    HaveLocalOffer,
    HaveRemoteOffer,
}

/// Where the two descriptions of one connection stand.
#[derive(Debug)]
pub(crate) struct Negotiation {
    state: State,
    busy: Option<Busy>,
    wants_offer: bool,
    inbox: VecDeque<Description>,
    /// The description that the driver is setting, or set last, on the remote's side.
    remote: Option<Description>,
    /// A remote description stands, so that candidates can be added.
    remote_stands: bool,
    remote_candidates: VecDeque<Candidate>,
    local: Option<Description>,
    local_sent: bool,
    local_candidates: Vec<Candidate>,
}

impl Negotiation {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Stable,
            busy: None,
            wants_offer: false,
            inbox: VecDeque::new(),
            remote: None,
            remote_stands: false,
            remote_candidates: VecDeque::new(),
            local: None,
            local_sent: false,
            local_candidates: Vec::new(),
        }
    }

    /// An own offer is out, or about to be, and unanswered.
    pub(crate) fn offering(&self) -> bool {
        self.state == State::HaveLocalOffer || self.busy == Some(Busy::LocalOffer)
    }

    /// An own offer is out and unanswered.
    pub(crate) fn waits_for_answer(&self) -> bool {
        self.state == State::HaveLocalOffer && self.local_sent
    }

    /// Both descriptions have stood at least once.
    pub(crate) fn agreed(&self) -> bool {
        self.remote_stands && self.local_sent
    }

    pub(crate) fn needed(&mut self, acts: &mut Vec<Act>) {
        self.wants_offer = true;
        self.go_on(acts);
    }

    /// An offer or answer of the remote.
    pub(crate) fn remote_description(&mut self, description: Description, polite: bool, acts: &mut Vec<Act>) {
        if is_offer(&description) {
            self.remote_offer(description, polite, acts);
        } else if is_answer(&description) && !self.is_current(&description) {
            self.wait(description);
        }
        self.go_on(acts);
    }

    fn remote_offer(&mut self, offer: Description, polite: bool, acts: &mut Vec<Act>) {
        if self.is_current(&offer) {
            // The remote asks again because the answer did not reach it.
            if self.state == State::Stable && self.busy.is_none() {
                self.send_again(acts);
            }
        } else if polite || !self.offering() {
            self.wait(offer);
        }
    }

    fn is_current(&self, description: &Description) -> bool {
        self.remote.as_ref() == Some(description) || self.inbox.contains(description)
    }

    fn wait(&mut self, description: Description) {
        if self.inbox.len() == DESCRIPTIONS_WAITING {
            self.inbox.pop_front();
        }
        self.inbox.push_back(description);
    }

    /// A candidate of the remote.
    pub(crate) fn remote_candidate(&mut self, candidate: Candidate, acts: &mut Vec<Act>) {
        let settled = self.remote_stands && self.busy.is_none() && self.inbox.is_empty();
        if settled {
            if self.belongs(&candidate) {
                acts.push(Act::Add(candidate));
                return;
            }
            if self.state == State::Stable {
                // Of a description that is gone: descriptions come before their candidates.
                return;
            }
        }
        if self.remote_candidates.len() < CANDIDATES_WAITING {
            self.remote_candidates.push_back(candidate);
        }
    }

    /// Whether a candidate is of the remote description that stands. One without a fragment is taken on
    /// trust.
    fn belongs(&self, candidate: &Candidate) -> bool {
        let Some(ufrag) = ufrag(candidate) else { return true };
        self.remote.as_ref().is_some_and(|remote| has_ufrag(&remote.sdp, ufrag))
    }

    fn add_waiting_candidates(&mut self, acts: &mut Vec<Act>) {
        let waiting = std::mem::take(&mut self.remote_candidates);
        for candidate in waiting {
            if self.belongs(&candidate) {
                acts.push(Act::Add(candidate));
            } else if !self.inbox.is_empty() || self.state != State::Stable {
                self.remote_candidates.push_back(candidate);
            }
        }
    }

    pub(crate) fn remote_set(&mut self, acts: &mut Vec<Act>) {
        match self.busy.take() {
            Some(Busy::RemoteOffer) => {
                self.state = State::HaveRemoteOffer;
                self.remote_stands = true;
                self.add_waiting_candidates(acts);
                self.busy = Some(Busy::LocalAnswer);
                acts.push(Act::SetLocal);
            }
            Some(Busy::RemoteAnswer) => {
                self.state = State::Stable;
                self.remote_stands = true;
                self.add_waiting_candidates(acts);
            }
            other => self.busy = other,
        }
        self.go_on(acts);
    }

    pub(crate) fn local_set(&mut self, description: Description, acts: &mut Vec<Act>) {
        let state = match self.busy {
            Some(Busy::LocalOffer) => State::HaveLocalOffer,
            Some(Busy::LocalAnswer) => State::Stable,
            _ => return,
        };
        self.busy = None;
        self.state = state;
        self.local_candidates
            .retain(|candidate| ufrag(candidate).is_none_or(|ufrag| has_ufrag(&description.sdp, ufrag)));
        self.local = Some(description);
        self.local_sent = false;
        let yields = state == State::HaveLocalOffer && self.inbox.iter().any(is_offer);
        if !yields {
            self.local_sent = true;
            self.send_again(acts);
        }
        // What came while the description was being set. A relay has one candidate: losing it loses the way.
        if self.remote_stands && self.inbox.is_empty() {
            self.add_waiting_candidates(acts);
        }
        self.go_on(acts);
    }

    /// A candidate of this side. It waits until the description that it belongs to is out.
    pub(crate) fn local_candidate(&mut self, candidate: Candidate, acts: &mut Vec<Act>) {
        let out = self.local_sent && !matches!(self.busy, Some(Busy::LocalOffer | Busy::LocalAnswer));
        if out {
            acts.push(Act::SendCandidate(candidate.clone()));
        }
        if self.local_candidates.len() < CANDIDATES_WAITING && !self.local_candidates.contains(&candidate) {
            self.local_candidates.push(candidate);
        }
    }

    /// Sends the description that stands and its candidates, the second time too.
    pub(crate) fn send_again(&mut self, acts: &mut Vec<Act>) {
        if !self.local_sent || self.state == State::HaveRemoteOffer {
            return;
        }
        if let Some(local) = &self.local {
            acts.push(Act::SendDescription(local.clone()));
            acts.extend(self.local_candidates.iter().cloned().map(Act::SendCandidate));
        }
    }

    pub(crate) fn local_failed(&mut self, acts: &mut Vec<Act>) {
        if matches!(self.busy, Some(Busy::LocalOffer | Busy::LocalAnswer)) {
            acts.push(Act::Broken);
        }
    }

    pub(crate) fn remote_failed(&mut self, acts: &mut Vec<Act>) {
        if matches!(self.busy, Some(Busy::RemoteOffer | Busy::RemoteAnswer)) {
            acts.push(Act::Broken);
        }
    }

    /// The offer that the driver could not set, if that is what broke the connection.
    pub(crate) fn failed_offer(&self) -> Option<&Description> {
        (self.busy == Some(Busy::RemoteOffer)).then_some(self.remote.as_ref()).flatten()
    }

    fn go_on(&mut self, acts: &mut Vec<Act>) {
        while self.busy.is_none() {
            if let Some(description) = self.inbox.pop_front() {
                self.set_remote(description, acts);
            } else if self.wants_offer && self.state == State::Stable {
                self.wants_offer = false;
                self.busy = Some(Busy::LocalOffer);
                acts.push(Act::SetLocal);
            } else {
                return;
            }
        }
    }

    fn set_remote(&mut self, description: Description, acts: &mut Vec<Act>) {
        let busy = if is_offer(&description) {
            // After the answer the browser says again that negotiation is needed, if it still is.
            self.wants_offer = false;
            Busy::RemoteOffer
        } else if self.state == State::HaveLocalOffer {
            Busy::RemoteAnswer
        } else {
            return;
        };
        self.busy = Some(busy);
        self.remote = Some(description.clone());
        acts.push(Act::SetRemote(description));
    }
}

pub(crate) fn is_offer(description: &Description) -> bool {
    description.kind == "offer"
}

fn is_answer(description: &Description) -> bool {
    description.kind == "answer"
}

fn ufrag(candidate: &Candidate) -> Option<&str> {
    candidate.username_fragment.as_deref().filter(|ufrag| !ufrag.is_empty())
}

fn has_ufrag(sdp: &str, ufrag: &str) -> bool {
    sdp.lines().filter_map(|line| line.trim_end().strip_prefix("a=ice-ufrag:")).any(|own| own == ufrag)
}
