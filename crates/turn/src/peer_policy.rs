//! Which peers may be talked to.

use std::net::IpAddr;

use ipnet::IpNet;

/// The addresses that data is never relayed to, and the operator's exceptions.
#[derive(Clone, Debug)]
pub struct PeerPolicy {
    rules: Vec<(IpNet, bool)>,
}

impl PeerPolicy {
    /// The built-in refusals, with `own` (every address of this machine and of configured back ends) refused
    /// and the operator's `allow` and `deny`.
    #[must_use]
    pub fn new(own: &[IpAddr], allow: &[IpNet], deny: &[IpNet]) -> Self {
        let own = own.iter().map(|&ip| (IpNet::from(ip), false));
        let allow = allow.iter().map(|&net| (net, true));
        let deny = deny.iter().map(|&net| (net, false));
        Self { rules: own.chain(allow).chain(deny).collect() }
    }

    /// Whether a peer at `ip` may be talked to.
    #[must_use]
    pub fn allows(&self, ip: IpAddr) -> bool {
        self.rules.iter().find(|(net, _)| net.contains(&ip)).is_none_or(|&(_, allowed)| allowed)
    }
}
