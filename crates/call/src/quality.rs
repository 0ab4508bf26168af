//! How good the way to a remote is: what `getStats` says, as bars and a path.

use std::time::Duration;

/// How media travels between the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// No relay on the way.
    Direct,
    /// Relayed; the client that is relayed reaches its relay over UDP.
    RelayUdp,
    /// Relayed, over TCP.
    RelayTcp,
    /// Relayed, over TLS.
    RelayTls,
}

impl Path {
    /// The word on the wire and in `data-path`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::RelayUdp => "relay-udp",
            Self::RelayTcp => "relay-tcp",
            Self::RelayTls => "relay-tls",
        }
    }

    /// The path that a word on the wire means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Direct, Self::RelayUdp, Self::RelayTcp, Self::RelayTls]
            .into_iter()
            .find(|path| path.as_str() == word)
    }
}

/// How good the way to a remote is, in bars: 0 is unusable, 4 is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quality(pub u8);

/// What `getStats` says at one moment. Counts run from the start of the connection, over all inbound
/// streams together; what a browser does not know stays at its default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// `packetsReceived` of `inbound-rtp`.
    pub packets_received: u64,
    /// `packetsLost` of `inbound-rtp`; may go down when late packets come.
    pub packets_lost: i64,
    /// `freezeCount` of `inbound-rtp` video.
    pub freezes: u64,
    /// `concealedSamples` of `inbound-rtp` audio.
    pub samples_concealed: u64,
    /// `totalSamplesReceived` of `inbound-rtp` audio.
    pub samples_received: u64,
    /// `fractionLost` (0 to 1) of `remote-inbound-rtp`: what the remote misses of what is sent to it.
    pub fraction_lost_there: Option<f64>,
    /// `currentRoundTripTime` of the selected candidate pair.
    pub round_trip: Option<Duration>,
    /// The path as this end sees it: [`Path::Direct`] unless the selected pair's own candidate is of
    /// type `relay`; then its `relayProtocol` says which.
    pub path: Option<Path>,
    /// The selected pair's remote candidate is of type `relay`.
    pub remote_relayed: bool,
}

/// Turns reports into bars: falls at once, rises by one bar a report, so that it does not flicker.
#[derive(Debug, Default)]
pub(crate) struct Score {
    last: Option<Stats>,
    bars: Option<u8>,
}

impl Score {
    pub(crate) fn report(&mut self, stats: &Stats) -> Quality {
        let now = self.last.as_ref().map_or(4, |last| bars(last, stats));
        let shown = match self.bars {
            Some(before) if now > before => before + 1,
            _ => now,
        };
        self.last = Some(stats.clone());
        self.bars = Some(shown);
        Quality(shown)
    }
}

/// The path as the two ends together know it: relayed if either end relays.
pub(crate) fn joint_path(stats: &Stats, told: Option<Path>) -> Option<Path> {
    let own = stats.path?;
    if own != Path::Direct {
        return Some(own);
    }
    match told {
        Some(told) if told != Path::Direct => Some(told),
        _ if stats.remote_relayed => Some(Path::RelayUdp),
        _ => Some(Path::Direct),
    }
}

fn bars(last: &Stats, stats: &Stats) -> u8 {
    let round_trip = stats.round_trip.map_or(0.0, |time| time.as_secs_f64());
    let freezes = stats.freezes.saturating_sub(last.freezes);
    [
        below(loss(last, stats), [0.02, 0.05, 0.10, 0.30]),
        below(stats.fraction_lost_there.unwrap_or(0.0), [0.02, 0.05, 0.10, 0.30]),
        below(concealed(last, stats), [0.05, 0.15, 0.30, 0.60]),
        below(round_trip, [0.25, 0.50, 1.0, 3.0]),
        match freezes {
            0 => 4,
            1 => 2,
            _ => 1,
        },
    ]
    .into_iter()
    .min()
    .unwrap_or(4)
}

/// Bars for a value of which less is better: one is lost at each step reached.
fn below(value: f64, steps: [f64; 4]) -> u8 {
    steps.into_iter().map(|step| u8::from(value < step)).sum()
}

fn loss(last: &Stats, stats: &Stats) -> f64 {
    let lost = stats.packets_lost.saturating_sub(last.packets_lost).max(0) as f64;
    let received = stats.packets_received.saturating_sub(last.packets_received) as f64;
    share(lost, lost + received)
}

fn concealed(last: &Stats, stats: &Stats) -> f64 {
    let concealed = stats.samples_concealed.saturating_sub(last.samples_concealed) as f64;
    share(concealed, stats.samples_received.saturating_sub(last.samples_received) as f64)
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(lost: i64, received: u64) -> Stats {
        Stats { packets_lost: lost, packets_received: received, ..Stats::default() }
    }

    #[test]
    fn bars_fall_at_once_and_rise_one_at_a_time() {
        let mut score = Score::default();
        assert_eq!(score.report(&second(0, 0)), Quality(4));
        assert_eq!(score.report(&second(0, 100)), Quality(4));
        assert_eq!(score.report(&second(20, 180)), Quality(1));
        assert_eq!(score.report(&second(20, 280)), Quality(2));
        assert_eq!(score.report(&second(20, 380)), Quality(3));
        assert_eq!(score.report(&second(20, 480)), Quality(4));
    }

    #[test]
    fn a_slow_way_costs_bars_even_without_loss() {
        let mut score = Score::default();
        score.report(&Stats::default());
        let slow = Stats { round_trip: Some(Duration::from_millis(600)), ..Stats::default() };
        assert_eq!(score.report(&slow), Quality(2));
    }

    #[test]
    fn late_packets_are_no_loss() {
        let mut score = Score::default();
        score.report(&second(10, 100));
        assert_eq!(score.report(&second(5, 200)), Quality(4));
    }

    #[test]
    fn a_path_is_relayed_if_either_end_relays() {
        let own = |path| Stats { path: Some(path), ..Stats::default() };
        assert_eq!(joint_path(&own(Path::Direct), None), Some(Path::Direct));
        assert_eq!(joint_path(&own(Path::Direct), Some(Path::RelayTls)), Some(Path::RelayTls));
        assert_eq!(joint_path(&own(Path::RelayTcp), Some(Path::Direct)), Some(Path::RelayTcp));
        let seen = Stats { remote_relayed: true, ..own(Path::Direct) };
        assert_eq!(joint_path(&seen, None), Some(Path::RelayUdp));
    }
}
