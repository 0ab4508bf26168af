//! Every test, in the order in which a failure is cheapest to learn of.

use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::{
    check,
    command::{cargo, cargo_foreign, run, tools_dir},
    serve, setup,
};

/// Which part of the tests to run.
#[derive(Args)]
pub(crate) struct Options {
    /// Only the checks and the crates' own tests: no browsers, no namespaces, no foreign programs
    #[arg(long)]
    quick: bool,
}

/// Runs every check and every test.
pub(crate) fn test(options: &Options) -> Result<()> {
    step("what the tests need", setup::for_tests)?;
    step("checks", check::check)?;
    step("crates", crates)?;
    step("foreign implementations", foreign)?;
    if options.quick {
        return Ok(());
    }
    step("page and binary", || serve::build().map(drop))?;
    step("the product", product)
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\n== {name}");
    let start = Instant::now();
    work()?;
    println!("== {name}: {} s", start.elapsed().as_secs());
    Ok(())
}

fn crates() -> Result<()> {
    run(&mut cargo([
        "test",
        "--quiet",
        "--workspace",
        "--exclude",
        "visavis-page",
        "--exclude",
        "visavis-lab",
    ]))
}

/// Other people's TURN, in a workspace of its own.
fn foreign() -> Result<()> {
    run(&mut cargo_foreign("test", ["--quiet", "--locked"]))
}

/// The browsers share two cores, so the product's tests run one after another.
fn product() -> Result<()> {
    let mut command = cargo(["test", "--package", "visavis-lab", "--no-fail-fast", "--", "--test-threads=1"]);
    run(command.env("VISAVIS_TOOLS", tools_dir().join("bin")).env("VISAVIS_REQUIRE_ALL", "1"))
}
