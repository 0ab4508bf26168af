//! Benchmarks: programs of `lab` that are run on the release binary.

use anyhow::Result;
use clap::Subcommand;

use crate::{
    command::{cargo, run, tools_dir},
    measure, serve, setup,
};

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The page's weight, and the time from Join to the first remote frame, in real browsers
    Call,
    /// Signaling beside Bun, ws, socket.io, PeerJS and NATS, each on one core
    Signaling {
        /// Names of servers, cases (pairs, flight, room, joins, idle, tls) and the number of rounds; else all, 3 times
        only: Vec<String>,
    },
}

/// Builds the release binary and measures it.
pub(crate) fn bench(what: &Bench) -> Result<()> {
    serve::build()?;
    match what {
        Bench::Call => call(),
        Bench::Signaling { only } => signaling(only),
    }
}

fn call() -> Result<()> {
    measure::measure()?;
    let mut command = cargo(["run", "--quiet", "--package", "visavis-lab", "--bin", "bench-call"]);
    run(command.env("VISAVIS_TOOLS", tools_dir().join("bin")).env("VISAVIS_REQUIRE_ALL", "1"))
}

fn signaling(only: &[String]) -> Result<()> {
    setup::for_comparisons()?;
    run(cargo(["run", "--release", "--quiet", "--package", "visavis-lab", "--bin", "bench-signaling", "--"])
        .args(only))
}
