//! Soaks: programs of `lab` that wear the release binary for as long as one likes.

use anyhow::Result;
use clap::Subcommand;

use crate::{
    command::{cargo, run},
    serve,
};

/// What is worn.
#[derive(Subcommand)]
pub(crate) enum Soak {
    /// Allocate, relay, refresh, expire and vanish at full speed; memory, descriptors and tables must stay flat
    Turn {
        /// For how long
        #[arg(default_value_t = 60)]
        minutes: u64,
    },
}

/// Builds the release binary and wears it.
pub(crate) fn soak(what: &Soak) -> Result<()> {
    serve::build()?;
    let Soak::Turn { minutes } = what;
    let program = ["run", "--release", "--quiet", "--package", "visavis-lab", "--bin", "soak-turn", "--"];
    run(cargo(program).arg(minutes.to_string()))
}
