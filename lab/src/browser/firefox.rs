//! How Firefox is started.

use std::{path::Path, process::Command};

use anyhow::Result;
use serde_json::{Value, json};

use super::{DRIVER_PORT, profile, shown};
use crate::{ca::Authority, network::Node};

pub(super) fn prepare(
    node: &Node,
    folder: &Path,
    authority: &Authority,
    flags: &[&str],
) -> Result<(Command, Value)> {
    let profile = profile(folder);
    authority.trust_in(&profile)?;
    let host = node.address.to_string();
    let in_url = if node.address.is_ipv4() { host.clone() } else { format!("[{host}]") };
    let mut command = node.command("geckodriver")?;
    command.args(["--host", &host, "--port", &DRIVER_PORT.to_string(), "--allow-hosts", &in_url]);
    let mut words = vec!["-headless".to_owned(), "-profile".to_owned(), profile.display().to_string()];
    words.extend(flags.iter().map(|flag| (*flag).to_owned()));
    let capabilities = json!({
        "browserName": "firefox",
        "moz:firefoxOptions": { "binary": shown("firefox-esr")?, "args": words, "prefs": preferences() },
    });
    Ok((command, capabilities))
}

/// Fake devices, no questions, and nothing that asks the world for anything.
fn preferences() -> Value {
    json!({
        "media.navigator.streams.fake": true,
        "media.navigator.permission.disabled": true,
        "media.autoplay.default": 0,
        "app.update.enabled": false,
        "app.normandy.enabled": false,
        "browser.safebrowsing.malware.enabled": false,
        "browser.safebrowsing.phishing.enabled": false,
        "browser.safebrowsing.downloads.remote.enabled": false,
        "browser.region.update.enabled": false,
        "datareporting.policy.dataSubmissionEnabled": false,
        "extensions.getAddons.cache.enabled": false,
        "media.gmp-manager.updateEnabled": false,
        "network.captive-portal-service.enabled": false,
        "network.connectivity-service.enabled": false,
        "services.settings.server": "data:,",
        "toolkit.telemetry.enabled": false,
    })
}
