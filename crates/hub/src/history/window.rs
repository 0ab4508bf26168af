//! The newest messages of one room.

use std::{collections::VecDeque, sync::Arc};

use super::{MESSAGES, Message, Moment, ROOM_BYTES};
use crate::RoomName;

/// What a message takes besides its texts: so that empty ones, and rooms with few, are bounded as well.
const OVERHEAD: usize = 256;

/// The newest messages of one room, oldest first, each with its number.
#[derive(Default)]
pub(super) struct Window {
    messages: VecDeque<(u64, Arc<Message>)>,
    bytes: u64,
    /// What was said up to here may be missing, although the room has kept something of before.
    floor: Moment,
}

impl Window {
    pub(super) fn push(&mut self, number: u64, room: &RoomName, message: Arc<Message>) {
        self.bytes += weight(room, &message);
        self.messages.push_back((number, message));
    }

    /// What was said at that moment is missing.
    pub(super) fn lack(&mut self, moment: Moment) {
        self.floor = self.floor.max(moment);
    }

    pub(super) fn floor(&self) -> Moment {
        self.floor
    }

    /// What is there from after a moment on, oldest first, and whether nothing is missing from it.
    pub(super) fn since(&self, moment: Moment, floor: Moment) -> (Vec<Arc<Message>>, bool) {
        let after = self.messages.iter().map(|(_, message)| message);
        let after: Vec<_> = after.filter(|message| Moment::of(&message.id) > moment).cloned().collect();
        // Of a whole channel the oldest goes first: while there is something of before, nothing of afterwards is gone.
        let reaches_back = after.len() < self.messages.len() || floor <= moment;
        (after, reaches_back && self.floor <= moment)
    }

    pub(super) fn pop(&mut self, room: &RoomName) -> Option<(u64, Arc<Message>)> {
        let (number, message) = self.messages.pop_front()?;
        self.bytes -= weight(room, &message);
        Some((number, message))
    }

    /// Whether there is more in it than a room may keep.
    pub(super) fn is_over(&self) -> bool {
        self.messages.len() > MESSAGES || self.bytes > ROOM_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn oldest(&self) -> Option<&Message> {
        self.messages.front().map(|(_, message)| &**message)
    }

    /// Newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = Arc<Message>> {
        self.messages.iter().rev().map(|(_, message)| Arc::clone(message))
    }
}

/// How many bytes a message counts for.
pub(super) fn weight(room: &RoomName, message: &Message) -> u64 {
    let from = message.from.as_ref().map_or(0, |from| from.as_str().len());
    (room.as_str().len() + from + message.id.len() + message.payload.len() + OVERHEAD) as u64
}
