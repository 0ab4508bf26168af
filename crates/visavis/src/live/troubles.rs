//! What went wrong lately: counters that rose, with the time when they last did.
//!
//! Nothing is written down where it goes wrong: the counters that `/metrics` shows are compared second by second.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{log::Notice, metrics::Figures};

/// How many seconds something stays in view.
const LATELY: u64 = 3600;

/// Every kind of trouble that there has been; the kinds are words of this program.
#[derive(Default)]
pub(super) struct Troubles(BTreeMap<(&'static str, &'static str), Tally>);

#[derive(Default)]
struct Tally {
    /// The counter when it was looked at last.
    seen: u64,
    /// How often, since it was quiet for long.
    count: u64,
    last: u64,
}

/// Something that went wrong lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Trouble {
    /// Where: `signaling`, `dropped`, `http`, `history`, `turn`, `warning`, `error`; the last two from the log.
    source: &'static str,
    what: String,
    count: u64,
    /// When it happened last, in Unix seconds.
    last: u64,
}

impl Troubles {
    /// Looks at the counters as they are at `unix_time`.
    pub(super) fn look(&mut self, figures: &Figures, unix_time: u64) {
        let Figures { signaling, relay, .. } = figures;
        let refused = figures.refusals.iter().map(|(reason, count)| ("signaling", *reason, *count));
        let others = [
            ("dropped", "slow", signaling.slow),
            ("dropped", "silent", signaling.silent),
            ("history", "write_failures", signaling.store_failures),
            ("http", "connections", figures.turned_away),
            ("http", "websockets", figures.websockets_limited),
            ("http", "requests", figures.requests_limited),
            ("turn", "bind_failures", relay.turn.bind_failures),
            ("turn", "strangers", relay.turn.limited),
            ("turn", "streams", relay.streams.turned_away),
        ];
        // An allocation begins with the first of these, and goes on with the second.
        let expected = |code: &str| matches!(code, "unauthenticated" | "stale_nonce");
        let codes = relay.turn.refusals.iter().filter(|(code, _)| !expected(code));
        let codes = codes.map(|(code, count)| ("turn", code, count));
        for (source, what, counted) in refused.chain(others).chain(codes) {
            self.note(source, what, counted, unix_time);
        }
    }

    fn note(&mut self, source: &'static str, what: &'static str, counted: u64, unix_time: u64) {
        if counted == 0 {
            return;
        }
        let tally = self.0.entry((source, what)).or_default();
        if counted > tally.seen {
            if tally.last + LATELY < unix_time {
                tally.count = 0;
            }
            tally.count += counted - tally.seen;
            (tally.seen, tally.last) = (counted, unix_time);
        }
    }

    /// What went wrong in the last hour, and what was logged; the newest first.
    pub(super) fn recent(&self, unix_time: u64, notices: Vec<Notice>) -> Vec<Trouble> {
        let lately = self.0.iter().filter(|(_, tally)| tally.last + LATELY >= unix_time);
        let lately = lately.map(|((source, what), tally)| Trouble {
            source,
            what: (*what).to_owned(),
            count: tally.count,
            last: tally.last,
        });
        let logged = notices.into_iter().rev().map(|Notice { is_error, text, count, last }| Trouble {
            source: if is_error { "error" } else { "warning" },
            what: text,
            count,
            last,
        });
        let mut recent: Vec<_> = lately.chain(logged).collect();
        recent.sort_by_key(|trouble| std::cmp::Reverse(trouble.last));
        recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rises_is_in_view_for_an_hour_and_then_counts_anew() {
        let mut troubles = Troubles::default();
        let shown = |troubles: &Troubles, at| {
            let recent = troubles.recent(at, Vec::new()).into_iter();
            recent.map(|one| (one.what, one.count, one.last)).collect::<Vec<_>>()
        };
        troubles.note("signaling", "Room is full", 0, 1_000_000);
        assert_eq!(shown(&troubles, 1_000_000), []);
        troubles.note("signaling", "Room is full", 2, 1_000_001);
        troubles.note("signaling", "Room is full", 2, 1_000_002);
        troubles.note("signaling", "Room is full", 5, 1_000_003);
        assert_eq!(shown(&troubles, 1_000_004), [("Room is full".to_owned(), 5, 1_000_003)]);
        assert_eq!(shown(&troubles, 1_000_003 + LATELY + 1), []);
        troubles.note("signaling", "Room is full", 6, 1_010_000);
        assert_eq!(shown(&troubles, 1_010_000), [("Room is full".to_owned(), 1, 1_010_000)]);
    }

    #[test]
    fn what_happened_last_comes_first_whether_counted_or_logged() {
        let mut troubles = Troubles::default();
        troubles.note("dropped", "slow", 1, 5);
        troubles.note("turn", "forbidden", 1, 9);
        let notice = Notice { is_error: true, text: "it broke".to_owned(), count: 1, last: 7 };
        let recent = troubles.recent(10, vec![notice]);
        assert_eq!(recent.iter().map(|one| one.source).collect::<Vec<_>>(), ["turn", "error", "dropped"]);
    }
}
