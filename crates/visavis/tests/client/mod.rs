//! Clients of signaling and REST that speak for themselves.

#![allow(dead_code)]

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    self, Message, WebSocket,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::program::PATIENCE;

/// A WebSocket on `/v3/websocket`.
pub(crate) struct Client {
    socket: WebSocket<TcpStream>,
    pub(crate) addr: SocketAddr,
    pub(crate) id: String,
}

impl Client {
    /// A client of `channel`.
    pub(crate) fn join(addr: SocketAddr, channel: &str) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://{addr}/v3/websocket"), stream).unwrap();
        let mut client = Self { socket, addr, id: String::new() };
        client.say(&json!({"type": "handshake", "channel": channel, "callback": 1}));
        let reply = client.hear();
        assert_eq!(reply.get("error"), None, "{reply}");
        client.id = reply["client_id"].as_str().unwrap().to_owned();
        client
    }

    pub(crate) fn say(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).unwrap();
    }

    /// Closes as a page does that is left.
    pub(crate) fn close(&mut self) {
        self.socket.close(Some(CloseFrame { code: CloseCode::Away, reason: "".into() })).unwrap();
        while self.socket.read().is_ok() {}
    }

    pub(crate) fn hear(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Enters a room that is not observable; what was said before, as far as it is asked for.
    pub(crate) fn subscribe(&mut self, room: &str, history: usize) -> Vec<Value> {
        self.say(&json!({"type": "subscribe", "room": room, "history_count": history, "callback": 2}));
        assert_eq!(self.hear(), json!({"callback": 2}));
        self.say(&json!({"type": "peek", "room": room, "callback": 3}));
        let mut past = Vec::new();
        loop {
            let message = self.hear();
            if message["callback"] == 3 {
                return past;
            }
            assert_eq!(message["type"], "history_message", "{message}");
            past.push(message);
        }
    }
}

impl Client {
    /// Enters an observable room in which nobody is.
    pub(crate) fn subscribe_observable(&mut self, room: &str) {
        self.say(&json!({"type": "subscribe", "room": room, "callback": 2}));
        assert_eq!(self.hear()["type"], "observable_members");
        assert_eq!(self.hear(), json!({"callback": 2}));
    }
}

/// An HTTP request that is not sent yet.
pub(crate) struct Call {
    head: String,
    body: Vec<u8>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Call {
    pub(crate) fn get(path: &str) -> Self {
        Self::with_method("GET", path)
    }

    pub(crate) fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::with_method("POST", path) }
    }

    pub(crate) fn with_method(method: &str, path: &str) -> Self {
        Self { head: format!("{method} {path} HTTP/1.1\r\n"), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// The body is JSON.
    pub(crate) fn json(self) -> Self {
        self.header("Content-Type", "application/json; charset=utf-8")
    }

    pub(crate) fn basic(self, channel: &str, secret: &str) -> Self {
        let value = format!("Basic {}", STANDARD.encode(format!("{channel}:{secret}")));
        self.header("Authorization", &value)
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn send(self, addr: SocketAddr) -> Answer {
        self.try_send(addr).unwrap()
    }

    /// Fails where the server goes before it has answered.
    pub(crate) fn try_send(self, addr: SocketAddr) -> io::Result<Answer> {
        let mut head = self.head;
        if !head.contains("\r\nHost: ") {
            head.push_str("Host: api2.scaledrone.com\r\n");
        }
        let length = self.body.len();
        let mut stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream
            .write_all(format!("{head}Content-Length: {length}\r\nConnection: close\r\n\r\n").as_bytes())?;
        stream.write_all(&self.body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head[9..12].parse().map_err(io::Error::other)?;
        Ok(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
    }
}

impl Answer {
    /// The body as JSON; the status must be 200.
    pub(crate) fn value(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// The status and the message of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        assert!(self.head.contains("content-type: application/json"), "{self:?}");
        let body: Value = serde_json::from_str(&self.body).unwrap();
        (self.status, body["message"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned())
    }
}
