//! Build everything that a person runs, and run it.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    command::{cargo, program, run, target_dir},
    page,
};

/// Builds the page, then the release binary with the page in it.
pub(crate) fn build() -> Result<PathBuf> {
    page::build()?;
    run(&mut cargo(["build", "--release", "--package", "visavis"]))?;
    Ok(target_dir().join("release/visavis"))
}

/// Builds, then becomes the server.
pub(crate) fn serve(flags: &[String]) -> Result<()> {
    let binary = build()?;
    replace_by(&mut program(binary, flags))
}

/// Becomes the program, so that signals and the exit status are its own.
#[cfg(unix)]
fn replace_by(command: &mut std::process::Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn replace_by(command: &mut std::process::Command) -> Result<()> {
    run(command)
}
