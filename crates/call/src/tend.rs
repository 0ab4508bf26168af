//! What time asks for: heartbeats, restarts, second connections, farewells.

use visavis_clock::Now;

use crate::{
    Call, Effect, Phase, Problem, RemoteState,
    call::Stage,
    recovery::{
        BEAT_TEXT, GIVE_UP, OFFER, SECOND, SECOND_AGAIN, SECOND_GIVEN, SECOND_POLITE, UNANSWERED, UNSTABLE,
    },
};

/// How much later than asked a timer may come before this side counts as having slept.
const SLEPT: std::time::Duration = std::time::Duration::from_millis(1500);

impl Call {
    /// Looks after everything that may have become due.
    pub(crate) fn tend(&mut self, now: Now) {
        if matches!(self.stage, Stage::Entering | Stage::Inside) && self.lacks_relay() {
            return self.end(now, Phase::Error(Problem::Relay));
        }
        self.wake_up(now);
        self.let_go(now);
        for at in 0..self.entries.len() {
            self.beat(now, at);
            self.promote(now, at);
            self.give_up(now, at);
            if self.reaches(now, at) {
                self.offer_where_due(now, at);
                self.restart(now, at);
                self.try_second(now, at);
            }
            self.entries[at].assess(now);
        }
    }

    /// Only the relay is wanted, and the server has none of that kind: there is no way to anybody. A call that
    /// stands goes on as it is.
    fn lacks_relay(&self) -> bool {
        let none = self.ice_servers.as_ref().is_some_and(Vec::is_empty);
        none && self.config.relay.is_some() && self.entries.iter().all(|entry| entry.primary.is_none())
    }

    /// A page that slept hears nothing meanwhile; that is not the remotes' silence.
    fn wake_up(&mut self, now: Now) {
        let slept = self.wake.is_some_and(|wake| now.since(wake) > SLEPT);
        if slept {
            self.connections_mut().for_each(|connection| connection.life.forgive(now));
            self.entries.iter_mut().for_each(|entry| entry.hope = now);
        }
    }

    fn let_go(&mut self, now: Now) {
        let before = self.entries.len();
        while let Some(at) = self.entries.iter().position(|entry| entry.gone(now)) {
            self.remove(now, at);
        }
        if self.entries.len() < before {
            self.meet_all(now);
        }
    }

    /// Signals reach that remote, and connections to it can be made.
    fn reaches(&self, now: Now, at: usize) -> bool {
        let waits = self.config.relay.is_some() || self.ice_until > now;
        let prepared = self.ice_servers.is_some() || !waits;
        let entry = &self.entries[at];
        prepared && self.link.ready() && entry.absent.is_none() && entry.remote.state != RemoteState::Lost
    }

    fn beat(&mut self, now: Now, at: usize) {
        let mut tells = false;
        for connection in self.entries[at].connections_mut() {
            if let Some(tenth) = connection.life.beat(now) {
                tells |= tenth;
                let beat = Effect::SendData { connection: connection.id, text: BEAT_TEXT.to_owned() };
                self.effects.push_back(beat);
            }
        }
        if tells {
            self.say_state(at);
        }
    }

    /// The second connection takes over when it stands and the first does not live.
    fn promote(&mut self, now: Now, at: usize) {
        let entry = &mut self.entries[at];
        let Some(second) = &entry.second else { return };
        let needed =
            entry.primary.as_ref().is_none_or(|first| !first.stands() || first.life.quiet(now) >= UNSTABLE);
        let fit = second.life.data_open() && second.life.quiet(now) < UNSTABLE;
        let dropped = if fit && needed {
            std::mem::replace(&mut entry.primary, entry.second.take())
        } else if now.since(second.life.started) >= SECOND_GIVEN {
            entry.second.take()
        } else {
            None
        };
        self.disconnect(dropped.map(|connection| connection.id));
    }

    fn give_up(&mut self, now: Now, at: usize) {
        let entry = &mut self.entries[at];
        let lives = entry
            .connections()
            .any(|connection| connection.stands() && connection.life.quiet(now) < UNSTABLE);
        if lives {
            entry.hope = now;
        } else if now.since(entry.hope) >= GIVE_UP && entry.remote.state != RemoteState::Lost {
            let dropped = entry.start_over(now);
            entry.show(now, RemoteState::Lost);
            self.disconnect(dropped);
        }
    }

    fn offer_where_due(&mut self, now: Now, at: usize) {
        let entry = &mut self.entries[at];
        let first = match &entry.primary {
            None => entry.offers || now.since(entry.awaited) >= OFFER,
            Some(primary) => {
                primary.unanswered() && !entry.remote.foreign && now.since(primary.life.started) >= UNANSWERED
            }
        };
        if first {
            return self.offer(now, at, false);
        }
        let due = entry
            .connections_mut()
            .filter_map(|own| own.offer_again(now).then_some(own.id))
            .collect::<Vec<_>>();
        for id in due {
            let mut acts = Vec::new();
            if let Some(connection) = self.entries[at].connection_mut(id) {
                connection.negotiation.send_again(&mut acts);
            }
            self.perform(now, at, id, acts);
        }
    }

    fn restart(&mut self, now: Now, at: usize) {
        let Some(primary) = &mut self.entries[at].primary else { return };
        if !primary.negotiation.offering() && primary.life.restart(now) {
            let connection = primary.id;
            self.effects.push_back(Effect::RestartIce { connection });
            // What took the media away may have taken the link as well.
            self.link.doubt(now, &mut self.effects);
        }
    }

    /// A second connection, over the relay, beside a first that does not come (back) to life.
    fn try_second(&mut self, now: Now, at: usize) {
        let patience = if self.is_polite(at) { SECOND_POLITE } else { SECOND };
        let entry = &mut self.entries[at];
        let Some(primary) = &entry.primary else { return };
        let recent = entry.seconded.is_some_and(|last| now.since(last) < SECOND_AGAIN);
        if entry.remote.foreign || entry.second.is_some() || recent || !primary.negotiation.agreed() {
            return;
        }
        if primary.life.quiet(now) >= patience || primary.life.beyond_restart(now) {
            entry.seconded = Some(now);
            self.offer(now, at, true);
        }
    }

    /// The network is said to be back, or the person does not want to wait.
    pub(crate) fn try_everything(&mut self, now: Now) {
        self.link.online(now, &mut self.effects);
        for at in 0..self.entries.len() {
            let entry = &mut self.entries[at];
            entry.hope_again(now);
            entry.seconded = None;
            entry.connections_mut().for_each(|connection| connection.life.nudge(now));
        }
    }
}
