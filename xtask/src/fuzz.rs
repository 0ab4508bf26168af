//! Fuzzing: inputs that libFuzzer invents, and the corpora that are kept of them.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    command::{program, root, run, target_dir, tools_dir},
    setup,
};

/// What there is to fuzz: the programs of `fuzz/targets`.
const TARGETS: [&str; 3] = ["message", "framing", "server"];

/// What to fuzz and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// message, framing or server; all of them, one after another, if none is named
    target: Option<String>,
    /// How long each is fuzzed
    #[arg(default_value_t = 60)]
    seconds: u32,
    /// Afterwards keep the fewest inputs that reach as much code in fuzz/corpus, where tests replay them
    #[arg(long)]
    keep: bool,
}

/// Installs what fuzzing needs and fuzzes. What breaks a promise lies in fuzz/artifacts afterwards.
pub(crate) fn fuzz(options: &Options) -> Result<()> {
    let targets = match &options.target {
        None => TARGETS.to_vec(),
        Some(name) => TARGETS.into_iter().filter(|target| target == name).collect(),
    };
    if targets.is_empty() {
        bail!("there are the targets {}", TARGETS.join(", "));
    }
    setup::for_fuzzing()?;
    for target in targets {
        invent(target, options.seconds)?;
        if options.keep {
            keep(target)?;
        }
    }
    Ok(())
}

/// Fuzzes one target: from the committed corpus and what earlier runs have found.
fn invent(target: &str, seconds: u32) -> Result<()> {
    fs::create_dir_all(found(target)).context("make a folder for what is found")?;
    let mut command = fuzzer(target);
    command.args([found(target), committed(target)]).args(["--", "-timeout=20", "-print_final_stats=1"]);
    run(command.arg(format!("-max_total_time={seconds}")))
}

/// Makes the committed corpus anew. Lines of code count, how often they run does not: else it had thousands of files.
fn keep(target: &str) -> Result<()> {
    let kept = found(target).with_extension("kept");
    if kept.exists() {
        fs::remove_dir_all(&kept)?;
    }
    fs::create_dir_all(&kept)?;
    let mut command = fuzzer(target);
    command.arg(&kept).args([committed(target), found(target)]);
    run(command.args(["--", "-set_cover_merge=1", "-use_counters=0"]))?;
    fs::remove_dir_all(committed(target))?;
    fs::create_dir_all(committed(target))?;
    for entry in fs::read_dir(&kept)? {
        let entry = entry?;
        fs::copy(entry.path(), committed(target).join(entry.file_name()))?;
    }
    Ok(())
}

fn fuzzer(target: &str) -> Command {
    let mut command = program(tools_dir().join("bin/cargo-fuzz"), ["run", target, "--features", "libfuzzer"]);
    command.arg("--target-dir").arg(target_dir().join("fuzz"));
    // The fuzzer calls cargo by its name, and rustup finds the one that belongs to the nightly.
    for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        command.env_remove(variable);
    }
    command.env("RUSTUP_TOOLCHAIN", setup::NIGHTLY);
    command
}

fn committed(target: &str) -> PathBuf {
    root().join("fuzz/corpus").join(target)
}

fn found(target: &str) -> PathBuf {
    target_dir().join("fuzz/corpus").join(target)
}
