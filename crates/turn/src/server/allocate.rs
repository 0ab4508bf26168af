//! Allocate: relayed transport addresses for a client (RFC 8656 section 7).

use std::time::Duration;

use visavis_clock::Now;

use super::{
    Action, Answer, Reply, Server,
    binding::mapped,
    effect::RelayKey,
    request::{Code, Covered, Request, number},
};
use crate::{
    FiveTuple, RelayedAddr,
    allocation::{Allocation, AllocationKey, Pending, State},
    family::{ByFamily, Family},
    route::Route,
    wire::{
        Class, Method, Writer,
        attribute::{self, IPV6},
    },
};

/// How many ports are tried before a client is told that there is none.
const BIND_ATTEMPTS: u8 = 8;
/// The protocol number of UDP in REQUESTED-TRANSPORT.
const UDP: u8 = 17;

/// What an Allocate request asks for.
struct Wish {
    family: Family,
    /// IPv6 as well.
    additional: bool,
    even: bool,
}

/// A relayed transport address to begin with, and what of the wish is left.
struct First {
    relayed: RelayedAddr,
    additional: bool,
    refused: Option<(Family, Code)>,
}

/// What a success says; a retransmission is told the same.
#[derive(Clone, Copy)]
struct Allocated {
    relayed: ByFamily<Option<RelayedAddr>>,
    refused: Option<(Family, Code)>,
    granted: Duration,
    from: FiveTuple,
}

impl Server {
    pub(super) fn allocate(&mut self, request: &Request<'_>) -> Result<Answer, Code> {
        if let Some(key) = self.by_client.find(&request.from) {
            return self.allocate_again(request, key);
        }
        let username = request.covered.username.ok_or(Code::BadRequest)?;
        if self.auth.is_expired(request.now, username) {
            return Err(Code::Unauthenticated);
        }
        if !self.peers.bounds.admit(username) {
            self.counters.outside_circle += 1;
            return Err(Code::Forbidden);
        }
        let wish = wish(&request.covered)?;
        let granted = self.lifetime(&request.covered)?;
        if !wish.additional && self.relayed[wish.family].is_none() {
            return Err(Code::AddressFamilyNotSupported);
        }
        if !self.quota.admits(&self.limits, username, request.from.client.ip()) {
            return Err(Code::AllocationQuotaReached);
        }
        if self.allocations.len() >= self.limits.allocations {
            return Err(Code::InsufficientCapacity);
        }
        let First { relayed, additional, refused } = self.first(&wish)?;
        let pending = Pending {
            family: Family::of(relayed.0.ip()),
            additional,
            attempts: BIND_ATTEMPTS - 1,
            even: wish.even,
            fingerprint: request.covered.has_fingerprint,
        };
        let key = AllocationKey(self.allocations.insert(Allocation {
            route: Route::new(request.from),
            username: username.into(),
            seal: request.seal,
            transaction: request.covered.id(),
            since: request.now,
            granted,
            refused,
            state: State::Binding(pending),
        }) as u32);
        self.by_client.insert(request.from, key);
        self.quota.take(username, request.from.client.ip());
        self.bind(key, pending, relayed);
        Ok(Answer::Later)
    }

    /// A retransmission gets the answer that the first one got; any other request finds its five-tuple taken.
    fn allocate_again(&mut self, request: &Request<'_>, key: AllocationKey) -> Result<Answer, Code> {
        let allocation = &self.allocations[key.0 as usize];
        if allocation.transaction != request.covered.id()
            || request.covered.username != Some(&*allocation.username)
        {
            return Err(Code::AllocationMismatch);
        }
        if !allocation.is_live() {
            return Ok(Answer::Later);
        }
        let allocated = Allocated::of(allocation);
        Ok(self.grant(request, |writer| allocated.write(writer)))
    }

    /// How long an allocation lives that is asked for now (RFC 8656 sections 7.2 and 8.2).
    pub(super) fn lifetime(&self, covered: &Covered<'_>) -> Result<Duration, Code> {
        let Some(wished) = covered.lifetime else { return Ok(self.limits.lifetime) };
        let wished = Duration::from_secs(number(wished).ok_or(Code::BadRequest)?.into());
        Ok(wished.min(self.limits.longest_lifetime).max(self.limits.lifetime))
    }

    /// Where to begin: who wants both families is content with either.
    fn first(&mut self, wish: &Wish) -> Result<First, Code> {
        let code = match self.take_relayed(wish.family, wish.even) {
            Ok(relayed) => return Ok(First { relayed, additional: wish.additional, refused: None }),
            Err(code) if wish.additional => code,
            Err(code) => return Err(code),
        };
        match self.take_relayed(Family::V6, wish.even) {
            Ok(relayed) => Ok(First { relayed, additional: false, refused: Some((wish.family, code)) }),
            Err(other) if other == code => Err(code),
            Err(_) => Err(Code::InsufficientCapacity),
        }
    }

    fn take_relayed(&mut self, family: Family, even: bool) -> Result<RelayedAddr, Code> {
        let addresses = self.relayed[family].as_mut().ok_or(Code::AddressFamilyNotSupported)?;
        addresses.take(even, &mut self.rng).ok_or(Code::InsufficientCapacity)
    }

    /// Begins to bind a socket for `relayed`.
    fn bind(&mut self, key: AllocationKey, pending: Pending, relayed: RelayedAddr) {
        let allocation = &mut self.allocations[key.0 as usize];
        allocation.route.relayed[pending.family] = Some(relayed);
        allocation.state = State::Binding(pending);
        if let Some(addresses) = &self.relayed[pending.family] {
            let (relay, local) = (RelayKey::new(key, pending.family), addresses.local(relayed));
            self.actions.push_back(Action::BindRelay { relay, local });
        }
    }

    /// Takes the answer to [`Action::BindRelay`]. The last success releases the reply to the Allocate request; after a
    /// failure another port is tried, in the end the request is refused with 508 or granted without that family.
    pub fn handle_relay_bound(&mut self, now: Now, relay: RelayKey, bound: bool) -> Option<Reply<'_>> {
        self.handle_timeout(now);
        self.counters.bind_failures += u64::from(!bound);
        let (key, family) = (relay.allocation(), relay.family());
        let allocation = self.allocations.get(key.0 as usize)?;
        match allocation.state {
            State::Binding(pending) if pending.family == family => match bound {
                true => self.bind_next(now, key, pending),
                false => self.bind_another(now, key, pending),
            },
            State::Abandoned if allocation.route.relayed[family].is_some() => {
                if bound {
                    self.actions.push_back(Action::CloseRelay { relay });
                }
                self.forget(key);
                None
            }
            _ => None,
        }
    }

    /// Tries another port for the family that is being bound, if one is left.
    fn bind_another(&mut self, now: Now, key: AllocationKey, pending: Pending) -> Option<Reply<'_>> {
        let another = match pending.attempts {
            0 => Err(Code::InsufficientCapacity),
            _ => self.take_relayed(pending.family, pending.even),
        };
        // Only now, lest it be taken again at once.
        let failed = self.allocations[key.0 as usize].route.relayed[pending.family].take();
        failed.into_iter().for_each(|failed| self.give_back(failed));
        match another {
            Ok(relayed) => {
                self.bind(key, Pending { attempts: pending.attempts - 1, ..pending }, relayed);
                None
            }
            Err(code) => {
                self.allocations[key.0 as usize].refused = Some((pending.family, code));
                self.bind_next(now, key, pending)
            }
        }
    }

    /// Goes on to IPv6 if that is wanted too, else answers.
    fn bind_next(&mut self, now: Now, key: AllocationKey, pending: Pending) -> Option<Reply<'_>> {
        if pending.additional {
            match self.take_relayed(Family::V6, pending.even) {
                Ok(relayed) => {
                    let attempts = BIND_ATTEMPTS - 1;
                    let pending = Pending { family: Family::V6, additional: false, attempts, ..pending };
                    self.bind(key, pending, relayed);
                    return None;
                }
                Err(code) => self.allocations[key.0 as usize].refused = Some((Family::V6, code)),
            }
        }
        let is_nothing = self.allocations[key.0 as usize].route.relayed.is_empty();
        Some(if is_nothing { self.give_up(key, pending) } else { self.go_live(now, key, pending) })
    }

    fn go_live(&mut self, now: Now, key: AllocationKey, pending: Pending) -> Reply<'_> {
        let allocation = &mut self.allocations[key.0 as usize];
        let expires = now + allocation.granted;
        allocation.state = State::Live { expires: ByFamily { v4: expires, v6: expires } };
        self.counters.allocations += 1;
        self.counters.created += 1;
        let allocated = Allocated::of(allocation);
        let mut writer = Writer::new(&mut self.out, Class::Success, Method::ALLOCATE, allocation.transaction);
        allocated.write(&mut writer);
        writer.sign(allocation.seal.integrity, allocation.seal.key.bytes());
        if pending.fingerprint {
            writer.fingerprint();
        }
        for (family, relayed) in allocated.relayed.iter() {
            let relay = RelayKey::new(key, family);
            self.timers.insert(expires, relay);
            if let Some(addresses) = &mut self.relayed[family] {
                addresses.set_live(*relayed, relay);
            }
        }
        Reply { to: allocated.from, bytes: &self.out }
    }

    fn give_up(&mut self, key: AllocationKey, pending: Pending) -> Reply<'_> {
        let allocation = &self.allocations[key.0 as usize];
        let (to, transaction, seal) = (allocation.route.client, allocation.transaction, allocation.seal);
        self.end(key);
        self.forget(key);
        self.refuse_bind(transaction, seal, pending.fingerprint);
        Reply { to, bytes: &self.out }
    }
}

impl Allocated {
    fn of(allocation: &Allocation) -> Self {
        Self {
            relayed: allocation.route.relayed,
            refused: allocation.refused,
            granted: allocation.granted,
            from: allocation.route.client,
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        for (_, relayed) in self.relayed.iter() {
            writer.xor_address(attribute::XOR_RELAYED_ADDRESS, relayed.0);
        }
        writer.number(attribute::LIFETIME, self.granted.as_secs() as u32);
        writer.xor_address(attribute::XOR_MAPPED_ADDRESS, mapped(self.from));
        if let Some((family, code)) = self.refused {
            writer.address_error_code(family.byte(), code as u16);
        }
    }
}

/// Reads what is asked for, in the order of RFC 8656 section 7.2.
fn wish(covered: &Covered<'_>) -> Result<Wish, Code> {
    match covered.requested_transport {
        Some([UDP, _, _, _]) => {}
        Some([_, _, _, _]) => return Err(Code::UnsupportedTransport),
        _ => return Err(Code::BadRequest),
    }
    let (requested, additional) = (covered.requested_family, covered.additional_family);
    if covered.reservation_token.is_some() {
        let contradicts = covered.even_port.or(requested).or(additional).is_some();
        return Err(if contradicts { Code::BadRequest } else { Code::InsufficientCapacity });
    }
    let family = match (requested, additional) {
        (None, None | Some([IPV6, _, _, _])) => Family::V4,
        (Some(value), None) => family(value)?,
        (_, Some(_)) => return Err(Code::BadRequest),
    };
    let additional = additional.is_some();
    let even = match covered.even_port {
        None => false,
        // Two tokens would be owed.
        Some([reserve]) if reserve & 0x80 != 0 && additional => return Err(Code::BadRequest),
        // To keep the next port back for a later request is more than any browser asks.
        Some([reserve]) if reserve & 0x80 != 0 => return Err(Code::InsufficientCapacity),
        Some([_]) => true,
        Some(_) => return Err(Code::BadRequest),
    };
    Ok(Wish { family, additional, even })
}

/// The family that REQUESTED-ADDRESS-FAMILY names.
pub(super) fn family(value: &[u8]) -> Result<Family, Code> {
    match value {
        &[family, _, _, _] => Family::named(family).ok_or(Code::AddressFamilyNotSupported),
        _ => Err(Code::BadRequest),
    }
}
