//! coturn's own client and peer.

use std::{net::IpAddr, path::Path};

use anyhow::{Context, Result};

use crate::{
    network::Node,
    process::{Process, run},
};

/// Starts `turnutils_peer`, which sends back what it gets.
///
/// # Errors
/// If coturn is missing.
pub fn peer(node: &Node, folder: &Path) -> Result<Process> {
    let mut command = node.command("turnutils_peer")?;
    command.args(["-L", &node.address.to_string(), "-p", "3480"]);
    Process::start(command, &folder.join("peer.log"))
}

/// Runs `turnutils_uclient` against the relay, with these flags besides those that every run needs, and returns how
/// many packets were sent, and how many came back.
///
/// # Errors
/// If coturn is missing or the client gives up.
pub fn exchange(node: &Node, relay: IpAddr, peer: IpAddr, flags: &[&str]) -> Result<(u64, u64)> {
    let mut command = node.command("turnutils_uclient")?;
    command.args(flags).args(["-e", &peer.to_string(), "-r", "3480"]);
    // Two clients, each with 25 messages of 200 bytes, one every 20 ms.
    command.args(["-m", "2", "-n", "25", "-l", "200", &relay.to_string()]);
    let words = run(&mut command)?;
    counts(&words).with_context(|| format!("read what the client printed:\n{words}"))
}

/// The last line that says `tot_send_msgs=400, tot_recv_msgs=400`.
fn counts(words: &str) -> Option<(u64, u64)> {
    let line = words.lines().rfind(|line| line.contains("tot_send_msgs="))?;
    let number = |name: &str| {
        let rest = line.split(name).nth(1)?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    Some((number("tot_send_msgs=")?, number("tot_recv_msgs=")?))
}
