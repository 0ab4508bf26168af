//! How many connections there may be, in all and from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

/// Open connections in all.
const IN_ALL: usize = 20_000;
/// Open connections from one IPv4 address or one IPv6 /64: room for an office behind one address. This computer has
/// no such share, since a proxy on it speaks for everybody.
const PER_PREFIX: usize = 512;

/// Counts the connections that are open.
pub(crate) struct Connections {
    in_all: usize,
    per_prefix: usize,
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
    pub(crate) fn new(limited: bool) -> Arc<Self> {
        let (in_all, per_prefix) = if limited { (IN_ALL, PER_PREFIX) } else { (usize::MAX, usize::MAX) };
        Arc::new(Self { in_all, per_prefix, open: Mutex::default() })
    }

    /// One more connection from `address`, or `None` if that would be too many.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Permit> {
        let prefix = prefix(address);
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = &mut *guard;
        let from_prefix = open.by_prefix.get(&prefix).copied().unwrap_or(0);
        let share = if prefix.is_loopback() { usize::MAX } else { self.per_prefix };
        if open.in_all >= self.in_all || from_prefix >= share {
            open.refused += 1;
            return None;
        }
        open.in_all += 1;
        open.by_prefix.insert(prefix, from_prefix + 1);
        drop(guard);
        Some(Permit { connections: Arc::clone(self), prefix })
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

/// What one subscriber can fill at will: an IPv4 address, an IPv6 /64.
fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) if address.is_loopback() => IpAddr::V6(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_its_share_and_gets_it_back() {
        let connections = Arc::new(Connections { in_all: 3, per_prefix: 2, open: Mutex::default() });
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
