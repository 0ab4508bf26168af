//! Signaling as one thing that all its connections share: the hub, the bus, and a queue for each connection.

pub(crate) mod options;
mod outbox;
mod past;
pub(crate) mod state;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use axum::{
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use visavis_hub::{Config, Glimpse, Hub, MemoryBus, Now, Overview, Refusal, ResumeKey};

use crate::{
    channels::Channels,
    circles::Circles,
    history::{Journal, NotStored, Store},
    http::websocket,
    session::{Session, connection::Connection},
    stream::{ConnectionInfo, Stream},
};
pub(crate) use options::{Counters, SignalingOptions};
pub(crate) use outbox::{End, Hearing, Outbox};
pub(crate) use past::Past;
use state::{Opened, State};

/// How often is looked whether the clock was set.
const CLOCK: Duration = Duration::from_secs(5);

/// The signaling of this server.
pub(crate) struct Signaling {
    pub(crate) options: SignalingOptions,
    /// Who is in a call with whom.
    pub(crate) circles: Arc<Circles>,
    channels: RwLock<Arc<Channels>>,
    started: Instant,
    state: Mutex<State>,
    /// The hub may want to be woken earlier than before.
    rearmed: Notify,
}

impl Signaling {
    /// Signaling without connections. Must be called within the runtime, which also wakes the hub.
    pub(crate) fn new(options: SignalingOptions) -> Arc<Self> {
        let unix_time_at_zero = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let config = Config {
            channels: options.channels.settings(),
            open_channels: options.channels.open,
            grace: options.grace,
            limits: options.limits.hub,
            ..Config::new(ResumeKey(options.resume_key), unix_time_at_zero)
        };
        let bus = MemoryBus::new(u64::try_from(unix_time_at_zero.as_micros()).unwrap_or_default());
        let state = State::new(Hub::new(config, options.seed), bus, unix_time_at_zero);
        let signaling = Arc::new(Self {
            channels: RwLock::new(Arc::new(options.channels.clone())),
            options,
            circles: Arc::default(),
            started: Instant::now(),
            state: Mutex::new(state),
            rearmed: Notify::new(),
        });
        tokio::spawn(wake(Arc::clone(&signaling)));
        signaling
    }

    /// Hands the hub a fact, and lets everything take place that follows from it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State, Now) -> T) -> T {
        let mut state = self.lock();
        // Within the lock, so that the hub never sees the time go backwards.
        let now = self.now();
        let before = state.poll_timeout();
        let result = act(&mut state, now);
        state.settle(now);
        let after = state.poll_timeout();
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.rearmed.notify_one();
        }
        result
    }

    /// The time since signaling began.
    pub(crate) fn now(&self) -> Now {
        Now::after(self.started.elapsed())
    }

    /// This is the Unix time now.
    pub(crate) fn handle_clock(&self, unix_time: Duration) {
        self.with(|state, now| state.handle_clock(now, unix_time));
    }

    /// The channels there are now.
    pub(crate) fn channels(&self) -> Arc<Channels> {
        Arc::clone(&self.channels.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on there are these channels. What goes on in others goes on; secrets that are gone sign nothing more.
    pub(crate) fn set_channels(&self, channels: Channels) -> anyhow::Result<()> {
        self.keep_history(&channels)?;
        self.with(|state, _| state.hub.handle_channels(channels.settings(), channels.open));
        *self.channels.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(channels);
        Ok(())
    }

    /// Keeps the history of those channels that are to have one, and forgets that of all others. The file is opened
    /// when there is first something to keep, and what it holds is taken back.
    pub(crate) fn keep_history(&self, channels: &Channels) -> anyhow::Result<()> {
        let settings = channels.settings().into_iter();
        let bounds: HashMap<_, _> =
            settings.filter_map(|(id, settings)| Some((id, settings.history?))).collect();
        let is_open = self.lock().journal.is_some();
        let opened = match &self.options.history {
            Some(path) if !is_open && (!bounds.is_empty() || path.exists()) => Some(open_history(path)?),
            _ => None,
        };
        self.with(|state, now| state.keep_history(&bounds, opened, now));
        Ok(())
    }

    /// Somebody who is not connected says something in some rooms of a channel. Comes back when it has its place
    /// among everything else and, where the channel keeps its history, the disk has it.
    pub(crate) async fn post(
        &self,
        channel: &str,
        rooms: &[&str],
        payload: Arc<[u8]>,
    ) -> Result<(), NotPosted> {
        self.with(|state, _| {
            if state.has_ended {
                return Err(NotPosted::Ending);
            }
            state.hub.handle_post(channel, rooms, &payload).map_err(NotPosted::Refused)?;
            state.counters.published += rooms.len() as u64;
            Ok(())
        })?;
        let stored = self.lock().stored(channel);
        match stored {
            Some(stored) => stored.await.map_err(|NotStored| NotPosted::NotStored),
            None => Ok(()),
        }
    }

    /// Drops every connection without a Close frame, so that clients come back, and takes no more; nothing is said from
    /// then on. Comes back when what is left of the history is written.
    pub(crate) fn end(&self) {
        let thread = self.lock().end();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the history could not be ended in order");
        }
    }

    /// What has happened so far, and how much there is.
    pub(crate) fn counters(&self) -> Counters {
        self.lock().counters()
    }

    /// What was refused so far, by the text that the client was told.
    pub(crate) fn refusals(&self) -> BTreeMap<&'static str, u64> {
        self.lock().refusals()
    }

    /// At most `most` channels and `most` rooms, the largest.
    pub(crate) fn overview(&self, most: usize) -> Overview {
        self.lock().hub.overview(most)
    }

    /// At most `most` members of a room.
    pub(crate) fn glimpse(&self, channel: &str, room: &str, most: usize) -> Option<Glimpse> {
        self.lock().hub.glimpse(channel, room, most)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why something was not said, or not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotPosted {
    Refused(Refusal),
    /// It was said to everybody who is there, but the disk has not taken it.
    NotStored,
    /// Nothing is said any more.
    Ending,
}

/// What writes the file, and what is in it already.
fn open_history(path: &Path) -> anyhow::Result<Opened> {
    let mut store = Store::open(path)?;
    let (records, ending) = (store.read()?, store.take_ending()?);
    let journal = Journal::start(store).context("cannot start the thread that writes the history")?;
    Ok(Opened { journal, records, ending })
}

/// Wakes the hub whenever it asked for it.
async fn wake(signaling: Arc<Signaling>) {
    loop {
        let at = signaling.lock().poll_timeout();
        let Some(at) = at else {
            signaling.rearmed.notified().await;
            continue;
        };
        tokio::select! {
            () = sleep_until(signaling.started + at.since_start()) => {
                signaling.with(State::handle_timeout);
            }
            () = signaling.rearmed.notified() => {}
        }
    }
}

/// Follows this computer's clock for ever: it may be set, and what counts the time since the start stands still while the
/// computer sleeps.
pub(crate) async fn follow_clock(signaling: Arc<Signaling>) {
    let mut steps = interval(CLOCK);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        steps.tick().await;
        signaling.handle_clock(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    }
}

/// Answers a request for `/v3/websocket`, and serves the WebSocket that comes of it.
pub(crate) async fn serve_websocket(
    signaling: Arc<Signaling>,
    info: ConnectionInfo,
    mut request: Request,
) -> Response {
    if signaling.lock().has_ended {
        return (StatusCode::SERVICE_UNAVAILABLE, "ending\n").into_response();
    }
    let answer = match websocket::answer(&request) {
        Ok(answer) => answer,
        Err(refusal) => return refusal.into_response(),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let Some(connection) = connection(upgraded, signaling, info) else {
            tracing::error!("an upgraded connection is no stream of this server");
            return;
        };
        connection.run().await;
    });
    answer
}

/// The WebSocket on an upgraded connection. Nothing of HTTP stays: its read buffer alone would be most of what an idle
/// connection costs.
fn connection(
    upgraded: Upgraded,
    signaling: Arc<Signaling>,
    info: ConnectionInfo,
) -> Option<Connection<Stream>> {
    let parts = upgraded.downcast::<TokioIo<Stream>>().ok()?;
    Some(Connection::new(parts.io.into_inner(), &parts.read_buf, Session::open(signaling, info)))
}

#[cfg(test)]
mod tests;
