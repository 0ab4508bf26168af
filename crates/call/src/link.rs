//! The signaling link: handshake, callbacks, resume, reconnects, and the credentials for the relay.

mod reply;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use visavis_clock::Now;
use visavis_signal::{
    call::Envelope,
    outbound::{IceServer, Outbound},
};

use crate::{Effect, LINK_PATH, LinkState, Problem, frame, roster::Present};

/// How long a link may take to open, and a request to be answered.
const ANSWER: Duration = Duration::from_secs(10);
/// The same when there is reason to doubt the link.
const DOUBT: Duration = Duration::from_secs(1);
/// Silence after which the link is asked whether it lives: a browser sees no WebSocket pings.
const SILENCE: Duration = Duration::from_secs(20);
/// How often the number inside is asked for in the lobby.
const PEEK: Duration = Duration::from_secs(5);
/// The longest pause between two attempts, in seconds.
const LONGEST_PAUSE: u32 = 15;

/// What the link tells the call.
#[derive(Debug)]
pub(crate) enum Told {
    /// The handshake is done; the own member id is known, and may be another than before.
    Ready,
    Members(Vec<Present>),
    Joined(Present),
    Left(String),
    Signal {
        from: String,
        envelope: Envelope,
    },
    IceServers(Vec<IceServer>),
    /// The server has none to give.
    NoIceServers,
    Inside(usize),
    Refused(Problem),
    /// The server said something that makes no sense here.
    Odd(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Closed { retry: Now },
    Opening { until: Now },
    Shaking,
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Handshake,
    IceServers,
    Subscribe,
    Peek,
}

type Effects = VecDeque<Effect>;

/// The signaling link of one call.
#[derive(Debug)]
pub(crate) struct Link {
    room: String,
    device_secret: String,
    /// The own device's name, once the server has told it.
    device: Option<String>,
    stage: Stage,
    /// Was open before: being tried again is *away*, not *opening*.
    known: bool,
    attempt: u32,
    random: ChaCha8Rng,
    next_callback: i64,
    asked: BTreeMap<i64, (Request, Now)>,
    resume: Option<String>,
    member: Option<String>,
    wants_room: bool,
    wants_peek: bool,
    /// The members of the room have been told on this connection.
    inside: bool,
    /// They have been told on some connection: a refusal later on is not the end.
    entered: bool,
    heard: Now,
    peek_at: Now,
    renew_at: Option<Now>,
}

impl Link {
    pub(crate) fn new(now: Now, room: String, device_secret: String, seed: [u8; 32]) -> Self {
        Self {
            room,
            device_secret,
            device: None,
            stage: Stage::Idle,
            known: false,
            attempt: 0,
            random: ChaCha8Rng::from_seed(seed),
            next_callback: 1,
            asked: BTreeMap::new(),
            resume: None,
            member: None,
            wants_room: false,
            wants_peek: false,
            inside: false,
            entered: false,
            heard: now,
            peek_at: now,
            renew_at: None,
        }
    }

    /// The own member id, once the server has given one.
    pub(crate) fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }

    /// The name by which others know this device, once the server has told it: before it tells of them.
    pub(crate) fn device(&self) -> Option<&str> {
        self.device.as_deref()
    }

    /// Signals reach the room.
    pub(crate) fn ready(&self) -> bool {
        self.stage == Stage::Open && self.inside
    }

    pub(crate) fn state(&self) -> LinkState {
        match self.stage {
            Stage::Idle => LinkState::Idle,
            Stage::Open => LinkState::Open,
            _ if self.known => LinkState::Away,
            _ => LinkState::Opening,
        }
    }

    pub(crate) fn peek(&mut self, now: Now, effects: &mut Effects) {
        self.wants_peek = true;
        self.peek_at = now;
        self.open(now, effects);
        self.timeout(now, effects);
    }

    pub(crate) fn enter(&mut self, now: Now, effects: &mut Effects) {
        self.wants_room = true;
        self.wants_peek = false;
        if self.stage == Stage::Open {
            self.subscribe(now, effects);
        }
        self.open(now, effects);
    }

    /// Leaves the room, if inside, and closes.
    pub(crate) fn close(&mut self, effects: &mut Effects) {
        if self.stage == Stage::Open && self.wants_room {
            let callback = self.callback();
            effects.push_back(Effect::SendFrame(frame::unsubscribe(&self.room, callback)));
        }
        self.wants_room = false;
        self.wants_peek = false;
        self.known = false;
        self.entered = false;
        self.attempt = 0;
        self.drop_link(effects);
        self.stage = Stage::Idle;
    }

    fn open(&mut self, now: Now, effects: &mut Effects) {
        if matches!(self.stage, Stage::Idle | Stage::Closed { .. }) {
            self.stage = Stage::Opening { until: now + ANSWER };
            effects.push_back(Effect::OpenLink { path: LINK_PATH });
        }
    }

    fn drop_link(&mut self, effects: &mut Effects) {
        if !matches!(self.stage, Stage::Idle | Stage::Closed { .. }) {
            effects.push_back(Effect::CloseLink);
        }
        self.asked.clear();
        self.inside = false;
    }

    /// The socket is open: everything that is wanted goes out at once, the server answers in order.
    pub(crate) fn opened(&mut self, now: Now, effects: &mut Effects) {
        if !matches!(self.stage, Stage::Opening { .. }) {
            return;
        }
        self.stage = Stage::Shaking;
        self.heard = now;
        let callback = self.ask(now, Request::Handshake);
        let handshake = frame::handshake(&self.device_secret, self.resume.as_deref(), callback);
        effects.push_back(Effect::SendFrame(handshake));
        self.ask_ice_servers(now, effects);
        if self.wants_room {
            self.subscribe(now, effects);
        }
        if self.wants_peek {
            self.ask_peek(now, effects);
        }
    }

    pub(crate) fn closed(&mut self, now: Now, effects: &mut Effects) {
        if matches!(self.stage, Stage::Idle | Stage::Closed { .. }) {
            return;
        }
        self.asked.clear();
        self.inside = false;
        let pause = self.pause();
        self.stage = Stage::Closed { retry: now + pause };
        if pause.is_zero() {
            self.open(now, effects);
        }
    }

    /// None before the first attempt, then longer each time, so that a server that comes back is not run
    /// over by all its pages at once.
    fn pause(&mut self) -> Duration {
        let attempt = self.attempt;
        self.attempt = attempt.saturating_add(1);
        if attempt == 0 {
            return Duration::ZERO;
        }
        let longest = LONGEST_PAUSE.min(1 << (attempt - 1).min(8));
        Duration::from_millis(u64::from(longest) * u64::from(500 + self.random.next_u32() % 500))
    }

    fn reopen(&mut self, now: Now, effects: &mut Effects) {
        self.drop_link(effects);
        self.closed(now, effects);
    }

    fn callback(&mut self) -> i64 {
        self.next_callback += 1;
        self.next_callback - 1
    }

    fn ask(&mut self, now: Now, request: Request) -> i64 {
        let callback = self.callback();
        self.asked.insert(callback, (request, now + ANSWER));
        callback
    }

    fn asks(&self, request: Request) -> bool {
        self.asked.values().any(|(asked, _)| *asked == request)
    }

    fn subscribe(&mut self, now: Now, effects: &mut Effects) {
        let callback = self.ask(now, Request::Subscribe);
        effects.push_back(Effect::SendFrame(frame::subscribe(&self.room, callback)));
    }

    fn ask_ice_servers(&mut self, now: Now, effects: &mut Effects) {
        self.renew_at = None;
        let callback = self.ask(now, Request::IceServers);
        effects.push_back(Effect::SendFrame(frame::ice_servers(callback)));
    }

    fn ask_peek(&mut self, now: Now, effects: &mut Effects) {
        self.peek_at = now + PEEK;
        let callback = self.ask(now, Request::Peek);
        effects.push_back(Effect::SendFrame(frame::peek(&self.room, callback)));
    }

    pub(crate) fn publish(&self, envelope: &Envelope, effects: &mut Effects) {
        if self.ready() {
            effects.push_back(Effect::SendFrame(frame::publish(&self.room, envelope)));
        }
    }

    /// The network is said to be back: try at once, and do not trust a link that seems open.
    pub(crate) fn online(&mut self, now: Now, effects: &mut Effects) {
        match self.stage {
            Stage::Idle => {}
            Stage::Closed { .. } => {
                self.attempt = 0;
                self.open(now, effects);
            }
            Stage::Opening { .. } | Stage::Shaking => self.attempt = 0,
            Stage::Open => self.doubt(now, effects),
        }
    }

    /// Asks whether the link lives, with little patience: to reopen one that did is cheap.
    pub(crate) fn doubt(&mut self, now: Now, effects: &mut Effects) {
        if self.stage == Stage::Open {
            self.ask_peek(now, effects);
            for (_, until) in self.asked.values_mut() {
                *until = (*until).min(now + DOUBT);
            }
        }
    }

    /// A frame came. What it means for the call, if anything.
    pub(crate) fn frame(&mut self, now: Now, text: &str, effects: &mut Effects) -> Option<Told> {
        self.heard = now;
        let Ok(message) = Outbound::parse(text) else {
            return Some(Told::Odd("a frame that is not understood"));
        };
        let (room, told) = match message {
            Outbound::Reply(reply) => return self.reply(now, reply, effects),
            Outbound::ObservableMembers(members) => {
                self.entered(&members.room);
                let present = members.data.iter().map(frame::present).collect();
                (members.room, Told::Members(present))
            }
            Outbound::ObservableMemberJoin(change) => {
                (change.room, Told::Joined(frame::present(&change.data)))
            }
            Outbound::ObservableMemberLeave(change) => (change.room, Told::Left(change.data.id.into_owned())),
            Outbound::Publish(published) => {
                let from = published.client_id?.into_owned();
                let told = Envelope::parse(published.message.get()).map_or(
                    Told::Odd("a signal that is not understood"),
                    |envelope| Told::Signal { from, envelope },
                );
                (published.room, told)
            }
            Outbound::HistoryMessage(_) => return None,
        };
        (room == self.room && self.ready()).then_some(told)
    }

    fn entered(&mut self, room: &str) {
        if room == self.room && self.wants_room {
            self.inside = true;
            self.entered = true;
            self.attempt = 0;
        }
    }

    pub(crate) fn timeout(&mut self, now: Now, effects: &mut Effects) {
        match self.stage {
            Stage::Idle => {}
            Stage::Closed { retry } if retry <= now => self.open(now, effects),
            Stage::Opening { until } if until <= now => self.reopen(now, effects),
            Stage::Closed { .. } | Stage::Opening { .. } => {}
            Stage::Shaking | Stage::Open => self.tend(now, effects),
        }
    }

    fn tend(&mut self, now: Now, effects: &mut Effects) {
        if self.asked.values().any(|&(_, until)| until <= now) {
            return self.reopen(now, effects);
        }
        if self.stage != Stage::Open {
            return;
        }
        if self.renew_at.is_some_and(|at| at <= now) {
            self.ask_ice_servers(now, effects);
        }
        let peeks = self.wants_peek && self.peek_at <= now;
        let silent = now.since(self.heard) >= SILENCE;
        if (peeks || silent) && !self.asks(Request::Peek) {
            self.ask_peek(now, effects);
        }
    }

    pub(crate) fn wake(&self) -> Option<Now> {
        match self.stage {
            Stage::Idle => None,
            Stage::Closed { retry } => Some(retry),
            Stage::Opening { until } => Some(until),
            Stage::Shaking | Stage::Open => {
                let asked = self.asked.values().map(|&(_, until)| until);
                let mut wake = asked.chain(self.renew_at).min();
                if !self.asks(Request::Peek) && self.stage == Stage::Open {
                    let silence = self.heard + SILENCE;
                    let peek = if self.wants_peek { silence.min(self.peek_at) } else { silence };
                    wake = Some(wake.map_or(peek, |wake| wake.min(peek)));
                }
                wake
            }
        }
    }
}
