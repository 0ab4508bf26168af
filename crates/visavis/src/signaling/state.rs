//! What is behind the one lock: hub, bus and the connections' queues move together, so that all members of a room
//! see everything in one order.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use serde_json::value::RawValue;
use slab::Slab;
use visavis_hub::{ClientId, ConnectionId, Event, Hub, Member as HubMember, Now, RoomName};
use visavis_signal::{
    Member, Outbound, Refusal, Reply,
    outbound::{MemberChange, ObservableMembers, Published},
};

use super::{Counters, End, Outbox};
use crate::{bus::MemoryBus, http::websocket::frame};

/// The code that a connection closes with when a newer one has its client id: no SDK comes back on it.
pub(crate) const REPLACED: u16 = 4000;

/// Hub, bus and queues.
pub(crate) struct State {
    pub(crate) hub: Hub,
    pub(crate) counters: Counters,
    bus: MemoryBus,
    unix_time_at_zero: Duration,
    outboxes: Slab<Arc<Outbox>>,
}

impl State {
    pub(super) fn new(hub: Hub, bus: MemoryBus, unix_time_at_zero: Duration) -> Self {
        Self { hub, counters: Counters::default(), bus, unix_time_at_zero, outboxes: Slab::new() }
    }

    /// A new connection, which hears through `outbox`.
    pub(crate) fn open(&mut self, outbox: Arc<Outbox>) -> ConnectionId {
        ConnectionId(self.outboxes.insert(outbox))
    }

    /// A connection's number is free again; the hub has let it go.
    pub(crate) fn close(&mut self, connection: ConnectionId) {
        self.outboxes.try_remove(connection.0);
    }

    pub(super) fn end_all(&self) {
        for (_, outbox) in &self.outboxes {
            outbox.end(End::Drop);
        }
    }

    pub(super) fn counters(&self) -> Counters {
        let counts = self.hub.counts();
        let (clients, rooms) = (counts.clients, counts.rooms);
        Counters { connections: self.outboxes.len(), clients, rooms, ..self.counters }
    }

    /// Has the bus order what was asked for, and tells everybody what came of it.
    pub(super) fn settle(&mut self, now: Now) {
        while let Some(request) = self.hub.poll_request() {
            let unix_time = (self.unix_time_at_zero + now.since_start()).as_secs();
            let delivery = self.bus.order(request, unix_time);
            self.hub.handle_delivery(delivery);
        }
        while let Some(event) = self.hub.poll_event() {
            self.tell(event);
        }
    }

    fn tell(&mut self, event: Event) {
        match event {
            Event::Entered { connection, tag, room, members } => {
                if let Some(members) = members {
                    self.send(&[connection], &observable_members(&room, &members));
                }
                if let Some(tag) = tag {
                    self.send(&[connection], &text(&Outbound::Reply(Reply::done(tag.0))));
                }
            }
            Event::Unsubscribed { connection, tag } => {
                self.send(&[connection], &text(&Outbound::Reply(Reply::done(tag.0))));
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
            Event::Replaced { connection } => {
                if let Some(outbox) = self.outboxes.get(connection.0) {
                    outbox.end(End::Close(REPLACED, Refusal::Replaced.text()));
                }
            }
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
    frame::text(|buffer| {
        serde_json::to_writer(buffer, message).expect("strings, numbers and raw JSON always serialize");
    })
}

fn observable_members(room: &RoomName, members: &[HubMember]) -> Bytes {
    let data = members.iter().map(wire).collect();
    text(&Outbound::ObservableMembers(ObservableMembers { room: room.as_str().into(), data }))
}

fn change<'a>(room: &'a RoomName, member: &'a HubMember) -> MemberChange<'a> {
    MemberChange { room: room.as_str().into(), data: wire(member) }
}

fn published(room: &RoomName, from: Option<&ClientId>, id: &str, timestamp: u64, payload: &[u8]) -> Bytes {
    text(&Outbound::Publish(Published {
        room: room.as_str().into(),
        message: raw(payload),
        client_id: from.map(|client| client.as_str().into()),
        id: id.into(),
        timestamp,
    }))
}

fn wire(member: &HubMember) -> Member<'_> {
    let client_data = member.client_data.as_deref().map(raw);
    Member { id: member.id.as_str().into(), auth_data: None, client_data }
}

fn raw(json: &[u8]) -> &RawValue {
    serde_json::from_slice(json).expect("only what was read as JSON gets into the hub")
}
