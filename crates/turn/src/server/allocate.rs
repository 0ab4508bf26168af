//! Allocate: a relayed transport address for a client (RFC 8656 section 7).

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use visavis_clock::Now;

use super::{
    Action, Answer, Reply, Server,
    binding::mapped,
    effect::RelayKey,
    request::{Code, Covered, Request, number},
};
use crate::{
    FiveTuple, RelayedAddr,
    allocation::{Allocation, Pending, State},
    route::Route,
    wire::{
        Class, Method, Writer,
        attribute::{self, IPV4, IPV6},
    },
};

/// How many ports are tried before a client is told that there is none.
const BIND_ATTEMPTS: u8 = 8;
/// The protocol number of UDP in REQUESTED-TRANSPORT.
const UDP: u8 = 17;

/// What an Allocate request asks for.
struct Wish {
    family: IpAddr,
    even: bool,
}

impl Server {
    pub(super) fn allocate(&mut self, request: &Request<'_>) -> Result<Answer, Code> {
        if let Some(relay) = self.by_client.find(&request.from) {
            return self.allocate_again(request, relay);
        }
        let username = request.covered.username.ok_or(Code::BadRequest)?;
        if self.auth.is_expired(request.now, username) {
            return Err(Code::Unauthenticated);
        }
        let wish = wish(&request.covered)?;
        let granted = self.lifetime(&request.covered)?;
        self.relayed(wish.family).ok_or(Code::AddressFamilyNotSupported)?;
        if !self.quota.admits(&self.limits, username, request.from.client.ip()) {
            return Err(Code::AllocationQuotaReached);
        }
        if self.allocations.len() >= self.limits.allocations {
            return Err(Code::InsufficientCapacity);
        }
        let relayed = self.take_relayed(wish.family, wish.even).ok_or(Code::InsufficientCapacity)?;
        let pending = Pending {
            attempts: BIND_ATTEMPTS - 1,
            even: wish.even,
            fingerprint: request.covered.has_fingerprint,
        };
        let relay = RelayKey(self.allocations.insert(Allocation {
            route: Route::new(request.from, relayed),
            username: username.into(),
            seal: request.seal,
            transaction: request.covered.id(),
            granted,
            state: State::Binding(pending),
        }) as u32);
        self.by_client.insert(request.from, relay);
        self.quota.take(username, request.from.client.ip());
        self.bind(relay, relayed);
        Ok(Answer::Later)
    }

    /// A retransmission gets the answer that the first one got; any other request finds its five-tuple taken.
    fn allocate_again(&mut self, request: &Request<'_>, relay: RelayKey) -> Result<Answer, Code> {
        let allocation = &self.allocations[relay.0 as usize];
        if allocation.transaction != request.covered.id()
            || request.covered.username != Some(&*allocation.username)
        {
            return Err(Code::AllocationMismatch);
        }
        if !allocation.is_live() {
            return Ok(Answer::Later);
        }
        let (relayed, granted, from) = (allocation.route.relayed, allocation.granted, request.from);
        Ok(self.grant(request, |writer| write_allocated(writer, relayed, granted, from)))
    }

    /// How long an allocation lives that is asked for now (RFC 8656 sections 7.2 and 8.2).
    pub(super) fn lifetime(&self, covered: &Covered<'_>) -> Result<Duration, Code> {
        let Some(wished) = covered.lifetime else { return Ok(self.limits.lifetime) };
        let wished = Duration::from_secs(number(wished).ok_or(Code::BadRequest)?.into());
        Ok(wished.min(self.limits.longest_lifetime).max(self.limits.lifetime))
    }

    fn take_relayed(&mut self, family: IpAddr, even: bool) -> Option<RelayedAddr> {
        let addresses = if family.is_ipv4() { &mut self.relayed_v4 } else { &mut self.relayed_v6 };
        addresses.as_mut()?.take(even, &mut self.rng)
    }

    fn bind(&mut self, relay: RelayKey, relayed: RelayedAddr) {
        if let Some(addresses) = self.relayed(relayed.0.ip()) {
            let local = addresses.local(relayed);
            self.actions.push_back(Action::BindRelay { relay, local });
        }
    }

    /// Takes the answer to [`Action::BindRelay`]: success releases the reply to the Allocate request; after a
    /// failure another port is tried, in the end the request is refused with 508.
    pub fn handle_relay_bound(&mut self, now: Now, relay: RelayKey, bound: bool) -> Option<Reply<'_>> {
        self.handle_timeout(now);
        self.counters.bind_failures += u64::from(!bound);
        let allocation = self.allocations.get(relay.0 as usize)?;
        match (&allocation.state, bound) {
            (State::Live { .. }, _) => None,
            (State::Abandoned, _) => {
                if bound {
                    self.actions.push_back(Action::CloseRelay { relay });
                }
                self.forget(relay);
                None
            }
            (&State::Binding(pending), true) => Some(self.go_live(now, relay, pending)),
            (&State::Binding(pending), false) => self.bind_another(relay, pending),
        }
    }

    fn go_live(&mut self, now: Now, relay: RelayKey, pending: Pending) -> Reply<'_> {
        let allocation = &mut self.allocations[relay.0 as usize];
        let (from, relayed, granted) =
            (allocation.route.client, allocation.route.relayed, allocation.granted);
        let expires = now + granted;
        allocation.state = State::Live { expires };
        self.timers.insert(expires, relay);
        self.counters.allocations += 1;
        self.counters.created += 1;
        let mut writer = Writer::new(&mut self.out, Class::Success, Method::ALLOCATE, allocation.transaction);
        write_allocated(&mut writer, relayed, granted, from);
        writer.sign(allocation.seal.integrity, allocation.seal.key.bytes());
        if pending.fingerprint {
            writer.fingerprint();
        }
        if let Some(addresses) = self.relayed_mut(relayed.0.ip()) {
            addresses.set_live(relayed, relay);
        }
        Reply { to: from, bytes: &self.out }
    }

    fn bind_another(&mut self, relay: RelayKey, pending: Pending) -> Option<Reply<'_>> {
        let failed = self.allocations[relay.0 as usize].route.relayed;
        let another =
            if pending.attempts == 0 { None } else { self.take_relayed(failed.0.ip(), pending.even) };
        let Some(relayed) = another else { return Some(self.give_up(relay, pending)) };
        // Only now, lest it be taken again at once.
        if let Some(addresses) = self.relayed_mut(failed.0.ip()) {
            addresses.give_back(failed);
        }
        let allocation = &mut self.allocations[relay.0 as usize];
        allocation.route.relayed = relayed;
        allocation.state = State::Binding(Pending { attempts: pending.attempts - 1, ..pending });
        self.bind(relay, relayed);
        None
    }

    fn give_up(&mut self, relay: RelayKey, pending: Pending) -> Reply<'_> {
        let allocation = &self.allocations[relay.0 as usize];
        let (to, transaction, seal) = (allocation.route.client, allocation.transaction, allocation.seal);
        self.end(relay);
        self.forget(relay);
        self.refuse_bind(transaction, seal, pending.fingerprint);
        Reply { to, bytes: &self.out }
    }
}

fn write_allocated(writer: &mut Writer<'_>, relayed: RelayedAddr, granted: Duration, from: FiveTuple) {
    writer.xor_address(attribute::XOR_RELAYED_ADDRESS, relayed.0);
    writer.number(attribute::LIFETIME, granted.as_secs() as u32);
    writer.xor_address(attribute::XOR_MAPPED_ADDRESS, mapped(from));
}

/// Reads what is asked for, in the order of RFC 8656 section 7.2.
fn wish(covered: &Covered<'_>) -> Result<Wish, Code> {
    match covered.requested_transport {
        Some([UDP, _, _, _]) => {}
        Some([_, _, _, _]) => return Err(Code::UnsupportedTransport),
        _ => return Err(Code::BadRequest),
    }
    if covered.reservation_token.is_some() {
        let contradicts = covered.even_port.is_some() || covered.requested_family.is_some();
        return Err(if contradicts { Code::BadRequest } else { Code::InsufficientCapacity });
    }
    let family = match covered.requested_family {
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Some(value) => family(value)?,
    };
    let even = match covered.even_port {
        None => false,
        // To keep the next port back for a later request is more than any browser asks.
        Some([reserve]) if reserve & 0x80 != 0 => return Err(Code::InsufficientCapacity),
        Some([_]) => true,
        Some(_) => return Err(Code::BadRequest),
    };
    Ok(Wish { family, even })
}

/// An address of the family that REQUESTED-ADDRESS-FAMILY names.
pub(super) fn family(value: &[u8]) -> Result<IpAddr, Code> {
    match value {
        [IPV4, _, _, _] => Ok(Ipv4Addr::UNSPECIFIED.into()),
        [IPV6, _, _, _] => Ok(Ipv6Addr::UNSPECIFIED.into()),
        [_, _, _, _] => Err(Code::AddressFamilyNotSupported),
        _ => Err(Code::BadRequest),
    }
}
