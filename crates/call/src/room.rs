//! What the link tells: who is in the room, and what they say.

use visavis_clock::Now;
use visavis_signal::{
    call::{Body, Envelope},
    outbound::IceServer,
};

use crate::{
    CAPACITY, Call, Effect, Phase,
    call::Stage,
    config::usable,
    link::Told,
    negotiation::is_offer,
    roster::{Entry, Present, REMOTES},
};

/// How long connections wait for the relay's credentials.
const ICE_SERVERS: std::time::Duration = std::time::Duration::from_secs(3);

/// Former member ids of this page that are remembered.
const OWN_IDS: usize = 16;
/// Remotes of all kinds, those included that have left the room and still live.
const ENTRIES: usize = 2 * REMOTES;

impl Call {
    pub(crate) fn handle_told(&mut self, now: Now, told: Told) {
        match told {
            Told::Ready => self.handle_ready(now),
            Told::Members(members) => self.handle_members(now, members),
            Told::Joined(member) => self.handle_joined(now, member),
            Told::Left(id) => self.handle_left(now, &id),
            Told::Signal { from, envelope } => self.handle_envelope(now, &from, envelope),
            Told::IceServers(servers) => self.handle_ice_servers(servers),
            Told::NoIceServers => {
                self.ice_until = now;
                self.ice_servers.get_or_insert_default();
            }
            Told::Inside(count) => self.inside = Some(count),
            Told::Refused(problem) => self.end(now, Phase::Error(problem)),
            Told::Odd(what) => self.report(what),
        }
    }

    pub(crate) fn report(&mut self, what: &str) {
        self.effects.push_back(Effect::Report(format!("signaling: {what}")));
    }

    fn handle_ready(&mut self, now: Now) {
        self.ice_until = now + ICE_SERVERS;
        let own = self.link.member().map(str::to_owned);
        if let Some(own) = own.filter(|own| !self.own_ids.contains(own)) {
            self.own_ids.push(own);
            let surplus = self.own_ids.len().saturating_sub(OWN_IDS);
            self.own_ids.drain(..surplus);
        }
        // The link may have come back from another address.
        self.connections_mut().for_each(|connection| connection.life.nudge(now));
    }

    fn handle_ice_servers(&mut self, servers: Vec<IceServer>) {
        let servers = usable(servers, self.config.relay);
        let connections: Vec<_> = self.connections_mut().map(|connection| connection.id).collect();
        for connection in connections {
            self.effects.push_back(Effect::SetIceServers { connection, ice_servers: servers.clone() });
        }
        self.ice_servers = Some(servers);
    }

    fn others(&self) -> Vec<Present> {
        self.members.others(self.link.device(), &self.own_ids)
    }

    /// Whether exactly two are inside, so that what is said to nobody in particular is said to this side.
    fn is_pair(&self) -> bool {
        self.others().len() == 1
    }

    fn handle_members(&mut self, now: Now, members: Vec<Present>) {
        self.members.replace(members);
        if self.is_replaced() {
            return self.end(now, Phase::Replaced);
        }
        let others = self.others();
        if others.len() >= CAPACITY && !self.entries.iter().any(|entry| entry.lives(now)) {
            return self.end(now, Phase::Full);
        }
        self.stage = Stage::Inside;
        self.mark_absent(now, &others);
        for member in &others {
            self.meet(now, member, true);
        }
    }

    /// Members of this device that were there at the first look are this page's own past; any that come
    /// later are its future.
    fn is_replaced(&mut self) -> bool {
        let own_ids = &self.own_ids;
        let twins = self.members.same_device(self.link.device()).map(|member| member.id.clone());
        let twins: Vec<_> = twins.filter(|id| !own_ids.contains(id)).collect();
        if self.stage == Stage::Entering {
            self.ghosts = twins;
            return false;
        }
        twins.iter().any(|id| !self.ghosts.contains(id))
    }

    fn mark_absent(&mut self, now: Now, others: &[Present]) {
        for entry in &mut self.entries {
            let present = others.iter().any(|member| entry.is(member));
            if !present {
                entry.absent.get_or_insert(now);
            }
        }
    }

    fn handle_joined(&mut self, now: Now, member: Present) {
        if self.own_ids.contains(&member.id) {
            return;
        }
        let twin = member.is_of(self.link.device());
        self.members.join(member.clone());
        if twin {
            return self.end(now, Phase::Replaced);
        }
        self.meet(now, &member, false);
    }

    fn handle_left(&mut self, now: Now, id: &str) {
        self.members.leave(id);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.remote.member == id) {
            entry.absent.get_or_insert(now);
        }
        self.meet_all(now);
    }

    /// Somebody may have been waiting for a place, or for the room to hold two.
    pub(crate) fn meet_all(&mut self, now: Now) {
        for member in self.others() {
            if !self.entries.iter().any(|entry| entry.is(&member)) {
                self.meet(now, &member, false);
            }
        }
    }

    /// A member is there. `offers`: it was there before this side, which therefore makes the offer.
    fn meet(&mut self, now: Now, member: &Present, offers: bool) {
        let known = self.entries.iter().position(|entry| entry.is(member));
        if let Some(at) = known {
            return self.meet_again(now, at, member, offers);
        }
        if member.device.is_none() {
            if !self.is_pair() {
                return;
            }
            self.drop_absent_foreign(now);
        }
        let present = self.entries.iter().filter(|entry| entry.absent.is_none()).count();
        if present < REMOTES && self.entries.len() < ENTRIES {
            self.entries.push(Entry::new(now, member, offers));
        }
    }

    /// A tutorial page that was loaded again is another member; its former self says no goodbye.
    fn drop_absent_foreign(&mut self, now: Now) {
        while let Some(at) =
            self.entries.iter().position(|entry| entry.remote.foreign && entry.absent.is_some())
        {
            self.remove(now, at);
        }
    }

    fn meet_again(&mut self, now: Now, at: usize, member: &Present, offers: bool) {
        let entry = &mut self.entries[at];
        entry.remote.member.clone_from(&member.id);
        entry.absent = None;
        if entry.primary.is_none() {
            entry.awaited = now;
            entry.offers = offers;
        }
        entry.hope_again(now);
        self.say_again(now, at);
    }

    fn handle_envelope(&mut self, now: Now, from: &str, envelope: Envelope) {
        let own = self.own_ids.iter().any(|own| own == from);
        if own || envelope.to.as_deref().is_some_and(|to| Some(to) != self.link.member()) {
            return;
        }
        if begins(&envelope.body)
            && let Some(member) = self.members.return_of(from)
        {
            self.meet(now, &member, false);
        }
        let Some(at) = self.entries.iter().position(|entry| entry.remote.member == from) else { return };
        if self.entries[at].remote.foreign {
            if self.is_pair() {
                self.handle_body(now, at, None, envelope.body);
            }
            return;
        }
        if envelope.for_session.as_ref().is_some_and(|session| *session != self.config.session) {
            return;
        }
        let addressed = envelope.to.is_some() || matches!(envelope.body, Body::State(_) | Body::Bye);
        let Some(session) = envelope.session.filter(|_| addressed) else {
            return self.report("a signal without its session");
        };
        if self.is_of_session(now, at, session, &envelope.body) {
            self.handle_body(now, at, envelope.generation, envelope.body);
        }
    }

    /// Whether a signal is of the page that this side talks to. A new page of the remote begins with its
    /// state and an offer; everything else of another session is late.
    fn is_of_session(&mut self, now: Now, at: usize, session: String, body: &Body) -> bool {
        let entry = &mut self.entries[at];
        if entry.session.as_ref() == Some(&session) {
            return true;
        }
        if entry.session.is_none() {
            entry.session = Some(session);
            return true;
        }
        let begins = begins(body);
        if begins {
            entry.session = Some(session);
            entry.floor = 0;
            let dropped = entry.start_over(now);
            self.disconnect(dropped);
        }
        begins
    }

    fn handle_body(&mut self, now: Now, at: usize, generation: Option<u32>, body: Body) {
        match body {
            Body::Sdp(description) => self.handle_description(now, at, generation, description),
            Body::Candidate(candidate) => self.handle_candidate(now, at, generation, candidate),
            Body::State(state) => self.entries[at].tell(state),
            Body::Bye => self.handle_bye(now, at),
        }
    }

    pub(crate) fn handle_bye(&mut self, now: Now, at: usize) {
        let member = self.entries[at].remote.member.clone();
        self.members.part(&member);
        self.remove(now, at);
        self.meet_all(now);
    }
}

/// Whether a page may begin with this.
fn begins(body: &Body) -> bool {
    match body {
        Body::State(_) => true,
        Body::Sdp(description) => is_offer(description),
        Body::Candidate(_) | Body::Bye => false,
    }
}
