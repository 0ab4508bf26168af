//! The call as the views read it.

use std::cell::Cell;

use crate::signals::{GetUntracked, RwSignal, Set, Storage};
use visavis_call::{Call, LinkState, Phase};

use super::Session;
use crate::{
    browser::timer::{milliseconds, milliseconds_at, window},
    model::{self, Cause, Model, Screen},
};

/// What has to be remembered to show it.
#[derive(Default)]
pub(super) struct Shown {
    /// When media first flowed in this call.
    since: Cell<Option<f64>>,
    /// When it was interrupted.
    interrupted: Cell<Option<f64>>,
}

impl Shown {
    /// There is no call any more.
    pub(super) fn clear(&self, model: &Model) {
        self.since.take();
        self.interrupted.take();
        set(model.remotes, Vec::new());
        set(model.inside, None);
        set(model.link, LinkState::Idle);
        set(model.since, None);
        set(model.interrupted, None);
    }
}

impl Session {
    /// Writes every signal whose value changed.
    pub(super) fn show(&self) {
        self.frame.take();
        let model = &self.model;
        let Some(snapshot) = self.snapshot() else { return };
        set(model.inside, snapshot.inside);
        set(model.link, snapshot.link);
        set(model.remotes, snapshot.remotes);
        set(model.since, snapshot.since);
        set(model.interrupted, snapshot.interrupted);
        set(model.screen, snapshot.screen);
    }

    fn snapshot(&self) -> Option<Snapshot> {
        let call = self.call.borrow();
        let call = call.as_ref()?;
        let phase = call.phase();
        Some(Snapshot {
            screen: Screen::Room(phase),
            inside: call.inside(),
            link: call.link(),
            remotes: call.remotes().map(|remote| self.remote(remote)).collect(),
            since: self.since(phase),
            interrupted: self.interrupted(call),
        })
    }

    fn remote(&self, remote: &visavis_call::Remote) -> model::Remote {
        model::Remote {
            member: remote.member.clone(),
            name: remote.name.clone().unwrap_or_default(),
            muted: remote.muted,
            camera: remote.camera,
            stream: remote.connection.and_then(|id| self.connection(id)?.stream()),
            state: remote.state,
            path: remote.path,
            quality: remote.quality.map(|quality| quality.0.clamp(1, 4)),
        }
    }

    /// When the first media of this call arrived.
    fn since(&self, phase: Phase) -> Option<f64> {
        match phase {
            Phase::InCall | Phase::Reconnecting if self.shown.since.get().is_none() => {
                self.shown.since.set(Some(milliseconds()));
            }
            phase if !phase.is_inside() => self.shown.since.set(None),
            _ => {}
        }
        self.shown.since.get()
    }

    fn interrupted(&self, call: &Call) -> Option<(Cause, f64)> {
        if call.phase() != Phase::Reconnecting {
            self.shown.interrupted.set(None);
            return None;
        }
        let longest = call.remotes().map(|remote| milliseconds_at(remote.since)).reduce(f64::min);
        let since = self.shown.interrupted.get().or(longest).unwrap_or_else(milliseconds);
        self.shown.interrupted.set(Some(since));
        Some((cause(call.link()), since))
    }
}

struct Snapshot {
    screen: Screen,
    inside: Option<usize>,
    link: LinkState,
    remotes: Vec<model::Remote>,
    since: Option<f64>,
    interrupted: Option<(Cause, f64)>,
}

/// Signals tell every reader of every write, so only changes are written.
fn set<T, S>(signal: RwSignal<T, S>, value: T)
where
    T: PartialEq + Clone + 'static,
    S: Storage<T> + 'static,
    RwSignal<T, S>: GetUntracked<Value = T> + Set<Value = T>,
{
    if signal.get_untracked() != value {
        signal.set(value);
    }
}

fn cause(link: LinkState) -> Cause {
    if !window().navigator().on_line() {
        Cause::Network
    } else if link == LinkState::Away {
        Cause::Server
    } else {
        Cause::Remote
    }
}
