//! The bus of a single node: each request gets its place at once.

use std::{collections::HashMap, sync::Arc};

use crate::{
    Change, ChannelId, Delivery, History, Message, Place, Position, Recall, Request, RoomName,
    history::Moment,
};

/// The order of everything on one node, and what was said before.
///
/// A bus shared by many nodes would take the same requests and give the same deliveries, later.
pub struct MemoryBus {
    /// Different for each start of the server.
    epoch: u64,
    /// Greater than in any earlier run whose messages are known.
    run: u64,
    /// Deliveries so far. No room's offset is greater.
    count: u64,
    /// The rooms that somebody is in.
    rooms: HashMap<(ChannelId, RoomName), Open>,
    /// Whoever knows a place between these two has it of a run that left no trace.
    untraced: (Moment, Moment),
    /// What was said.
    pub history: History,
    records: Vec<Record>,
}

/// What is known of a room while somebody is in it.
struct Open {
    /// Of the last delivery.
    offset: u64,
    /// When something was said there last, or when it was opened.
    said: Moment,
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
        let untraced = <(Moment, Moment)>::default();
        let mut bus = Self { epoch: run, run, count: 0, rooms, untraced, history, records };
        bus.history.advance(bus.moment());
        bus
    }

    /// Takes back what an earlier run has stored, in the order of the numbers. `ending` is what [`MemoryBus::ending`]
    /// said then; without it that run broke off, and what was said last may be missing in every room.
    pub fn restore(&mut self, records: Vec<Record>, ending: Option<&str>) {
        let kept = records.iter().map(|record| Moment::of(&record.message.id)).max().unwrap_or_default();
        let ending = ending.and_then(|ending| ending.split_once(' '));
        let (lacking, ended) =
            ending.map(|(lacking, ended)| (Moment::of(lacking), Moment::of(ended))).unzip();
        let ended = ended.unwrap_or_default();
        // The clock may stand before that of the earlier run, but what is said now comes after it all the same.
        self.run = self.run.max(kept.max(ended).run().saturating_add(1));
        self.history.advance(self.moment());
        for Record { number, channel, room, message } in records {
            self.history.restore(number, &channel, &room, message);
        }
        // An end that is older than what is kept is not that of the last run.
        let lacking = lacking.filter(|_| kept <= ended);
        self.history.lack(lacking.unwrap_or(self.moment()));
        self.untraced = (ended, self.moment());
    }

    /// What a later run is to know if everything that was said until now is stored.
    #[must_use]
    pub fn ending(&self) -> String {
        format!("{} {}", self.history.lacking().id(), self.moment().id())
    }

    /// Gives a request its place, at `unix_time` in seconds.
    pub fn order(&mut self, request: Request, unix_time: u64) -> Delivery {
        self.count += 1;
        let moment = self.moment();
        let id = moment.id();
        let (mut past, mut place) = (Vec::new(), None);
        match &request.change {
            Change::Enter { recall, .. } => {
                let gap;
                (past, gap) = self.recall(&request, recall, unix_time);
                let placed = !matches!(recall, Recall::Newest(_));
                place = placed.then(|| Place { id: Arc::clone(&id), gap });
            }
            Change::Publish { from, payload } if self.history.keeps(request.channel.as_str()) => {
                let (from, payload, id) = (from.clone(), Arc::clone(payload), Arc::clone(&id));
                self.keep(&request, Message { id, from, timestamp: unix_time, payload });
            }
            Change::Publish { .. } | Change::Leave { .. } => {}
        }
        let offset = self.next_offset(&request, moment);
        self.history.advance(moment);
        let position = Position { epoch: self.epoch, offset };
        Delivery { request, position, past, place, id, timestamp: unix_time }
    }

    /// The moment of the last delivery: later than any of an earlier run.
    fn moment(&self) -> Moment {
        Moment((u128::from(self.run) << 32) + u128::from(self.count))
    }

    /// What somebody who enters hears, and, if it was there before, whether something is missing.
    fn recall(
        &self,
        request: &Request,
        recall: &Recall,
        unix_time: u64,
    ) -> (Vec<Arc<Message>>, Option<bool>) {
        let (channel, room) = (&request.channel, request.room.as_str());
        match recall {
            Recall::Newest(count) | Recall::First(count) => {
                (self.history.newest(channel, room, *count, unix_time), None)
            }
            Recall::Since(id, count) => {
                let since = Moment::of(id);
                let (mut past, complete) = if self.history.keeps(channel.as_str()) {
                    self.history.since(channel, room, since, unix_time)
                } else {
                    let open = self.rooms.get(&(channel.clone(), request.room.clone()));
                    (Vec::new(), open.is_some_and(|open| open.said <= since))
                };
                let excess = past.len().saturating_sub(*count);
                past.drain(..excess);
                // Nothing of this order can be later than now: such an id is of another one.
                let is_strange = since > self.moment() || self.untraced.0 < since && since < self.untraced.1;
                (past, Some(!complete || excess > 0 || is_strange))
            }
        }
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
    fn next_offset(&mut self, request: &Request, moment: Moment) -> u64 {
        let room = (request.channel.clone(), request.room.clone());
        if let Some(open) = self.rooms.get_mut(&room) {
            open.offset += 1;
            if matches!(request.change, Change::Publish { .. }) {
                open.said = moment;
            }
            return open.offset;
        }
        if matches!(request.change, Change::Enter { .. }) {
            self.rooms.insert(room, Open { offset: self.count, said: moment });
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
