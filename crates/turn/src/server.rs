//! The server: what a client or a peer sent goes in, what is to be sent and done comes out.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use slab::Slab;
use visavis_clock::Now;

use crate::{
    Config, Counters, FiveTuple, Limits, PeerAddr, PeerPolicy, PortRange, RelayedAddr,
    allocation::{Allocation, AllocationKey, State},
    auth::Authenticator,
    family::{ByFamily, Family},
    port::RelayedAddresses,
    quota::Quota,
    rate::StrangerRate,
    route::{Bandwidth, ByClient, Destination, Route, Way},
    timer::Timers,
    wire::{Class, Message, Method, TransactionId, attribute},
};

mod allocate;
mod binding;
mod channel;
mod effect;
mod icmp;
mod indication;
mod listing;
mod permission;
mod refresh;
mod reply;
mod request;

pub use effect::{Action, FromClient, Header, RelayKey, Reply, ToClient};
pub use listing::Listed;
pub(crate) use request::Code;
use request::{Covered, Request};

/// One shard of a STUN and TURN server.
pub struct Server {
    auth: Authenticator,
    limits: Limits,
    peers: PeerPolicy,
    ports: PortRange,
    dont_fragment: bool,
    relayed: ByFamily<Option<RelayedAddresses>>,
    allocations: Slab<Allocation>,
    by_client: ByClient,
    quota: Quota,
    strangers: Option<StrangerRate>,
    timers: Timers,
    actions: VecDeque<Action>,
    out: Vec<u8>,
    counters: Counters,
    rng: ChaCha8Rng,
}

/// Why a packet is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    Malformed,
    NoAllocation,
    NoPermission,
    NoChannel,
    ForbiddenPeer,
    Bandwidth,
    TooLong,
}

/// What came of a client's packet, before it is put into borrowed words.
enum Outcome<'p> {
    Nothing,
    Replied,
    Passed(Passed<'p>),
}

/// Data on its way from a client.
struct Passed<'p> {
    from: RelayKey,
    relayed: RelayedAddr,
    destination: Destination,
    payload: &'p [u8],
    dont_fragment: bool,
}

/// What came of a granted request.
enum Answer {
    Written,
    Later,
}

impl Server {
    /// A server without allocations. `seed` feeds the choice of ports and the keys of its tables.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha8Rng::from_seed(seed);
        let relayed = |is_wanted: fn(&IpAddr) -> bool| {
            let interface = config.relays.iter().find(|interface| is_wanted(&interface.advertised))?;
            Some(RelayedAddresses::new(*interface, config.ports))
        };
        Self {
            auth: Authenticator::new(&config),
            relayed: ByFamily { v4: relayed(IpAddr::is_ipv4), v6: relayed(IpAddr::is_ipv6) },
            allocations: Slab::new(),
            by_client: ByClient::new(rng.next_u64()),
            quota: Quota::new(rng.next_u64()),
            strangers: config.limits.unauthenticated.map(|rate| StrangerRate::new(rate, rng.next_u64())),
            timers: Timers::default(),
            actions: VecDeque::new(),
            out: Vec::new(),
            counters: Counters::default(),
            rng,
            limits: config.limits,
            peers: config.peers,
            ports: config.ports,
            dont_fragment: true,
        }
    }

    /// The server of a shell that cannot forbid fragments: DONT-FRAGMENT is unknown to it (RFC 8656 section 7.2).
    #[must_use]
    pub const fn without_dont_fragment(mut self) -> Self {
        self.dont_fragment = false;
        self
    }

    /// Takes one datagram, or one whole [`frame`](crate::frame()) of a stream, from a client.
    pub fn handle_client<'s>(&'s mut self, now: Now, from: FiveTuple, packet: &'s [u8]) -> FromClient<'s> {
        self.handle_timeout(now);
        let outcome = match packet.first() {
            Some(0x00..=0x3f) => self.stun(now, from, packet),
            Some(_) => self.channel_data(now, from, packet),
            None => Err(Dropped::Malformed),
        };
        match outcome {
            Ok(Outcome::Nothing) => FromClient::Nothing,
            Ok(Outcome::Replied) => FromClient::Reply(Reply { to: from, bytes: &self.out }),
            Ok(Outcome::Passed(Passed { from, relayed, destination, payload, dont_fragment })) => {
                match destination {
                    Destination::Peer(peer) => FromClient::ToPeer { from, peer, payload, dont_fragment },
                    Destination::Relayed(to) => FromClient::ToRelayed { from: relayed, to, payload },
                }
            }
            Err(dropped) => {
                self.count_dropped(dropped);
                FromClient::Nothing
            }
        }
    }

    /// Takes a datagram that reached the relayed transport address `at` from `peer`: says whether it is for the
    /// client and what goes before and behind it.
    pub fn handle_peer(
        &mut self,
        now: Now,
        at: RelayKey,
        peer: PeerAddr,
        payload: &[u8],
    ) -> Option<ToClient> {
        self.handle_timeout(now);
        match self.receive(now, at, peer, payload.len()) {
            Ok(to_client) => {
                self.counters.count_to_clients(to_client.to.transport, payload.len());
                Some(to_client)
            }
            Err(dropped) => {
                self.count_dropped(dropped);
                None
            }
        }
    }

    /// Takes a payload that the relayed transport address `from` of this process sends to `to`, one of this shard's: as if it had
    /// reached that from a peer.
    pub fn handle_relayed(
        &mut self,
        now: Now,
        from: RelayedAddr,
        to: RelayedAddr,
        payload: &[u8],
    ) -> Option<ToClient> {
        match self.relay_at(to) {
            Some(relay) => self.handle_peer(now, relay, PeerAddr(from.0), payload),
            None => {
                self.count_dropped(Dropped::NoAllocation);
                None
            }
        }
    }

    /// A client's stream is gone: its allocation ends.
    pub fn handle_closed(&mut self, now: Now, five_tuple: FiveTuple) {
        self.handle_timeout(now);
        if let Some(key) = self.by_client.find(&five_tuple) {
            self.end(key);
        }
    }

    /// Ends every allocation whose credential is one of those, and says how many.
    pub fn handle_revoked(&mut self, now: Now, is_revoked: impl Fn(&[u8]) -> bool) -> usize {
        self.handle_timeout(now);
        let of_revoked = |(index, allocation): (usize, &Allocation)| {
            let ends = !matches!(allocation.state, State::Abandoned) && is_revoked(&allocation.username);
            ends.then_some(AllocationKey(index as u32))
        };
        let ending: Vec<_> = self.allocations.iter().filter_map(of_revoked).collect();
        self.counters.revoked += ending.len() as u64;
        ending.iter().for_each(|&key| self.end(key));
        ending.len()
    }

    /// The next effect to apply.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Server::handle_timeout`] wants to be called, if nothing happens before.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Now> {
        self.timers.first()
    }

    /// Ends what has expired.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(relay) = self.timers.due(now) {
            self.end_relay(relay);
        }
    }

    /// What happened so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether `five_tuple` has an allocation now: a stream without one need not be kept open for long.
    #[must_use]
    pub fn has_allocation(&self, five_tuple: &FiveTuple) -> bool {
        self.by_client.find(five_tuple).is_some()
    }

    /// Which live relayed transport address of this shard `addr` is, if it is one.
    #[must_use]
    pub fn relay_at(&self, addr: RelayedAddr) -> Option<RelayKey> {
        self.relayed[Family::of(addr.0.ip())].as_ref()?.find(addr)
    }

    fn stun<'p>(&mut self, now: Now, from: FiveTuple, packet: &'p [u8]) -> Result<Outcome<'p>, Dropped> {
        let message = Message::parse(packet).ok_or(Dropped::Malformed)?;
        if message.fingerprint_holds() == Some(false) {
            return Err(Dropped::Malformed);
        }
        let mut covered = Covered::of(message);
        if covered.dont_fragment.is_some() && !self.dont_fragment {
            covered.unknown.add(attribute::DONT_FRAGMENT);
        }
        match (message.class(), message.method()) {
            (Class::Request, Method::BINDING) => Ok(self.binding(now, from, &covered)),
            _ if message.transaction_id().is_classic() => Err(Dropped::Malformed),
            (Class::Indication, Method::SEND) => self.send(now, from, &covered),
            // What keeps a client's NAT open wants no answer.
            (Class::Indication, Method::BINDING) => Ok(Outcome::Nothing),
            (Class::Request, method) if is_method(method) => Ok(self.request(now, from, covered)),
            _ => Err(Dropped::Malformed),
        }
    }

    fn request<'p>(&mut self, now: Now, from: FiveTuple, covered: Covered<'_>) -> Outcome<'p> {
        let seal = match self.authenticate(now, from, &covered) {
            Ok(seal) => seal,
            Err(code) => return self.refuse_stranger(now, from, &covered, code),
        };
        let request = Request { now, from, covered, seal };
        let answer = match covered.method() {
            _ if !covered.unknown.is_empty() => Err(Code::UnknownAttribute),
            Method::ALLOCATE => self.allocate(&request),
            Method::REFRESH => self.refresh(&request),
            Method::CREATE_PERMISSION => self.recounted(from, |server| server.create_permission(&request)),
            _ => self.recounted(from, |server| server.channel_bind(&request)),
        };
        match answer {
            Ok(Answer::Written) => Outcome::Replied,
            Ok(Answer::Later) => Outcome::Nothing,
            Err(code) => {
                self.refuse(&request, code);
                Outcome::Replied
            }
        }
    }

    /// Does something that may change how many permissions and channels are held for a client.
    fn recounted<T>(&mut self, from: FiveTuple, act: impl FnOnce(&mut Self) -> T) -> T {
        let held = |server: &Self| {
            let key = server.by_client.find(&from);
            key.map_or((0, 0), |key| server.allocations[key.0 as usize].route.held())
        };
        let before = held(self);
        let result = act(self);
        let after = held(self);
        self.counters.recount(before, after);
        result
    }

    fn receive(
        &mut self,
        now: Now,
        at: RelayKey,
        peer: PeerAddr,
        length: usize,
    ) -> Result<ToClient, Dropped> {
        let route = route_at(&mut self.allocations, at)?;
        let peer = SocketAddr::new(peer.0.ip().to_canonical(), peer.0.port());
        let way = route.way(now, peer)?;
        let header = match way {
            Way::Channel(number) => {
                u16::try_from(length).ok().map(|length| Header::channel_data(number, length))
            }
            Way::Indication => Header::data_indication(transaction_id(&mut self.rng), peer, length),
        };
        let header = header.ok_or(Dropped::TooLong)?;
        route.spend_to_client(now, self.limits.bandwidth.map(Bandwidth), length)?;
        let is_padded = way == Way::Indication || route.client.transport.is_stream();
        let padding = if is_padded { (length.next_multiple_of(4) - length) as u8 } else { 0 };
        Ok(ToClient { to: route.client, header, padding })
    }

    /// Passes a payload on to where it goes, if there is bandwidth left.
    fn pass<'p>(
        &mut self,
        now: Now,
        from: AllocationKey,
        destination: Destination,
        payload: &'p [u8],
    ) -> Result<Passed<'p>, Dropped> {
        let route = &mut self.allocations[from.0 as usize].route;
        let family = destination.family();
        let relayed = route.relayed[family].ok_or(Dropped::NoAllocation)?;
        route.spend_to_peer(now, self.limits.bandwidth.map(Bandwidth), payload.len())?;
        self.counters.count_to_peers(route.client.transport, payload.len());
        let from = RelayKey::new(from, family);
        Ok(Passed { from, relayed, destination, payload, dont_fragment: false })
    }

    /// The live allocation of a five-tuple.
    fn live(&self, from: &FiveTuple) -> Option<AllocationKey> {
        self.by_client.find(from).filter(|key| self.allocations[key.0 as usize].is_live())
    }

    /// The allocation that a request is about, if its sender made it.
    fn owned(&mut self, request: &Request<'_>) -> Result<(AllocationKey, &mut Allocation), Code> {
        let key = self.live(&request.from).ok_or(Code::AllocationMismatch)?;
        let allocation = &mut self.allocations[key.0 as usize];
        if request.covered.username != Some(&*allocation.username) {
            return Err(Code::WrongCredentials);
        }
        Ok((key, allocation))
    }

    /// Whether all of `ips` may be peers of who sent the request: an own relayed transport address may, whatever the policy says
    /// of its machine and whoever has it.
    fn permits(&mut self, request: &Request<'_>, ips: &[IpAddr]) -> Result<(), Code> {
        if !ips.iter().all(|&ip| self.is_advertised(ip) || self.peers.allows(ip)) {
            return Err(Code::Forbidden);
        }
        let username = request.covered.username.unwrap_or_default();
        if !ips.iter().all(|&ip| self.is_advertised(ip) || self.peers.bounds.hold(username, ip)) {
            self.counters.outside_circle += 1;
            return Err(Code::Forbidden);
        }
        Ok(())
    }

    /// Where data for `peer`, whose IP address is permitted, goes; none if nowhere.
    fn destination(&self, peer: SocketAddr) -> Option<Destination> {
        match self.is_advertised(peer.ip()) {
            _ if peer.port() == 0 => None,
            true if self.ports.contains(peer.port()) => Some(Destination::Relayed(RelayedAddr(peer))),
            true if !self.peers.allows(peer.ip()) => None,
            _ => Some(Destination::Peer(PeerAddr(peer))),
        }
    }

    fn is_advertised(&self, ip: IpAddr) -> bool {
        self.relayed[Family::of(ip)].as_ref().is_some_and(|relayed| relayed.advertised() == ip)
    }

    /// Ends an allocation. One whose socket is still being bound keeps its index until that is answered.
    fn end(&mut self, key: AllocationKey) {
        let allocation = &self.allocations[key.0 as usize];
        self.by_client.remove(&allocation.route.client);
        self.quota.give_back(&allocation.username, allocation.route.client.client.ip());
        let binding = allocation.binding();
        for family in Family::BOTH.into_iter().filter(|family| Some(*family) != binding) {
            self.close_relay(RelayKey::new(key, family));
        }
        let allocation = &mut self.allocations[key.0 as usize];
        if allocation.is_live() {
            self.counters.allocations -= 1;
            self.forget(key);
        } else {
            allocation.state = State::Abandoned;
        }
    }

    /// Ends one relayed transport address of a live allocation, and with the last one that.
    fn end_relay(&mut self, relay: RelayKey) {
        self.close_relay(relay);
        if self.allocations[relay.allocation().0 as usize].route.relayed.is_empty() {
            self.end(relay.allocation());
        }
    }

    /// Closes the socket of a relayed transport address, if there is one, and makes its port free.
    fn close_relay(&mut self, relay: RelayKey) {
        let allocation = &mut self.allocations[relay.allocation().0 as usize];
        let before = allocation.route.held();
        let relayed = allocation.route.take(relay.family());
        let after = allocation.route.held();
        self.counters.recount(before, after);
        let Some(relayed) = relayed else { return };
        let allocation = &self.allocations[relay.allocation().0 as usize];
        if let State::Live { expires } = allocation.state {
            self.timers.remove(expires[relay.family()], relay);
        }
        self.actions.push_back(Action::CloseRelay { relay });
        self.give_back(relayed);
    }

    /// Makes the index free again, and the ports that are left.
    fn forget(&mut self, key: AllocationKey) {
        let allocation = self.allocations.remove(key.0 as usize);
        allocation.route.relayed.iter().for_each(|(_, relayed)| self.give_back(*relayed));
    }

    fn give_back(&mut self, relayed: RelayedAddr) {
        if let Some(addresses) = &mut self.relayed[Family::of(relayed.0.ip())] {
            addresses.give_back(relayed);
        }
    }

    const fn count_dropped(&mut self, dropped: Dropped) {
        let drops = &mut self.counters.drops;
        let counter = match dropped {
            Dropped::Malformed => &mut drops.malformed,
            Dropped::NoAllocation => &mut drops.no_allocation,
            Dropped::NoPermission => &mut drops.no_permission,
            Dropped::NoChannel => &mut drops.no_channel,
            Dropped::ForbiddenPeer => &mut drops.forbidden_peer,
            Dropped::Bandwidth => &mut drops.bandwidth,
            Dropped::TooLong => &mut drops.too_long,
        };
        *counter += 1;
    }
}

const fn is_method(method: Method) -> bool {
    matches!(method, Method::ALLOCATE | Method::REFRESH | Method::CREATE_PERMISSION | Method::CHANNEL_BIND)
}

/// The route of the live allocation that has that relayed transport address.
fn route_at(allocations: &mut Slab<Allocation>, at: RelayKey) -> Result<&mut Route, Dropped> {
    let allocation = allocations.get_mut(at.allocation().0 as usize);
    let live = allocation.filter(|live| live.is_live() && live.route.relayed[at.family()].is_some());
    Ok(&mut live.ok_or(Dropped::NoAllocation)?.route)
}

fn transaction_id(rng: &mut impl Rng) -> TransactionId {
    let mut chosen = [0; 12];
    rng.fill_bytes(&mut chosen);
    TransactionId::new(chosen)
}
