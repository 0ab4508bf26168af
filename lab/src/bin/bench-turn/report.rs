//! Figures of all rounds, as tables.

use std::collections::BTreeMap;

use crate::{case::CASES, drive::Sample};

/// What each contender did in each case, a sample for each round, and the memory of its allocations.
#[derive(Default)]
pub(crate) struct Figures {
    names: Vec<String>,
    samples: BTreeMap<(String, &'static str), Vec<Sample>>,
    memory: BTreeMap<String, Vec<f64>>,
}

/// The name of the line of memory.
pub(crate) const MEMORY: &str = "memory";

impl Figures {
    pub(crate) fn add(&mut self, name: &str, case: &'static str, sample: Sample) {
        self.note(name);
        self.samples.entry((name.to_owned(), case)).or_default().push(sample);
    }

    pub(crate) fn add_memory(&mut self, name: &str, bytes: f64) {
        self.note(name);
        self.memory.entry(name.to_owned()).or_default().push(bytes);
    }

    fn note(&mut self, name: &str) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }

    /// The costs of all rounds, sorted.
    fn costs(&self, name: &str, case: &str) -> Vec<f64> {
        if case == MEMORY {
            return sorted(self.memory.get(name).into_iter().flatten().copied());
        }
        let found = self.samples.iter().find(|((of, line), _)| of == name && *line == case);
        sorted(found.into_iter().flat_map(|(_, samples)| samples.iter().map(Sample::cost)))
    }

    /// The median of what a case costs: CPU-seconds for a million packets, or bytes for an allocation.
    pub(crate) fn cost(&self, name: &str, case: &str) -> Option<f64> {
        median(&self.costs(name, case))
    }

    /// The median of what a share of the packets took at most, in microseconds.
    pub(crate) fn latency(&self, name: &str, case: &str, share: f64) -> Option<f64> {
        let (_, samples) = self.samples.iter().find(|((of, line), _)| of == name && *line == case)?;
        let each = samples.iter().filter_map(|sample| sample.latency(share));
        Some(median(&sorted(each))? / 1e3)
    }

    /// Everything as Markdown.
    pub(crate) fn print(&self) {
        println!("\nCPU-seconds of the server for each million delivered packets: median (least to most)\n");
        self.table(|name, case| {
            let costs = self.costs(name, case);
            Some(format!("{:.2} ({:.2} to {:.2})", median(&costs)?, costs.first()?, costs.last()?))
        });
        println!("\nHow busy the server's core was, and packets lost\n");
        self.table(|name, case| {
            let (_, samples) = self.samples.iter().find(|((of, line), _)| of == name && *line == case)?;
            let busy = median(&sorted(samples.iter().map(Sample::busy)))?;
            let (sent, delivered) =
                samples.iter().fold((0, 0), |(s, d), sample| (s + sample.sent, d + sample.delivered));
            let lost = sent.saturating_sub(delivered) as f64 / sent.max(1) as f64;
            Some(format!("{:.0} %, {:.1} %", busy * 100.0, lost * 100.0))
        });
        println!("\nMicroseconds under way at a fixed rate: half of the packets, 99 of 100\n");
        self.table(|name, case| {
            let of = |share| self.latency(name, case, share);
            Some(format!("{:.0}, {:.0}", of(0.5)?, of(0.99)?))
        });
        self.print_memory();
    }

    fn print_memory(&self) {
        if self.memory.is_empty() {
            return;
        }
        println!("\nBytes of memory (RSS) for each allocation with two channels: median (least to most)\n");
        for name in &self.names {
            let costs = self.costs(name, MEMORY);
            if let (Some(median), Some(least), Some(most)) = (median(&costs), costs.first(), costs.last()) {
                println!("- {name}: {median:.0} ({least:.0} to {most:.0})");
            }
        }
    }

    /// A table with a line for each case and a column for each contender that has anything to show.
    fn table(&self, cell: impl Fn(&str, &'static str) -> Option<String>) {
        let shows = |name: &&String| CASES.iter().any(|case| cell(name, case.name).is_some());
        let columns: Vec<&String> = self.names.iter().filter(shows).collect();
        if columns.is_empty() {
            println!("nothing");
            return;
        }
        let heads: Vec<&str> = columns.iter().map(|name| name.as_str()).collect();
        println!("| case | {} |\n|---|{}", heads.join(" | "), "---|".repeat(columns.len()));
        for case in &CASES {
            let cells: Vec<String> =
                columns.iter().map(|name| cell(name, case.name).unwrap_or_default()).collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                println!("| {} | {} |", case.name, cells.join(" | "));
            }
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        1 => Some(sorted[middle]),
        _ => Some((sorted.get(middle.checked_sub(1)?)? + sorted[middle]) / 2.0),
    }
}
