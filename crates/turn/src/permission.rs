//! Permissions: the addresses whose datagrams may reach the client (RFC 8656 section 9).

use std::{net::IpAddr, time::Duration};

use visavis_clock::Now;

use crate::family::Family;

/// How long a permission holds; no more and no less (RFC 8656 section 9).
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);

/// The permissions of one allocation: a few, so a row is the fastest table.
#[derive(Default)]
pub(crate) struct Permissions {
    rows: Vec<(IpAddr, Now)>,
}

impl Permissions {
    pub(crate) fn holds(&self, now: Now, ip: IpAddr) -> bool {
        self.rows.iter().any(|&(of, expires)| of == ip && expires > now)
    }

    /// How many there are, those included that have lapsed.
    pub(crate) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether all of `ips` have a place among at most `limit`.
    pub(crate) fn has_room(&mut self, now: Now, limit: usize, ips: &[IpAddr]) -> bool {
        self.rows.retain(|&(_, expires)| expires > now);
        let is_new = |&(index, ip): &(usize, &IpAddr)| {
            !ips[..index].contains(ip) && !self.rows.iter().any(|(of, _)| of == ip)
        };
        self.rows.len() + ips.iter().enumerate().filter(is_new).count() <= limit
    }

    pub(crate) fn forget(&mut self, family: Family) {
        self.rows.retain(|&(ip, _)| Family::of(ip) != family);
    }

    pub(crate) fn install(&mut self, now: Now, ip: IpAddr) {
        let expires = now + LIFETIME;
        match self.rows.iter_mut().find(|(of, _)| *of == ip) {
            Some(row) => row.1 = expires,
            None => self.rows.push((ip, expires)),
        }
    }
}
