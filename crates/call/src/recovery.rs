//! Signs of life, and what their absence asks for.
//!
//! Silence of media proves nothing: the camera may be off and the microphone muted. So each end sends a
//! heartbeat on the data channel. A page without one (a tutorial's) is judged by its connection state.

use std::time::Duration;

use visavis_clock::Now;

use crate::ConnectionState;

/// How often a heartbeat goes out.
pub(crate) const BEAT: Duration = Duration::from_millis(500);
/// The text of a heartbeat.
pub(crate) const BEAT_TEXT: &str = r#"{"beat":true}"#;
/// Silence after which the way counts as unstable.
pub(crate) const UNSTABLE: Duration = Duration::from_secs(1);
/// Silence after which ICE restarts.
pub(crate) const RESTART: Duration = Duration::from_secs(2);
/// How long a living heartbeat has to prove itself when the network is said to have changed.
pub(crate) const PROOF: Duration = Duration::from_millis(700);
/// How long the browser's own word that packets do not come through waits for a goodbye that explains it.
pub(crate) const APART: Duration = Duration::from_millis(300);
/// How long a restart is given before the next.
pub(crate) const RESTART_AGAIN: Duration = Duration::from_secs(5);
/// Silence after which a second connection is tried over the relay, beside the first.
pub(crate) const SECOND: Duration = Duration::from_secs(8);
/// How much longer the polite end waits with it, so that the two ends seldom try at once.
pub(crate) const SECOND_POLITE: Duration = Duration::from_millis(9500);
/// How long a second connection is given.
pub(crate) const SECOND_GIVEN: Duration = Duration::from_secs(12);
/// How long after one second connection the next is tried.
pub(crate) const SECOND_AGAIN: Duration = Duration::from_secs(14);
/// How long an offer to begin with may go unanswered before another is made.
pub(crate) const UNANSWERED: Duration = Duration::from_secs(12);
/// Silence after which the call with this remote is given up; also how long one that left the room
/// without a goodbye may go on.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(60);
/// Silence after which a remote that left the room without a goodbye is gone.
pub(crate) const GONE: Duration = Duration::from_secs(5);
/// How long an offer may go unanswered before it is sent again.
pub(crate) const ANSWER: Duration = Duration::from_secs(4);
/// How long two offers may take to cross.
pub(crate) const CROSSING: Duration = Duration::from_millis(300);
/// How long the earlier of two waits for the later one's offer before it makes its own.
pub(crate) const OFFER: Duration = Duration::from_secs(5);
/// How long media may take to show after the connection stands.
pub(crate) const FIRST_FRAME: Duration = Duration::from_secs(3);

/// When one connection was last known to live.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) started: Now,
    foreign: bool,
    state: ConnectionState,
    /// Since when `state` is not `connected`.
    apart: Now,
    data_open: bool,
    heard: Now,
    beaten: Now,
    beats: u32,
    /// When it first stood.
    pub(crate) stood: Option<Now>,
    pub(crate) first_frame: bool,
    restarted: Option<Now>,
    nudged: Option<Now>,
}

impl Life {
    pub(crate) fn new(now: Now, foreign: bool) -> Self {
        Self {
            started: now,
            foreign,
            state: ConnectionState::New,
            apart: now,
            data_open: false,
            heard: now,
            beaten: now,
            beats: 0,
            stood: None,
            first_frame: false,
            restarted: None,
            nudged: None,
        }
    }

    pub(crate) fn state_changed(&mut self, now: Now, state: ConnectionState) {
        if self.state == ConnectionState::Connected && state != ConnectionState::Connected {
            self.apart = now;
        }
        self.state = state;
        if state == ConnectionState::Connected {
            self.stands(now);
            if !self.data_open {
                self.calm();
            }
        }
    }

    pub(crate) fn opened(&mut self, now: Now) {
        self.data_open = true;
        self.heard = now;
        self.stands(now);
    }

    pub(crate) fn framed(&mut self, now: Now) {
        self.first_frame = true;
        self.stands(now);
    }

    fn stands(&mut self, now: Now) {
        self.stood.get_or_insert(now);
    }

    pub(crate) fn heard(&mut self, now: Now) {
        self.heard = now;
        if self.state == ConnectionState::Connected {
            self.calm();
        }
    }

    fn calm(&mut self) {
        self.restarted = None;
        self.nudged = None;
    }

    pub(crate) fn data_open(&self) -> bool {
        self.data_open
    }

    /// The time that passed unseen, because this side slept, is not the remote's silence.
    pub(crate) fn forgive(&mut self, now: Now) {
        self.heard = self.heard.max(now - UNSTABLE);
        self.apart = self.apart.max(now - UNSTABLE);
    }

    /// For how long there has been no sign of life.
    pub(crate) fn quiet(&self, now: Now) -> Duration {
        if self.data_open {
            now.since(self.heard)
        } else if self.state == ConnectionState::Connected {
            Duration::ZERO
        } else {
            now.since(self.apart)
        }
    }

    /// It stood and there is a sign of life. A foreign page says no goodbye, so that its browser's silence is one.
    pub(crate) fn lives(&self, now: Now) -> bool {
        let gone = if self.foreign { UNSTABLE } else { GONE };
        self.stood.is_some() && self.quiet(now) < gone
    }

    pub(crate) fn broken(&self) -> bool {
        matches!(self.state, ConnectionState::Failed | ConnectionState::Closed)
    }

    /// The browser itself says that packets do not come through.
    fn is_apart(&self, now: Now) -> bool {
        let apart = self.broken() || self.state == ConnectionState::Disconnected;
        apart && now.since(self.apart) >= APART
    }

    /// Something may have changed in the network: unless a heartbeat comes soon, do not wait for the
    /// silence to last.
    pub(crate) fn nudge(&mut self, now: Now) {
        if !self.foreign {
            self.nudged = Some(now);
            self.restarted = None;
        }
    }

    /// Whether ICE should restart now; says yes once per attempt.
    pub(crate) fn restart(&mut self, now: Now) -> bool {
        let unproven = self.nudged.is_some_and(|at| now.since(at) >= PROOF);
        let wanted = unproven || self.asks_restart(now);
        let recent = self.restarted.is_some_and(|at| now.since(at) < RESTART_AGAIN);
        if self.stood.is_none() || !wanted || recent {
            return false;
        }
        self.nudged = None;
        self.restarted = Some(now);
        true
    }

    /// The two ends have agreed anew, whoever began: that has to have its chance.
    pub(crate) fn restarts(&mut self, now: Now) {
        if self.stood.is_some() && self.quiet(now) >= BEAT {
            self.restarted = Some(now);
            self.nudged = None;
        }
    }

    fn asks_restart(&self, now: Now) -> bool {
        let silent = self.quiet(now) >= RESTART;
        if self.foreign { self.broken() || silent } else { self.is_apart(now) || silent }
    }

    /// Restarting has had its chance, or never had one.
    pub(crate) fn beyond_restart(&self, now: Now) -> bool {
        self.broken()
            && (self.stood.is_none() || self.restarted.is_some_and(|at| now.since(at) >= RESTART_AGAIN))
    }

    /// Whether a heartbeat is due; every tenth says so with `true`, to carry the state along.
    pub(crate) fn beat(&mut self, now: Now) -> Option<bool> {
        if !self.data_open || now.since(self.beaten) < BEAT {
            return None;
        }
        self.beaten = now;
        self.beats = self.beats.wrapping_add(1);
        Some(self.beats.is_multiple_of(10))
    }

    /// The first moment after `now` at which something of the above may become true.
    pub(crate) fn wake(&self, now: Now) -> Now {
        let since = if self.data_open { self.heard } else { self.apart };
        let silences =
            [UNSTABLE, RESTART, GONE, SECOND, SECOND_POLITE, GIVE_UP].map(|silence| since + silence);
        let others = [
            self.apart + APART,
            self.started + SECOND_GIVEN,
            self.started + UNANSWERED,
            self.stood.map_or(now, |stood| stood + FIRST_FRAME),
            self.nudged.map_or(now, |nudged| nudged + PROOF),
            self.restarted.map_or(now, |restarted| restarted + RESTART_AGAIN),
            if self.data_open { self.beaten + BEAT } else { now },
        ];
        let next = silences.into_iter().chain(others).filter(|&at| at > now).min();
        next.unwrap_or(now + SECOND)
    }
}
