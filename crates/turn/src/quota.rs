//! How many allocations one credential and one address may have.

use std::{collections::HashMap, net::IpAddr};

use crate::{Limits, rate::Prefix};

/// Live allocations by owner. Bounded by the allocations themselves, hence by the ports.
#[derive(Default)]
pub(crate) struct Quota {
    by_username: HashMap<Box<[u8]>, usize, foldhash::fast::FixedState>,
    by_prefix: HashMap<Prefix, usize, foldhash::fast::FixedState>,
}

impl Quota {
    pub(crate) fn new(seed: u64) -> Self {
        let hasher = foldhash::fast::FixedState::with_seed(seed);
        Self { by_username: HashMap::with_hasher(hasher.clone()), by_prefix: HashMap::with_hasher(hasher) }
    }

    pub(crate) fn admits(&self, limits: &Limits, username: &[u8], client: IpAddr) -> bool {
        let of_username = self.by_username.get(username).copied().unwrap_or(0);
        let of_prefix = self.by_prefix.get(&Prefix::of(client)).copied().unwrap_or(0);
        of_username < limits.allocations_per_credential && of_prefix < limits.allocations_per_address
    }

    pub(crate) fn take(&mut self, username: &[u8], client: IpAddr) {
        match self.by_username.get_mut(username) {
            Some(count) => *count += 1,
            None => drop(self.by_username.insert(username.into(), 1)),
        }
        *self.by_prefix.entry(Prefix::of(client)).or_default() += 1;
    }

    pub(crate) fn give_back(&mut self, username: &[u8], client: IpAddr) {
        if let Some(count) = self.by_username.get_mut(username) {
            *count -= 1;
            if *count == 0 {
                self.by_username.remove(username);
            }
        }
        if let Some(count) = self.by_prefix.get_mut(&Prefix::of(client)) {
            *count -= 1;
            if *count == 0 {
                self.by_prefix.remove(&Prefix::of(client));
            }
        }
    }
}
