//! What a [`Server`](crate::Server) is told once, at its start.

use std::{fmt, net::IpAddr, time::Duration};

use crate::{PeerPolicy, PortRange, Secret};

/// How one server is set up. All shards of one process get the same, except for their share of the ports.
#[derive(Clone)]
pub struct Config {
    /// The realm of the credentials; 1 to 127 bytes without control characters (an empty one stalls Chromium).
    pub realm: String,
    /// Shared secrets of time-limited credentials. Any may match, so that one can be replaced while
    /// credentials made with the other still live.
    pub secrets: Vec<Secret>,
    /// Static names with their passwords.
    pub accounts: Vec<(String, Secret)>,
    /// What nonces are signed with; the same for all shards.
    pub nonce_key: [u8; 32],
    /// Where relayed transport addresses come from; the first of each family is used.
    pub relays: Vec<RelayInterface>,
    /// The ports of relayed transport addresses, and which of them are this shard's.
    pub ports: PortRange,
    /// Which peers may be talked to.
    pub peers: PeerPolicy,
    /// How much of everything.
    pub limits: Limits,
    /// Unix time when `Now` was zero: credentials end in Unix time.
    pub unix_time_at_zero: Duration,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("realm", &self.realm)
            .field("relays", &self.relays)
            .field("ports", &self.ports)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// One address that relayed transport addresses are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayInterface {
    /// The address as clients and peers see it.
    pub advertised: IpAddr,
    /// The local address that belongs to it: where sockets are bound. Of the same family.
    pub local: IpAddr,
}

/// Rates, quotas and lifetimes. Quotas count within one `Server`, which is one shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Answers to strangers (bindings, challenges) over UDP, and to wrong credentials over anything, for each IPv4 address or
    /// IPv6 /64. None: no limit.
    pub unauthenticated: Option<Rate>,
    /// Bits a second that one allocation may pass each way, with a burst of twice that; every payload counts 28 bytes
    /// more, as much as IPv4 and UDP put before it. None: no limit.
    pub bandwidth: Option<u64>,
    /// How long a nonce holds.
    pub nonce_lifetime: Duration,
    /// How long an allocation lives if the client wants no longer (RFC 8656 section 7.2).
    pub lifetime: Duration,
    /// How long an allocation may live without a Refresh.
    pub longest_lifetime: Duration,
    /// Permissions of one allocation.
    pub permissions: usize,
    /// Channels of one allocation.
    pub channels: usize,
    /// Allocations of one username.
    pub allocations_per_credential: usize,
    /// Allocations of one client address.
    pub allocations_per_address: usize,
    /// Allocations in all.
    pub allocations: usize,
}

/// So many a second, and so many at once after a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many a second; 0 is taken as 1.
    pub per_second: u32,
    /// How many at once.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unauthenticated: Some(Rate { per_second: 10, burst: 50 }),
            bandwidth: Some(8_000_000),
            nonce_lifetime: Duration::from_secs(600),
            lifetime: Duration::from_secs(600),
            longest_lifetime: Duration::from_secs(3600),
            permissions: 64,
            channels: 64,
            allocations_per_credential: 64,
            allocations_per_address: 1024,
            allocations: usize::MAX,
        }
    }
}

impl Limits {
    /// No rate and no quota, for load tests. The tables of one allocation stay bounded, and ports end.
    #[must_use]
    pub fn off() -> Self {
        Self {
            unauthenticated: None,
            bandwidth: None,
            allocations_per_credential: usize::MAX,
            allocations_per_address: usize::MAX,
            ..Self::default()
        }
    }
}
