//! What a test needs of the machine, and what happens where it is missing.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Result;

/// Something that the machine lacks. A test that meets it is skipped by name.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Missing(pub String);

/// Where a program lies.
///
/// # Errors
/// [`Missing`] if it is neither in the path nor among the project's own tools.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let own = env::var_os("VISAVIS_TOOLS").map(PathBuf::from).or_else(tools);
    let folders = own.into_iter().chain(env::split_paths(&path)).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    Ok(found.ok_or_else(|| Missing(format!("the program {name}")))?)
}

/// Root, without which there are no network namespaces.
///
/// # Errors
/// [`Missing`] for everybody else.
pub fn root() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(Missing("root, for network namespaces".into()).into())
}

/// Ends a test: passes, fails, or says what it was skipped for.
///
/// # Panics
/// If the test failed, or if it was skipped where nothing may be.
pub fn conclude(test: &str, result: Result<()>) {
    let Err(error) = result else { return };
    let missing = error.chain().find_map(|cause| cause.downcast_ref::<Missing>());
    match missing {
        Some(missing) if !requires_all() => say(&format!("skipped: {test} needs {missing}")),
        _ => panic!("{test}: {error:#}"),
    }
}

/// Puts a line into the test's output.
#[allow(clippy::print_stderr, reason = "the reader of a test's output is a person")]
pub fn say(line: &str) {
    eprintln!("{line}");
}

/// The folder that cargo builds to, for what tests install and write.
pub fn target_dir() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("lab lies in the root");
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

fn requires_all() -> bool {
    env::var_os("CI").is_some() || env::var_os("VISAVIS_REQUIRE_ALL").is_some_and(|value| value == "1")
}

/// The folder of tools that are built from the crate registry and kept between checkouts.
fn tools() -> Option<PathBuf> {
    let cache =
        env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cache")));
    Some(cache?.join("visavis/tools/bin"))
}
