//! What goes on right now, for the person who runs the server: counts, rates, the largest rooms, what went wrong lately.
//!
//! It stays short however much there is, and is made once a second at most, however many look at it.

mod allocations;
mod report;
mod samples;
mod troubles;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::body::Bytes;
use tokio::time::{MissedTickBehavior, interval};

use crate::metrics::Metrics;
use allocations::{Allocations, LOOKED_AT};
use report::{Members, Report};
use samples::{Sample, Samples};
use troubles::Troubles;

/// How often the numbers are looked at.
const STEP: Duration = Duration::from_secs(1);
/// Channels, and rooms, that are named.
const SHOWN: usize = 50;
/// Members of a room that are named.
const MEMBERS: usize = 100;

/// The numbers, and how they changed lately.
pub(crate) struct Live {
    pub(crate) metrics: Metrics,
    started: Instant,
    past: Mutex<Past>,
    /// The report that was made last, and when.
    made: Mutex<Option<(Instant, Bytes)>>,
}

#[derive(Default)]
struct Past {
    samples: Samples,
    troubles: Troubles,
}

impl Live {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { metrics, started: Instant::now(), past: Mutex::default(), made: Mutex::default() }
    }

    /// Looks at the numbers for ever.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut steps = interval(STEP);
        steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            steps.tick().await;
            self.look();
        }
    }

    fn look(&self) {
        let figures = self.metrics.figures();
        let mut past = self.past();
        past.samples.add(Sample::new(self.started.elapsed(), &figures));
        past.troubles.look(&figures, unix_time());
    }

    /// The report as JSON, at most a second old.
    pub(crate) fn report(&self, ready: bool) -> Bytes {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, report)) = &*made
            && at.elapsed() < STEP
        {
            return report.clone();
        }
        let report = Bytes::from(self.make_report(ready));
        *made = Some((Instant::now(), report.clone()));
        report
    }

    fn make_report(&self, ready: bool) -> Vec<u8> {
        let figures = self.metrics.figures();
        let overview = self.metrics.signaling.overview(SHOWN);
        let past = self.past();
        let time = unix_time();
        let errors = past.troubles.recent(time, self.metrics.notices.last());
        let uptime = self.started.elapsed().as_secs();
        Report::new(ready, [time, uptime], &figures, &overview, &past.samples, errors).to_json()
    }

    /// Who is in a room, as JSON; `None` where there is no such room.
    pub(crate) fn members(&self, channel: &str, room: &str) -> Option<Bytes> {
        let glimpse = self.metrics.signaling.glimpse(channel, room, MEMBERS)?;
        Some(Bytes::from(Members::new(channel, room, &glimpse).to_json()))
    }

    /// Which allocations live, as JSON; the busiest, if there are many. Waits for the relay: not to be called where others wait.
    pub(crate) fn allocations(&self) -> Vec<u8> {
        let total = self.metrics.relay.stats().turn.allocations;
        Allocations::new(total, self.metrics.relay.listed(LOOKED_AT)).to_json()
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
