//! What lives now, for whoever runs the server.

use std::{net::SocketAddr, time::Duration};

use visavis_clock::Now;

use super::Server;
use crate::{Transport, allocation::State};

/// One allocation as it is now, without the addresses of those who use it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The name of its credential.
    pub username: Box<[u8]>,
    /// What carries messages between client and server.
    pub transport: Transport,
    /// Whether the client reaches this server over IPv6.
    pub over_ipv6: bool,
    /// The relayed transport addresses, at most one of each family.
    pub relayed: Vec<SocketAddr>,
    /// How old it is.
    pub age: Duration,
    /// How long it lives without a Refresh: where each address has its own end, the later of both.
    pub left: Duration,
    /// Permissions held.
    pub permissions: usize,
    /// Channels held.
    pub channels: usize,
    /// Bytes of payload passed on, both ways together.
    pub bytes: u64,
}

impl Server {
    /// At most `most` live allocations, in no order that means anything.
    pub fn listed(&self, now: Now, most: usize) -> impl Iterator<Item = Listed> {
        let live = self.allocations.iter().filter_map(move |(_, allocation)| {
            let State::Live { expires } = allocation.state else { return None };
            let route = &allocation.route;
            let ends = route.relayed.iter().map(|(family, _)| expires[family].since(now));
            Some(Listed {
                username: allocation.username.clone(),
                transport: route.client.transport,
                over_ipv6: route.client.client.is_ipv6(),
                relayed: route.relayed.iter().map(|(_, relayed)| relayed.0).collect(),
                age: now.since(allocation.since),
                left: ends.max().unwrap_or_default(),
                permissions: route.permissions.len(),
                channels: route.channels.len(),
                bytes: route.bytes,
            })
        });
        live.take(most)
    }
}
