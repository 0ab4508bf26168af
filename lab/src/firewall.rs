//! What a machine's network lets through.

use anyhow::Result;

use crate::{
    network::{CONTROL, CONTROL_V6, Node},
    process::run,
};

/// Rules for both directions of a machine's only interface.
const TABLE: &str = "lab";

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
