//! A client that speaks raw frames, with somebody else's WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        http::HeaderValue,
        protocol::{CloseFrame, Role},
    },
};

/// Far above every waiting time of the server: only a test that fails comes to its end.
const NEVER: Duration = Duration::from_secs(120);
/// The callback of fences, unlike those of tests.
const FENCE: i64 = 987_654_321;

/// A client that speaks raw frames.
pub(super) struct Client<S> {
    pub(super) socket: WebSocketStream<S>,
    callback: i64,
}

/// How a connection ended, as a client sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    WithoutCloseFrame,
    With(u16, String),
}

impl Client<TcpStream> {
    pub(super) async fn over_tcp(socket: TcpStream, url: &str, origin: Option<&str>) -> Self {
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", HeaderValue::from_str(origin).unwrap());
        }
        let (socket, _) = client_async(request, socket).await.unwrap();
        Self { socket, callback: 100 }
    }
}

impl Client<DuplexStream> {
    pub(super) fn over_pipe(pipe: DuplexStream) -> Self {
        let socket =
            futures_util::FutureExt::now_or_never(WebSocketStream::from_raw_socket(pipe, Role::Client, None));
        Self { socket: socket.expect("wrapping a stream waits for nothing"), callback: 100 }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(super) async fn say(&mut self, message: Value) {
        self.say_text(&message.to_string()).await;
    }

    pub(super) async fn say_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub(super) async fn say_bytes(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).await.unwrap();
    }

    async fn next(&mut self) -> Option<Result<Message, tungstenite::Error>> {
        timeout(NEVER, self.socket.next()).await.expect("the server says something")
    }

    /// The next text frame, as it came.
    pub(super) async fn hear_text(&mut self) -> String {
        loop {
            match self.next().await.expect("the connection lives").expect("the connection lives") {
                Message::Text(text) => return text.as_str().to_owned(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?} instead of a text frame"),
            }
        }
    }

    /// The next text frame.
    pub(super) async fn hear(&mut self) -> Value {
        serde_json::from_str(&self.hear_text().await).unwrap()
    }

    /// The next frame is a ping.
    pub(super) async fn hear_ping(&mut self) {
        let frame = self.next().await;
        assert!(matches!(frame, Some(Ok(Message::Ping(_)))), "{frame:?} instead of a ping");
    }

    /// Whatever comes before the answer to a question asked now.
    pub(super) async fn hear_all(&mut self) -> Vec<Value> {
        self.say(json!({"type": "peek", "room": "fence", "callback": FENCE})).await;
        let mut heard = Vec::new();
        loop {
            let message = self.hear().await;
            if message["callback"] == FENCE {
                return heard;
            }
            heard.push(message);
        }
    }

    /// How the server ends the connection; nothing else may come before, but pings.
    pub(super) async fn hear_end(&mut self) -> Ended {
        loop {
            match self.next().await {
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                    return Ended::With(code.into(), reason.as_str().to_owned());
                }
                None | Some(Err(_)) => return Ended::WithoutCloseFrame,
                Some(Ok(other)) => panic!("{other:?} before the end"),
            }
        }
    }

    /// Asks and hears the answer; nothing else may come before.
    pub(super) async fn ask(&mut self, mut message: Value) -> Value {
        self.callback += 1;
        message["callback"] = self.callback.into();
        self.say(message).await;
        let mut reply = self.hear().await;
        assert_eq!(reply["callback"], self.callback, "{reply} answers something else");
        reply.as_object_mut().unwrap().remove("callback");
        reply
    }

    pub(super) async fn shake_hands(&mut self, channel: &str) -> String {
        let reply = self.ask(json!({"type": "handshake", "channel": channel})).await;
        reply["client_id"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    /// Enters a room; the members where it is observable.
    pub(super) async fn subscribe(&mut self, room: &str) -> Vec<Value> {
        self.callback += 1;
        self.say(json!({"type": "subscribe", "room": room, "callback": self.callback})).await;
        let mut members = Vec::new();
        if room.starts_with("observable-") {
            let message = self.hear().await;
            assert_eq!((&message["type"], &message["room"]), (&json!("observable_members"), &json!(room)));
            members = message["data"].as_array().unwrap().clone();
        }
        assert_eq!(self.hear().await, json!({"callback": self.callback}));
        members
    }

    pub(super) async fn publish(&mut self, room: &str, message: Value) {
        self.say(json!({"type": "publish", "room": room, "message": message})).await;
    }
}
