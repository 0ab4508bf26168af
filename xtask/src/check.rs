//! Every check that runs no product code: formatting, lints, limits, licences, duplicates.

use anyhow::Result;

use crate::{
    command::{cargo, cargo_foreign, program, run, tools_dir},
    limits,
};

/// Runs all checks.
pub(crate) fn check() -> Result<()> {
    run(&mut cargo(["fmt", "--all", "--check"]))?;
    run(&mut cargo(["fmt", "--manifest-path", "foreign/Cargo.toml", "--check"]))?;
    limits::check()?;
    dependencies()?;
    lint(&["--workspace", "--exclude", "visavis-page", "--all-targets"])?;
    lint(&["--package", "visavis-page", "--target", "wasm32-unknown-unknown"])?;
    let words = ["--quiet", "--locked", "--all-targets", "--", "--deny", "warnings"];
    run(&mut cargo_foreign("clippy", words))
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
    let words = ["--offline", "--log-level", "error"];
    run(program(&deny, words).args(["check", "bans", "licenses", "sources"]))?;
    // Nothing of it is in the product, so that versions may come twice.
    let manifest = ["--manifest-path", "foreign/Cargo.toml"];
    run(cargo(["fetch", "--quiet", "--locked"]).args(manifest))?;
    run(program(&deny, words).args(manifest).args(["--config", "deny.toml", "check", "licenses", "sources"]))
}
