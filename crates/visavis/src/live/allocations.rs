//! What `/allocations.json` on the admin port says: the allocations that live, without the addresses of those who use them.

use std::net::SocketAddr;

use serde::Serialize;
use visavis_turn::Listed;

use crate::{circles::client_of, metrics::transport_name};

/// Allocations that are shown, the busiest.
pub(super) const SHOWN: usize = 100;
/// Allocations of each shard that are looked at.
pub(super) const LOOKED_AT: usize = 10_000;
/// Characters of a credential's name.
const NAME: usize = 64;

#[derive(Serialize)]
pub(super) struct Allocations {
    /// How many live, shown or not.
    total: u64,
    allocations: Vec<Allocation>,
}

#[derive(Serialize)]
struct Allocation {
    /// The client id of the call member whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    /// The name of the credential, where it is no call member's.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    transport: &'static str,
    /// Over which kind of address its client reaches this server.
    family: &'static str,
    /// The relayed transport addresses, which are this server's own.
    relayed: Vec<SocketAddr>,
    /// Seconds since it was made.
    age: u64,
    /// Seconds that it lives without being refreshed.
    left: u64,
    permissions: usize,
    channels: usize,
    /// Bytes of payload, both ways together.
    bytes: u64,
}

impl Allocations {
    /// The busiest of `listed`, of which there are `total`.
    pub(super) fn new(total: u64, mut listed: Vec<Listed>) -> Self {
        listed.sort_by_key(|one| std::cmp::Reverse((one.bytes, one.age)));
        listed.truncate(SHOWN);
        Self { total, allocations: listed.into_iter().map(Allocation::new).collect() }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }
}

impl Allocation {
    fn new(listed: Listed) -> Self {
        let member = client_of(&listed.username).map(str::to_owned);
        let name = String::from_utf8_lossy(&listed.username).chars().take(NAME).collect();
        Self {
            name: member.is_none().then_some(name),
            member,
            transport: transport_name(listed.transport),
            family: if listed.over_ipv6 { "ipv6" } else { "ipv4" },
            relayed: listed.relayed,
            age: listed.age.as_secs(),
            left: listed.left.as_secs(),
            permissions: listed.permissions,
            channels: listed.channels,
            bytes: listed.bytes,
        }
    }
}
