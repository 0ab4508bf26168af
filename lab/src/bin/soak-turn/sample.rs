//! What the server holds at one moment, and whether that is flat.

use std::fmt;

use anyhow::{Context, Result};

use crate::{plan::Plan, server::Server, work::Tally};

/// What may be held more in the end than once everything had been used: the allocator keeps pieces.
const SLACK: u64 = 4 << 20;
/// The tables that must be empty in the end.
const TABLES: [&str; 4] = [
    "visavis_turn_allocations",
    "visavis_turn_permissions",
    "visavis_turn_channels",
    "visavis_relay_streams",
];

/// The numbers of one moment.
pub(crate) struct Sample {
    seconds: u64,
    rounds: u64,
    relayed: u64,
    tables: [u64; TABLES.len()],
    memory: u64,
    descriptors: u64,
}

impl Sample {
    pub(crate) const HEAD: &str =
        "  seconds   rounds    relayed  allocations  permissions  channels  streams  memory KiB  descriptors";

    pub(crate) fn take(server: &Server, plan: &Plan, tally: &Tally) -> Result<Self> {
        let metrics = server.metrics()?;
        let mut tables = [0; TABLES.len()];
        for (value, name) in tables.iter_mut().zip(TABLES) {
            *value = number(&metrics, name)?;
        }
        Ok(Self {
            seconds: plan.elapsed().as_secs(),
            rounds: tally.rounds(),
            relayed: tally.relayed(),
            tables,
            memory: server.memory()?,
            descriptors: server.descriptors()?,
        })
    }

    /// Whether nothing is left in any table.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.iter().all(|&held| held == 0)
    }
}

/// The value of a metric without labels.
fn number(metrics: &str, name: &str) -> Result<u64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(line.with_context(|| format!("{name} is not on /metrics"))?.trim().parse()?)
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, rounds, relayed, tables: [allocations, permissions, channels, streams], .. } =
            self;
        write!(
            f,
            "{seconds:>9} {rounds:>8} {relayed:>10} {allocations:>12} {permissions:>12} {channels:>9} "
        )?;
        write!(f, "{streams:>8} {:>11} {:>12}", self.memory / 1024, self.descriptors)
    }
}

/// What is not as it should be. `samples` begins with the idle server, and a third of the way in everything has been used.
pub(crate) fn verdict(samples: &[Sample], last: &Sample) -> Vec<String> {
    let mut complaints: Vec<String> = TABLES
        .iter()
        .zip(last.tables)
        .filter(|(_, held)| *held > 0)
        .map(|(name, held)| format!("{name} is {held} in the end"))
        .collect();
    let first = &samples[0];
    if last.descriptors > first.descriptors + 2 {
        complaints.push(format!("{} descriptors in the end, {} before", last.descriptors, first.descriptors));
    }
    let (early, late) = samples.split_at(samples.len().div_ceil(3));
    let most = |samples: &[Sample]| samples.iter().map(|sample| sample.memory).max().unwrap_or(0);
    let later = most(late).max(last.memory);
    if later > most(early) + most(early) / 20 + SLACK {
        complaints.push(format!("memory grew from {} to {} KiB", most(early) / 1024, later / 1024));
    }
    complaints
}
