//! How many connections there may be, in all and from one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    config::quotas::{PerAddress, Quotas},
    rates::prefix,
};

/// Counts the connections that are open.
pub(crate) struct Connections {
    in_all: usize,
    per_prefix: PerAddress<usize>,
    /// Connections that the system would not give.
    not_accepted: AtomicU64,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    in_all: usize,
    refused: u64,
    by_prefix: HashMap<IpAddr, usize>,
}

/// One open connection; it counts until this is dropped.
pub(crate) struct Permit {
    connections: Arc<Connections>,
    prefix: IpAddr,
}

impl Connections {
    pub(crate) fn new(quotas: &Quotas) -> Arc<Self> {
        let (in_all, per_prefix) = (quotas.connections, quotas.connections_per_address);
        Arc::new(Self { in_all, per_prefix, not_accepted: AtomicU64::new(0), open: Mutex::default() })
    }

    /// One more connection from `address`, or `None` if that would be too many.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Permit> {
        let prefix = prefix(address);
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = &mut *guard;
        let from_prefix = open.by_prefix.get(&prefix).copied().unwrap_or(0);
        let exempt = self.per_prefix.by_default && prefix.is_loopback();
        let share = if exempt { usize::MAX } else { self.per_prefix.share };
        if open.in_all >= self.in_all || from_prefix >= share {
            open.refused += 1;
            return None;
        }
        open.in_all += 1;
        open.by_prefix.insert(prefix, from_prefix + 1);
        drop(guard);
        Some(Permit { connections: Arc::clone(self), prefix })
    }

    /// The system had no room for one more: no descriptor, or no memory.
    pub(crate) fn count_not_accepted(&self) {
        self.not_accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the system had no room for one more.
    pub(crate) fn not_accepted(&self) -> u64 {
        self.not_accepted.load(Ordering::Relaxed)
    }

    /// How many are open, and how many were refused since the start.
    pub(crate) fn counters(&self) -> (usize, u64) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        (open.in_all, open.refused)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.in_all -= 1;
        if let Some(count) = open.by_prefix.get_mut(&self.prefix) {
            *count -= 1;
            if *count == 0 {
                open.by_prefix.remove(&self.prefix);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_its_share_and_gets_it_back() {
        let connections = Arc::new(Connections {
            in_all: 3,
            per_prefix: PerAddress { share: 2, by_default: true },
            not_accepted: AtomicU64::new(0),
            open: Mutex::default(),
        });
        let here = |text: &str| connections.admit(text.parse().unwrap());
        let first = here("2001:db8::1").unwrap();
        let _second = here("2001:db8::2").unwrap();
        assert!(here("2001:db8::3").is_none(), "the same /64");
        let _third = here("192.0.2.1").unwrap();
        assert!(here("192.0.2.2").is_none(), "full in all");
        drop(first);
        assert!(here("::ffff:192.0.2.1").is_some());
        assert_eq!(connections.counters(), (3 - 1, 2));
    }
}
