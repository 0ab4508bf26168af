//! What was said before, on its way to one connection.

use std::{sync::Arc, vec::IntoIter};

use axum::body::Bytes;
use visavis_hub::{ClientId, Message, RoomName};
use visavis_signal::outbound::Spoken;

use crate::http::websocket::frame;

/// Messages of a room's history. Each becomes a frame only when there is place for it: a hundred of them may be
/// much more than a connection may have waiting.
pub(crate) struct Past {
    room: RoomName,
    messages: IntoIter<Arc<Message>>,
    index: u32,
}

impl Past {
    /// `messages` of `room`, oldest first.
    pub(crate) fn new(room: RoomName, messages: Vec<Arc<Message>>) -> Self {
        Self { room, messages: messages.into_iter(), index: 0 }
    }
}

impl Iterator for Past {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let message = self.messages.next()?;
        let index = self.index;
        self.index += 1;
        let spoken = Spoken {
            room: self.room.as_str(),
            message: &message.payload,
            client_id: message.from.as_ref().map(ClientId::as_str),
            id: &message.id,
            timestamp: message.timestamp,
        };
        Some(frame::text(spoken.length(), |buffer| spoken.history_message(index, buffer)))
    }
}
