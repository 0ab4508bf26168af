//! How often is too often.

use std::time::Duration;

use visavis_clock::Now;

/// A rate: so many at once, and one more after each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once.
    pub burst: u32,
    /// How long until one more may come.
    pub interval: Duration,
}

impl Rate {
    /// A rate that nothing reaches.
    pub const OFF: Self = Self { burst: u32::MAX, interval: Duration::ZERO };

    /// `burst` at once and `per_second` in the long run (at least one).
    #[must_use]
    pub const fn new(burst: u32, per_second: u32) -> Self {
        let per_second = if per_second == 0 { 1 } else { per_second };
        Self { burst, interval: Duration::from_nanos(1_000_000_000 / per_second as u64) }
    }
}

/// One count against a [`Rate`]. Starts empty; sixteen bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// When all that came so far will be forgotten.
    empty_at: Now,
}

impl Bucket {
    /// Counts one more, unless that is too many.
    #[must_use]
    pub fn admit(&mut self, now: Now, rate: Rate) -> bool {
        self.admit_many(now, rate, 1)
    }

    /// Counts so many more, unless that is too many.
    #[must_use]
    pub fn admit_many(&mut self, now: Now, rate: Rate, count: u32) -> bool {
        let full = rate.interval.saturating_mul(rate.burst);
        let level = self.empty_at.since(now) + rate.interval.saturating_mul(count);
        if level > full {
            return false;
        }
        self.empty_at = now + level;
        true
    }

    /// Whether all that came has been forgotten.
    #[must_use]
    pub fn is_empty(&self, now: Now) -> bool {
        self.empty_at <= now
    }
}
