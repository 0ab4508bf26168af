//! How often one address may ask for something.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use visavis_hub::{Bucket, Now, Rate};

use crate::config::quotas::PerAddress;

/// Addresses that are remembered at most. Beyond them nobody new is counted until some are forgotten: what all
/// together may have is bounded elsewhere.
const MOST: usize = 50_000;

/// A count for each address against one rate.
pub(crate) struct Rates {
    rate: PerAddress<Rate>,
    started: Instant,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    buckets: HashMap<IpAddr, Bucket>,
    refused: u64,
}

impl Rates {
    pub(crate) fn new(rate: PerAddress<Rate>) -> Self {
        Self { rate, started: Instant::now(), counts: Mutex::default() }
    }

    /// Counts one more from `address`, unless that is too many.
    pub(crate) fn admit(&self, address: IpAddr) -> bool {
        self.admit_many(address, 1)
    }

    /// Counts so many more from `address`, unless that is too many. Never more than may come at once.
    pub(crate) fn admit_many(&self, address: IpAddr, count: usize) -> bool {
        self.admit_at(Now::after(self.started.elapsed()), address, count)
    }

    /// How many were refused since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).refused
    }

    fn admit_at(&self, now: Now, address: IpAddr, count: usize) -> bool {
        let prefix = prefix(address);
        if self.rate.share == Rate::OFF || (self.rate.by_default && prefix.is_loopback()) {
            return true;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts { buckets, refused } = &mut *counts;
        if buckets.len() >= MOST && !buckets.contains_key(&prefix) {
            buckets.retain(|_, bucket| !bucket.is_empty(now));
            if buckets.len() >= MOST {
                return true;
            }
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX).min(self.rate.share.burst);
        let admitted = buckets.entry(prefix).or_default().admit_many(now, self.rate.share, count);
        *refused += u64::from(!admitted);
        admitted
    }
}

/// What one subscriber can fill at will: an IPv4 address, an IPv6 /64.
pub(crate) fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) if address.is_loopback() => IpAddr::V6(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use super::*;

    fn rates(by_default: bool) -> Rates {
        Rates::new(PerAddress { share: Rate::new(2, 1), by_default })
    }

    #[test]
    fn an_address_has_its_rate_and_others_have_theirs() {
        let rates = rates(true);
        let ask = |at: u64, text: &str| {
            rates.admit_at(Now::after(Duration::from_secs(at)), text.parse().unwrap(), 1)
        };
        assert!(ask(1, "2001:db8::1") && ask(1, "2001:db8::2"));
        assert!(!ask(1, "2001:db8::3"), "the same /64");
        assert!(ask(1, "192.0.2.1"));
        assert!(ask(2, "2001:db8::3"), "a second later there is one more");
        assert_eq!(rates.refused(), 1);
    }

    #[test]
    fn this_computer_is_counted_only_where_somebody_asked_for_it() {
        let ask = |rates: &Rates| {
            (0..3).filter(|_| rates.admit_at(Now::ZERO, Ipv4Addr::LOCALHOST.into(), 1)).count()
        };
        assert_eq!((ask(&rates(true)), ask(&rates(false))), (3, 2));
    }

    #[test]
    fn strangers_fill_no_memory() {
        let rates = rates(true);
        for number in 0..(MOST as u32 + 1000) {
            rates.admit_at(Now::ZERO, Ipv4Addr::from_bits(0x0A00_0000 + number).into(), 1);
        }
        let kept = || rates.counts.lock().unwrap().buckets.len();
        assert_eq!(kept(), MOST);
        rates.admit_at(Now::after(Duration::from_secs(60)), Ipv4Addr::new(192, 0, 2, 1).into(), 1);
        assert_eq!(kept(), 1);
    }
}
