//! What RFC 8656 says of allocations, permissions, channels and lifetimes, in the plainest form: lists that are
//! searched, and ends that are compared with the present.

use std::net::{IpAddr, SocketAddr};

use super::step::{CLIENTS, Family, Wish};

/// The limits of the server beside it. All so low that they are met.
pub(super) const PERMISSIONS: usize = 3;
pub(super) const CHANNELS: usize = 3;
pub(super) const PER_CREDENTIAL: usize = 3;
pub(super) const PER_ADDRESS: usize = 2;
pub(super) const ALLOCATIONS: usize = 5;
pub(super) const PORTS: [u16; 4] = [50_000, 50_001, 50_002, 50_003];
/// How many ports the server tries for one request.
const ATTEMPTS: usize = 8;

/// What one client is, as far as quotas ask.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    pub(super) name: usize,
    pub(super) address: IpAddr,
}

pub(super) struct Allocation {
    pub(super) relayed: SocketAddr,
    pub(super) granted: u64,
    pub(super) request: u64,
    ends: u64,
    permissions: Vec<(IpAddr, u64)>,
    channels: Vec<(u16, SocketAddr, u64)>,
}

/// Everything in milliseconds since the start.
pub(super) struct Reference {
    pub(super) now: u64,
    pub(super) owners: [Owner; CLIENTS],
    allocations: [Option<Allocation>; CLIENTS],
}

/// What an Allocate request gets, before it is known which port.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Allocated {
    /// A relayed address of that family, and for so many seconds.
    New(Family, u64),
    /// The answer to the same request again.
    Same,
    Refused(u16),
}

impl Reference {
    pub(super) fn new(owners: [Owner; CLIENTS]) -> Self {
        Self { now: 0, owners, allocations: [(); CLIENTS].map(|()| None) }
    }

    pub(super) fn live(&mut self, client: usize) -> Option<&mut Allocation> {
        let now = self.now;
        self.allocations.iter_mut().for_each(|allocation| drop(allocation.take_if(|it| it.ends <= now)));
        self.allocations[client].as_mut()
    }

    pub(super) fn count(&mut self, of: impl Fn(usize, &Allocation) -> bool) -> usize {
        self.live(0);
        let live = self.allocations.iter().enumerate().filter_map(|(c, it)| Some((c, it.as_ref()?)));
        live.filter(|(c, it)| of(*c, it)).count()
    }

    /// Whose relayed address that is.
    pub(super) fn owner_of(&mut self, relayed: SocketAddr) -> Option<usize> {
        (0..CLIENTS).find(|&client| self.live(client).is_some_and(|it| it.relayed == relayed))
    }

    /// `failures`: how many of the next sockets cannot be bound; those that were tried are taken off it.
    pub(super) fn allocate(
        &mut self,
        client: usize,
        request: u64,
        wish: Wish,
        failures: &mut usize,
    ) -> Allocated {
        if let Some(allocation) = self.live(client) {
            return if allocation.request == request { Allocated::Same } else { Allocated::Refused(437) };
        }
        let owners = self.owners;
        let Owner { name, address } = owners[client];
        if self.count(|c, _| owners[c].name == name) >= PER_CREDENTIAL
            || self.count(|c, _| owners[c].address == address) >= PER_ADDRESS
        {
            return Allocated::Refused(486);
        }
        if self.count(|_, _| true) >= ALLOCATIONS {
            return Allocated::Refused(508);
        }
        let family = wish.family.unwrap_or(Family::V4);
        let is_wanted = |port: u16| !wish.even || port.is_multiple_of(2);
        let taken = self.count(|_, it| it.family() == family && is_wanted(it.relayed.port()));
        let free = PORTS.into_iter().filter(|&port| is_wanted(port)).count() - taken;
        // A port that failed is tried again only after another one.
        let attempts = if free < 2 { free } else { ATTEMPTS };
        let failed = attempts.min(*failures);
        *failures -= failed;
        if failed == attempts {
            return Allocated::Refused(508);
        }
        Allocated::New(family, u64::from(wish.lifetime.unwrap_or(0)).clamp(600, 3600))
    }

    pub(super) fn allocated(&mut self, client: usize, request: u64, relayed: SocketAddr, granted: u64) {
        let ends = self.now + granted * 1000;
        let (permissions, channels) = (Vec::new(), Vec::new());
        self.allocations[client] =
            Some(Allocation { relayed, granted, request, ends, permissions, channels });
    }

    /// Error code and granted lifetime.
    pub(super) fn refresh(&mut self, client: usize, lifetime: u32, family: Option<Family>) -> (u16, u64) {
        let now = self.now;
        let Some(allocation) = self.live(client) else { return (437, 0) };
        if family.is_some_and(|family| family != allocation.family()) {
            return (443, 0);
        }
        let granted = if lifetime == 0 { 0 } else { u64::from(lifetime).clamp(600, 3600) };
        allocation.ends = now + granted * 1000;
        (0, granted)
    }

    /// `allows`: what the policy says of an address.
    pub(super) fn permit(&mut self, client: usize, ips: &[IpAddr], allows: impl Fn(IpAddr) -> bool) -> u16 {
        let now = self.now;
        let Some(allocation) = self.live(client) else { return 437 };
        if !ips.iter().all(|ip| allows(*ip)) {
            return 403;
        }
        if !ips.iter().all(|ip| ip.is_ipv4() == allocation.relayed.is_ipv4()) {
            return 443;
        }
        allocation.install(now, ips)
    }

    pub(super) fn bind(
        &mut self,
        client: usize,
        number: u16,
        peer: SocketAddr,
        allows: impl Fn(IpAddr) -> bool,
    ) -> u16 {
        let now = self.now;
        let Some(allocation) = self.live(client) else { return 437 };
        if !allows(peer.ip()) {
            return 403;
        }
        if peer.is_ipv4() != allocation.relayed.is_ipv4() {
            return 443;
        }
        let channels = &mut allocation.channels;
        channels.retain(|(_, _, end)| *end > now);
        if channels.iter().any(|(n, p, _)| (*n == number) != (*p == peer)) {
            return 400;
        }
        let is_new = !channels.iter().any(|(n, _, _)| *n == number);
        if is_new && channels.len() == CHANNELS {
            return 508;
        }
        match allocation.install(now, &[peer.ip()]) {
            0 => {}
            code => return code,
        }
        allocation.channels.retain(|(n, _, _)| *n != number);
        allocation.channels.push((number, peer, now + 600_000));
        0
    }

    pub(super) fn permitted(&mut self, client: usize, ip: IpAddr) -> bool {
        let now = self.now;
        self.live(client).is_some_and(|it| it.permissions.iter().any(|(of, end)| *of == ip && *end > now))
    }

    pub(super) fn peer_of(&mut self, client: usize, number: u16) -> Option<SocketAddr> {
        let now = self.now;
        let channels = &self.live(client)?.channels;
        channels.iter().find(|(n, _, end)| *n == number && *end > now).map(|(_, peer, _)| *peer)
    }

    pub(super) fn number_of(&mut self, client: usize, peer: SocketAddr) -> Option<u16> {
        let now = self.now;
        let channels = &self.live(client)?.channels;
        channels.iter().find(|(_, p, end)| *p == peer && *end > now).map(|(number, _, _)| *number)
    }

    pub(super) fn close(&mut self, client: usize) {
        self.allocations[client] = None;
    }
}

impl Allocation {
    pub(super) const fn family(&self) -> Family {
        if self.relayed.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// Permits all or none.
    fn install(&mut self, now: u64, ips: &[IpAddr]) -> u16 {
        self.permissions.retain(|(_, end)| *end > now);
        let mut after = self.permissions.clone();
        for &ip in ips {
            after.retain(|(of, _)| *of != ip);
            after.push((ip, now + 300_000));
        }
        if after.len() > PERMISSIONS {
            return 508;
        }
        self.permissions = after;
        0
    }
}
