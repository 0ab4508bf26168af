//! What building and testing needs, installed where it is missing.

use std::{env, path::Path, process::Command};

use anyhow::{Result, bail};

use crate::command::{cargo, output, program, run, tools_dir};

/// The compiler that fuzz targets are built with: coverage is counted by flags that only nightlies take.
pub(crate) const NIGHTLY: &str = "nightly-2026-05-20";
const FUZZER: (&str, &str) = ("cargo-fuzz", "0.13.2");

const WASM: &str = "wasm32-unknown-unknown";

/// Programs that the tests run, each with the Debian package that brings it.
const PROGRAMS: [(&str, &str); 13] = [
    ("cc", "build-essential"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("firefox-esr", "firefox-esr"),
    ("turnutils_uclient", "coturn"),
    ("certutil", "libnss3-tools"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("dnsmasq", "dnsmasq-base"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("pip3", "python3-pip"),
    ("fc-list", "fontconfig"),
];

/// Fonts without which a picture of the page shows boxes, by a file that each package brings.
const FONTS: [(&str, &str); 1] =
    [("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "fonts-noto-cjk")];

/// Programs that are built from the crate registry, each with its version.
const TOOLS: [(&str, &str); 2] = [("geckodriver", "0.37.1"), ("cargo-deny", "0.20.2")];

/// Servers that others wrote, for comparisons; the rest of them comes from the package registry of Node.
const PEERS: [(&str, &str); 4] =
    [("node", "nodejs"), ("npm", "npm"), ("taskset", "util-linux"), ("nats-server", "nats-server")];

/// coturn, and what makes a path between namespaces.
const TURN_PEERS: [(&str, &str); 4] =
    [("turnserver", "coturn"), ("ip", "iproute2"), ("ethtool", "ethtool"), ("dnsmasq", "dnsmasq-base")];

/// Everything that `cargo xtask bench signaling` needs.
pub(crate) fn for_comparisons() -> Result<()> {
    packages(&PEERS, &[])
}

/// Everything that `cargo xtask bench turn` needs.
pub(crate) fn for_turn_comparisons() -> Result<()> {
    packages(&TURN_PEERS, &[])?;
    // Without its management interface, whose build needs a compiler of Protocol Buffers.
    tool("turn-server", "4.1.5", &["--no-default-features", "--features", "udp"])
}

/// Everything that `cargo xtask test` needs.
pub(crate) fn for_tests() -> Result<()> {
    packages(&PROGRAMS, &FONTS)?;
    wasm_target()?;
    TOOLS.iter().try_for_each(|(name, version)| tool(name, version, &[]))
}

/// Everything that `cargo xtask fuzz` needs.
pub(crate) fn for_fuzzing() -> Result<()> {
    packages(&PROGRAMS[..1], &[])?;
    let mut list = program("rustup", ["toolchain", "list"]);
    if !output(&mut list)?.lines().any(|line| line.starts_with(NIGHTLY)) {
        run(&mut program("rustup", ["toolchain", "install", NIGHTLY, "--profile", "minimal"]))?;
    }
    tool(FUZZER.0, FUZZER.1, &[])
}

/// The target that the page is built for.
pub(crate) fn wasm_target() -> Result<()> {
    let installed =
        output(program("rustup", ["target", "list", "--installed"]).env_remove("RUSTUP_TOOLCHAIN"))?;
    if installed.lines().any(|line| line == WASM) {
        return Ok(());
    }
    run(program("rustup", ["target", "add", WASM]).env_remove("RUSTUP_TOOLCHAIN"))
}

fn packages(programs: &[(&'static str, &'static str)], fonts: &[(&str, &'static str)]) -> Result<()> {
    let programs = programs.iter().filter(|(name, _)| !in_path(name));
    let fonts = fonts.iter().filter(|(file, _)| !Path::new(file).exists());
    let missing = programs.chain(fonts).map(|(_, package)| *package).collect::<Vec<_>>();
    if missing.is_empty() {
        return Ok(());
    }
    if !in_path("apt-get") {
        bail!("this needs the Debian packages {}; install what brings the same here", missing.join(" "));
    }
    run(&mut as_root(["apt-get", "update", "--quiet"]))?;
    let mut install = as_root(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends"]);
    run(install.args(missing).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn as_root<const N: usize>(words: [&str; N]) -> Command {
    let root = output(&mut program("id", ["-u"])).is_ok_and(|id| id.trim() == "0");
    if root { program(words[0], &words[1..]) } else { program("sudo", words) }
}

fn tool(name: &str, version: &str, flags: &[&str]) -> Result<()> {
    let binary = tools_dir().join("bin").join(name);
    let installed = output(&mut program(&binary, ["--version"])).unwrap_or_default();
    if installed.split_whitespace().nth(1) == Some(version) {
        return Ok(());
    }
    let mut install = cargo(["install", name, "--locked", "--version", version, "--root"]);
    run(install.arg(tools_dir()).args(flags).env_remove("CARGO_TARGET_DIR"))
}

/// Whether a program of that name can be started.
fn in_path(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]).any(|dir| dir.join(name).exists())
}
