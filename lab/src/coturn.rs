//! coturn's own client and peer.

use std::{net::IpAddr, path::Path};

use anyhow::{Context, Result};

use crate::{
    network::{Node, SERVER},
    process::{Process, run},
};

/// How the client reaches the relay.
#[derive(Debug, Clone, Copy)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A plain stream.
    Tcp,
    /// A stream over TLS, on this port.
    Tls(u16),
}

/// Starts `turnutils_peer`, which sends back what it gets.
///
/// # Errors
/// If coturn is missing.
pub fn peer(node: &Node, folder: &Path) -> Result<Process> {
    let mut command = node.command("turnutils_peer")?;
    command.args(["-L", &node.address.to_string(), "-p", "3480"]);
    Process::start(command, &folder.join("peer.log"))
}

/// Runs `turnutils_uclient` against the relay and returns how many packets were sent, and how many came back.
///
/// # Errors
/// If coturn is missing or the client gives up.
pub fn exchange(
    node: &Node,
    transport: Transport,
    account: (&str, &str),
    peer: IpAddr,
) -> Result<(u64, u64)> {
    let mut command = node.command("turnutils_uclient")?;
    match transport {
        Transport::Udp => {}
        Transport::Tcp => drop(command.arg("-t")),
        Transport::Tls(port) => drop(command.args(["-t", "-S", "-p", &port.to_string()])),
    }
    command.args(["-u", account.0, "-w", account.1, "-e", &peer.to_string(), "-r", "3480"]);
    // Four clients, a hundred messages of 200 bytes each, without RTCP ports beside the RTP ones.
    command.args(["-m", "4", "-n", "100", "-l", "200", "-c", &SERVER.to_string()]);
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
