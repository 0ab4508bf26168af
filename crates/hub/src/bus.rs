//! The bus of a single node: each request gets its place at once.

use std::{collections::HashMap, sync::Arc};

use crate::{Change, ChannelId, Delivery, History, Message, Position, Request, RoomName};

/// The order of everything on one node, and what was said before.
///
/// A bus shared by many nodes would take the same requests and give the same deliveries, later.
pub struct MemoryBus {
    run: u64,
    /// Deliveries so far. No room's offset is greater.
    count: u64,
    /// The last offset of each room that somebody is in.
    rooms: HashMap<(ChannelId, RoomName), u64>,
    /// What was said.
    pub history: History,
    records: Vec<Record>,
}

/// A message that is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number in the [`History`].
    pub number: u64,
    /// Where it was said.
    pub channel: ChannelId,
    /// Where in it.
    pub room: RoomName,
    /// What.
    pub message: Arc<Message>,
}

impl MemoryBus {
    /// A bus that nothing has passed. `run` is different for each start of the server: it is the epoch of all
    /// rooms, and keeps message ids apart.
    #[must_use]
    pub fn new(run: u64) -> Self {
        let (rooms, history, records) = (HashMap::new(), History::default(), Vec::new());
        Self { run, count: 0, rooms, history, records }
    }

    /// Gives a request its place, at `unix_time` in seconds.
    pub fn order(&mut self, request: Request, unix_time: u64) -> Delivery {
        self.count += 1;
        let position = Position { epoch: self.run, offset: self.next_offset(&request) };
        let id: Arc<str> = format!("{:x}{:08x}", self.run, self.count).into();
        let mut past = Vec::new();
        match &request.change {
            Change::Enter { history, .. } => {
                past = self.history.newest(&request.channel, request.room.as_str(), *history, unix_time);
            }
            Change::Publish { from, payload } if self.history.keeps(request.channel.as_str()) => {
                let (from, payload, id) = (from.clone(), Arc::clone(payload), Arc::clone(&id));
                self.keep(&request, Message { id, from, timestamp: unix_time, payload });
            }
            Change::Publish { .. } | Change::Leave { .. } => {}
        }
        Delivery { request, position, past, id, timestamp: unix_time }
    }

    /// Nobody is in that room any more: what is not kept in the history is forgotten.
    pub fn close(&mut self, channel: ChannelId, room: RoomName) {
        self.rooms.remove(&(channel, room));
    }

    /// What is to be stored, since this was last asked.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// A room that nobody is in needs no memory: starting from the count, its offsets still only grow.
    fn next_offset(&mut self, request: &Request) -> u64 {
        let room = (request.channel.clone(), request.room.clone());
        if let Some(last) = self.rooms.get_mut(&room) {
            *last += 1;
            return *last;
        }
        if matches!(request.change, Change::Enter { .. }) {
            self.rooms.insert(room, self.count);
        }
        self.count
    }

    fn keep(&mut self, request: &Request, message: Message) {
        let (channel, room) = (request.channel.clone(), request.room.clone());
        let message = Arc::new(message);
        if let Some(number) = self.history.add(&channel, &room, Arc::clone(&message)) {
            self.records.push(Record { number, channel, room, message });
        }
    }
}
