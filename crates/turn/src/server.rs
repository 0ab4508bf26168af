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
    allocation::{Allocation, State},
    auth::Authenticator,
    port::RelayedAddresses,
    quota::Quota,
    rate::StrangerRate,
    route::{Bandwidth, ByClient, Destination, Way},
    timer::Timers,
    wire::{Class, Message, Method, TransactionId, attribute},
};

mod allocate;
mod binding;
mod channel;
mod effect;
mod icmp;
mod indication;
mod permission;
mod refresh;
mod reply;
mod request;

pub use effect::{Action, FromClient, Header, RelayKey, Reply, ToClient};
use request::{Code, Covered, Request};

/// One shard of a STUN and TURN server.
pub struct Server {
    auth: Authenticator,
    limits: Limits,
    peers: PeerPolicy,
    ports: PortRange,
    dont_fragment: bool,
    relayed_v4: Option<RelayedAddresses>,
    relayed_v6: Option<RelayedAddresses>,
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
            relayed_v4: relayed(IpAddr::is_ipv4),
            relayed_v6: relayed(IpAddr::is_ipv6),
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
                self.counters.to_clients.packets += 1;
                self.counters.to_clients.bytes += payload.len() as u64;
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
        if let Some(relay) = self.by_client.find(&five_tuple) {
            self.end(relay);
        }
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
            self.end(relay);
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
        self.relayed(addr.0.ip())?.find(addr)
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
            Method::CREATE_PERMISSION => self.create_permission(&request),
            _ => self.channel_bind(&request),
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

    fn receive(
        &mut self,
        now: Now,
        at: RelayKey,
        peer: PeerAddr,
        length: usize,
    ) -> Result<ToClient, Dropped> {
        let allocation = self.allocations.get_mut(at.0 as usize).filter(|allocation| allocation.is_live());
        let route = &mut allocation.ok_or(Dropped::NoAllocation)?.route;
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
        from: RelayKey,
        destination: Destination,
        payload: &'p [u8],
    ) -> Result<Passed<'p>, Dropped> {
        let route = &mut self.allocations[from.0 as usize].route;
        route.spend_to_peer(now, self.limits.bandwidth.map(Bandwidth), payload.len())?;
        self.counters.to_peers.packets += 1;
        self.counters.to_peers.bytes += payload.len() as u64;
        Ok(Passed { from, relayed: route.relayed, destination, payload, dont_fragment: false })
    }

    /// The live allocation of a five-tuple.
    fn live(&self, from: &FiveTuple) -> Option<RelayKey> {
        self.by_client.find(from).filter(|relay| self.allocations[relay.0 as usize].is_live())
    }

    /// The allocation that a request is about, if its sender made it.
    fn owned(&mut self, request: &Request<'_>) -> Result<(RelayKey, &mut Allocation), Code> {
        let relay = self.live(&request.from).ok_or(Code::AllocationMismatch)?;
        let allocation = &mut self.allocations[relay.0 as usize];
        if request.covered.username != Some(&*allocation.username) {
            return Err(Code::WrongCredentials);
        }
        Ok((relay, allocation))
    }

    /// Whether `ip` may be a peer's: an own relayed transport address may, whatever the policy says of its machine.
    fn permits(&self, ip: IpAddr) -> bool {
        self.is_advertised(ip) || self.peers.allows(ip)
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
        self.relayed(ip).is_some_and(|relayed| relayed.advertised() == ip)
    }

    const fn relayed(&self, family_of: IpAddr) -> Option<&RelayedAddresses> {
        if family_of.is_ipv4() { self.relayed_v4.as_ref() } else { self.relayed_v6.as_ref() }
    }

    const fn relayed_mut(&mut self, family_of: IpAddr) -> Option<&mut RelayedAddresses> {
        if family_of.is_ipv4() { self.relayed_v4.as_mut() } else { self.relayed_v6.as_mut() }
    }

    /// Ends an allocation. One whose socket is still being bound keeps its index until that is answered.
    fn end(&mut self, relay: RelayKey) {
        let allocation = &mut self.allocations[relay.0 as usize];
        self.by_client.remove(&allocation.route.client);
        self.quota.give_back(&allocation.username, allocation.route.client.client.ip());
        match allocation.state {
            State::Live { expires } => {
                self.timers.remove(expires, relay);
                self.counters.allocations -= 1;
                self.actions.push_back(Action::CloseRelay { relay });
                self.forget(relay);
            }
            State::Binding(_) | State::Abandoned => allocation.state = State::Abandoned,
        }
    }

    /// Makes index and port free again.
    fn forget(&mut self, relay: RelayKey) {
        let allocation = self.allocations.remove(relay.0 as usize);
        let relayed = allocation.route.relayed;
        if let Some(addresses) = self.relayed_mut(relayed.0.ip()) {
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

fn transaction_id(rng: &mut impl Rng) -> TransactionId {
    let mut chosen = [0; 12];
    rng.fill_bytes(&mut chosen);
    TransactionId::new(chosen)
}
