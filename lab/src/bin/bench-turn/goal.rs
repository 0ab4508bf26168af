//! What the figures should be, as ratios within one run.

use crate::report::{Figures, MEMORY};

/// At most so many times as much as another.
struct Goal {
    case: &'static str,
    of: &'static str,
    against: &'static str,
    most: f64,
}

const fn goal(case: &'static str, against: &'static str, most: f64) -> Goal {
    Goal { case, of: "visavis", against, most }
}

const fn shards(case: &'static str) -> Goal {
    Goal { case, of: "visavis, 2 shards", against: "visavis", most: 1.1 }
}

const GOALS: [Goal; 28] = [
    goal("pair-172", "plain", 1.15),
    goal("pair-1200", "plain", 1.15),
    goal("pair-172", "coturn", 0.42),
    goal("pair-1200", "coturn", 0.42),
    goal("pair-172", "turn-server", 1.0),
    goal("pair-1200", "turn-server", 1.0),
    goal("up-172", "plain", 1.0),
    goal("down-172", "plain", 1.0),
    goal("up-1200", "plain", 1.0),
    goal("down-1200", "plain", 1.0),
    goal("up-172", "coturn", 0.68),
    goal("down-172", "coturn", 0.68),
    goal("up-1200", "coturn", 0.68),
    goal("down-1200", "coturn", 0.68),
    goal("up-1200x8", "trains", 1.25),
    goal("down-1200x8", "trains", 1.25),
    goal("up-1200x8", "coturn", 0.35),
    goal("down-1200x8", "coturn", 0.35),
    goal("low-up-172", "plain", 1.0),
    goal("low-down-172", "plain", 1.0),
    goal("low-up-172", "coturn", 1.0),
    goal("low-down-172", "coturn", 1.0),
    goal("binding", "echo", 1.15),
    goal("binding", "coturn", 0.625),
    goal(MEMORY, "coturn", 0.125),
    shards("up-172"),
    shards("down-172"),
    shards("pair-172"),
];

/// What coalescing may add to the time that 99 of 100 packets take at most, in microseconds.
const ADDED: f64 = 200.0;
/// Bytes of memory for each allocation.
const BYTES: f64 = 2048.0;

/// Prints each goal with what was reached.
pub(crate) fn print(figures: &Figures) {
    println!("\n| goal | at most | reached | |\n|---|---|---|---|");
    for Goal { case, of, against, most } in &GOALS {
        let (Some(own), Some(other)) = (figures.cost(of, case), figures.cost(against, case)) else {
            continue;
        };
        line(&format!("{case}: {of} / {against}"), *most, own / other);
    }
    for case in ["low-up-172", "low-down-172"] {
        let of = |name| figures.latency(name, case, 0.99);
        if let (Some(own), Some(bare)) = (of("visavis"), of("plain")) {
            line(&format!("{case}: µs added to the 99th percentile of plain"), ADDED, own - bare);
        }
    }
    if let Some(bytes) = figures.cost("visavis", MEMORY) {
        line("bytes of memory for each allocation", BYTES, bytes);
    }
}

fn line(goal: &str, most: f64, reached: f64) {
    let verdict = if reached <= most { "met" } else { "**missed**" };
    let shown = |value: f64| if value.abs() < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") };
    println!("| {goal} | {} | {} | {verdict} |", shown(most), shown(reached));
}
