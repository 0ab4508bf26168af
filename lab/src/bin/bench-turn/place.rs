//! Where the server is: on loopback, or behind a path that cuts trains into packets.

use std::{net::IpAddr, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use visavis_lab::{
    need,
    network::{CONTROL, Network, Node, SERVER},
};

/// What the path must not do: carry a train as if it were one packet.
const OFFLOADS: [&str; 8] = ["tso", "off", "gso", "off", "gro", "off", "tx-udp-segmentation", "off"];

/// Where everybody is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) server: IpAddr,
    pub(crate) client: IpAddr,
    pub(crate) peer: IpAddr,
    /// The machine of the server, if it has one of its own.
    pub(crate) node: Option<Node>,
}

impl Place {
    /// Everybody on loopback, each with an address of his own.
    pub(crate) fn loopback() -> Self {
        let at = |host| [127, 0, 0, host].into();
        Self { server: at(1), peer: at(2), client: at(3), node: None }
    }

    /// The server on a machine of its own, behind virtual Ethernet without segmentation offload. From here on this
    /// thread is on the other side.
    pub(crate) fn behind_ethernet(folder: &Path) -> Result<(Network, Self)> {
        let mut network = Network::new()?;
        network.enter()?;
        let node = network.add("server", &[SERVER.into()], folder)?;
        let ports = [("internet", None), ("to-1", None), ("eth0", Some(&node))];
        for (interface, node) in ports {
            let mut ethtool = match node {
                None => Command::new(need::program("ethtool")?),
                Some(node) => node.command("ethtool")?,
            };
            let result = ethtool.args(["-K", interface]).args(OFFLOADS).output().context("run ethtool")?;
            let words = String::from_utf8_lossy(&result.stderr);
            ensure!(result.status.success(), "no offload for {interface}: {words}");
        }
        let place =
            Self { server: SERVER.into(), client: CONTROL.into(), peer: CONTROL.into(), node: Some(node) };
        Ok((network, place))
    }
}
