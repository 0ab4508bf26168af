//! A deterministic world in virtual time: one signaling server, pages, and the networks between them.
#![allow(clippy::print_stdout, clippy::unwrap_used, dead_code, unreachable_pub)]

pub mod connection;
pub mod server;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use connection::{Operation, Peer, Signaling};
use serde_json::{Value, json};
use server::{Sent, Server, Socket};
use visavis_call::{
    Call, Config, ConnectionEvent, ConnectionId, ConnectionState, Description, Effect, Now, Phase, Remote,
    RemoteState, Wishes,
};

use visavis_signal::call::{Body, Envelope};

pub fn is_offer(description: &Description) -> bool {
    serde_json::to_value(description).unwrap()["type"] == "offer"
}

const STEP: u64 = 10;

fn at(ms: u64) -> Now {
    Now::after(Duration::from_millis(ms))
}

/// Frames on their way, in order per socket.
#[derive(Debug)]
enum Flight {
    Opened(Socket),
    ToServer(Socket, String),
    ToPage(Socket, String),
    ClosedAtPage(Socket),
    ClosedAtServer(Socket),
}

#[derive(Debug)]
struct Wire {
    page: usize,
    /// Nothing passes, and nobody is told.
    dead: bool,
    open_at_page: bool,
}

pub enum Kind {
    Ours(Box<Call>),
    Tutorial(Tutorial),
}

/// The page of the tutorial: an older API, no recovery.
#[derive(Default)]
pub struct Tutorial {
    id: Option<String>,
    members: usize,
    pub peer: Option<u32>,
    /// Members who were asked by whom.
    pub offers: bool,
    setting_offer: bool,
}

pub struct Page {
    pub kind: Kind,
    pub device: String,
    pub session: String,
    pub socket: Option<Socket>,
    /// Connections of ours by the call's own names.
    peers: BTreeMap<ConnectionId, u32>,
    pub online: bool,
    /// Which network the page is in; a change makes candidates of before useless.
    pub epoch: u32,
    pub asleep: bool,
    pub reports: Vec<String>,
    pub connects: Vec<(String, bool, bool)>,
    pub camera: bool,
}

pub struct World {
    pub now: u64,
    pub server: Server,
    pub server_up: bool,
    pub pages: Vec<Page>,
    pub peers: BTreeMap<u32, Peer>,
    wires: BTreeMap<Socket, Wire>,
    flights: VecDeque<(u64, Flight)>,
    last_due: BTreeMap<(Socket, bool), u64>,
    pub direct_down: BTreeSet<(usize, usize)>,
    pub relay_down: BTreeSet<usize>,
    /// No media passes at all.
    pub media_down: bool,
    /// Pages that do not reach the server.
    pub link_down: BTreeSet<usize>,
    /// Connections that never work (again).
    pub doomed: BTreeSet<u32>,
    pub sockets_opened: u32,
    next: u32,
    random: u64,
    pub trace: bool,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            now: 0,
            server: Server::new(),
            server_up: true,
            pages: Vec::new(),
            peers: BTreeMap::new(),
            wires: BTreeMap::new(),
            flights: VecDeque::new(),
            last_due: BTreeMap::new(),
            direct_down: BTreeSet::new(),
            relay_down: BTreeSet::new(),
            media_down: false,
            link_down: BTreeSet::new(),
            doomed: BTreeSet::new(),
            sockets_opened: 0,
            next: 1,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            trace: false,
        }
    }

    pub fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % below
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    // Pages.

    pub fn config(&mut self, device: &str) -> Config {
        let number = self.number();
        // Sessions whose order has nothing to do with the order of joining.
        let session = format!("{:08x}", number.wrapping_mul(0x9e37_79b9).rotate_left(self.random(31) as u32));
        Config {
            room: "room".to_owned(),
            device_secret: device.to_owned(),
            session,
            name: format!("Name of {device}"),
            relay: None,
            wishes: Wishes { microphone: true, camera: true },
        }
    }

    pub fn lobby(&mut self, device: &str) -> usize {
        let config = self.config(device);
        self.lobby_with(config)
    }

    pub fn lobby_with(&mut self, config: Config) -> usize {
        let device = config.device_secret.clone();
        let camera = config.wishes.camera;
        let session = config.session.clone();
        let call = Call::new(at(self.now), config, [7; 32]);
        let page = self.add(Kind::Ours(Box::new(call)), device, camera);
        self.pages[page].session = session;
        page
    }

    fn add(&mut self, kind: Kind, device: String, camera: bool) -> usize {
        self.pages.push(Page {
            kind,
            device,
            session: String::new(),
            socket: None,
            peers: BTreeMap::new(),
            online: true,
            epoch: 0,
            asleep: false,
            reports: Vec::new(),
            connects: Vec::new(),
            camera,
        });
        self.pages.len() - 1
    }

    pub fn join(&mut self, device: &str) -> usize {
        let page = self.lobby(device);
        self.with(page, |call, now| call.join(now));
        page
    }

    pub fn tutorial(&mut self) -> usize {
        let page = self.add(Kind::Tutorial(Tutorial::default()), String::new(), true);
        self.open_socket(page);
        page
    }

    /// The page is gone without a word: killed, or its machine switched off.
    pub fn kill(&mut self, page: usize) {
        if let Some(socket) = self.pages[page].socket.take() {
            self.fly(socket, true, Flight::ClosedAtServer(socket));
        }
        for peer in self.peers.values_mut().filter(|peer| peer.page == page) {
            peer.closed = true;
        }
        self.pages[page].asleep = true;
        self.answer();
    }

    /// The same tab loads the page again.
    pub fn reload(&mut self, page: usize) -> usize {
        self.kill(page);
        let device = self.pages[page].device.clone();
        self.join(&device)
    }

    pub fn with(&mut self, page: usize, act: impl FnOnce(&mut Call, Now)) {
        let now = at(self.now);
        if let Kind::Ours(call) = &mut self.pages[page].kind {
            act(call, now);
        }
        self.drain(page);
    }

    pub fn call(&self, page: usize) -> &Call {
        match &self.pages[page].kind {
            Kind::Ours(call) => call,
            Kind::Tutorial(_) => panic!("a tutorial page has no call"),
        }
    }

    pub fn phase(&self, page: usize) -> Phase {
        self.call(page).phase()
    }

    pub fn remotes(&self, page: usize) -> Vec<Remote> {
        self.call(page).remotes().cloned().collect()
    }

    pub fn own_id(&self, page: usize) -> String {
        self.pages[page].socket.map(|socket| format!("{socket}")).unwrap_or_default()
    }

    /// The connection that a page shows for its only remote.
    pub fn shown(&self, page: usize) -> Option<&Peer> {
        let connection = self.call(page).remotes().next()?.connection?;
        self.peers.get(self.pages[page].peers.get(&connection)?)
    }

    pub fn live_peers(&self, page: usize) -> usize {
        self.peers.values().filter(|peer| peer.page == page && !peer.closed).count()
    }

    // Effects of our pages.

    fn drain(&mut self, page: usize) {
        loop {
            let Kind::Ours(call) = &mut self.pages[page].kind else { return };
            let Some(effect) = call.poll_effect() else { return };
            if self.trace && !matches!(&effect, Effect::SendData { .. }) {
                let text = format!("{effect:?}");
                println!("{:>7} page {page}: {}", self.now, text.chars().take(230).collect::<String>());
            }
            self.run(page, effect);
        }
    }

    fn run(&mut self, page: usize, effect: Effect) {
        match effect {
            Effect::OpenLink { path } => {
                assert_eq!(path, "/v3/websocket");
                self.open_socket(page);
            }
            Effect::SendFrame(text) => {
                let socket = self.pages[page].socket.expect("frames are sent on an open link");
                self.fly(socket, true, Flight::ToServer(socket, text));
            }
            Effect::CloseLink => {
                if let Some(socket) = self.pages[page].socket.take() {
                    self.fly(socket, true, Flight::ClosedAtServer(socket));
                }
            }
            Effect::Connect { connection, member, relay_only, offerer, foreign, ice_servers } => {
                assert!(!ice_servers.is_empty(), "connections are made once the servers are known");
                let id = self.number();
                let mut peer = Peer::new(id, page, relay_only, foreign, self.now);
                if offerer {
                    peer.make_media(false);
                } else {
                    peer.adopts = true;
                }
                self.peers.insert(id, peer);
                self.pages[page].peers.insert(connection, id);
                self.pages[page].connects.push((member, relay_only, offerer));
            }
            Effect::Disconnect { connection } => {
                let id = self.pages[page].peers[&connection];
                let peer = self.peers.get_mut(&id).unwrap();
                assert!(!peer.closed, "a connection is closed once");
                peer.closed = true;
            }
            Effect::SetLocalDescription { connection } => self.chain(page, connection, Operation::SetLocal),
            Effect::SetRemoteDescription { connection, description } => {
                self.chain(page, connection, Operation::SetRemote(description));
            }
            Effect::AddCandidate { connection, candidate } => {
                self.chain(page, connection, Operation::Add(candidate));
            }
            Effect::RestartIce { connection } => self.peer(page, connection).restart_ice(),
            Effect::SetIceServers { .. } => {}
            Effect::SendData { connection, text } => {
                let peer = self.peer(page, connection);
                if peer.data_open && !peer.closed {
                    peer.outbox.push_back(text);
                }
            }
            Effect::Report(line) => self.pages[page].reports.push(line),
        }
    }

    fn peer(&mut self, page: usize, connection: ConnectionId) -> &mut Peer {
        let id = self.pages[page].peers[&connection];
        let peer = self.peers.get_mut(&id).unwrap();
        assert!(!peer.closed, "a closed connection is left alone");
        peer
    }

    fn chain(&mut self, page: usize, connection: ConnectionId, operation: Operation) {
        let due = self.now + 1 + self.random(15);
        self.peer(page, connection).chain(due, operation);
    }

    // Signaling.

    fn open_socket(&mut self, page: usize) {
        let socket = self.number();
        self.pages[page].socket = Some(socket);
        self.wires.insert(socket, Wire { page, dead: false, open_at_page: false });
        self.sockets_opened += 1;
        let open = self.server_up && self.pages[page].online && !self.link_down.contains(&page);
        let flight = if open { Flight::Opened(socket) } else { Flight::ClosedAtPage(socket) };
        self.fly(socket, false, flight);
    }

    fn fly(&mut self, socket: Socket, up: bool, flight: Flight) {
        let last = self.last_due.get(&(socket, up)).copied().unwrap_or(0);
        let due = last.max(self.now + 10 + self.random(30));
        self.last_due.insert((socket, up), due);
        let at = self.flights.iter().position(|(other, _)| *other > due).unwrap_or(self.flights.len());
        self.flights.insert(at, (due, flight));
    }

    fn deliver(&mut self) {
        while self.flights.front().is_some_and(|(due, _)| *due <= self.now) {
            let (_, flight) = self.flights.pop_front().unwrap();
            self.arrive(flight);
            self.answer();
        }
    }

    fn arrive(&mut self, flight: Flight) {
        let now = self.now;
        match flight {
            Flight::Opened(socket) => {
                if let Some(page) = self.hears(socket) {
                    self.wires.get_mut(&socket).unwrap().open_at_page = true;
                    self.opened(page);
                }
            }
            Flight::ToServer(socket, text) => {
                if self.server_up && !self.wires[&socket].dead {
                    self.server.frame(now, socket, &text);
                }
            }
            Flight::ToPage(socket, text) => {
                if let Some(page) = self.hears(socket) {
                    self.frame(page, &text);
                }
            }
            Flight::ClosedAtPage(socket) => {
                if let Some(page) = self.hears(socket) {
                    self.pages[page].socket = None;
                    self.with(page, |call, now| call.handle_link_closed(now));
                    if matches!(self.pages[page].kind, Kind::Tutorial(_)) {
                        self.open_socket(page);
                    }
                }
            }
            Flight::ClosedAtServer(socket) => {
                if !self.wires[&socket].dead {
                    self.server.closed(now, socket);
                }
            }
        }
    }

    fn hears(&self, socket: Socket) -> Option<usize> {
        let wire = &self.wires[&socket];
        let current = self.pages[wire.page].socket == Some(socket);
        (current && !wire.dead && !self.pages[wire.page].asleep).then_some(wire.page)
    }

    fn answer(&mut self) {
        while let Some(sent) = self.server.poll() {
            match sent {
                Sent::Frame(socket, text) => self.fly(socket, false, Flight::ToPage(socket, text)),
                Sent::Close(socket) => self.fly(socket, false, Flight::ClosedAtPage(socket)),
            }
        }
    }

    fn opened(&mut self, page: usize) {
        match &mut self.pages[page].kind {
            Kind::Ours(_) => self.with(page, |call, now| call.handle_link_opened(now)),
            Kind::Tutorial(_) => {
                self.say(page, json!({"type": "handshake", "channel": "visavis", "callback": 1}));
                self.say(page, json!({"type": "subscribe", "room": server::ROOM, "callback": 0}));
            }
        }
    }

    fn say(&mut self, page: usize, frame: Value) {
        if let Some(socket) = self.pages[page].socket {
            self.fly(socket, true, Flight::ToServer(socket, frame.to_string()));
        }
    }

    fn frame(&mut self, page: usize, text: &str) {
        if self.trace {
            println!("{:>7} page {page}   hears {}", self.now, text.chars().take(200).collect::<String>());
        }
        match &self.pages[page].kind {
            Kind::Ours(_) => self.with(page, |call, now| call.handle_link_frame(now, text)),
            Kind::Tutorial(_) => self.tutorial_frame(page, &serde_json::from_str(text).unwrap()),
        }
    }

    // The tutorial's script.

    fn tutorial_frame(&mut self, page: usize, frame: &Value) {
        let now = self.now;
        let Kind::Tutorial(tutorial) = &mut self.pages[page].kind else { return };
        if frame["callback"] == 1 {
            tutorial.id = frame["client_id"].as_str().map(str::to_owned);
        } else if frame["type"] == "observable_members" {
            tutorial.members = frame["data"].as_array().unwrap().len();
            tutorial.offers = tutorial.members == 2;
            if tutorial.peer.is_none() {
                let id = self.number();
                let mut peer = Peer::new(id, page, false, true, now);
                peer.make_media(true);
                self.peers.insert(id, peer);
                let Kind::Tutorial(tutorial) = &mut self.pages[page].kind else { return };
                tutorial.peer = Some(id);
            }
        } else if frame["type"] == "publish" && frame["client_id"].as_str() != tutorial.id.as_deref() {
            let Some(peer) = tutorial.peer.and_then(|id| self.peers.get_mut(&id)) else { return };
            let message = &frame["message"];
            match Envelope::parse(&message.to_string()).map(|envelope| envelope.body) {
                Ok(Body::Sdp(description)) => peer.chain(now + 5, Operation::SetRemote(description)),
                Ok(Body::Candidate(candidate)) if !candidate.is_end() => {
                    peer.chain(now + 5, Operation::Add(candidate));
                }
                _ => {}
            }
        }
    }

    fn tutorial_event(&mut self, page: usize, id: u32, event: ConnectionEvent) {
        let Kind::Tutorial(tutorial) = &self.pages[page].kind else { return };
        let offers = tutorial.offers;
        let peer = self.peers.get_mut(&id).unwrap();
        let body = match event {
            ConnectionEvent::NegotiationNeeded if offers => {
                peer.chain(self.now + 5, Operation::SetLocal);
                return;
            }
            ConnectionEvent::RemoteDescriptionSet if peer.signaling == Signaling::HaveRemoteOffer => {
                peer.chain(self.now + 5, Operation::SetLocal);
                return;
            }
            ConnectionEvent::LocalDescription(description) => json!({"sdp": description}),
            ConnectionEvent::Candidate(candidate) => json!({"candidate": candidate}),
            _ => return,
        };
        self.say(page, json!({"type": "publish", "room": server::ROOM, "message": body}));
    }

    // Time.

    pub fn run_for(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.now < until {
            self.now += STEP;
            self.step();
        }
    }

    /// Runs until `done`, and says how long that took; at most `ms`.
    pub fn run_until(&mut self, ms: u64, done: impl Fn(&Self) -> bool) -> u64 {
        let start = self.now;
        while !done(self) {
            assert!(self.now - start < ms, "not within {ms} ms: {}", self.describe());
            self.run_for(STEP);
        }
        self.now - start
    }

    pub fn describe(&self) -> String {
        let mut text = format!("at {} members {:?}\n", self.now, self.server.members());
        for (at, page) in self.pages.iter().enumerate() {
            match &page.kind {
                Kind::Ours(call) if !page.asleep => {
                    text += &format!("page {at} {:?} link {:?}\n", call.phase(), call.link());
                    for remote in call.remotes() {
                        text += &format!("   {} {:?} {:?}\n", remote.member, remote.state, remote.connection);
                    }
                }
                _ => {}
            }
        }
        for peer in self.peers.values().filter(|peer| !peer.closed) {
            text +=
                &format!("peer {} of page {} {:?} {:?}\n", peer.id, peer.page, peer.signaling, peer.state);
        }
        text
    }

    fn step(&mut self) {
        if self.server_up {
            for (socket, wire) in &self.wires {
                if !wire.dead && self.pages[wire.page].socket == Some(*socket) {
                    self.server.alive(self.now, *socket);
                }
            }
            self.server.tick(self.now);
            self.answer();
        }
        self.deliver();
        self.step_peers();
        for page in 0..self.pages.len() {
            let now = at(self.now);
            let Kind::Ours(call) = &self.pages[page].kind else { continue };
            if !self.pages[page].asleep && call.poll_timeout().is_some_and(|due| due <= now) {
                self.with(page, |call, now| call.handle_timeout(now));
            }
        }
    }

    fn step_peers(&mut self) {
        let ids: Vec<_> = self.peers.keys().copied().collect();
        for id in &ids {
            let peer = &self.peers[id];
            let (page, epoch) = (peer.page, self.pages[peer.page].epoch);
            let events = self.peers.get_mut(id).unwrap().step(self.now, epoch);
            for event in events {
                self.event(page, *id, event);
            }
        }
        for id in ids {
            self.step_network(id);
        }
    }

    fn event(&mut self, page: usize, id: u32, event: ConnectionEvent) {
        if self.pages[page].asleep {
            return;
        }
        if matches!(self.pages[page].kind, Kind::Tutorial(_)) {
            return self.tutorial_event(page, id, event);
        }
        let connection = self.pages[page].peers.iter().find(|(_, peer)| **peer == id).map(|(name, _)| *name);
        if let Some(connection) = connection {
            if self.trace && !matches!(&event, ConnectionEvent::Data(_)) {
                let text = format!("{event:?}");
                println!(
                    "{:>7} page {page}   {connection:?} {}",
                    self.now,
                    text.chars().take(80).collect::<String>()
                );
            }
            self.with(page, |call, now| call.handle_connection(now, connection, event));
        }
    }

    // The media network.

    fn counterpart(&self, peer: &Peer) -> Option<&Peer> {
        let remote = peer.remote.as_ref()?;
        let other = self.peers.get(&remote.owner)?;
        let back = other.remote.as_ref()?;
        let local = peer.local.as_ref()?;
        let fits = back.owner == peer.id
            && back.ufrag == local.ufrag
            && other.local.as_ref().is_some_and(|local| local.ufrag == remote.ufrag);
        (fits && !other.closed && !peer.closed).then_some(other)
    }

    fn passes(&self, peer: &Peer) -> Option<u32> {
        let other = self.counterpart(peer)?;
        let (a, b) = (peer.page, other.page);
        if self.media_down || self.doomed.contains(&peer.id) {
            return None;
        }
        let current = |peer: &Peer| peer.epoch == self.pages[peer.page].epoch && self.pages[peer.page].online;
        if !current(peer) || !current(other) || self.pages[a].asleep || self.pages[b].asleep {
            return None;
        }
        let heard = |kind: &str| peer.heard.iter().chain(&other.heard).any(|heard| heard == kind);
        let direct = !peer.relay_only
            && !other.relay_only
            && heard("host")
            && !self.direct_down.contains(&(a.min(b), a.max(b)));
        // A relay lets through only whom its owner has heard of.
        let both_heard = [peer, other].iter().all(|end| end.heard.iter().any(|heard| heard == "relay"));
        let permitted = if peer.relay_only && other.relay_only { both_heard } else { heard("relay") };
        let relay = permitted && !self.relay_down.contains(&a) && !self.relay_down.contains(&b);
        (direct || relay).then_some(other.id)
    }

    fn step_network(&mut self, id: u32) {
        let peer = &self.peers[&id];
        if peer.closed || peer.local.is_none() || peer.remote.is_none() {
            return;
        }
        let other = self.passes(peer);
        let (page, now) = (peer.page, self.now);
        let next = next_state(peer, other.is_some(), now);
        let peer = self.peers.get_mut(&id).unwrap();
        peer.usable_since = other.map(|_| peer.usable_since.unwrap_or(now));
        if next != peer.state {
            peer.state = next;
            peer.since = now;
            self.event(page, id, ConnectionEvent::ConnectionState(next));
        }
        if let Some(other) = other {
            self.step_media(id, other);
        }
    }

    fn step_media(&mut self, id: u32, other: u32) {
        let both = [id, other].iter().all(|id| self.peers[id].state == ConnectionState::Connected);
        if !both {
            return;
        }
        let data = self.peers[&id].has_data() && self.peers[&other].has_data();
        let sends = self.pages[self.peers[&other].page].camera;
        let now = self.now;
        let peer = self.peers.get_mut(&id).unwrap();
        let page = peer.page;
        let opens = data && !peer.data_open && now - peer.since >= 50;
        let frames = sends && !peer.framed && now - peer.since >= 100;
        peer.data_open |= opens;
        peer.framed |= frames;
        if opens {
            self.event(page, id, ConnectionEvent::DataOpen);
        }
        if frames && !self.peers[&id].closed {
            self.event(page, id, ConnectionEvent::FirstFrame);
        }
        if self.peers[&other].data_open {
            let texts: Vec<_> = self.peers.get_mut(&id).unwrap().outbox.drain(..).collect();
            let to = self.peers[&other].page;
            for text in texts {
                if !self.peers[&other].closed {
                    self.event(to, other, ConnectionEvent::Data(text));
                }
            }
        }
    }

    // Trouble.

    /// The page's link dies without either end being told.
    pub fn cut_silently(&mut self, page: usize) {
        if let Some(socket) = self.pages[page].socket {
            self.wires.get_mut(&socket).unwrap().dead = true;
        }
    }

    /// The page's link is closed; both ends know.
    pub fn cut(&mut self, page: usize) {
        if let Some(socket) = self.pages[page].socket {
            let now = self.now;
            self.server.closed(now, socket);
            self.fly(socket, false, Flight::ClosedAtPage(socket));
        }
    }

    /// The page moves to another network: media paths and the link of before are dead.
    pub fn hand_over(&mut self, page: usize) {
        self.pages[page].epoch += 1;
        self.cut_silently(page);
    }

    pub fn stop_server(&mut self) {
        self.server.restart();
        self.answer();
        self.server_up = false;
    }

    pub fn start_server(&mut self) {
        self.server_up = true;
    }

    /// A tutorial page no longer answers.
    pub fn kill_media(&mut self, page: usize) {
        if let Kind::Tutorial(tutorial) = &mut self.pages[page].kind {
            tutorial.peer = None;
        }
    }

    /// The browser refuses to go on with a connection.
    pub fn break_connection(&mut self, page: usize, connection: ConnectionId) {
        let what = visavis_call::Step::Connect;
        self.with(page, |call, now| {
            call.handle_connection(now, connection, ConnectionEvent::Failed { what })
        });
    }

    // What tests ask.

    pub fn session(&self, page: usize) -> String {
        self.pages[page].session.clone()
    }

    /// Whether one page numbers its connections to the other with odd generations.
    pub fn is_odd(&self, page: usize, other: usize) -> bool {
        self.pages[other].device > self.pages[page].device
    }

    /// The shown connections are of the networks that their pages are in now.
    pub fn fresh(&self, page: usize) -> bool {
        self.shown(page).is_some_and(|peer| self.passes(peer).is_some())
    }

    pub fn in_call_with_foreign(&self, page: usize, tutorial: usize) -> bool {
        let Kind::Tutorial(script) = &self.pages[tutorial].kind else { return false };
        let shown = self.shown(page).and_then(|peer| self.passes(peer));
        self.phase(page) == Phase::InCall && shown.is_some() && shown == script.peer
    }

    pub fn in_call(&self, pages: &[usize]) -> bool {
        pages.iter().all(|&page| {
            self.phase(page) == Phase::InCall
                && self.call(page).remotes().count() == pages.len() - 1
                && self.call(page).remotes().all(|remote| remote.state == RemoteState::Connected)
        })
    }

    /// Each page shows, for each other, a connection whose other end the other shows too.
    pub fn assert_paired(&self, pages: &[usize]) {
        for &page in pages {
            for remote in self.call(page).remotes() {
                let id = self.pages[page].peers[&remote.connection.unwrap()];
                let peer = &self.peers[&id];
                let other = self
                    .counterpart(peer)
                    .unwrap_or_else(|| panic!("half a connection\n{}", self.describe()));
                assert_eq!(other.media(), 5, "four m-lines of media and one of data");
                let shown = self.call(other.page).remotes().filter_map(|remote| remote.connection);
                let shown: Vec<_> =
                    shown.map(|connection| self.pages[other.page].peers[&connection]).collect();
                assert!(shown.contains(&other.id), "both ends show the same connection\n{}", self.describe());
            }
        }
        self.assert_clean();
    }

    pub fn assert_clean(&self) {
        for peer in self.peers.values() {
            let ours = matches!(self.pages[peer.page].kind, Kind::Ours(_));
            assert!(!ours || peer.refused == 0, "no candidate is added where it does not belong");
        }
    }
}

fn next_state(peer: &Peer, passes: bool, now: u64) -> ConnectionState {
    use ConnectionState::{Connected, Connecting, Disconnected, Failed, New};
    let spent = now - peer.since;
    match peer.state {
        New => Connecting,
        Connecting if passes && peer.usable_since.is_some_and(|since| now - since >= 100) => Connected,
        Connecting if spent >= 15_000 => Failed,
        Connected if !passes && spent > 0 && peer.usable_since.is_none() => Disconnected,
        Disconnected if passes && peer.usable_since.is_some_and(|since| now - since >= 100) => Connected,
        Disconnected if spent >= 12_000 => Failed,
        Failed if passes => Connecting,
        other => other,
    }
}
