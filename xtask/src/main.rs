//! Every routine command of the project: `cargo xtask serve`, `cargo xtask test` and the steps they are made of.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to the person who called it")]

mod bench;
mod check;
mod command;
mod fuzz;
mod limits;
mod measure;
mod page;
mod serve;
mod setup;
mod soak;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Every routine command of the project")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the page and the release binary and run it; flags after `--` go to the server
    Serve {
        /// Flags of the server
        #[arg(last = true)]
        flags: Vec<String>,
    },
    /// Install what the tests need, then run every check and every test
    Test(test::Options),
    /// Build the page into crates/page/dist
    Page,
    /// Build the page and the release binary
    Build,
    /// Formatting, lints, the machine-checked limits, licences and duplicates
    Check,
    /// Install what building and testing needs: packages, the wasm target, drivers
    Setup,
    /// Try what strangers may send with inputs that libFuzzer invents
    Fuzz(fuzz::Options),
    /// Count the bytes of the page and of the release binary
    Measure,
    /// Measure the release binary
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Wear the release binary for an hour or another time
    #[command(subcommand)]
    Soak(soak::Soak),
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ncargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Serve { flags } => serve::serve(&flags),
        Task::Test(options) => test::test(&options),
        Task::Page => page::build(),
        Task::Build => serve::build().map(drop),
        Task::Check => check::check(),
        Task::Setup => setup::for_tests(),
        Task::Fuzz(options) => fuzz::fuzz(&options),
        Task::Measure => measure::measure(),
        Task::Bench(what) => bench::bench(&what),
        Task::Soak(what) => soak::soak(&what),
    }
}
