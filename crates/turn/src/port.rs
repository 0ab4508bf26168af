//! The ports of relayed transport addresses.

/// A range of ports, shared between shards in pairs: shard `shard` of `count` owns the port `port` if
/// `(port / 2) % count == shard`, so that an even port and the next higher one are never torn apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest port; at least 1.
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
        self.first <= port && port <= self.last
    }

    /// The shard that owns `port`, if the port is in the range.
    #[must_use]
    pub fn shard_of(&self, port: u16) -> Option<u16> {
        self.contains(port).then(|| (port / 2) % self.count.max(1))
    }
}
