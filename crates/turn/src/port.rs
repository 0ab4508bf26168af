//! The ports of relayed transport addresses.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use foldhash::fast::FixedState;
use rand_core::Rng;

use crate::{RelayInterface, RelayKey, RelayedAddr};

/// A range of ports, shared between shards in pairs: shard `shard` of `count` owns the port `port` if
/// `(port / 2) % count == shard`, so that an even port and the next higher one are never torn apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest port. Well-known ones, below 1024, are never given out (RFC 8656 section 7.2).
    pub first: u16,
    /// The highest port, included.
    pub last: u16,
    /// Which shard this is, from 0.
    pub shard: u16,
    /// How many shards there are; at least 1.
    pub count: u16,
}

impl PortRange {
    /// All ports from `first` to `last`, for one shard alone.
    #[must_use]
    pub const fn new(first: u16, last: u16) -> Self {
        Self { first, last, shard: 0, count: 1 }
    }

    /// Whether `port` is in the range, whichever shard's it is.
    #[must_use]
    pub const fn contains(&self, port: u16) -> bool {
        self.first <= port && port <= self.last && port != 0
    }

    /// The shard that owns `port`, if the port is in the range.
    #[must_use]
    pub fn shard_of(&self, port: u16) -> Option<u16> {
        self.contains(port).then(|| (port / 2) % self.count.max(1))
    }
}

/// The lowest port that is not well-known: a relay is no place for standard services.
const LOWEST: u16 = 1024;

/// The free ports of one shard on one address.
pub(crate) struct FreePorts {
    free: Vec<u16>,
}

impl FreePorts {
    pub(crate) fn new(range: PortRange) -> Self {
        let owned =
            (range.first.max(LOWEST)..=range.last).filter(|&port| range.shard_of(port) == Some(range.shard));
        Self { free: owned.collect() }
    }

    /// Takes a port that no peer can guess from the last one (RFC 8656 section 7.2).
    pub(crate) fn take(&mut self, even: bool, rng: &mut impl Rng) -> Option<u16> {
        if self.free.is_empty() {
            return None;
        }
        let start = ((u64::from(rng.next_u32()) * self.free.len() as u64) >> 32) as usize;
        let wanted = |port: &u16| !even || port.is_multiple_of(2);
        let (before, behind) = self.free.split_at(start);
        let found = behind.iter().position(wanted).map(|index| start + index);
        let index = found.or_else(|| before.iter().position(wanted))?;
        Some(self.free.swap_remove(index))
    }

    pub(crate) fn give_back(&mut self, port: u16) {
        self.free.push(port);
    }
}

/// The relayed transport addresses of one family.
pub(crate) struct RelayedAddresses {
    advertised: IpAddr,
    local: IpAddr,
    free: FreePorts,
    live: HashMap<u16, RelayKey, FixedState>,
}

impl RelayedAddresses {
    pub(crate) fn new(interface: RelayInterface, range: PortRange) -> Self {
        let RelayInterface { advertised, local } = interface;
        Self { advertised, local, free: FreePorts::new(range), live: HashMap::default() }
    }

    pub(crate) const fn advertised(&self) -> IpAddr {
        self.advertised
    }

    /// A free address as peers see it.
    pub(crate) fn take(&mut self, even: bool, rng: &mut impl Rng) -> Option<RelayedAddr> {
        let port = self.free.take(even, rng)?;
        Some(RelayedAddr(SocketAddr::new(self.advertised, port)))
    }

    /// Where the socket of `relayed` is bound.
    pub(crate) fn local(&self, relayed: RelayedAddr) -> SocketAddr {
        SocketAddr::new(self.local, relayed.0.port())
    }

    pub(crate) fn set_live(&mut self, relayed: RelayedAddr, relay: RelayKey) {
        self.live.insert(relayed.0.port(), relay);
    }

    pub(crate) fn give_back(&mut self, relayed: RelayedAddr) {
        self.live.remove(&relayed.0.port());
        self.free.give_back(relayed.0.port());
    }

    pub(crate) fn find(&self, relayed: RelayedAddr) -> Option<RelayKey> {
        self.live.get(&relayed.0.port()).copied().filter(|_| relayed.0.ip() == self.advertised)
    }
}
