//! How long everything goes on.

use std::time::{Duration, Instant};

/// How long an allocation lives that nobody ends.
const LIFETIME: Duration = Duration::from_secs(600);
/// When nobody may vanish any more, before the end: all are to have expired by then.
const LAST_CALL: Duration = Duration::from_secs(630);
/// How many clients vanish in a second, all workers together.
const VANISHING: f64 = 8.0;

/// The time of a soak.
pub(crate) struct Plan {
    start: Instant,
    time: Duration,
}

impl Plan {
    pub(crate) fn new(minutes: u64) -> Self {
        Self { start: Instant::now(), time: Duration::from_secs(60 * minutes) }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.elapsed() >= self.time
    }

    pub(crate) fn until_next_minute(&self) -> Duration {
        let next = Duration::from_secs((self.elapsed().as_secs() / 60 + 1) * 60);
        next.min(self.time).saturating_sub(self.elapsed())
    }

    /// How many clients may have vanished by now, leaving an allocation to expire. None in a run too short to see it happen.
    pub(crate) fn may_have_vanished(&self) -> u64 {
        let until = self.time.saturating_sub(LAST_CALL).min(self.elapsed());
        (until.as_secs_f64() * VANISHING) as u64
    }

    /// How long an allocation can still live when all work is done.
    pub(crate) fn longest_left(&self) -> Duration {
        if self.time > LAST_CALL { LIFETIME } else { Duration::ZERO }
    }
}
