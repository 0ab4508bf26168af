//! Running other programs: in the repository's root, said aloud, with a failure that names the command.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root")
}

/// Where cargo builds to.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// What is kept between checkouts of the project: drivers and checkers that take minutes to build.
pub(crate) fn tools_dir() -> PathBuf {
    let cache =
        env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cache")));
    cache.unwrap_or_else(target_dir).join("visavis/tools")
}

/// `cargo` with these words, without the flags that a surrounding cargo may have set for the host.
pub(crate) fn cargo<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(words: I) -> Command {
    let mut command = program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), words);
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
        command.env_remove(variable);
    }
    command
}

/// `cargo` with these words in the workspace of `foreign`, which keeps what it builds beside the rest.
pub(crate) fn cargo_foreign<'w>(task: &'w str, words: impl IntoIterator<Item = &'w str>) -> Command {
    let mut command = cargo([task, "--manifest-path", "foreign/Cargo.toml"]);
    command.arg("--target-dir").arg(target_dir().join("foreign")).args(words);
    command
}

/// A program with these words, to be run in the root.
pub(crate) fn program<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
    name: impl AsRef<OsStr>,
    words: I,
) -> Command {
    let mut command = Command::new(name);
    command.args(words).current_dir(root());
    command
}

/// Runs the command to its end; an error if it does not succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("\n$ {}", shown(command));
    let status = command.status().with_context(|| format!("start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// What the command prints to standard output; an error if it does not succeed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("start {}", shown(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}:\n{}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed something other than text", shown(command)))
}

fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let words = command.get_args().map(OsStr::to_string_lossy).collect::<Vec<_>>();
    format!("{name} {}", words.join(" "))
}
