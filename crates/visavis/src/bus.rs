//! What stands between what is asked for and what takes place: each request gets its place in the order of all.
//!
//! [`MemoryBus`] is the bus of a single node and answers at once. A bus shared by many nodes would take the same
//! requests and give the same deliveries, later.

use visavis_hub::{Delivery, Request};

/// The order of everything on this node.
pub(crate) struct MemoryBus {
    /// Keeps message ids of different runs apart.
    run: u64,
    next: u64,
}

impl MemoryBus {
    /// `run` is different for each start of the server.
    pub(crate) fn new(run: u64) -> Self {
        Self { run, next: 0 }
    }

    /// Gives `request` the next place, at `unix_time` in seconds.
    pub(crate) fn order(&mut self, request: Request, unix_time: u64) -> Delivery {
        let offset = self.next;
        self.next += 1;
        let id = format!("{:x}{offset:08x}", self.run).into();
        Delivery { request, offset, id, timestamp: unix_time }
    }
}
