//! How often and how much: one rate, and one rate for each stranger.

use std::{hash::BuildHasher, net::IpAddr, time::Duration};

use foldhash::fast::FixedState;
use visavis_clock::Now;

use crate::Rate;

/// A token bucket that stores one number: when it will be full again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    full_at: Now,
}

impl Bucket {
    /// Takes `cost` (the time in which so much comes back) if no more than `burst` is then missing.
    pub(crate) fn take(&mut self, now: Now, cost: Duration, burst: Duration) -> bool {
        let full_at = self.full_at.max(now) + cost;
        let admitted = full_at.since(now) <= burst;
        if admitted {
            self.full_at = full_at;
        }
        admitted
    }
}

/// The bits that tell one stranger from another: an IPv4 address or an IPv6 /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Prefix(u64);

impl Prefix {
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            // Beside every IPv6 client: ff00::/8 is multicast, nobody sends from it.
            IpAddr::V4(v4) => Self(0xffff_ffff_0000_0000 | u64::from(v4.to_bits())),
            IpAddr::V6(v6) => Self((v6.to_bits() >> 64) as u64),
        }
    }
}

const SETS: usize = 2048;
const WAYS: usize = 4;

/// One bucket for each stranger, in a table that never grows: where it is full the stranger with the most in his
/// bucket is forgotten. So a flood from invented addresses makes it forgetful, but locks nobody out.
pub(crate) struct StrangerRate {
    rate: Rate,
    hasher: FixedState,
    sets: Vec<[Slot; WAYS]>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    prefix: Option<Prefix>,
    bucket: Bucket,
}

impl StrangerRate {
    pub(crate) fn new(rate: Rate, seed: u64) -> Self {
        let sets = vec![[Slot::default(); WAYS]; SETS];
        Self { rate, hasher: FixedState::with_seed(seed), sets }
    }

    pub(crate) fn admits(&mut self, now: Now, ip: IpAddr) -> bool {
        let cost = Duration::from_secs(1) / self.rate.per_second.max(1);
        let prefix = Prefix::of(ip);
        let set = &mut self.sets[self.hasher.hash_one(prefix.0) as usize % SETS];
        let known = set.iter().position(|slot| slot.prefix == Some(prefix));
        let index = known.unwrap_or_else(|| {
            let fullest = (0..WAYS).min_by_key(|&way| set[way].bucket.full_at).unwrap_or(0);
            set[fullest] = Slot { prefix: Some(prefix), bucket: Bucket::default() };
            fullest
        });
        set[index].bucket.take(now, cost, cost * self.rate.burst)
    }
}
