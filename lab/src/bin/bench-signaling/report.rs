//! The figures of all rounds, beside each other and beside the goals.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Case, server::Kind};

/// What was measured, round by round.
#[derive(Default)]
pub(crate) struct Report {
    figures: BTreeMap<(Case, Kind), Vec<f64>>,
    failures: BTreeSet<(Case, Kind)>,
}

/// A figure that this project set itself.
struct Goal {
    case: Case,
    words: &'static str,
    /// What is compared, and what it has to be compared with.
    measured: fn(&Report) -> Option<f64>,
    /// At least this, or at most.
    bound: Bound,
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Report {
    pub(crate) fn add(&mut self, case: Case, kind: Kind, figure: f64) {
        self.figures.entry((case, kind)).or_default().push(figure);
    }

    /// A case could not be measured.
    pub(crate) fn fail(&mut self, case: Case, kind: Kind) {
        self.failures.insert((case, kind));
    }

    /// Whether any case of that server could not be measured.
    pub(crate) fn has_failed(&self, kind: Kind) -> bool {
        self.failures.iter().any(|(_, of)| *of == kind)
    }

    /// The median of all rounds.
    pub(crate) fn median(&self, case: Case, kind: Kind) -> Option<f64> {
        let mut figures = self.figures.get(&(case, kind))?.clone();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied()
    }

    fn ratio(&self, case: Case, kind: Kind) -> Option<f64> {
        Some(self.median(case, Kind::Visavis)? / self.median(case, kind)?)
    }

    /// Markdown: a row for each server, a column for each case.
    pub(crate) fn print(&self) {
        let cases: Vec<Case> =
            Case::ALL.into_iter().filter(|case| self.tried().any(|(of, _)| of == *case)).collect();
        println!("\n| server | {} |", cases.iter().map(|case| case.title()).collect::<Vec<_>>().join(" | "));
        println!("|---|{}", "---|".repeat(cases.len()));
        for kind in Kind::ALL {
            let cells: Vec<String> = cases.iter().map(|case| self.cell(*case, kind)).collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                println!("| {} | {} |", kind.name(), cells.join(" | "));
            }
        }
        println!("\n| goal | measured | |\n|---|---|---|");
        for goal in GOALS {
            self.print_goal(goal);
        }
    }

    fn tried(&self) -> impl Iterator<Item = (Case, Kind)> {
        self.figures.keys().chain(&self.failures).copied()
    }

    fn cell(&self, case: Case, kind: Kind) -> String {
        let failed = if self.failures.contains(&(case, kind)) { "failed" } else { "" };
        let Some(median) = self.median(case, kind) else { return failed.to_owned() };
        let figures = &self.figures[&(case, kind)];
        let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let most = figures.iter().copied().fold(0.0, f64::max);
        if figures.len() == 1 {
            return case.shown(median);
        }
        format!("{} ({} to {})", case.shown(median), case.shown(least), case.shown(most))
    }

    fn print_goal(&self, goal: &Goal) {
        let Some(measured) = (goal.measured)(self) else { return };
        let met = match goal.bound {
            Bound::AtLeast(bound) => measured >= bound,
            Bound::AtMost(bound) => measured <= bound,
        };
        let shown = if measured < 100.0 { format!("{measured:.2}") } else { format!("{measured:.0}") };
        let met = if met { "met" } else { "missed" };
        println!("| {}: {} | {shown} | {met} |", goal.case.title(), goal.words);
    }
}

const GOALS: &[Goal] = &[
    Goal {
        case: Case::Pairs,
        words: "at least 0.9 times Bun",
        measured: |report| report.ratio(Case::Pairs, Kind::Bun),
        bound: Bound::AtLeast(0.9),
    },
    Goal {
        case: Case::Pairs,
        words: "at least 4 times socket.io",
        measured: |report| report.ratio(Case::Pairs, Kind::SocketIo),
        bound: Bound::AtLeast(4.0),
    },
    Goal {
        case: Case::Pairs,
        words: "at least 3 times Node's ws",
        measured: |report| report.ratio(Case::Pairs, Kind::Ws),
        bound: Bound::AtLeast(3.0),
    },
    Goal {
        case: Case::Flight,
        words: "at least 4 times one in flight",
        measured: |report| {
            let of = |case| report.median(case, Kind::Visavis);
            Some(of(Case::Flight)? / of(Case::Pairs)?)
        },
        bound: Bound::AtLeast(4.0),
    },
    Goal {
        case: Case::Room,
        words: "at least 1.1 times Bun",
        measured: |report| report.ratio(Case::Room, Kind::Bun),
        bound: Bound::AtLeast(1.1),
    },
    Goal {
        case: Case::Idle,
        words: "at most 9 KB",
        measured: |report| report.median(Case::Idle, Kind::Visavis),
        bound: Bound::AtMost(9_000.0),
    },
    Goal {
        case: Case::IdleTls,
        words: "at most 16 KB",
        measured: |report| report.median(Case::IdleTls, Kind::Visavis),
        bound: Bound::AtMost(16_000.0),
    },
    Goal {
        case: Case::Tail,
        words: "at most Bun's",
        measured: |report| report.ratio(Case::Tail, Kind::Bun),
        bound: Bound::AtMost(1.0),
    },
    Goal {
        case: Case::Tail,
        words: "at most 0.3 times socket.io's",
        measured: |report| report.ratio(Case::Tail, Kind::SocketIo),
        bound: Bound::AtMost(0.3),
    },
    Goal {
        case: Case::Joins,
        words: "at least 8,000",
        measured: |report| report.median(Case::Joins, Kind::Visavis),
        bound: Bound::AtLeast(8_000.0),
    },
    Goal {
        case: Case::Lost,
        words: "none",
        measured: |report| report.median(Case::Lost, Kind::Visavis),
        bound: Bound::AtMost(0.0),
    },
];
