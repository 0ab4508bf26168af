//! Every check that runs no product code: formatting, lints, limits, licences, duplicates.

use anyhow::Result;

use crate::{
    command::{cargo, program, run, tools_dir},
    limits,
};

/// Runs all checks.
pub(crate) fn check() -> Result<()> {
    run(&mut cargo(["fmt", "--all", "--check"]))?;
    limits::check()?;
    dependencies()?;
    lint(&["--workspace", "--exclude", "visavis-page", "--all-targets"])?;
    lint(&["--package", "visavis-page", "--target", "wasm32-unknown-unknown"])
}

fn lint(selection: &[&str]) -> Result<()> {
    run(cargo(["clippy", "--quiet"]).args(selection).args(["--", "--deny", "warnings"]))
}

/// Licences, sources and duplicates. Advisories come from a database on another host and are asked for
/// separately: `cargo deny check advisories`.
fn dependencies() -> Result<()> {
    // Those of every platform: cargo-deny looks at all of them, and is not to go to the registry by itself.
    run(&mut cargo(["fetch", "--quiet", "--locked"]))?;
    let deny = tools_dir().join("bin/cargo-deny");
    run(&mut program(deny, ["--offline", "--log-level", "error", "check", "bans", "licenses", "sources"]))
}
