//! What goes on between this side and one remote: making connections, agreeing on them, talking.

use visavis_clock::Now;
use visavis_signal::call::{Body, Candidate, Description, Envelope};

use crate::{
    Call, ConnectionEvent, ConnectionId, ConnectionState, Effect, Stats, Step,
    connection::Connection,
    media,
    negotiation::{Act, is_offer},
    quality::joint_path,
    recovery::{ANSWER, BEAT_TEXT},
    roster::Entry,
};

/// The longest text taken from a data channel.
const TEXT: usize = 16 * 1024;
/// How many connections to one remote may break on a description before there is a pause.
const BROKEN: usize = 3;
/// How long a broken connection counts.
const BROKEN_WITHIN: std::time::Duration = std::time::Duration::from_secs(30);

impl Call {
    pub(crate) fn entry_with(&self, id: ConnectionId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.connections().any(|connection| connection.id == id))
    }

    pub(crate) fn disconnect(&mut self, connections: impl IntoIterator<Item = ConnectionId>) {
        self.effects.extend(connections.into_iter().map(|connection| Effect::Disconnect { connection }));
    }

    pub(crate) fn remove(&mut self, now: Now, at: usize) {
        let dropped = self.entries.remove(at).start_over(now);
        self.disconnect(dropped);
    }

    // Making connections.

    /// Makes an offer: a first connection, or one beside it.
    pub(crate) fn offer(&mut self, now: Now, at: usize, beside: bool) {
        let entry = &mut self.entries[at];
        entry.awaited = now;
        entry.offers = false;
        let generation = if entry.remote.foreign {
            None
        } else {
            // Each end numbers in its own parity, so that the two never mean different things by one number.
            self.attempts += 1;
            Some(self.attempts * 2 + u32::from(entry.device.as_deref() > self.link.device()))
        };
        self.say_state(at);
        let connection = self.connect(now, at, generation, true, beside);
        self.place(at, connection, beside);
    }

    fn place(&mut self, at: usize, connection: Connection, beside: bool) {
        let entry = &mut self.entries[at];
        let slot = if beside { &mut entry.second } else { &mut entry.primary };
        let dropped = slot.replace(connection).map(|dropped| dropped.id);
        self.disconnect(dropped);
    }

    fn connect(
        &mut self,
        now: Now,
        at: usize,
        generation: Option<u32>,
        offerer: bool,
        relay: bool,
    ) -> Connection {
        let connection = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let ice_servers = self.ice_servers.clone().unwrap_or_default();
        let relayed = ice_servers.iter().any(is_relay);
        let remote = &self.entries[at].remote;
        self.effects.push_back(Effect::Connect {
            connection,
            member: remote.member.clone(),
            ice_servers,
            relay_only: self.config.relay.is_some() || relay && offerer && relayed,
            offerer,
            foreign: remote.foreign,
        });
        Connection::new(now, connection, generation, offerer)
    }

    // Signals of the remote.

    pub(crate) fn handle_description(
        &mut self,
        now: Now,
        at: usize,
        generation: Option<u32>,
        description: Description,
    ) {
        let polite = self.is_polite(at);
        let entry = &mut self.entries[at];
        let known = entry.generation_mut(generation);
        let yields = known.as_ref().is_some_and(|connection| yields(connection, &description));
        if let Some(connection) = known.filter(|_| !yields) {
            let id = connection.id;
            let mut acts = Vec::new();
            let crosses = is_offer(&description) && !polite;
            connection.negotiation.remote_description(description, polite, &mut acts);
            if crosses {
                connection.insist(now, &mut acts);
            }
            return self.perform(now, at, id, acts);
        }
        if is_offer(&description) {
            self.take_offer(now, at, generation, description, polite);
        }
    }

    /// An offer that begins a connection.
    fn take_offer(&mut self, now: Now, at: usize, generation: Option<u32>, offer: Description, polite: bool) {
        let own_parity = self.entries[at].device.as_deref() > self.link.device();
        let entry = &mut self.entries[at];
        if let Some(generation) = generation {
            let own = (generation % 2 == 1) == own_parity;
            if own || generation <= entry.floor {
                return;
            }
        } else if !entry.remote.foreign {
            return;
        }
        // Where offers cross, one gives way; but an offer that has gone unanswered crosses nothing.
        let crossing = |own: &Connection| own.unanswered() && now.since(own.life.started) < ANSWER;
        let crossed = entry.connections().find(|own| crossing(own)).map(|own| own.id);
        if let Some(id) = crossed.filter(|_| !polite) {
            return self.insist(now, at, id);
        }
        entry.floor = generation.unwrap_or(0);
        entry.awaited = now;
        entry.revive(now);
        let beside =
            !entry.remote.foreign && entry.primary.as_ref().is_some_and(|primary| !primary.unanswered());
        self.say_state(at);
        let connection = self.connect(now, at, generation, false, beside);
        let id = connection.id;
        self.place(at, connection, beside);
        self.handle_description(now, at, generation, offer);
        debug_assert!(self.entry_with(id).is_some(), "an answerer never yields");
    }

    pub(crate) fn handle_candidate(
        &mut self,
        now: Now,
        at: usize,
        generation: Option<u32>,
        candidate: Candidate,
    ) {
        let Some(connection) = self.entries[at].generation_mut(generation) else { return };
        let id = connection.id;
        let mut acts = Vec::new();
        connection.negotiation.remote_candidate(candidate, &mut acts);
        self.perform(now, at, id, acts);
    }

    fn insist(&mut self, now: Now, at: usize, id: ConnectionId) {
        let mut acts = Vec::new();
        if let Some(own) = self.entries[at].connection_mut(id) {
            own.insist(now, &mut acts);
        }
        self.perform(now, at, id, acts);
    }

    /// Who gives way when two offers cross. Both ends come to opposite answers, whoever joined first.
    pub(crate) fn is_polite(&self, at: usize) -> bool {
        let entry = &self.entries[at];
        let own = (Some(&self.config.session), self.link.device());
        entry.remote.foreign || own < (entry.session.as_ref(), entry.device.as_deref())
    }

    // What a connection reports.

    pub(crate) fn handle_event(&mut self, now: Now, at: usize, id: ConnectionId, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Data(text) => self.handle_data(now, at, id, &text),
            ConnectionEvent::DataOpen => self.handle_data_open(now, at, id),
            ConnectionEvent::Stats(stats) => self.handle_stats(at, id, &stats),
            ConnectionEvent::ConnectionState(state) => self.handle_state(now, at, id, state),
            ConnectionEvent::Failed { what: Step::Connect } => self.handle_broken(now, at, id),
            event => self.negotiate(now, at, id, event),
        }
    }

    fn negotiate(&mut self, now: Now, at: usize, id: ConnectionId, event: ConnectionEvent) {
        let Some(connection) = self.entries[at].connection_mut(id) else { return };
        let (negotiation, mut acts) = (&mut connection.negotiation, Vec::new());
        match event {
            // An answerer has nothing to offer before the first offer has given it its transceivers.
            ConnectionEvent::NegotiationNeeded if !connection.offerer && !negotiation.agreed() => {}
            ConnectionEvent::NegotiationNeeded => negotiation.needed(&mut acts),
            ConnectionEvent::LocalDescription(description) => negotiation.local_set(description, &mut acts),
            ConnectionEvent::RemoteDescriptionSet => {
                negotiation.remote_set(&mut acts);
                connection.life.restarts(now);
            }
            ConnectionEvent::Candidate(candidate) => negotiation.local_candidate(candidate, &mut acts),
            ConnectionEvent::Failed { what: Step::LocalDescription } => negotiation.local_failed(&mut acts),
            ConnectionEvent::Failed { what: Step::RemoteDescription } => negotiation.remote_failed(&mut acts),
            ConnectionEvent::FirstFrame => connection.life.framed(now),
            _ => {}
        }
        self.perform(now, at, id, acts);
    }

    fn handle_state(&mut self, now: Now, at: usize, id: ConnectionId, state: ConnectionState) {
        if let Some(connection) = self.entries[at].connection_mut(id) {
            connection.life.state_changed(now, state);
        }
    }

    fn handle_data_open(&mut self, now: Now, at: usize, id: ConnectionId) {
        if let Some(connection) = self.entries[at].connection_mut(id) {
            connection.life.opened(now);
        }
        self.say_state(at);
    }

    fn handle_data(&mut self, now: Now, at: usize, id: ConnectionId, text: &str) {
        if let Some(connection) = self.entries[at].connection_mut(id) {
            connection.life.heard(now);
        }
        if text == BEAT_TEXT || text.len() > TEXT {
            return;
        }
        match Envelope::parse(text).map(|envelope| envelope.body) {
            Ok(Body::State(state)) => self.entries[at].tell(state),
            Ok(Body::Bye) => self.handle_bye(now, at),
            Ok(_) | Err(_) => {}
        }
    }

    fn handle_stats(&mut self, at: usize, id: ConnectionId, stats: &Stats) {
        let entry = &mut self.entries[at];
        let told = entry.told_path;
        let Some(primary) = entry.primary.as_mut().filter(|primary| primary.id == id) else { return };
        entry.remote.quality = Some(primary.score.report(stats));
        entry.remote.path = joint_path(stats, told);
        if entry.own_path != stats.path {
            entry.own_path = stats.path;
            self.say_state(at);
        }
    }

    // Doing what a negotiation asks for.

    pub(crate) fn perform(&mut self, now: Now, at: usize, connection: ConnectionId, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::SetLocal => self.effects.push_back(Effect::SetLocalDescription { connection }),
                Act::SetRemote(description) => {
                    self.effects.push_back(Effect::SetRemoteDescription { connection, description });
                }
                Act::Add(candidate) => self.effects.push_back(Effect::AddCandidate { connection, candidate }),
                Act::SendDescription(description) => self.send_description(now, at, connection, description),
                Act::SendCandidate(candidate) => self.send_on(at, connection, Body::Candidate(candidate)),
                Act::Broken => return self.handle_broken(now, at, connection),
            }
        }
    }

    fn send_description(&mut self, now: Now, at: usize, id: ConnectionId, description: Description) {
        if let Some(connection) = self.entries[at].connection_mut(id) {
            connection.offered = now;
        }
        self.send_on(at, id, Body::Sdp(description));
    }

    fn send_on(&mut self, at: usize, id: ConnectionId, body: Body) {
        let generation = self.entries[at].connection_mut(id).and_then(|connection| connection.generation);
        self.send(at, generation, body);
    }

    fn send(&mut self, at: usize, generation: Option<u32>, body: Body) {
        let entry = &self.entries[at];
        let envelope = Envelope {
            to: Some(entry.remote.member.clone()),
            session: Some(self.config.session.clone()),
            for_session: entry.session.clone(),
            generation,
            body,
        };
        self.link.publish(&envelope, &mut self.effects);
    }

    /// A description could not be set. The next connection begins anew; a third such in a row waits.
    fn handle_broken(&mut self, now: Now, at: usize, id: ConnectionId) {
        self.effects.push_back(Effect::Report("connection: a description could not be set".to_owned()));
        let entry = &mut self.entries[at];
        let offer =
            entry.connection_mut(id).and_then(|connection| connection.negotiation.failed_offer().cloned());
        let second = entry.second.take_if(|second| second.id == id).is_some();
        if !second {
            entry.primary = entry.second.take();
        }
        entry.awaited = now;
        entry.broken.retain(|&at| now.since(at) < BROKEN_WITHIN);
        entry.broken.push(now);
        let again = entry.broken.len() < BROKEN;
        let foreign = entry.remote.foreign;
        self.disconnect([id]);
        match offer {
            _ if second || !again || self.entries[at].primary.is_some() => {}
            Some(offer) if foreign => self.take_offer(now, at, None, offer, true),
            _ => self.entries[at].offers = true,
        }
    }

    // What this side says of itself.

    pub(crate) fn tell_all(&mut self) {
        (0..self.entries.len()).for_each(|at| self.say_state(at));
    }

    /// Says the state over the data channel, or through the room where none is open.
    pub(crate) fn say_state(&mut self, at: usize) {
        let entry = &self.entries[at];
        if entry.remote.foreign {
            return;
        }
        let body = Body::State(media::state(&self.config, entry.own_path));
        let open: Vec<_> = entry.open_channels().collect();
        if open.is_empty() {
            return self.send(at, None, body);
        }
        for connection in open {
            self.send_data(connection, body.clone());
        }
    }

    fn send_data(&mut self, connection: ConnectionId, body: Body) {
        let text = Envelope::bare(body).to_json();
        self.effects.push_back(Effect::SendData { connection, text });
    }

    pub(crate) fn say_goodbye(&mut self) {
        let open: Vec<_> = self.entries.iter().flat_map(Entry::open_channels).collect();
        for connection in open {
            self.send_data(connection, Body::Bye);
        }
        let envelope = Envelope { session: Some(self.config.session.clone()), ..Envelope::bare(Body::Bye) };
        self.link.publish(&envelope, &mut self.effects);
    }

    /// The way through the room is open again: what may have been lost on it goes out once more.
    pub(crate) fn say_again(&mut self, now: Now, at: usize) {
        self.say_state(at);
        let entry = &mut self.entries[at];
        let mut again = Vec::new();
        for connection in entry.connections_mut() {
            if connection.negotiation.waits_for_answer() || !connection.stands() {
                let mut acts = Vec::new();
                connection.negotiation.send_again(&mut acts);
                again.push((connection.id, acts));
            }
        }
        for (id, acts) in again {
            self.perform(now, at, id, acts);
        }
    }
}

/// An own first offer crosses one of the remote. Transceivers were made on both sides then; the one that
/// gives way begins anew instead of rolling back, so that they do not double.
fn yields(connection: &Connection, description: &Description) -> bool {
    connection.unanswered() && is_offer(description)
}

fn is_relay(server: &visavis_signal::outbound::IceServer) -> bool {
    server.urls.iter().any(|url| url.starts_with("turn:") || url.starts_with("turns:"))
}
