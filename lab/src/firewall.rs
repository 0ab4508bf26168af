//! What a machine's network lets through, and what it has let through.

use std::{collections::BTreeSet, net::IpAddr};

use anyhow::Result;

use crate::{
    network::{CONTROL, CONTROL_V6, Node},
    process::run,
};

/// Rules for both directions of a machine's only interface.
const TABLE: &str = "lab";
/// What notes where a machine sends.
const WATCH: &str = "watch";

impl Node {
    /// From now on no UDP at all leaves or reaches this machine.
    ///
    /// # Errors
    /// If `nft` is missing or fails.
    pub fn block_udp(&self) -> Result<()> {
        self.block("meta l4proto udp")
    }

    /// From now on nothing leaves or reaches this machine, and nobody is told; the test itself still does.
    ///
    /// # Errors
    /// If `nft` is missing or fails.
    pub fn vanish(&self) -> Result<()> {
        self.block("meta l4proto { tcp, udp, icmp }")
    }

    /// Everything passes again.
    ///
    /// # Errors
    /// If `nft` is missing or fails.
    pub fn restore(&self) -> Result<()> {
        self.nft(&format!("delete table inet {TABLE}"))
    }

    /// From now on the machine notes where it sends UDP for `port`, whether it can get there or not.
    ///
    /// # Errors
    /// If `nft` is missing or fails.
    pub fn watch(&self, port: u16) -> Result<()> {
        self.nft(&format!(
            "table inet {WATCH} {{
                set v4 {{ type ipv4_addr; size 65535; flags dynamic; }}
                set v6 {{ type ipv6_addr; size 65535; flags dynamic; }}
                chain out {{
                    type filter hook output priority 0;
                    meta nfproto ipv4 udp dport {port} add @v4 {{ ip daddr }}
                    meta nfproto ipv6 udp dport {port} add @v6 {{ ip6 daddr }}
                }}
            }}"
        ))
    }

    /// Where it has sent since it was told to [`watch`](Self::watch).
    ///
    /// # Errors
    /// If `nft` is missing or fails.
    pub fn seen(&self) -> Result<BTreeSet<IpAddr>> {
        let mut seen = BTreeSet::new();
        for set in ["v4", "v6"] {
            let listing = run(self.command("nft")?.args(["list", "set", "inet", WATCH, set]))?;
            let words = listing.split(|c: char| c.is_whitespace() || c == ',');
            seen.extend(words.filter_map(|word| word.parse::<IpAddr>().ok()));
        }
        Ok(seen)
    }

    fn block(&self, what: &str) -> Result<()> {
        self.nft(&format!(
            "table inet {TABLE} {{
                chain in {{
                    type filter hook input priority 0;
                    iifname eth0 ip saddr != {CONTROL} {what} drop;
                    iifname eth0 ip6 saddr != {CONTROL_V6} {what} drop;
                }}
                chain out {{
                    type filter hook output priority 0;
                    oifname eth0 ip daddr != {CONTROL} {what} drop;
                    oifname eth0 ip6 daddr != {CONTROL_V6} {what} drop;
                }}
            }}"
        ))
    }

    fn nft(&self, rules: &str) -> Result<()> {
        run(self.command("nft")?.arg(rules)).map(drop)
    }
}
