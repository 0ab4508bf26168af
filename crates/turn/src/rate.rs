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

    /// Whether nothing is missing.
    fn is_full(self, now: Now) -> bool {
        self.full_at <= now
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

/// Bytes that a stranger may have sent and not drawn.
const MOST_PAID: u32 = 4096;

/// One bucket for each stranger, in a table that never grows: where it is full the stranger with the most in his
/// bucket is forgotten. So a flood from invented addresses makes it forgetful, but locks nobody out.
///
/// A burst may draw more bytes than it sends, for answers are longer than requests. Behind it every answer is paid for by bytes that
/// came, until fewer requests than that have come for a while.
pub(crate) struct StrangerRate {
    rate: Rate,
    hasher: FixedState,
    sets: Vec<[Slot; WAYS]>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    prefix: Option<Prefix>,
    answers: Bucket,
    /// Counts what is asked, answered or not: who asks more than may be answered gets no new burst.
    requests: Bucket,
    /// Answers that the burst has had.
    drawn: u32,
    /// Bytes that came since, and were not answered.
    paid: u32,
}

impl StrangerRate {
    pub(crate) fn new(rate: Rate, seed: u64) -> Self {
        let sets = vec![[Slot::default(); WAYS]; SETS];
        Self { rate, hasher: FixedState::with_seed(seed), sets }
    }

    /// Whether a request of so many bytes may be answered with so many.
    pub(crate) fn admits(&mut self, now: Now, ip: IpAddr, asked: usize, answer: usize) -> bool {
        let cost = Duration::from_secs(1) / self.rate.per_second.max(1);
        let burst = self.rate.burst;
        let slot = self.slot(Prefix::of(ip));
        if slot.requests.is_full(now) {
            (slot.drawn, slot.paid) = (0, 0);
        }
        slot.requests.take(now, cost, cost * burst);
        if slot.drawn < burst {
            slot.drawn += 1;
            return slot.answers.take(now, cost, cost * burst);
        }
        let answer = u32::try_from(answer).unwrap_or(u32::MAX);
        slot.paid = slot.paid.saturating_add(u32::try_from(asked).unwrap_or(u32::MAX)).min(MOST_PAID);
        let admitted = slot.paid >= answer && slot.answers.take(now, cost, cost * burst);
        if admitted {
            slot.paid -= answer;
        }
        admitted
    }

    fn slot(&mut self, prefix: Prefix) -> &mut Slot {
        let set = &mut self.sets[self.hasher.hash_one(prefix.0) as usize % SETS];
        let known = set.iter().position(|slot| slot.prefix == Some(prefix));
        let index = known.unwrap_or_else(|| {
            let fullest = (0..WAYS).min_by_key(|&way| set[way].requests.full_at).unwrap_or(0);
            set[fullest] = Slot { prefix: Some(prefix), ..Slot::default() };
            fullest
        });
        &mut set[index]
    }
}
