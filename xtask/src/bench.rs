//! Benchmarks: programs of `lab` that are run on the release binary.

use anyhow::Result;
use clap::Subcommand;

use crate::{
    command::{cargo, run, target_dir, tools_dir},
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
    /// TURN beside Debian's coturn, turn-server and bare forwarders, each on one core, with the goals beside the figures
    Turn {
        /// One short round of everything, for a look while developing
        #[arg(long)]
        quick: bool,
        /// For the benchmark itself, behind `--`: `--help` names cases, programs and more
        #[arg(last = true)]
        more: Vec<String>,
    },
}

/// Builds the release binary and measures it.
pub(crate) fn bench(what: &Bench) -> Result<()> {
    match what {
        Bench::Call => call(),
        Bench::Signaling { only } => signaling(only),
        Bench::Turn { quick, more } => turn(*quick, more),
    }
}

fn call() -> Result<()> {
    serve::build()?;
    measure::measure()?;
    let mut command = cargo(["run", "--quiet", "--package", "visavis-lab", "--bin", "bench-call"]);
    run(command.env("VISAVIS_TOOLS", tools_dir().join("bin")).env("VISAVIS_REQUIRE_ALL", "1"))
}

fn signaling(only: &[String]) -> Result<()> {
    serve::build()?;
    setup::for_comparisons()?;
    run(cargo(["run", "--release", "--quiet", "--package", "visavis-lab", "--bin", "bench-signaling", "--"])
        .args(only))
}

/// The page has no part in this: the binary is built with what page there is.
fn turn(quick: bool, more: &[String]) -> Result<()> {
    setup::for_turn_comparisons()?;
    run(&mut cargo(["build", "--release", "--package", "visavis"]))?;
    run(&mut cargo(["build", "--release", "--package", "visavis-relay", "--example", "forward"]))?;
    let mut command =
        cargo(["run", "--release", "--quiet", "--package", "visavis-lab", "--bin", "bench-turn", "--"]);
    command.arg("--visavis").arg(target_dir().join("release/visavis"));
    command.arg("--forward").arg(target_dir().join("release/examples/forward"));
    command.arg("--turn-server").arg(tools_dir().join("bin/turn-server"));
    if quick {
        command.args(["--rounds", "1", "--time", "200"]);
    }
    run(command.args(more))
}
