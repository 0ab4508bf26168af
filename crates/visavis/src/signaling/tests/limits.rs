//! What a client may make the server keep.

use std::{
    io,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
};

use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use visavis_hub::ChannelSettings;

use super::{client::Ended, *};

#[tokio::test]
async fn client_data_of_4_kib_passes_and_more_does_not() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let data = "x".repeat(4 * 1024 - 2);
    let reply =
        client.ask(json!({"type": "handshake", "channel": CHANNEL, "client_data": format!("{data}x")})).await;
    assert_eq!(reply["error"], "client_data is too large");
    let reply = client.ask(json!({"type": "handshake", "channel": CHANNEL, "client_data": data})).await;
    assert_eq!(reply["require_auth"], false);
}

#[tokio::test]
async fn a_channel_may_have_limits_of_its_own() {
    let hub = ChannelSettings { clients: Some(1), ..ChannelSettings::default() };
    let small = Channel { max_message: Some(1024), hub, ..Channel::new("small") };
    let large = Channel { max_message: Some(256 * 1024), ..Channel::new("large") };
    let channels = Channels::new([small, large], false);
    let server = Server::start_with(SignalingOptions { channels, ..options() }).await;
    for (channel, fits) in [("small", 512), ("large", 200 * 1024)] {
        let mut client = server.connect().await;
        client.shake_hands(channel).await;
        client.subscribe("r").await;
        client.publish("r", json!("x".repeat(fits))).await;
        assert_eq!(client.hear().await["type"], "publish", "{channel}");
        client.publish("r", json!("x".repeat(2 * fits))).await;
        assert_eq!(client.hear().await["error"], "Message is too large", "{channel}");
        let more = server.connect().await.ask(json!({"type": "handshake", "channel": channel})).await;
        assert_eq!(more["error"].as_str(), (channel == "small").then_some("Channel is full"));
    }
}

#[tokio::test]
async fn a_slow_reader_is_dropped_without_a_close_frame_and_the_room_goes_on() {
    let signaling = Signaling::new(options());
    let (mut fast, _) = pipe_into(&signaling, ROOM).await;
    let (mut slow, slow_id) = pipe_into(&signaling, ROOM).await;
    fast.hear().await;
    let message = json!("x".repeat(60_000));
    let mut left = false;
    for _ in 0..8 {
        fast.publish(ROOM, message.clone()).await;
        while !left {
            let heard = fast.hear().await;
            if heard["type"] == "publish" {
                break;
            }
            assert_eq!(
                (&heard["type"], &heard["data"]["id"]),
                (&json!("observable_member_leave"), &json!(slow_id))
            );
            left = true;
        }
    }
    assert!(left, "64 KiB in the pipe and 256 KiB in the queue are less than 8 times 60 kB");
    assert_eq!(signaling.counters().slow, 1);
    let mut received = 0;
    while let Some(Ok(_)) = futures_util::StreamExt::next(&mut slow.socket).await {
        received += 1;
    }
    assert!(received < 8);
}

/// Clients of 4 KiB each in three rooms; together they are more than may wait.
async fn crowded(signaling: &Arc<Signaling>) -> Vec<Client<DuplexStream>> {
    let mut crowd = Vec::new();
    for _ in 0..5 {
        let mut client = pipe(signaling, 256 * 1024);
        let data = json!("x".repeat(4000));
        client.ask(json!({"type": "handshake", "channel": CHANNEL, "client_data": data})).await;
        for room in ["observable-1", "observable-2", "observable-3"] {
            client.subscribe(room).await;
        }
        crowd.push(client);
    }
    crowd
}

#[tokio::test]
async fn rooms_whose_members_are_more_than_may_wait_can_be_entered_and_heard() {
    let mut options = options();
    options.limits.queue = 16 * 1024;
    let signaling = Signaling::new(options);
    let mut crowd = crowded(&signaling).await;
    let mut client = pipe(&signaling, 4 * 1024);
    client.shake_hands(CHANNEL).await;
    for (room, callback) in [("observable-1", 1), ("observable-2", 2), ("observable-3", 3)] {
        client.say(json!({"type": "subscribe", "room": room, "callback": callback})).await;
    }
    for callback in 1..=3 {
        // Not from the room that is being told of, nor from those that wait.
        crowd[0].publish("observable-1", json!(callback)).await;
        crowd[0].hear().await;
        let members = loop {
            let heard = client.hear().await;
            if heard["type"] != "publish" {
                break heard;
            }
        };
        assert_eq!(members["data"].as_array().unwrap().len(), 6);
        while client.hear().await["callback"] != callback {}
    }
    assert_eq!(signaling.counters().slow, 0);
}

#[tokio::test]
async fn strangers_and_handshakes_have_their_rate_too() {
    let mut options = options();
    options.limits.hub.messages = visavis_hub::Rate::new(3, 1);
    let server = Server::start_with(options).await;
    let excessive = || Ended::With(1008, "Rate limit exceeded".to_owned());
    for message in ["{}", r#"{"type": "peek", "room": "r"}"#, r#"{"type": "handshake", "channel": "none"}"#] {
        let mut stranger = server.connect().await;
        for _ in 0..3 {
            stranger.say_text(message).await;
            stranger.hear().await;
        }
        stranger.say_text(message).await;
        assert_eq!(stranger.hear_end().await, excessive(), "{message}");
    }
    let (mut client, _) = server.join().await;
    for _ in 0..2 {
        let again = client.ask(json!({"type": "handshake", "channel": CHANNEL})).await;
        assert_eq!(again["error"], "Handshake already done");
    }
    client.say(json!({"type": "handshake", "channel": CHANNEL, "callback": 1})).await;
    assert_eq!(client.hear_end().await, excessive());
}

/// A pipe that counts how often it is written to.
struct Counted {
    pipe: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.pipe).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        self.poll_write(cx, &bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn what_came_in_one_round_is_answered_in_one_write() {
    let signaling = Signaling::new(options());
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let writes = Arc::new(AtomicUsize::new(0));
    let session = Session::open(Arc::clone(&signaling), somebody());
    let counted = Counted { pipe: theirs, writes: Arc::clone(&writes) };
    tokio::spawn(Connection::new(counted, &[], session).run());
    let mut client = Client::over_pipe(ours);
    client.shake_hands(CHANNEL).await;
    client.subscribe("busy").await;
    let before = writes.load(Ordering::Relaxed);
    for number in 0..16 {
        client.publish("busy", json!(number)).await;
    }
    for number in 0..16 {
        assert_eq!(client.hear().await["message"], number);
    }
    assert_eq!(writes.load(Ordering::Relaxed) - before, 1);
}

#[tokio::test]
async fn who_closes_hears_first_what_came_of_all_that_it_has_said() {
    let signaling = Signaling::new(options());
    let (mut client, _) = pipe_into(&signaling, ROOM).await;
    client.publish(ROOM, json!("last")).await;
    client.say(json!({"type": "peek", "room": ROOM, "callback": 1})).await;
    client.socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await.unwrap();
    assert_eq!(client.hear().await["message"], "last");
    assert_eq!(client.hear().await["callback"], 1);
    assert_eq!(client.hear_end().await, Ended::With(1000, String::new()));
}

#[tokio::test]
async fn what_rfc_6455_forbids_closes_the_connection() {
    let signaling = Signaling::new(options());
    let (mut client, _) = pipe_into(&signaling, ROOM).await;
    let raw = client.socket.get_mut();
    tokio::io::AsyncWriteExt::write_all(raw, &[0x81, 0x00]).await.unwrap();
    assert_eq!(client.hear_end().await, Ended::With(1002, String::new()));
}

#[tokio::test]
async fn nothing_is_kept_of_connections_that_are_gone() {
    let server = Server::start().await;
    let (mut watching, _) = server.enter(ROOM).await;
    for _ in 0..10 {
        let (client, _) = server.enter(ROOM).await;
        watching.hear().await;
        drop(client);
        watching.hear().await;
    }
    drop(watching);
    let gone = async {
        while server.signaling.counters().connections > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("all are let go");
    let counters = server.signaling.counters();
    assert_eq!((counters.clients, counters.rooms, counters.handshakes), (0, 0, 11));
}
