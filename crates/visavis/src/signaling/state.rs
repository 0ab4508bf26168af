//! What is behind the one lock: hub, bus and the connections' queues move together, so that all members of a room
//! see everything in one order.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use axum::body::Bytes;
use serde_json::value::RawValue;
use slab::Slab;
use visavis_hub::{
    ChannelId, ClientId, ConnectionId, Counts, Event, HistoryBounds, Hub, Member as HubMember, MemoryBus,
    Now, Place, Record, RoomName, Tag,
};
use visavis_signal::{
    Member, Outbound, Refusal, Reply,
    outbound::{MemberChange, ObservableMembers, Spoken},
};

use super::{Counters, End, Outbox, Past};
use crate::{
    history::{Journal, NotStored},
    http::websocket::frame,
};

/// The code that a connection closes with when a newer one has its client id: no SDK comes back on it.
pub(crate) const REPLACED: u16 = 4000;

/// Messages that are too old are shown to nobody; they are thrown away this many seconds later at most.
const SWEEP: u64 = 60;

/// What an earlier run has stored, and what stores from now on.
pub(super) struct Opened {
    pub(super) journal: Journal,
    pub(super) records: Vec<Record>,
    /// What that run said at its end, if it ended in order.
    pub(super) ending: Option<String>,
}

/// Hub, bus and queues.
pub(crate) struct State {
    pub(crate) hub: Hub,
    pub(crate) bus: MemoryBus,
    /// What stores the history, once there is any.
    pub(crate) journal: Option<Journal>,
    pub(crate) counters: Counters,
    /// What was refused, by the text that the client was told.
    refusals: BTreeMap<&'static str, u64>,
    unix_time_at_zero: Duration,
    outboxes: Slab<Arc<Outbox>>,
    /// Nothing is said any more: it could not be kept.
    pub(super) has_ended: bool,
}

impl State {
    pub(super) fn new(hub: Hub, bus: MemoryBus, unix_time_at_zero: Duration) -> Self {
        let (journal, counters) = (None, Counters::default());
        let (refusals, outboxes) = (BTreeMap::new(), Slab::new());
        Self { hub, bus, journal, counters, refusals, unix_time_at_zero, outboxes, has_ended: false }
    }

    /// A new connection, which hears through `outbox`.
    pub(crate) fn open(&mut self, outbox: Arc<Outbox>) -> ConnectionId {
        ConnectionId(self.outboxes.insert(outbox))
    }

    /// A connection's number is free again; the hub has let it go.
    pub(crate) fn close(&mut self, connection: ConnectionId) {
        self.outboxes.try_remove(connection.0);
    }

    pub(super) fn counters(&self) -> Counters {
        let counts = self.hub.counts();
        let Counts { channels, rooms, members, clients, .. } = counts;
        let (kept, kept_bytes) = self.bus.history.size();
        let store_failures = self.journal.as_ref().map_or(0, Journal::failures);
        let connections = self.outboxes.len();
        Counters {
            connections,
            channels,
            rooms,
            members,
            clients,
            kept,
            kept_bytes,
            store_failures,
            ..self.counters
        }
    }

    /// What was refused so far, by the text that the client was told.
    pub(super) fn refusals(&self) -> BTreeMap<&'static str, u64> {
        self.refusals.clone()
    }

    /// A request was refused.
    pub(crate) fn refused(&mut self, refusal: Refusal) {
        *self.refusals.entry(refusal.text()).or_default() += 1;
    }

    /// Keeps the history of these channels alone; `opened` is what was stored by an earlier run.
    pub(super) fn keep_history(
        &mut self,
        bounds: &HashMap<ChannelId, HistoryBounds>,
        opened: Option<Opened>,
        now: Now,
    ) {
        let unix_time = self.unix_time(now);
        let history = &mut self.bus.history;
        let dropped: Vec<_> =
            history.channels().filter(|channel| !bounds.contains_key(*channel)).cloned().collect();
        for channel in dropped {
            history.keep(&channel, None);
        }
        for (channel, bounds) in bounds {
            history.keep(channel, Some(*bounds));
        }
        if let Some(Opened { journal, records, ending }) = opened {
            self.bus.restore(records, ending.as_deref());
            self.journal = Some(journal);
        }
        self.bus.history.expire(unix_time);
    }

    /// Ends all connections, and nothing is said from now on. The thread that writes what is left of the history.
    pub(super) fn end(&mut self) -> Option<JoinHandle<()>> {
        self.has_ended = true;
        self.outboxes.iter().for_each(|(_, outbox)| outbox.end(End::Drop));
        let ending = self.bus.ending();
        self.journal.as_mut()?.end(ending)
    }

    /// Waits until the disk has what was said so far, if the channel keeps it.
    pub(super) fn stored(
        &self,
        channel: &str,
    ) -> Option<impl Future<Output = Result<(), NotStored>> + use<>> {
        let journal = self.journal.as_ref().filter(|_| self.bus.history.keeps(channel))?;
        Some(journal.stored(journal.ticket()))
    }

    /// When [`State::handle_timeout`] has something to do.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        let sweep = self.bus.history.next_expiry().map(|at| {
            let at = Duration::from_secs(at.next_multiple_of(SWEEP));
            Now::after(at.saturating_sub(self.unix_time_at_zero))
        });
        [self.hub.poll_timeout(), sweep].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Now) {
        self.hub.handle_timeout(now);
        self.bus.history.expire(self.unix_time(now));
    }

    /// What is a little off stays as it is: clocks are kept right in small steps.
    pub(super) fn handle_clock(&mut self, now: Now, unix_time: Duration) {
        let at_zero = unix_time.saturating_sub(now.since_start());
        if at_zero.abs_diff(self.unix_time_at_zero) >= Duration::from_secs(1) {
            self.unix_time_at_zero = at_zero;
            self.hub.handle_clock(at_zero);
        }
    }

    fn unix_time(&self, now: Now) -> u64 {
        (self.unix_time_at_zero + now.since_start()).as_secs()
    }

    /// Has the bus order what was asked for, and tells everybody what came of it.
    pub(super) fn settle(&mut self, now: Now) {
        while let Some(request) = self.hub.poll_request() {
            if self.has_ended {
                continue;
            }
            let delivery = self.bus.order(request, self.unix_time(now));
            self.hub.handle_delivery(delivery);
        }
        while let Some((channel, room)) = self.hub.poll_closed() {
            self.bus.close(channel, room);
        }
        let (records, removed) = (self.bus.take_records(), self.bus.history.take_removed());
        if let Some(journal) = &self.journal {
            journal.submit(records, removed);
        }
        while let Some(event) = self.hub.poll_event() {
            self.tell(event);
        }
    }

    fn tell(&mut self, event: Event) {
        match event {
            Event::Entered { connection, tag, room, members, past, place } => {
                if let Some(members) = members {
                    self.answer(connection, observable_members(&room, &members));
                }
                if let Some(tag) = tag {
                    self.answer(connection, entered(tag, place.as_ref(), past.len()));
                }
                if !past.is_empty()
                    && let Some(outbox) = self.outboxes.get(connection.0)
                {
                    self.counters.recalled += past.len() as u64;
                    outbox.feed(Past::new(room, past));
                }
            }
            Event::Unsubscribed { connection, tag } => {
                self.answer(connection, text(&Outbound::Reply(Reply::done(tag.0))));
            }
            Event::Joined { to, room, member } => {
                self.send(&to, &text(&Outbound::ObservableMemberJoin(change(&room, &member))));
            }
            Event::Left { to, room, member } => {
                self.send(&to, &text(&Outbound::ObservableMemberLeave(change(&room, &member))));
            }
            Event::Published { to, room, from, id, timestamp, payload } => {
                self.counters.delivered += to.len() as u64;
                self.send(&to, &published(&room, from.as_ref(), &id, timestamp, &payload));
            }
            Event::Interrupted { to } => {
                for outbox in to.iter().filter_map(|connection| self.outboxes.get(connection.0)) {
                    outbox.end(End::Drop);
                }
            }
            Event::Replaced { connection } => {
                if let Some(outbox) = self.outboxes.get(connection.0) {
                    outbox.end(End::Close(REPLACED, Refusal::Replaced.text()));
                }
            }
        }
    }

    fn answer(&self, connection: ConnectionId, frame: Bytes) {
        if let Some(outbox) = self.outboxes.get(connection.0) {
            outbox.answer(frame);
        }
    }

    fn send(&mut self, to: &[ConnectionId], frame: &Bytes) {
        for connection in to {
            if let Some(outbox) = self.outboxes.get(connection.0)
                && !outbox.push(frame.clone())
            {
                self.counters.slow += 1;
            }
        }
    }
}

/// The text frame that carries `message`.
pub(crate) fn text(message: &Outbound<'_>) -> Bytes {
    frame::text(usual_length(message), |buffer| {
        serde_json::to_writer(buffer, message).expect("strings, numbers and raw JSON always serialize");
    })
}

/// A little more than most of these messages have.
fn usual_length(message: &Outbound<'_>) -> usize {
    const AROUND: usize = 192;
    match message {
        Outbound::ObservableMembers(members) => AROUND + 64 * members.data.len(),
        _ => AROUND,
    }
}

fn observable_members(room: &RoomName, members: &[HubMember]) -> Bytes {
    let data = members.iter().map(wire).collect();
    text(&Outbound::ObservableMembers(ObservableMembers { room: room.as_str().into(), data }))
}

fn entered(tag: Tag, place: Option<&Place>, past: usize) -> Bytes {
    let mut reply = Reply::done(tag.0);
    if let Some(Place { id, gap }) = place {
        reply = Reply { at: Some((&**id).into()), ..reply };
        (reply.past, reply.gap) = (Some(past), *gap);
    }
    text(&Outbound::Reply(reply))
}

fn change<'a>(room: &'a RoomName, member: &'a HubMember) -> MemberChange<'a> {
    MemberChange { room: room.as_str().into(), data: wire(member) }
}

fn published(room: &RoomName, from: Option<&ClientId>, id: &str, timestamp: u64, payload: &[u8]) -> Bytes {
    let client_id = from.map(ClientId::as_str);
    let spoken = Spoken { room: room.as_str(), message: payload, client_id, id, timestamp };
    frame::text(spoken.length(), |buffer| spoken.publish(buffer))
}

fn wire(member: &HubMember) -> Member<'_> {
    let (auth_data, client_data) = (member.auth_data.as_deref(), member.client_data.as_deref());
    Member {
        id: member.id.as_str().into(),
        auth_data: auth_data.map(raw),
        client_data: client_data.map(raw),
        device: member.device.as_deref().map(Into::into),
    }
}

fn raw(json: &[u8]) -> &RawValue {
    serde_json::from_slice(json).expect("only what was read as JSON gets into the hub")
}
