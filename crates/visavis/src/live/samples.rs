//! The counters of the last two minutes, and the rates that follow from them.

use std::{collections::VecDeque, time::Duration};

use crate::metrics::Figures;

/// How many seconds are kept.
const KEPT: usize = 120;
/// Seconds over which a rate is taken: one alone jumps about.
const OVER: usize = 5;

/// Counters of each second, oldest first.
#[derive(Default)]
pub(super) struct Samples(VecDeque<Sample>);

/// Counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    at: Duration,
    published: u64,
    delivered: u64,
    relayed: u64,
}

/// How much there was of each in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) published: f64,
    pub(super) delivered: f64,
    /// Bytes through the relay.
    pub(super) relayed: f64,
}

impl Sample {
    /// What was counted by the time `at`.
    pub(super) fn new(at: Duration, figures: &Figures) -> Self {
        let turn = &figures.relay.turn;
        Self {
            at,
            published: figures.signaling.published,
            delivered: figures.signaling.delivered,
            relayed: turn.to_peers.bytes + turn.to_clients.bytes,
        }
    }

    fn since(self, before: Self) -> Rates {
        let seconds = self.at.saturating_sub(before.at).as_secs_f64();
        let rate = |now: u64, before: u64| {
            if seconds > 0.0 { now.saturating_sub(before) as f64 / seconds } else { 0.0 }
        };
        Rates {
            published: rate(self.published, before.published),
            delivered: rate(self.delivered, before.delivered),
            relayed: rate(self.relayed, before.relayed),
        }
    }
}

impl Samples {
    pub(super) fn add(&mut self, sample: Sample) {
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// The rates of the last few seconds.
    pub(super) fn rates(&self) -> Rates {
        let Some(&last) = self.0.back() else { return Rates::default() };
        let before = self.0.len().saturating_sub(OVER + 1);
        last.since(self.0[before])
    }

    /// The rates of each second, oldest first.
    pub(super) fn each(&self) -> impl Iterator<Item = Rates> {
        self.0.iter().zip(self.0.iter().skip(1)).map(|(before, now)| now.since(*before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: u64) -> Sample {
        let at = Duration::from_secs(number);
        Sample { at, published: 10 * number, delivered: 20 * number, relayed: number * number }
    }

    #[test]
    fn nothing_is_known_of_the_first_second() {
        let mut samples = Samples::default();
        assert_eq!((samples.rates(), samples.each().count()), (Rates::default(), 0));
        samples.add(second(0));
        assert_eq!((samples.rates(), samples.each().count()), (Rates::default(), 0));
    }

    #[test]
    fn rates_are_those_of_the_last_seconds_and_two_minutes_are_kept() {
        let mut samples = Samples::default();
        (0..1000).for_each(|number| samples.add(second(number)));
        let rates = samples.rates();
        assert_eq!((rates.published, rates.delivered), (10.0, 20.0));
        assert_eq!(rates.relayed, (999.0 * 999.0 - 994.0 * 994.0) / 5.0);
        assert_eq!(samples.each().count(), KEPT);
        assert_eq!(samples.each().last().map(|one| one.relayed), Some(999.0 * 999.0 - 998.0 * 998.0));
    }
}
