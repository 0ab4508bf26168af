//! What was said, written without reading it again.
//!
//! Nothing is sent more often. [`Published`](super::Published) and [`HistoryMessage`](super::HistoryMessage) would have
//! the message parsed once more, only to be sure that it is JSON.

use serde::Serialize;

/// Something that was said in a room, by the parts of which its frames are made.
#[derive(Clone, Copy, Debug)]
pub struct Spoken<'a> {
    /// The room's name.
    pub room: &'a str,
    /// What was said: JSON, and known to be.
    pub message: &'a [u8],
    /// Who said it; missing if it came through REST.
    pub client_id: Option<&'a str>,
    /// The message's own id.
    pub id: &'a str,
    /// When, in Unix seconds.
    pub timestamp: u64,
}

impl Spoken<'_> {
    /// Appends the `publish` that says it.
    pub fn publish(&self, frame: &mut Vec<u8>) {
        frame.extend_from_slice(br#"{"type":"publish","room":"#);
        json(frame, self.room);
        frame.extend_from_slice(br#","message":"#);
        frame.extend_from_slice(self.message);
        self.client_id(frame);
        frame.extend_from_slice(br#","id":"#);
        json(frame, self.id);
        self.timestamp(frame);
        frame.push(b'}');
    }

    /// Appends the `history_message` that says it, at that place of the window.
    pub fn history_message(&self, index: u32, frame: &mut Vec<u8>) {
        frame.extend_from_slice(br#"{"type":"history_message","room":"#);
        json(frame, self.room);
        frame.extend_from_slice(br#","index":"#);
        json(frame, &index);
        frame.extend_from_slice(br#","id":"#);
        json(frame, self.id);
        self.timestamp(frame);
        self.client_id(frame);
        frame.extend_from_slice(br#","message":"#);
        frame.extend_from_slice(self.message);
        frame.push(b'}');
    }

    /// How long its frames are at most, but for characters of names that have to be escaped.
    #[must_use]
    pub fn length(&self) -> usize {
        const KEYS_AND_NUMBERS: usize = 160;
        KEYS_AND_NUMBERS
            + self.room.len()
            + self.message.len()
            + self.id.len()
            + self.client_id.map_or(0, str::len)
    }

    fn client_id(&self, frame: &mut Vec<u8>) {
        if let Some(client_id) = self.client_id {
            frame.extend_from_slice(br#","client_id":"#);
            json(frame, client_id);
        }
    }

    fn timestamp(&self, frame: &mut Vec<u8>) {
        frame.extend_from_slice(br#","timestamp":"#);
        json(frame, &self.timestamp);
    }
}

/// A text or a number.
fn json<T: Serialize + ?Sized>(frame: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(frame, value).expect("every text and every number is JSON");
}
