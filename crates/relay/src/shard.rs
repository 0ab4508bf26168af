//! One shard: one thread, one event queue, one server.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    net::SocketAddr,
    ops::Range,
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token, event::Event};
use visavis_clock::Now;
use visavis_turn::{
    Action, FiveTuple, FromClient, PeerAddr, PortRange, RelayKey, Server, ToClient, Transport,
};

use crate::{
    batch::{BUFFERS, Batch, datagrams},
    crossing::{Door, Errand, Inbox},
    pace::Pace,
    sockets::{Sockets, Source},
    stats::{Board, REFRESH, Stats},
    sys,
};

mod crossings;
mod errors;
mod streams;

/// What wakes a shard for its inbox.
pub(crate) const WAKER: Token = Source::Waker.token();

/// Events taken from the system at once; what is left comes next time.
const EVENTS: usize = 1024;
/// Batches of one listening socket in one turn. Its clients are many, those of a relay socket are one.
const LISTENER_BATCHES: usize = 8;
/// Relay sockets in one turn, one batch each.
const RELAYS: usize = 64;
/// Streams in one turn, one read each.
const STREAMS: usize = 64;
/// Streams of one shard.
const MOST_STREAMS: usize = 4096;
/// How often streams are looked at for being idle, and what is kept for packets for not being needed.
const SWEEP: Duration = Duration::from_secs(5);

/// One shard of the relay.
pub(crate) struct Shard {
    /// Which ports are whose.
    ports: PortRange,
    server: Server,
    sockets: Sockets,
    /// The shards' doors, the own one among them.
    doors: Vec<Door>,
    crossings: crossings::Crossings,
    inbox: Inbox,
    started: Instant,
    now: Now,
    ready_relays: VecDeque<RelayKey>,
    ready_streams: VecDeque<usize>,
    /// Whether more waits in the inbox than one turn took.
    inbox_waits: bool,
    most_streams: usize,
    pace: Pace,
    /// Packets, or trains of them, of this turn.
    served: u32,
    sweep: Now,
    published: Now,
    unpublished: bool,
}

impl Shard {
    pub(crate) fn new(
        ports: PortRange,
        server: Server,
        sockets: Sockets,
        doors: Vec<Door>,
        inbox: Inbox,
        started: Instant,
    ) -> Self {
        Self {
            ports,
            server,
            sockets,
            crossings: crossings::Crossings::new(doors.len()),
            doors,
            inbox,
            started,
            now: Now::after(started.elapsed()),
            ready_relays: VecDeque::new(),
            ready_streams: VecDeque::new(),
            inbox_waits: false,
            most_streams: MOST_STREAMS,
            pace: Pace::default(),
            served: 0,
            sweep: Now::ZERO,
            published: Now::ZERO,
            unpublished: true,
        }
    }

    /// Serves until the door says stop.
    pub(crate) fn run(&mut self, mut poll: Poll, board: &Board) {
        let mut events = Events::with_capacity(EVENTS);
        let mut batch = Batch::new();
        if let Err(error) = sys::sleep_precisely() {
            tracing::debug!(%error, "ask for short sleeps");
        }
        while !self.inbox.stopped() {
            if let Err(error) = poll.poll(&mut events, self.timeout())
                && error.kind() != ErrorKind::Interrupted
            {
                tracing::error!(%error, shard = self.ports.shard, "wait for packets; the shard ends");
                return;
            }
            self.now = Now::after(self.started.elapsed());
            events.iter().for_each(|event| self.note(event));
            self.turn(&mut batch);
            self.publish(board);
            self.rest();
        }
    }

    /// Lets packets gather, if they come fast and none is left over.
    fn rest(&mut self) {
        let until = self.pace.until(self.now, std::mem::take(&mut self.served));
        if let Some(until) = until
            && !self.has_work()
        {
            std::thread::sleep(until.since(Now::after(self.started.elapsed())));
        }
    }

    /// One turn: the numbered sources in order, each with a budget, so that none starves those below.
    fn turn(&mut self, batch: &mut Batch) {
        // 1. Time: what has expired must not relay.
        self.expire();
        // 2. Clients over UDP: requests and most of the data.
        for listener in 0..self.sockets.listeners.len() {
            self.serve_listener(listener, batch);
        }
        // 3. Packets that other shards have already taken from their sockets.
        self.serve_crossings();
        // 4. Peers.
        for _ in 0..self.ready_relays.len().min(RELAYS) {
            self.serve_relay(batch);
        }
        // 5. Clients over streams, then new ones.
        for _ in 0..self.ready_streams.len().min(STREAMS) {
            self.serve_stream(batch);
        }
        self.serve_new_streams();
        self.serve_errands();
        // 6. What was gathered on the way.
        self.flush();
    }

    /// How long to wait: not at all with work left over.
    fn timeout(&self) -> Option<Duration> {
        if self.has_work() {
            return Some(Duration::ZERO);
        }
        let sweeps = !self.sockets.streams.is_empty() || self.crossings.keeps_memory();
        let sweep = sweeps.then_some(self.sweep);
        let publish = self.unpublished.then(|| self.published + REFRESH);
        let next = [self.server.poll_timeout(), sweep, publish].into_iter().flatten().min()?;
        Some(next.since(Now::after(self.started.elapsed())))
    }

    fn has_work(&self) -> bool {
        self.inbox_waits
            || !self.ready_relays.is_empty()
            || !self.ready_streams.is_empty()
            || self.sockets.listeners.iter().any(|listener| listener.ready)
    }

    /// The system tells of a socket only once for all that has arrived: kept in mind until it is drained.
    fn note(&mut self, event: &Event) {
        match Source::of(event.token()) {
            Source::Waker => self.inbox_waits = true,
            Source::Listener(index) => self.sockets.listeners[index].ready = true,
            Source::Relay(key) => self.note_relay(key, event.is_error()),
            Source::Stream(index) => self.note_stream(index, event),
        }
    }

    fn note_relay(&mut self, key: RelayKey, failed: bool) {
        let Some(relayed) = self.sockets.relay(key) else { return };
        relayed.failed |= failed;
        if !relayed.ready {
            relayed.ready = true;
            self.ready_relays.push_back(key);
        }
    }

    fn note_stream(&mut self, index: usize, event: &Event) {
        if event.is_writable() {
            self.sockets.mark_dirty(index);
        }
        let Some(stream) = self.sockets.streams.get_mut(index) else { return };
        stream.has_ended |= event.is_read_closed() || event.is_error();
        if !stream.ready && (event.is_readable() || stream.has_ended) {
            stream.ready = true;
            self.ready_streams.push_back(index);
        }
    }

    fn expire(&mut self) {
        if self.server.poll_timeout().is_some_and(|at| at <= self.now) {
            self.server.handle_timeout(self.now);
            self.apply_actions();
        }
        if self.sweep <= self.now {
            self.sweep = self.now + SWEEP;
            self.close_idle_streams();
            self.crossings.give_back(&self.doors, self.ports.shard);
        }
    }

    fn serve_listener(&mut self, index: usize, batch: &mut Batch) {
        self.sockets.gather = false;
        for _ in 0..LISTENER_BATCHES {
            let listener = &mut self.sockets.listeners[index];
            if !listener.ready {
                break;
            }
            let received = received(listener.udp.receive(batch));
            listener.ready = received == BUFFERS;
            self.served += received as u32;
            // Once for all batches: what is sent at once must not overtake what was gathered before.
            self.sockets.gather |= !batch.is_single(received);
            for buffer in 0..received {
                self.client_datagrams(index, batch, buffer);
            }
        }
        self.sockets.flush_trains();
    }

    fn client_datagrams(&mut self, listener: usize, batch: &mut Batch, buffer: usize) {
        let (buffer, meta) = batch.buffer(buffer);
        let server = self.sockets.listeners[listener].server_address(meta.dst_ip);
        let from = FiveTuple { client: meta.addr, server, transport: Transport::Udp };
        for packet in datagrams(meta) {
            self.client_packet(from, buffer, packet);
        }
    }

    /// Takes one packet of a client, which has headroom before it.
    fn client_packet(&mut self, from: FiveTuple, buffer: &mut [u8], packet: Range<usize>) {
        let mut crossing = None;
        match self.server.handle_client(self.now, from, &buffer[packet]) {
            FromClient::Nothing => {}
            // Sent before the actions that come with it: what can fail is answered before there is a reply,
            // so these only close.
            FromClient::Reply(reply) => self.sockets.reply(self.now, reply),
            FromClient::ToPeer { from, peer, payload, dont_fragment: false } => {
                self.sockets.send_to_peer(from, peer, payload);
            }
            FromClient::ToPeer { from, peer, payload, dont_fragment: true } => {
                self.sockets.send_unfragmented(from, peer, payload);
            }
            FromClient::ToRelayed { from, to, payload } => {
                crossing = Some((from, to, position(buffer, payload)))
            }
        }
        if let Some((from, to, payload)) = crossing {
            self.cross(from, to, buffer, payload);
        }
        self.apply_actions();
    }

    fn peer_packet(&mut self, relay: RelayKey, peer: PeerAddr, buffer: &mut [u8], payload: Range<usize>) {
        let to_client = self.server.handle_peer(self.now, relay, peer, &buffer[payload.clone()]);
        self.deliver(to_client, buffer, payload);
    }

    /// Writes what surrounds a payload around it and sends it to the client. What stands before the payload is used
    /// up by then; what stands behind is another one.
    fn deliver(&mut self, to_client: Option<ToClient>, buffer: &mut [u8], payload: Range<usize>) {
        if let Some(to_client) = to_client {
            let start = payload.start - to_client.header.len();
            buffer[start..payload.start].copy_from_slice(&to_client.header);
            let padding = payload.end..payload.end + usize::from(to_client.padding);
            let mut behind = [0; 4];
            let behind = &mut behind[..padding.len()];
            behind.swap_with_slice(&mut buffer[padding.clone()]);
            self.sockets.send_to_client(self.now, to_client.to, &buffer[start..padding.end]);
            behind.swap_with_slice(&mut buffer[padding]);
        }
        self.apply_actions();
    }

    fn serve_relay(&mut self, batch: &mut Batch) {
        let Some(key) = self.ready_relays.pop_front() else { return };
        let Some(relayed) = self.sockets.relay(key) else { return };
        let result = relayed.udp.receive(batch);
        // An error of an earlier datagram takes the place of a batch or cuts one short: then more may be left.
        let cut = result.as_ref().is_err_and(|error| error.kind() != ErrorKind::WouldBlock);
        let failed = std::mem::take(&mut relayed.failed) || cut;
        let received = received(result);
        relayed.ready = received == BUFFERS || failed;
        self.served += received as u32;
        if relayed.ready {
            self.ready_relays.push_back(key);
        }
        self.sockets.gather = !batch.is_single(received);
        for index in 0..received {
            let (buffer, meta) = batch.buffer(index);
            let peer = PeerAddr(meta.addr);
            for payload in datagrams(meta) {
                self.peer_packet(key, peer, buffer, payload);
            }
        }
        self.sockets.flush_trains();
        if failed {
            self.serve_errors(key);
        }
    }

    /// What the rest of the program wants. There are few of these.
    fn serve_errands(&mut self) {
        while let Some(errand) = self.inbox.errand() {
            match errand {
                Errand::Revoke(is_revoked) => {
                    self.server.handle_revoked(self.now, &*is_revoked);
                    self.apply_actions();
                }
                // Who asked and did not wait does not want to know any more.
                Errand::List(most, answer) => {
                    let _ = answer.try_send(self.server.listed(self.now, most).collect());
                }
            }
        }
    }

    fn apply_actions(&mut self) {
        while let Some(action) = self.server.poll_action() {
            match action {
                Action::BindRelay { relay, local } => self.bind_relay(relay, local),
                Action::CloseRelay { relay } => self.sockets.close_relay(relay),
            }
        }
    }

    fn bind_relay(&mut self, relay: RelayKey, local: SocketAddr) {
        let bound = self.sockets.bind_relay(relay, local);
        if let Some(reply) = self.server.handle_relay_bound(self.now, relay, bound) {
            self.sockets.reply(self.now, reply);
        }
    }

    fn flush(&mut self) {
        let mut broken = Vec::new();
        self.sockets.flush(self.now, &mut broken);
        broken.into_iter().for_each(|index| self.close_stream(index));
        self.leave_parcels();
    }

    fn publish(&mut self, board: &Board) {
        self.unpublished = true;
        if self.now < self.published + REFRESH {
            return;
        }
        self.published = self.now;
        self.unpublished = false;
        board.publish(Stats {
            turn: *self.server.counters(),
            sockets: self.sockets.drops(),
            streams: self.sockets.counts(),
        });
    }
}

/// How many buffers were filled. Nothing to receive is the usual error; any other is one of some past packet.
fn received(result: std::io::Result<usize>) -> usize {
    result.unwrap_or(0)
}

/// Where in `whole` its part `part` is.
fn position(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}
