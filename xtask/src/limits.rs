//! The limits of ARCHITECTURE.md that a machine can check.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::{cargo, output, root};

/// Which crate may know which other crate of the project. Everything else is refused.
const EDGES: [(&str, &[&str]); 12] = [
    ("visavis-clock", &[]),
    ("visavis-turn", &["visavis-clock"]),
    ("visavis-signal", &[]),
    ("visavis-hub", &["visavis-clock"]),
    ("visavis-relay", &["visavis-clock", "visavis-turn"]),
    ("visavis-call", &["visavis-clock", "visavis-signal"]),
    ("visavis-page", &["visavis-call", "visavis-signal"]),
    ("visavis", &["visavis-hub", "visavis-relay", "visavis-signal", "visavis-turn"]),
    ("visavis-fuzz", &["visavis-clock", "visavis-turn"]),
    ("visavis-foreign", &[]),
    ("visavis-lab", &["visavis-turn"]),
    ("visavis-xtask", &[]),
];

/// The crates that do no I/O and read no clock, randomness or environment.
const PURE: [&str; 5] = ["clock", "turn", "signal", "hub", "call"];

/// What a pure crate never names. Their `clippy.toml` bans the same with types resolved; this also sees
/// what is hidden behind a `cfg`.
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::io",
    "UdpSocket",
    "TcpStream",
    "SystemTime",
    "Instant",
];

/// Checks every limit.
pub(crate) fn check() -> Result<()> {
    println!("\nlimits: edges, purity, unsafe");
    let mut faults = edges()?;
    faults.extend(purity()?);
    faults.extend(unsafety()?);
    if !faults.is_empty() {
        bail!("limits of ARCHITECTURE.md are broken:\n  {}", faults.join("\n  "));
    }
    Ok(())
}

fn edges() -> Result<Vec<String>> {
    let mut packages = Vec::new();
    for manifest in ["Cargo.toml", "foreign/Cargo.toml"] {
        let words =
            ["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path", manifest];
        let metadata: Value = serde_json::from_str(&output(&mut cargo(words))?)?;
        packages.extend(metadata["packages"].as_array().context("cargo metadata names no packages")?.clone());
    }
    let names = packages.iter().filter_map(|package| package["name"].as_str()).collect::<BTreeSet<_>>();
    let mut faults = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = EDGES.iter().find(|(listed, _)| *listed == name) else {
            faults.push(format!("{name} has no row in the table of edges"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let counts = dependency["kind"].as_str() != Some("dev");
            if counts && names.contains(to) && !allowed.contains(&to) {
                faults.push(format!("the edge {name} -> {to} may not exist"));
            }
        }
    }
    Ok(faults)
}

fn purity() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for name in PURE {
        let folder = root().join("crates").join(name);
        if !folder.join("clippy.toml").exists() {
            faults.push(format!("crates/{name} has no clippy.toml that bans clocks and sockets"));
        }
        for file in sources(&folder.join("src"))? {
            let text = fs::read_to_string(&file)?;
            for (number, line) in
                text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
            {
                for word in IMPURE.iter().filter(|word| names(line, word)) {
                    faults.push(format!("{}:{}: a pure crate names {word}", shown(&file), number + 1));
                }
            }
        }
    }
    Ok(faults)
}

/// Whether the line holds the word as a whole path segment, and not as part of a longer name.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let before = line[..at].chars().next_back().is_none_or(|c| !part(c));
        before && line[at + word.len()..].chars().next().is_none_or(|c| !part(c))
    })
}

fn unsafety() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for folder in crate_folders()? {
        if folder.ends_with("crates/relay") {
            continue;
        }
        let top = ["src/lib.rs", "src/main.rs"]
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| path.exists());
        let top = top.with_context(|| format!("{} has neither lib.rs nor main.rs", shown(&folder)))?;
        if !fs::read_to_string(&top)?.contains("#![forbid(unsafe_code)]") {
            faults.push(format!("{} does not forbid unsafe code", shown(&top)));
        }
    }
    Ok(faults)
}

fn crate_folders() -> Result<Vec<PathBuf>> {
    let mut folders = ["foreign", "fuzz", "lab", "xtask"].map(|name| root().join(name)).to_vec();
    for entry in fs::read_dir(root().join("crates"))? {
        folders.push(entry?.path());
    }
    Ok(folders)
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
