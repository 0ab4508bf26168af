//! The call itself: facts in, effects out.

use std::collections::VecDeque;

use visavis_clock::Now;
use visavis_signal::{OBSERVABLE_PREFIX, outbound::IceServer};

use crate::{
    Config, ConnectionEvent, ConnectionId, Effect, LinkState, Phase, Remote, RemoteState,
    connection::Connection,
    link::Link,
    roster::{Entry, Members},
};

/// One person's part in one room, from the lobby to the end.
pub struct Call {
    pub(crate) config: Config,
    pub(crate) stage: Stage,
    pub(crate) link: Link,
    pub(crate) members: Members,
    /// Every member id that the server has given this page.
    pub(crate) own_ids: Vec<String>,
    /// Members of this device that were inside before this page: its own ghosts.
    pub(crate) ghosts: Vec<String>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) ice_servers: Option<Vec<IceServer>>,
    /// Until when connections wait for the servers.
    pub(crate) ice_until: Now,
    pub(crate) next_connection: u32,
    pub(crate) attempts: u32,
    pub(crate) inside: Option<usize>,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) wake: Option<Now>,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Lobby,
    /// On the way in; the members are not known yet.
    Entering,
    Inside,
    Ended(Phase),
}

impl Call {
    /// A call in the lobby. `seed` feeds the jitter of reconnects and nothing secret.
    #[must_use]
    pub fn new(now: Now, config: Config, seed: [u8; 32]) -> Self {
        let room = format!("{OBSERVABLE_PREFIX}{}", config.room);
        Self {
            link: Link::new(now, room, config.device_secret.clone(), seed),
            config,
            stage: Stage::Lobby,
            members: Members::default(),
            own_ids: Vec::new(),
            ghosts: Vec::new(),
            entries: Vec::new(),
            ice_servers: None,
            ice_until: now,
            next_connection: 0,
            attempts: 0,
            inside: None,
            effects: VecDeque::new(),
            wake: None,
        }
    }

    /// Asks how many are inside, now and every few seconds while in the lobby. Opens the link.
    pub fn peek(&mut self, now: Now) {
        if self.stage == Stage::Lobby {
            self.link.peek(now, &mut self.effects);
        }
        self.settle(now);
    }

    /// Goes in. Only from the lobby; elsewhere nothing happens.
    pub fn join(&mut self, now: Now) {
        if self.stage == Stage::Lobby {
            self.enter(now);
        }
        self.settle(now);
    }

    fn enter(&mut self, now: Now) {
        self.stage = Stage::Entering;
        self.link.enter(now, &mut self.effects);
    }

    /// Says goodbye, closes everything, and ends in [`Phase::Left`]. Also to be called on `pagehide`: its
    /// effects can all be run at once.
    pub fn leave(&mut self, now: Now) {
        self.end(now, Phase::Left);
        self.settle(now);
    }

    /// Starts over from left, lost, full, replaced or error; while reconnecting, tries everything at once.
    pub fn retry(&mut self, now: Now) {
        match self.stage {
            Stage::Lobby => {}
            Stage::Ended(_) => {
                // The server may have some by now.
                self.ice_servers.take_if(|servers| servers.is_empty());
                self.enter(now);
            }
            Stage::Entering | Stage::Inside => self.try_everything(now),
        }
        self.settle(now);
    }

    /// The microphone was switched. Tells the remotes; the tracks are the driver's.
    pub fn set_microphone(&mut self, now: Now, on: bool) {
        self.config.wishes.microphone = on;
        self.tell_all();
        self.settle(now);
    }

    /// The camera was switched. Tells the remotes; the tracks are the driver's.
    pub fn set_camera(&mut self, now: Now, on: bool) {
        self.config.wishes.camera = on;
        self.tell_all();
        self.settle(now);
    }

    /// The person's name changed.
    pub fn set_name(&mut self, now: Now, name: &str) {
        name.clone_into(&mut self.config.name);
        self.tell_all();
        self.settle(now);
    }

    /// The link asked for by [`Effect::OpenLink`] is open.
    pub fn handle_link_opened(&mut self, now: Now) {
        self.link.opened(now, &mut self.effects);
        self.settle(now);
    }

    /// A frame came on the link. Nonsense is reported and otherwise ignored.
    pub fn handle_link_frame(&mut self, now: Now, text: &str) {
        if let Some(told) = self.link.frame(now, text, &mut self.effects) {
            self.handle_told(now, told);
        }
        self.settle(now);
    }

    /// The link could not be opened, or closed.
    pub fn handle_link_closed(&mut self, now: Now) {
        self.link.closed(now, &mut self.effects);
        self.settle(now);
    }

    /// Something happened to a connection.
    pub fn handle_connection(&mut self, now: Now, connection: ConnectionId, event: ConnectionEvent) {
        if let Some(at) = self.entry_with(connection) {
            self.handle_event(now, at, connection, event);
        }
        self.settle(now);
    }

    /// The browser says that the network is back (`online`), or the page became visible: the link is asked
    /// whether it lives, and connections without a heartbeat in the next moment restart.
    pub fn handle_online(&mut self, now: Now) {
        self.try_everything(now);
        self.settle(now);
    }

    /// The time that [`Call::poll_timeout`] named has come. Harmless at any other time.
    pub fn handle_timeout(&mut self, now: Now) {
        self.link.timeout(now, &mut self.effects);
        self.settle(now);
    }

    /// When the call wants to be woken.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Now> {
        self.wake
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Where the call stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Lobby => Phase::Lobby,
            Stage::Entering => Phase::Connecting,
            Stage::Ended(phase) => phase,
            Stage::Inside => self.phase_inside(),
        }
    }

    fn phase_inside(&self) -> Phase {
        use RemoteState::{Connected, Connecting, Reconnecting, Unstable};
        let any = |states: &[RemoteState]| self.remotes().any(|remote| states.contains(&remote.state));
        if self.entries.is_empty() {
            if self.link.state() == LinkState::Away { Phase::Reconnecting } else { Phase::Waiting }
        } else if any(&[Connected, Unstable]) {
            Phase::InCall
        } else if any(&[Reconnecting]) {
            Phase::Reconnecting
        } else if any(&[Connecting]) {
            Phase::Connecting
        } else {
            Phase::Lost
        }
    }

    /// The others, in the order in which they came.
    pub fn remotes(&self) -> impl Iterator<Item = &Remote> {
        self.entries.iter().map(|entry| &entry.remote)
    }

    /// How many are inside, while in the lobby, once known.
    #[must_use]
    pub fn inside(&self) -> Option<usize> {
        self.inside.filter(|_| self.stage == Stage::Lobby)
    }

    /// How the signaling link is.
    #[must_use]
    pub fn link(&self) -> LinkState {
        self.link.state()
    }

    pub(crate) fn connections_mut(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.entries.iter_mut().flat_map(Entry::connections_mut)
    }

    /// Says goodbye to everyone and lets everything go.
    pub(crate) fn end(&mut self, now: Now, phase: Phase) {
        if matches!(self.stage, Stage::Ended(_)) {
            return;
        }
        if phase != Phase::Full {
            self.say_goodbye();
        }
        self.link.close(&mut self.effects);
        while let Some(at) = self.entries.len().checked_sub(1) {
            self.remove(now, at);
        }
        self.members = Members::default();
        self.ghosts.clear();
        self.stage = Stage::Ended(phase);
    }

    /// After every fact: look after what is due, and say when to be woken.
    fn settle(&mut self, now: Now) {
        self.tend(now);
        let entries = self.entries.iter().map(|entry| entry.wake(now));
        let ice = (!self.entries.is_empty() && self.ice_until > now).then_some(self.ice_until);
        self.wake = entries.chain(ice).chain(self.link.wake()).min();
    }
}
