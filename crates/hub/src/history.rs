//! What was said: the newest messages of each room, bounded in number, bytes and age.
//!
//! Whoever orders messages ([`crate::Delivery`]) keeps them here as well. What is kept has a number of its own,
//! greater than that of everything kept before, by which a store on disk can know it: [`History::add`] says what is
//! to be stored, [`History::take_removed`] what is to be forgotten, and [`History::restore`] takes it back.

mod window;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use crate::{ChannelId, ClientId, HistoryBounds, RoomName};
use window::{Window, weight};

/// The most messages of one room that are kept.
pub const MESSAGES: usize = 100;
/// The most bytes of one room that are kept.
pub const ROOM_BYTES: u64 = 1024 * 1024;
/// The longest that a message is kept.
pub const LIFETIME: Duration = Duration::from_hours(30 * 24);

/// Something that was said in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// An id of its own.
    pub id: Arc<str>,
    /// Who said it; nobody if it did not come through a connection.
    pub from: Option<ClientId>,
    /// When, in Unix seconds.
    pub timestamp: u64,
    /// What.
    pub payload: Arc<[u8]>,
}

/// When something took its place among everything else, over all rooms and all starts of the server: what an id means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub(crate) u128);

impl Moment {
    /// The moment that an id stands for; the very first one if it stands for none.
    pub(crate) fn of(id: &str) -> Self {
        Self(u128::from_str_radix(id, 16).unwrap_or_default())
    }

    /// Of which run of the server it is.
    pub(crate) fn run(self) -> u64 {
        u64::try_from(self.0 >> 32).unwrap_or(u64::MAX)
    }

    /// The id that stands for it.
    pub(crate) fn id(self) -> Arc<str> {
        format!("{:x}", self.0).into()
    }
}

/// The history of all channels that keep one.
#[derive(Default)]
pub struct History {
    channels: HashMap<ChannelId, Kept>,
    /// What was said up to here while a channel kept no history is not in it.
    now: Moment,
    /// What was said up to here was not all kept, although what was said before it and after it is.
    lacking: Moment,
    /// The number of what is kept next.
    next: u64,
    removed: Vec<u64>,
    /// Nothing is too old before this, in Unix seconds.
    next_expiry: Option<u64>,
}

/// The history of one channel.
struct Kept {
    bounds: HistoryBounds,
    rooms: HashMap<RoomName, Window>,
    /// Where each message is, oldest first.
    order: BTreeMap<u64, RoomName>,
    bytes: u64,
    /// What was said up to here may be missing, in rooms that have kept nothing of before.
    floor: Moment,
}

impl History {
    /// It is later now.
    pub(crate) fn advance(&mut self, moment: Moment) {
        self.now = self.now.max(moment);
    }

    /// Keeps the history of a channel within these bounds from now on, or forgets it and keeps none.
    pub fn keep(&mut self, channel: &ChannelId, bounds: Option<HistoryBounds>) {
        let Some(bounds) = bounds else {
            if let Some(kept) = self.channels.remove(channel) {
                self.removed.extend(kept.order.into_keys());
            }
            return;
        };
        let now = self.now;
        let kept = self.channels.entry(channel.clone()).or_insert_with(|| Kept::new(bounds, now));
        kept.bounds = bounds;
        kept.shrink(&mut self.removed);
        self.next_expiry = self.channels.values().filter_map(Kept::next_expiry).min();
    }

    /// The channels whose history is kept.
    pub fn channels(&self) -> impl Iterator<Item = &ChannelId> {
        self.channels.keys()
    }

    /// Whether the history of a channel is kept.
    #[must_use]
    pub fn keeps(&self, channel: &str) -> bool {
        self.channels.contains_key(channel)
    }

    /// Keeps a message, and says under which number; none if the channel keeps no history, or nothing so large.
    pub fn add(&mut self, channel: &ChannelId, room: &RoomName, message: Arc<Message>) -> Option<u64> {
        let kept = self.channels.get_mut(channel)?;
        if weight(room, &message) > kept.bounds.bytes.min(ROOM_BYTES) {
            let moment = Moment::of(&message.id);
            kept.lack(room, moment);
            self.lacking = self.lacking.max(moment);
            return None;
        }
        let number = self.next;
        self.put(number, channel, room, message).then_some(number)
    }

    /// Takes back what was stored, in the order of the numbers. What nobody wants any more is removed.
    pub fn restore(&mut self, number: u64, channel: &ChannelId, room: &RoomName, message: Arc<Message>) {
        self.next = self.next.max(number);
        if !self.put(number, channel, room, message) {
            self.next = number + 1;
            self.removed.push(number);
        }
    }

    /// What was said up to that moment may be missing everywhere, in the midst of what was [restored](Self::restore);
    /// and of what was said before now nothing else may be there.
    pub(crate) fn lack(&mut self, moment: Moment) {
        self.lacking = self.lacking.max(moment);
        for kept in self.channels.values_mut() {
            kept.floor = kept.floor.max(self.now);
            kept.rooms.values_mut().for_each(|window| window.lack(moment));
        }
    }

    /// Up to when something may be missing in the midst of what is kept.
    pub(crate) fn lacking(&self) -> Moment {
        self.lacking
    }

    fn put(&mut self, number: u64, channel: &ChannelId, room: &RoomName, message: Arc<Message>) -> bool {
        let Some(kept) = self.channels.get_mut(channel) else { return false };
        self.next = number + 1;
        kept.push(number, room, message);
        kept.shrink(&mut self.removed);
        let expiry = kept.next_expiry();
        self.next_expiry = [self.next_expiry, expiry].into_iter().flatten().min();
        true
    }

    /// The newest messages of a room, at most `count`, oldest first.
    #[must_use]
    pub fn newest(&self, channel: &ChannelId, room: &str, count: usize, unix_time: u64) -> Vec<Arc<Message>> {
        let Some(kept) = self.channels.get(channel) else { return Vec::new() };
        let Some(window) = kept.rooms.get(room) else { return Vec::new() };
        let mut newest: Vec<_> =
            window.newest().take(count).take_while(|message| !kept.is_old(message, unix_time)).collect();
        newest.reverse();
        newest
    }

    /// What was said in a room after a moment, oldest first, and whether that is certainly all of it.
    pub(crate) fn since(
        &self,
        channel: &ChannelId,
        room: &str,
        moment: Moment,
        unix_time: u64,
    ) -> (Vec<Arc<Message>>, bool) {
        let Some(kept) = self.channels.get(channel) else { return (Vec::new(), false) };
        let Some(window) = kept.rooms.get(room) else { return (Vec::new(), kept.floor <= moment) };
        let (mut after, complete) = window.since(moment, kept.floor);
        let count = after.len();
        after.retain(|message| !kept.is_old(message, unix_time));
        let none_is_old = after.len() == count;
        (after, complete && none_is_old)
    }

    /// Removes what is too old.
    pub fn expire(&mut self, unix_time: u64) {
        if self.next_expiry.is_none_or(|at| at > unix_time) {
            return;
        }
        for kept in self.channels.values_mut() {
            kept.expire(unix_time, &mut self.removed);
        }
        self.next_expiry = self.channels.values().filter_map(Kept::next_expiry).min();
    }

    /// When [`History::expire`] has something to do, in Unix seconds.
    #[must_use]
    pub fn next_expiry(&self) -> Option<u64> {
        self.next_expiry
    }

    /// The numbers of what has been removed since this was last asked.
    pub fn take_removed(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.removed)
    }

    /// How many messages are kept, and how many bytes they take.
    #[must_use]
    pub fn size(&self) -> (usize, u64) {
        let messages = self.channels.values().map(|kept| kept.order.len()).sum();
        (messages, self.channels.values().map(|kept| kept.bytes).sum())
    }
}

impl Kept {
    fn new(bounds: HistoryBounds, floor: Moment) -> Self {
        Self { bounds, rooms: HashMap::new(), order: BTreeMap::new(), bytes: 0, floor }
    }

    /// What was said in a room at that moment is not kept.
    fn lack(&mut self, room: &RoomName, moment: Moment) {
        match self.rooms.get_mut(room) {
            Some(window) => window.lack(moment),
            None => self.floor = self.floor.max(moment),
        }
    }

    fn push(&mut self, number: u64, room: &RoomName, message: Arc<Message>) {
        self.bytes += weight(room, &message);
        self.order.insert(number, room.clone());
        self.rooms.entry(room.clone()).or_default().push(number, room, message);
    }

    /// Removes the oldest until everything is within its bounds, first in the room that grew last.
    fn shrink(&mut self, removed: &mut Vec<u64>) {
        while let Some(room) = self.order.last_key_value().map(|(_, room)| room.clone())
            && self.rooms.get(&room).is_some_and(Window::is_over)
        {
            if let Some(moment) = self.remove_oldest_of(&room, removed) {
                self.lack(&room, moment);
            }
        }
        while self.bytes > self.bounds.bytes && self.remove_oldest(removed) {}
    }

    fn expire(&mut self, unix_time: u64, removed: &mut Vec<u64>) {
        while self.oldest().is_some_and(|message| self.is_old(message, unix_time))
            && self.remove_oldest(removed)
        {}
    }

    fn remove_oldest(&mut self, removed: &mut Vec<u64>) -> bool {
        let room = self.order.first_key_value().map(|(_, room)| room.clone());
        let moment = room.and_then(|room| self.remove_oldest_of(&room, removed));
        self.floor = self.floor.max(moment.unwrap_or_default());
        moment.is_some()
    }

    fn remove_oldest_of(&mut self, room: &RoomName, removed: &mut Vec<u64>) -> Option<Moment> {
        let window = self.rooms.get_mut(room)?;
        let (number, message) = window.pop(room)?;
        if window.is_empty() {
            self.floor = self.floor.max(window.floor());
            self.rooms.remove(room);
        }
        self.order.remove(&number);
        self.bytes -= weight(room, &message);
        removed.push(number);
        Some(Moment::of(&message.id))
    }

    fn oldest(&self) -> Option<&Message> {
        let (_, room) = self.order.first_key_value()?;
        self.rooms.get(room)?.oldest()
    }

    fn next_expiry(&self) -> Option<u64> {
        self.oldest().map(|message| self.expiry(message))
    }

    fn is_old(&self, message: &Message, unix_time: u64) -> bool {
        self.expiry(message) <= unix_time
    }

    fn expiry(&self, message: &Message) -> u64 {
        message.timestamp.saturating_add(self.bounds.lifetime.min(LIFETIME).as_secs())
    }
}
