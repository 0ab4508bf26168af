//! Coalesced wake-ups: where packets come fast enough, a shard sleeps between its turns and serves together what has
//! arrived meanwhile.
//!
//! To be woken costs as much as to relay a packet. A shard that is woken for each one does little else, at loads far
//! below what it can carry. And what arrives together leaves together: packets of one flow as one train.

use std::time::Duration;

use visavis_clock::Now;

/// The time from one turn to the next where that pays: what coalescing adds to a packet's way at most, but for what
/// the system needs to wake a thread.
const TURN: Duration = Duration::from_micros(100);
/// The most that one gap counts, so that a pause is soon forgotten.
const LONGEST_GAP: Duration = Duration::from_millis(5);
/// How many packets must be expected in the time of a turn, so that sleeping saves more than it costs.
const WORTHWHILE: u64 = 2;

/// How fast packets come, by the last few turns.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the last turn began.
    began: Now,
    /// Packets of the last turns in 256ths, the older ones counting less and less.
    packets: u64,
    /// The nanoseconds that they took, in the same measure.
    nanoseconds: u64,
}

impl Pace {
    /// Takes that a turn which began at `began` has served `packets`; until when to sleep, if that pays.
    pub(crate) fn until(&mut self, began: Now, packets: u32) -> Option<Now> {
        let gap = began.since(self.began).min(LONGEST_GAP);
        self.began = began;
        self.packets = self.packets - self.packets / 8 + u64::from(packets) * 256;
        self.nanoseconds = self.nanoseconds - self.nanoseconds / 8 + gap.as_nanos() as u64 * 256;
        let expected = self.packets * TURN.as_nanos() as u64 / self.nanoseconds.max(1);
        (expected >= WORTHWHILE).then(|| began + TURN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets packets come at a rate for a tenth of a second; how many turns of the last half were followed by a sleep.
    fn sleeps(pace: &mut Pace, now: &mut Now, packets_per_second: u64) -> (usize, usize) {
        let (gap, end) =
            (Duration::from_secs(1) / packets_per_second as u32, *now + Duration::from_millis(100));
        let (half, mut turns, mut slept) = (*now + Duration::from_millis(50), 0, 0);
        let mut due = *now + gap;
        let mut awake = *now;
        while awake < end {
            // Woken by the first packet, or late and then for all that wait.
            let began = awake.max(due);
            let mut packets = 0;
            while due <= began {
                due += gap;
                packets += 1;
            }
            let until = pace.until(began, packets);
            awake = until.unwrap_or(began);
            if began > half {
                turns += 1;
                slept += usize::from(until.is_some());
            }
        }
        *now = awake;
        (turns, slept)
    }

    #[test]
    fn one_call_is_never_kept_waiting() {
        let (mut pace, mut now) = (Pace::default(), Now::ZERO);
        for packets_per_second in [50, 1000, 10_000] {
            let (turns, slept) = sleeps(&mut pace, &mut now, packets_per_second);
            assert_eq!(slept, 0, "{packets_per_second} packets a second");
            assert!(turns > 0);
        }
    }

    #[test]
    fn many_packets_share_a_turn() {
        let (mut pace, mut now) = (Pace::default(), Now::ZERO);
        for packets_per_second in [25_000, 1_000_000] {
            let (turns, slept) = sleeps(&mut pace, &mut now, packets_per_second);
            assert_eq!(slept, turns, "{packets_per_second} packets a second");
            assert!(turns <= 500, "{turns} turns in 50 ms at {packets_per_second} packets a second");
        }
    }

    #[test]
    fn after_a_pause_and_after_a_flood_nobody_waits_for_long() {
        let (mut pace, mut now) = (Pace::default(), Now::ZERO);
        sleeps(&mut pace, &mut now, 1_000_000);
        let (_, slept) = sleeps(&mut pace, &mut now, 1000);
        assert_eq!(slept, 0);
        now += Duration::from_secs(60);
        let (turns, slept) = sleeps(&mut pace, &mut now, 50_000);
        assert_eq!(slept, turns);
    }
}
