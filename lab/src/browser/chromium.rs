//! How Chromium is started.

use std::{path::Path, process::Command};

use anyhow::Result;
use serde_json::{Value, json};

use super::{DRIVER_PORT, control, profile, shown};
use crate::{ca::Authority, network::Node};

/// Fake devices, no questions, and nothing that asks the world for anything.
const FLAGS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-search-engine-choice-screen",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
];

/// What a test may say otherwise.
const DEFAULTS: [&str; 3] =
    ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--window-size=1280,800"];

pub(super) fn prepare(
    node: &Node,
    folder: &Path,
    authority: &Authority,
    flags: &[&str],
) -> Result<(Command, Value)> {
    authority.trust_in(&folder.join(".pki/nssdb"))?;
    let mut command = node.command("chromedriver")?;
    command.arg(format!("--port={DRIVER_PORT}")).arg(format!("--allowed-ips={}", control()));
    command.arg("--allowed-origins=*");
    let name = |flag: &str| flag.split('=').next().map(str::to_owned);
    let defaults = DEFAULTS.iter().filter(|default| !flags.iter().any(|flag| name(flag) == name(default)));
    let mut words =
        FLAGS.iter().chain(defaults).chain(flags).map(|word| (*word).to_owned()).collect::<Vec<_>>();
    words.push(format!("--user-data-dir={}", profile(folder).display()));
    let capabilities = json!({
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": { "binary": shown("chromium")?, "args": words },
    });
    Ok((command, capabilities))
}
