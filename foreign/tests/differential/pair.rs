//! Both servers, the clients that speak with both, and what is known of these.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use visavis_turn::wire::{Class, Method, TransactionId, attribute};

use crate::{
    differences::{self, Case, Facet, Sent},
    invent::{self, FORBIDDEN, PEERS},
    outcome::{Answer, Outcome},
    request::{Credential, Request, Told},
    rng::Rng,
    servers::{Asked, NONCE_LIFETIME, Ours, Theirs, address},
    table::DIFFERENCES,
};

const CLIENTS: usize = 6;
/// How long a permission holds (RFC 8656 section 9).
const PERMISSION: Duration = Duration::from_secs(300);

/// A client that talks with both servers from one address.
struct Client {
    address: SocketAddr,
    account: usize,
    sha256: bool,
    told: [Told; 2],
    /// When what was told was new.
    told_at: [Duration; 2],
    /// When theirs may have made a nonce that it has not told yet.
    untold_since: Option<Duration>,
    relayed: Vec<SocketAddr>,
    allocated_by: Option<[u8; 12]>,
    /// When each peer was permitted last.
    permitted: BTreeMap<IpAddr, Duration>,
    /// Which peers theirs may have permitted while it refused the request.
    half_permitted: Vec<IpAddr>,
    /// Which peer each channel number was bound to.
    channels: BTreeMap<u16, SocketAddr>,
    last: Option<Packets>,
}

/// A request as it was sent to each.
#[derive(Clone)]
struct Packets {
    request: Request,
    bytes: [Vec<u8>; 2],
    told_at: [Duration; 2],
}

pub(crate) struct Pair {
    rng: Rng,
    now: Duration,
    /// The family of the clients' addresses.
    is_v4: bool,
    /// Whether they come over TCP.
    is_stream: bool,
    ours: Ours,
    theirs: Theirs,
    clients: Vec<Client>,
    /// How many addresses clients have had.
    addresses: u32,
    steps: u64,
    pub(crate) counts: Vec<u64>,
    pub(crate) unexplained: BTreeMap<String, String>,
    /// What both did alike, by kind.
    pub(crate) kinds: BTreeMap<&'static str, u64>,
}

impl Pair {
    pub(crate) fn new(rng: Rng, is_v4: bool, is_stream: bool) -> Self {
        let kinds = [
            "200",
            "400",
            "401",
            "420",
            "437",
            "438",
            "441",
            "442",
            "443",
            "data to peers",
            "data to clients",
        ];
        let mut pair = Self {
            rng,
            now: Duration::ZERO,
            is_v4,
            is_stream,
            ours: Ours::new(is_v4, is_stream),
            theirs: Theirs::new(is_v4, is_stream),
            clients: Vec::new(),
            addresses: 0,
            steps: 0,
            counts: vec![0; DIFFERENCES.len()],
            unexplained: BTreeMap::new(),
            kinds: kinds.into_iter().map(|kind| (kind, 0)).collect(),
        };
        for _ in 0..CLIENTS {
            let client = pair.new_client();
            pair.clients.push(client);
        }
        (0..CLIENTS).for_each(|index| pair.introduce(index));
        pair
    }

    /// One random packet, or some time.
    pub(crate) fn step(&mut self) {
        self.steps += 1;
        self.now += Duration::from_nanos(1 + self.rng.next() % 5_000_000);
        let index = self.rng.below(CLIENTS);
        let relayed = self.relayed();
        let Client { account, sha256, .. } = self.clients[index];
        match self.rng.below(100) {
            0..40 => {
                let request = invent::request(&mut self.rng, account, sha256, &relayed);
                self.send(index, request);
            }
            40..46 if self.clients[index].relayed.is_empty() => {
                let request = invent::plain_allocate(&mut self.rng, account, sha256);
                self.send(index, request);
            }
            46..50 => self.send_again(index),
            50..67 => {
                let request = invent::send(&mut self.rng, &relayed);
                self.send(index, request);
            }
            67..80 => self.channel_data(index),
            80..95 => self.peer_data(&relayed),
            // On a stream nobody could read on.
            95..97 if !self.is_stream => self.garbage(index),
            _ => self.pass(),
        }
    }

    fn pass(&mut self) {
        let most = self.rng.of(&[2, 30, 200, 310, 620]);
        self.now += Duration::from_nanos(self.rng.next() % (most * 1_000_000_000));
    }

    fn relayed(&self) -> Vec<SocketAddr> {
        self.clients.iter().flat_map(|client| client.relayed.iter().copied()).collect()
    }

    fn new_client(&mut self) -> Client {
        self.addresses += 1;
        let [_, a, b, c] = self.addresses.to_be_bytes();
        let address = match self.is_v4 {
            true => SocketAddr::from(([100, a, b, c], 40_000)),
            false => SocketAddr::from(([0x2a00, 1, 0, 0, 0, a.into(), b.into(), c.into()], 40_000)),
        };
        Client {
            address,
            account: self.rng.below(2),
            sha256: self.rng.percent(40),
            told: Default::default(),
            told_at: [self.now; 2],
            untold_since: None,
            relayed: Vec::new(),
            allocated_by: None,
            permitted: BTreeMap::new(),
            half_permitted: Vec::new(),
            channels: BTreeMap::new(),
            last: None,
        }
    }

    /// Gets the first nonces.
    fn introduce(&mut self, index: usize) {
        let request = invent::first(&mut self.rng);
        self.send(index, request);
    }

    /// Takes another client in place of one of whom the servers no longer know the same.
    fn replace(&mut self, index: usize) {
        let client = self.new_client();
        let client = std::mem::replace(&mut self.clients[index], client);
        self.ours.end(self.now, client.address);
        self.end_theirs(&client);
        self.theirs.close(self.now, client.address);
        self.introduce(index);
    }

    fn end_theirs(&mut self, client: &Client) {
        let mut told = client.told[1].clone();
        let ask = |pair: &mut Self, told: &Told, credential| {
            let lifetime = vec![(attribute::LIFETIME, vec![0; 4])];
            let mut request = Request::new(Class::Request, Method::REFRESH, [9; 12], lifetime);
            request.credential = credential;
            pair.theirs.client(pair.now, client.address, &request.encode(told))
        };
        if let Outcome::Reply(answer) = ask(self, &told, None) {
            answer.teach(&mut told);
        }
        for account in 0..2 {
            let code = ask(self, &told, Some(Credential::right(account, false))).code();
            if code != Some(441) {
                assert!(matches!(code, Some(200 | 437)), "theirs cannot be ended: {code:?}");
                return;
            }
        }
    }

    fn send(&mut self, index: usize, mut request: Request) {
        if self.is_stream {
            request.frame();
        }
        let client = &self.clients[index];
        let bytes = [0, 1].map(|side| request.encode(&client.told[side]));
        let packets = Packets { request, bytes, told_at: client.told_at };
        self.give(index, &packets);
        self.clients[index].last = Some(packets);
    }

    fn send_again(&mut self, index: usize) {
        if let Some(packets) = self.clients[index].last.clone() {
            self.give(index, &packets);
        }
    }

    fn give(&mut self, index: usize, packets: &Packets) {
        let from = self.clients[index].address;
        let ours = self.ours.client(self.now, from, &packets.bytes[0]);
        self.theirs.to_bind = std::mem::take(&mut self.ours.just_bound);
        let theirs = self.theirs.client(self.now, from, &packets.bytes[1]);
        let Client { half_permitted, allocated_by, .. } = &self.clients[index];
        let is_half_permitted = match &theirs {
            Outcome::ToPeer { peer, .. } => half_permitted.contains(&peer.ip()),
            _ => false,
        };
        let case = Case {
            sent: Sent::Message(&packets.request),
            ours: &ours,
            theirs: &theirs,
            ages: packets.told_at.map(|at| self.now - at),
            allocated_by: *allocated_by,
            is_permission_old: false,
            is_half_permitted,
        };
        let is_same = self.judge(index, &case);
        self.learn(index, packets, [&ours, &theirs]);
        let codes = [ours.code(), theirs.code()];
        // Both may grant and yet have understood different things.
        let is_doubtful = packets.request.contradicts_itself() && codes.contains(&Some(200));
        if is_doubtful || (!is_same && codes.contains(&Some(200))) {
            return self.replace(index);
        }
        self.cross(&ours, &theirs);
    }

    /// Delivers what one client sends to another's relayed transport address.
    fn cross(&mut self, ours: &Outcome, theirs: &Outcome) {
        let Outcome::ToPeer { relayed, peer, payload } = ours else { return };
        if ours == theirs && self.relayed().contains(peer) {
            self.deliver(*peer, *relayed, payload);
        }
    }

    fn learn(&mut self, index: usize, packets: &Packets, outcomes: [&Outcome; 2]) {
        let now = self.now;
        let client = &mut self.clients[index];
        if now - client.told_at[1] >= NONCE_LIFETIME {
            client.untold_since.get_or_insert(now);
        }
        for (side, outcome) in outcomes.into_iter().enumerate() {
            let Outcome::Reply(answer) = outcome else { continue };
            let before = client.told[side].nonce.clone();
            answer.teach(&mut client.told[side]);
            // Ours makes the nonce when it tells it.
            let is_new = client.told[side].nonce != before || (side == 0 && matches!(answer.code, 401 | 438));
            if is_new {
                let untold_since = if side == 1 { client.untold_since.take() } else { None };
                client.told_at[side] = untold_since.unwrap_or(now);
            }
        }
        let request = &packets.request;
        let peers = || {
            let id = TransactionId::new(request.id);
            request
                .values(attribute::XOR_PEER_ADDRESS)
                .filter_map(move |value| attribute::xor_address(value, id))
        };
        match (request.method, outcomes.map(Outcome::code)) {
            (Method::ALLOCATE, [Some(200), Some(200)]) => {
                let relayed = outcomes[0].answer().map(|answer: &Answer| answer.relayed.clone());
                client.relayed = relayed.unwrap_or_default();
                client.allocated_by = Some(request.id);
                client.permitted.clear();
                client.half_permitted.clear();
                client.channels.clear();
            }
            (Method::REFRESH, [Some(200), Some(200)]) if request.number(attribute::LIFETIME) == Some(0) => {
                match request.first(attribute::REQUESTED_ADDRESS_FAMILY) {
                    Some(family) => client.relayed.retain(|relayed| relayed.is_ipv4() != (family[0] == 1)),
                    None => client.relayed.clear(),
                }
            }
            (Method::CREATE_PERMISSION, [_, Some(443)]) => {
                client.half_permitted.extend(peers().map(|peer| peer.ip()));
            }
            (Method::CREATE_PERMISSION | Method::CHANNEL_BIND, [Some(200), Some(200)]) => {
                client.permitted.extend(peers().map(|peer| (peer.ip(), now)));
                if let (Some(number), Some(peer)) =
                    (request.number(attribute::CHANNEL_NUMBER), peers().next())
                {
                    client.channels.insert((number >> 16) as u16, peer);
                }
            }
            _ => {}
        }
    }

    fn channel_data(&mut self, index: usize) {
        let bound: Vec<u16> = self.clients[index].channels.keys().copied().collect();
        let number = match self.rng.percent(85) && !bound.is_empty() {
            true => self.rng.of(&bound),
            false => self.rng.of(&[0x4000, 0x4001, 0x4fff, 0x5000, 0x7fff, 0x8000, 0xfffe, 0xffff]),
        };
        if self.is_stream && number > 0x7fff {
            return;
        }
        // Theirs does not pad (see `clients`), so that on a stream there is nothing to pad.
        let length = if self.is_stream { 4 * self.rng.below(15) } else { self.rng.below(60) };
        let payload = self.rng.bytes(length);
        let said = match self.rng.below(20) {
            _ if self.is_stream => length,
            0 => length + 1,
            1 => length.saturating_sub(2),
            2 => 0xffff,
            _ => length,
        };
        let mut packet = [&number.to_be_bytes()[..], &(said as u16).to_be_bytes(), &payload].concat();
        if self.rng.percent(2) && !self.is_stream {
            packet.truncate(self.rng.below(4).max(1));
        }
        let client = &self.clients[index];
        let peer = client.channels.get(&number).copied();
        let (ours, theirs) = (
            self.ours.client(self.now, client.address, &packet),
            self.theirs.client(self.now, client.address, &packet),
        );
        self.judge_data(index, Sent::ChannelData(peer), peer, &ours, &theirs);
        self.cross(&ours, &theirs);
    }

    fn peer_data(&mut self, relayed: &[SocketAddr]) {
        if relayed.is_empty() {
            return;
        }
        let at = self.rng.of(relayed);
        let peer = match self.rng.below(20) {
            0 => address(FORBIDDEN),
            1 => address("8.8.8.8:999"),
            _ => address(self.rng.of(&PEERS)),
        };
        if peer.is_ipv4() != at.is_ipv4() {
            return;
        }
        let length = self.rng.below(60);
        let payload = self.rng.bytes(length);
        self.deliver(at, peer, &payload);
    }

    fn deliver(&mut self, at: SocketAddr, peer: SocketAddr, payload: &[u8]) {
        let ours = self.ours.peer(self.now, at, peer, payload);
        let theirs = self.theirs.peer(self.now, at, peer, payload);
        let Some(index) = self.clients.iter().position(|client| client.relayed.contains(&at)) else { return };
        self.judge_data(index, Sent::Peer(peer), Some(peer), &ours, &theirs);
    }

    fn garbage(&mut self, index: usize) {
        let length = self.rng.below(64);
        let mut packet = self.rng.bytes(length + 1);
        if self.rng.percent(50) {
            packet[0] &= 0x3f;
        }
        let from = self.clients[index].address;
        let (ours, theirs) =
            (self.ours.client(self.now, from, &packet), self.theirs.client(self.now, from, &packet));
        self.judge_data(index, Sent::Garbage, None, &ours, &theirs);
    }

    fn judge_data(
        &mut self,
        index: usize,
        sent: Sent<'_>,
        peer: Option<SocketAddr>,
        ours: &Outcome,
        theirs: &Outcome,
    ) {
        let client = &self.clients[index];
        let permitted = peer.and_then(|peer| client.permitted.get(&peer.ip()));
        let case = Case {
            sent,
            ours,
            theirs,
            ages: [Duration::ZERO; 2],
            allocated_by: client.allocated_by,
            is_permission_old: permitted.is_some_and(|at| self.now - *at >= PERMISSION),
            is_half_permitted: peer.is_some_and(|peer| client.half_permitted.contains(&peer.ip())),
        };
        self.judge(index, &case);
    }

    /// Whether the outcomes are alike in what was done. What is not alike must be explained.
    fn judge(&mut self, index: usize, case: &Case<'_>) -> bool {
        let facets = case.facets();
        for facet in &facets {
            let row = DIFFERENCES.iter().position(|row| row.facet == *facet && (row.holds)(case));
            match row {
                Some(row) => self.counts[row] += 1,
                None => self.note(index, case, *facet),
            }
        }
        let is_same = !facets.contains(&Facet::Act);
        if is_same && *case.ours != Outcome::Nothing {
            *self.kinds.entry(kind(case.ours)).or_default() += 1;
        }
        is_same
    }

    /// Keeps one example of each kind of difference that no row explains.
    fn note(&mut self, index: usize, case: &Case<'_>, facet: Facet) {
        let method = case.request().map(|request| request.method);
        let kind = format!("{facet:?} {:?} {method:?}", case.codes());
        if self.unexplained.contains_key(&kind) {
            return;
        }
        let sent = match case.sent {
            Sent::Message(request) => {
                format!("{request:x?} with {:?}", differences::peers(request).collect::<Vec<_>>())
            }
            Sent::ChannelData(peer) => format!("ChannelData for {peer:?}"),
            Sent::Peer(peer) => format!("data from {peer}"),
            Sent::Garbage => "garbage".into(),
        };
        let Client { relayed, permitted, channels, .. } = &self.clients[index];
        let example = format!(
            "step {} at {:?}: {sent}\nours: {:x?}\ntheirs: {:x?}\nages: {:?}, relayed: {relayed:?}, permitted: {permitted:?}, \
             channels: {channels:x?}",
            self.steps, self.now, case.ours, case.theirs, case.ages,
        );
        self.unexplained.insert(kind, example);
    }
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::ToPeer { .. } => "data to peers",
        Outcome::ToClient { .. } => "data to clients",
        _ => match outcome.code() {
            Some(200) => "200",
            Some(400) => "400",
            Some(401) => "401",
            Some(420) => "420",
            Some(437) => "437",
            Some(438) => "438",
            Some(441) => "441",
            Some(442) => "442",
            Some(443) => "443",
            _ => "other answers",
        },
    }
}
