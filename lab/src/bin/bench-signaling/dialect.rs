//! The words of each server: how a client enters a room, and how it says something there.

use std::ops::Range;

use crate::frame::{Opcode, client};

/// Begins what is measured in a message: `~`, the sender in 8 digits, the time in 16.
pub(crate) const MARK: u8 = b'~';
/// Where the sender stands behind the mark.
pub(crate) const SENDER: Range<usize> = 1..9;
/// Where the time stands behind the mark.
pub(crate) const TIME: Range<usize> = 9..25;
/// Bytes of what is said, mark included.
const MESSAGE: usize = 1024;

/// Whose protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Scaledrone's, which is this project's; the programs on Bun and `ws` take the same words.
    Scaledrone,
    SocketIo,
    /// No rooms: a message goes to one other client.
    PeerJs,
    Nats,
}

/// Somebody in a crowd, and the room that it enters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    crowd: usize,
    member: usize,
    room: usize,
}

impl Seat {
    /// The member of that number, where rooms have `per_room` of them. A server may still be busy with the goodbyes of
    /// an earlier crowd: each has ids and rooms of its own.
    pub(crate) fn new(crowd: usize, member: usize, per_room: usize) -> Self {
        Self { crowd, member, room: member / per_room }
    }

    fn id(self) -> String {
        format!("c{}m{}", self.crowd, self.member)
    }

    /// Whom it talks to in a room of two.
    fn other(self) -> Self {
        Self { member: self.member ^ 1, ..self }
    }

    /// Observable, so that this server's members hear of each other; to the others it is a name.
    fn room(self) -> String {
        format!("observable-{}-{}", self.crowd, self.room)
    }
}

/// Something to say, and what has to be heard before the next step.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) say: Vec<u8>,
    pub(crate) hear: &'static str,
}

impl Dialect {
    /// Whether a publisher hears what it said itself.
    pub(crate) fn echoes(self) -> bool {
        self != Self::PeerJs
    }

    /// The request that opens a member's WebSocket.
    pub(crate) fn upgrade(self, seat: Seat) -> Vec<u8> {
        let path = match self {
            Self::Scaledrone => "/v3/websocket".to_owned(),
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket".to_owned(),
            Self::PeerJs => format!("/peerjs?key=peerjs&id={0}&token={0}", seat.id()),
            Self::Nats => "/".to_owned(),
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .into_bytes()
    }

    /// What a member does to enter its room.
    pub(crate) fn enter(self, seat: Seat) -> Vec<Step> {
        let room = seat.room();
        let text = |text: &str| client(Opcode::Text, text.as_bytes());
        match self {
            Self::Scaledrone => {
                let handshake = text(r#"{"type":"handshake","channel":"bench","callback":1}"#);
                let subscribe = text(&format!(r#"{{"type":"subscribe","room":"{room}","callback":2}}"#));
                vec![Step { say: [handshake, subscribe].concat(), hear: r#""callback":2"# }]
            }
            Self::SocketIo => vec![
                Step { say: Vec::new(), hear: "0{" },
                Step { say: text("40"), hear: "40{" },
                Step { say: text(&format!(r#"420["subscribe","{room}"]"#)), hear: "430" },
            ],
            Self::PeerJs => vec![Step { say: Vec::new(), hear: "OPEN" }],
            Self::Nats => {
                let words =
                    format!("CONNECT {{\"verbose\":false,\"headers\":false}}\r\nSUB {room} 1\r\nPING\r\n");
                vec![
                    Step { say: Vec::new(), hear: "INFO" },
                    Step { say: client(Opcode::Binary, words.as_bytes()), hear: "PONG" },
                ]
            }
        }
    }

    /// The frame by which a member says 1 KB in its room.
    pub(crate) fn publish(self, seat: Seat) -> Vec<u8> {
        let mark = format!("{}{:08x}{:016x}", MARK as char, seat.member, 0);
        let message = format!("{mark}{}", "v".repeat(MESSAGE - mark.len()));
        let room = seat.room();
        match self {
            Self::Scaledrone => {
                let words = format!(r#"{{"type":"publish","room":"{room}","message":"{message}"}}"#);
                client(Opcode::Text, words.as_bytes())
            }
            Self::SocketIo => {
                client(Opcode::Text, format!(r#"42["publish","{room}","{message}"]"#).as_bytes())
            }
            Self::PeerJs => {
                let other = seat.other().id();
                let words = format!(r#"{{"type":"OFFER","dst":"{other}","payload":"{message}"}}"#);
                client(Opcode::Text, words.as_bytes())
            }
            Self::Nats => {
                let words = format!("PUB {room} {}\r\n{message}\r\n", message.len());
                client(Opcode::Binary, words.as_bytes())
            }
        }
    }
}

/// Finds the marks in what a server sent. NATS puts many messages into one frame.
pub(crate) fn marks(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        let found = &rest[memchr::memchr(MARK, rest)?..];
        rest = found.get(MESSAGE..).unwrap_or_default();
        (found.len() >= TIME.end).then_some(found)
    })
}
