//! The hard rules of the protocol, one by one.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{client::Ended, *};

fn ids(members: &[Value]) -> Vec<&str> {
    members.iter().map(|member| member["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn rule_1_members_come_once_before_the_reply_and_the_newest_is_oneself() {
    let server = Server::start().await;
    let (_first, first_id) = server.enter(ROOM).await;
    let (_second, second_id) = server.enter(ROOM).await;
    let (mut third, third_id) = server.join().await;
    third.say(json!({"type": "subscribe", "room": ROOM, "callback": 7})).await;
    let members = third.hear().await;
    assert_eq!(members["type"], "observable_members");
    assert_eq!(ids(members["data"].as_array().unwrap()), [&third_id, &second_id, &first_id]);
    assert_eq!(third.hear().await, json!({"callback": 7}));
    assert!(third.hear_all().await.is_empty());
}

#[tokio::test]
async fn rule_2_others_hear_of_a_join_before_anything_that_member_says() {
    let server = Server::start().await;
    let (mut first, _) = server.enter(ROOM).await;
    let (mut second, second_id) = server.join().await;
    second.say(json!({"type": "subscribe", "room": ROOM, "callback": 1})).await;
    second.publish(ROOM, json!("hello")).await;
    let join = json!({"type": "observable_member_join", "room": ROOM, "data": {"id": second_id}});
    assert_eq!(first.hear().await, join);
    assert_eq!(first.hear().await["message"], "hello");
    let heard = second.hear_all().await;
    assert!(heard.iter().all(|message| message["type"] != "observable_member_join"), "{heard:?}");
}

#[tokio::test]
async fn rule_3_what_is_unset_is_left_out_and_keys_are_as_the_protocol_writes_them() {
    let server = Server::start().await;
    let (mut plain, plain_id) = server.enter(ROOM).await;
    let mut named = server.connect().await;
    named
        .say(json!({"type": "handshake", "channel": CHANNEL, "client_data": {"name": null}, "callback": 1}))
        .await;
    let reply = named.hear_text().await;
    assert!(!reply.contains("error") && !reply.contains("null") && !reply.contains("resume"), "{reply}");
    let members = named.subscribe(ROOM).await;
    assert_eq!(members[0]["clientData"], json!({"name": null}));
    assert_eq!(members[1], json!({"id": plain_id}));
    assert_eq!(plain.hear().await["data"]["clientData"], json!({"name": null}));
    let mut null = server.connect().await;
    null.ask(json!({"type": "handshake", "channel": CHANNEL, "client_data": null})).await;
    let members = null.subscribe(ROOM).await;
    assert_eq!(members[0].as_object().unwrap().len(), 1, "null is unset: {}", members[0]);
}

#[tokio::test]
async fn rule_4_every_callback_is_answered_once_in_order_even_zero_and_pipelined() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.say(json!({"type": "handshake", "channel": CHANNEL, "callback": 1})).await;
    client.say(json!({"type": "subscribe", "room": "a", "callback": 0})).await;
    client.say(json!({"type": "subscribe", "room": "b", "callback": 9_007_199_254_740_991_i64})).await;
    client.say(json!({"type": "unsubscribe", "room": "a", "callback": 5})).await;
    client.say(json!({"type": "unsubscribe", "room": "b"})).await;
    client.say(json!({"type": "authenticate", "token": "a.b.c", "callback": 2})).await;
    let callbacks: Vec<_> = client.hear_all().await.iter().map(|reply| reply["callback"].clone()).collect();
    assert_eq!(callbacks, [1, 0, 9_007_199_254_740_991_i64, 5, 2]);
}

#[tokio::test]
async fn rule_5_an_error_is_a_plain_string_and_everything_else_has_a_type() {
    let server = Server::start().await;
    let (mut client, _) = server.enter(ROOM).await;
    client.say_text("nonsense").await;
    client.say(json!({"type": "dance", "callback": 3})).await;
    client.publish(ROOM, json!(1)).await;
    let (_other, _) = server.enter(ROOM).await;
    for message in client.hear_all().await {
        let error = message.get("error");
        assert!(error.is_none_or(Value::is_string), "{message}");
        let untyped = message.get("callback").is_some() || error.is_some();
        assert_eq!(message.get("type").is_some_and(Value::is_string), !untyped, "{message}");
    }
}

#[tokio::test]
async fn rule_6_a_planned_restart_drops_tcp_without_a_close_frame() {
    let server = Server::start().await;
    let (mut client, _) = server.enter(ROOM).await;
    let mut fresh = server.connect().await;
    server.signaling.end();
    assert_eq!(client.hear_end().await, Ended::WithoutCloseFrame);
    assert_eq!(fresh.hear_end().await, Ended::WithoutCloseFrame);
}

#[tokio::test]
async fn rule_6_who_must_not_come_back_is_closed_with_exceeded() {
    let mut options = options();
    options.limits.hub.messages = visavis_hub::Rate::new(3, 1);
    let server = Server::start_with(options).await;
    let (mut client, _) = server.join().await;
    for _ in 0..4 {
        client.publish(ROOM, json!(0)).await;
    }
    assert_eq!(client.hear_end().await, Ended::With(1008, "Rate limit exceeded".to_owned()));
    assert_eq!(server.signaling.counters().excessive, 1);
}

#[tokio::test]
async fn rule_7_client_ids_fit_into_paths_and_patterns() {
    let server = Server::start().await;
    for _ in 0..20 {
        let (_client, id) = server.join().await;
        assert!(id.starts_with("b58:"), "{id}");
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':'), "{id}");
    }
}

#[tokio::test]
async fn rule_8_a_room_that_keeps_no_history_has_none_to_send() {
    let server = Server::start().await;
    let (mut first, _) = server.enter("news").await;
    first.publish("news", json!("old")).await;
    first.hear().await;
    let (mut second, _) = server.join().await;
    second.say(json!({"type": "subscribe", "room": "news", "history_count": 10, "callback": 1})).await;
    assert_eq!(second.hear_all().await, [json!({"callback": 1})]);
}

#[tokio::test]
async fn rule_9_a_message_has_unix_seconds_an_id_of_its_own_and_its_publisher() {
    let server = Server::start().await;
    let (mut client, id) = server.enter("news").await;
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    client.publish("news", json!({"a": 1.0})).await;
    client.publish("news", json!(null)).await;
    let (first, second) = (client.hear().await, client.hear().await);
    assert!((before..before + 60).contains(&first["timestamp"].as_u64().unwrap()), "{first}");
    assert_eq!((&first["client_id"], &first["room"]), (&json!(id), &json!("news")));
    assert!(first["id"].is_string() && first["id"] != second["id"]);
    assert_eq!(second.as_object().unwrap().get("message"), Some(&Value::Null));
}

#[tokio::test]
async fn rule_9_the_time_of_a_message_follows_the_clock() {
    let server = Server::start().await;
    let (mut client, _) = server.enter("news").await;
    // Awake again after a night.
    let hours = Duration::from_hours(8);
    let woken = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + hours;
    server.signaling.handle_clock(woken);
    client.publish("news", json!(1)).await;
    let timestamp = client.hear().await["timestamp"].as_u64().unwrap();
    assert!((woken.as_secs()..woken.as_secs() + 60).contains(&timestamp), "{timestamp} after {woken:?}");
}

#[tokio::test]
async fn rule_10_everybody_sees_one_order_the_publishers_included() {
    let server = Server::start().await;
    let (first, _) = server.enter("busy").await;
    let (second, _) = server.enter("busy").await;
    let (mut third, _) = server.enter("busy").await;
    let talk = async |mut client: Client<TcpStream>, name: &str| {
        for number in 0..100 {
            client.publish("busy", json!([name, number])).await;
        }
        listen(&mut client, 200).await
    };
    let (first, second) = tokio::join!(talk(first, "first"), talk(second, "second"));
    let third = listen(&mut third, 200).await;
    assert_eq!(first, second);
    assert_eq!(first, third);
    for name in ["first", "second"] {
        let own = third.iter().filter(|(_, message)| message[0] == name);
        let numbers: Vec<_> = own.map(|(_, message)| message[1].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    }
}

async fn listen(client: &mut Client<TcpStream>, count: usize) -> Vec<(Value, Value)> {
    let mut heard = Vec::new();
    for _ in 0..count {
        let message = client.hear().await;
        heard.push((message["id"].clone(), message["message"].clone()));
    }
    heard
}

#[tokio::test]
async fn rule_11_publishing_needs_no_subscription() {
    let server = Server::start().await;
    let (mut inside, _) = server.enter(ROOM).await;
    let (mut outside, _) = server.join().await;
    outside.publish(ROOM, json!("from outside")).await;
    assert_eq!(inside.hear().await["message"], "from outside");
    assert!(outside.hear_all().await.is_empty());
}

#[tokio::test]
async fn rule_12_a_closed_tcp_connection_leaves_at_once() {
    let server = Server::start().await;
    let (mut first, _) = server.enter(ROOM).await;
    let (second, second_id) = server.enter(ROOM).await;
    first.hear().await;
    drop(second.socket);
    let leave = json!({"type": "observable_member_leave", "room": ROOM, "data": {"id": second_id}});
    assert_eq!(first.hear().await, leave);
}

#[tokio::test]
async fn rule_12_an_application_level_pong_is_ignored() {
    let server = Server::start().await;
    let (mut client, _) = server.join().await;
    client.say(json!({"type": "pong"})).await;
    assert!(client.hear_all().await.is_empty());
    let mut fresh = server.connect().await;
    fresh.say(json!({"type": "pong"})).await;
    fresh.shake_hands(CHANNEL).await;
}

#[tokio::test]
async fn rule_13_a_second_subscribe_shows_members_again_without_a_second_join() {
    let server = Server::start().await;
    let (mut first, first_id) = server.enter(ROOM).await;
    let (mut second, second_id) = server.enter(ROOM).await;
    first.hear().await;
    assert_eq!(ids(&first.subscribe(ROOM).await), [&first_id, &second_id]);
    second.publish(ROOM, json!("once")).await;
    assert_eq!(first.hear().await["message"], "once");
    assert!(first.hear_all().await.is_empty());
    assert_eq!(second.hear_all().await.len(), 1);
}

#[tokio::test]
async fn rule_14_what_makes_no_sense_is_answered_and_closes_nothing() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.say(json!({"type": "subscribe", "room": ROOM, "callback": 4})).await;
    assert_eq!(client.hear().await, json!({"callback": 4, "error": "Handshake required"}));
    client.shake_hands(CHANNEL).await;
    let cases = [
        ("{", json!({"error": "Message is not valid JSON"})),
        (r#"{"callback":0,"#, json!({"callback": 0, "error": "Message is not valid JSON"})),
        ("[]", json!({"error": "Message is not a JSON object"})),
        (r#"{"type":"dance","callback":3}"#, json!({"callback": 3, "error": "Unknown message type"})),
        (r#"{"room":"a"}"#, json!({"error": "Unknown message type"})),
        (
            r#"{"type":"subscribe","callback":3}"#,
            json!({"callback": 3, "error": "A field is missing or has the wrong type"}),
        ),
        (r#"{"type":"subscribe","room":"r","callback":"3"}"#, json!({"error": "callback is not an integer"})),
        (
            r#"{"type":"subscribe","room":"","callback":3}"#,
            json!({"callback": 3, "error": "Room name is not valid"}),
        ),
        (
            r#"{"type":"authenticate","token":"a","callback":3}"#,
            json!({"callback": 3, "error": "Channel does not use authentication"}),
        ),
    ];
    for (frame, answer) in cases {
        client.say_text(frame).await;
        assert_eq!(client.hear().await, answer, "{frame}");
    }
    client.say_bytes(vec![0xFF, 0xFE]).await;
    assert_eq!(client.hear().await, json!({"error": "Message is not valid JSON"}));
    client.subscribe(ROOM).await;
    let reply = client.ask(json!({"type": "handshake", "channel": CHANNEL})).await;
    assert_eq!(reply["error"], "Handshake already done");
}

#[tokio::test]
async fn rule_14_an_unknown_channel_is_refused_with_a_client_id_all_the_same() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let reply = client.ask(json!({"type": "handshake", "channel": "nowhere"})).await;
    assert_eq!(reply["error"], "Channel not found");
    assert!(reply["client_id"].as_str().unwrap().starts_with("b58:"));
    client.shake_hands(CHANNEL).await;
}

#[tokio::test]
async fn rule_14_a_malformed_handshake_is_refused_with_a_client_id_all_the_same() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let reply = client.ask(json!({"type": "handshake"})).await;
    assert_eq!(reply["error"], "A field is missing or has the wrong type");
    assert!(reply["client_id"].as_str().unwrap().starts_with("b58:"));
    client.say(json!({"type": "handshake", "channel": CHANNEL, "callback": 1.0})).await;
    let reply = client.hear().await;
    assert_eq!(reply["error"], "callback is not an integer");
    assert!(reply["client_id"].is_string() && reply.get("callback").is_none(), "{reply}");
    client.shake_hands(CHANNEL).await;
}

#[tokio::test]
async fn a_device_is_known_by_a_name_that_only_who_has_its_secret_can_bear() {
    let server = Server::start().await;
    let hello = |secret: &str| json!({"type": "handshake", "channel": CHANNEL, "device_secret": secret});
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    let name = first.ask(hello("a secret of 20 bytes")).await["device"].clone();
    assert_eq!(name.as_str().unwrap().len(), 32);
    first.subscribe(ROOM).await;
    assert_eq!(second.ask(hello("a secret of 20 bytes")).await["device"], name, "on every connection");
    let members = second.subscribe(ROOM).await;
    assert!(members.iter().all(|member| member["device"] == name), "{members:?}");
    assert_eq!(first.hear().await["data"]["device"], name);

    // Who has seen the name says it in every place that there is.
    let mut liar = server.connect().await;
    let mut lie = hello(name.as_str().unwrap());
    lie["device"] = name.clone();
    lie["client_data"] = json!({"visavis": 1, "device": name});
    let other = liar.ask(lie).await["device"].clone();
    assert!(other.is_string() && other != name, "{other}");
    liar.subscribe(ROOM).await;
    assert_eq!(first.hear().await["data"]["device"], other);

    let (_plain, id) = server.enter(ROOM).await;
    let joined = first.hear().await;
    assert_eq!(joined["data"], json!({"id": id}), "who shows no secret has no name");
}

#[tokio::test]
async fn rule_15_the_spellings_of_third_party_sdks_are_understood() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.ask(json!({"type": "handshake", "channel": CHANNEL, "data": "Ada"})).await;
    assert_eq!(client.subscribe(ROOM).await[0]["clientData"], "Ada");
    let reply = client.ask(json!({"type": "authenticate", "jwt": "a.b.c"})).await;
    assert_eq!(reply["error"], "Channel does not use authentication", "understood, not malformed");
}

#[tokio::test]
async fn rule_16_64_kib_pass_and_more_is_answered_and_skipped() {
    let server = Server::start().await;
    let (mut client, _) = server.enter("large").await;
    let around = json!({"type": "publish", "room": "large", "message": ""}).to_string().len();
    let fitting = "x".repeat(64 * 1024 - around);
    client.publish("large", json!(fitting)).await;
    assert_eq!(client.hear().await["message"], json!(fitting));
    client.publish("large", json!(format!("{fitting}x"))).await;
    assert_eq!(client.hear().await, json!({"error": "Message is too large"}));
    client.publish("large", json!("small")).await;
    assert_eq!(client.hear().await["message"], "small");
}

#[tokio::test]
async fn binary_frames_are_read_and_answered_in_text() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let handshake = json!({"type": "handshake", "channel": CHANNEL, "callback": 1});
    client.say_bytes(handshake.to_string().into_bytes()).await;
    assert_eq!(client.hear().await["callback"], 1);
}

#[tokio::test]
async fn what_came_along_with_the_upgrade_request_is_not_lost() {
    let server = Server::start().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let handshake = format!(r#"{{"type":"handshake","channel":"{CHANNEL}","callback":1}}"#);
    let mut bytes =
        b"GET /v3/websocket HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            .to_vec();
    bytes.extend_from_slice(&[0x81, 0x80 | u8::try_from(handshake.len()).unwrap(), 0, 0, 0, 0]);
    bytes.extend_from_slice(handshake.as_bytes());
    socket.write_all(&bytes).await.unwrap();
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains("client_id") {
        assert_ne!(tokio::io::AsyncReadExt::read_buf(&mut socket, &mut answer).await.unwrap(), 0);
    }
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 101 ") && text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{text}");
}

#[tokio::test]
async fn a_request_that_is_no_upgrade_is_told_what_is_spoken_here() {
    let server = Server::start().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(b"GET /v3/websocket HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut socket, &mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
}
