//! Clients that keep their id over a reconnect, and our other extensions.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

use super::{client::Ended, *};

async fn resume(client: &mut Client<TcpStream>, token: Value) -> (String, Value) {
    let reply = client.ask(json!({"type": "handshake", "channel": CHANNEL, "resume": token})).await;
    (reply["client_id"].as_str().unwrap().to_owned(), reply["resume"].clone())
}

#[tokio::test]
async fn a_client_that_comes_back_with_its_token_never_left() {
    let server = Server::start().await;
    let (mut watching, _) = server.enter(ROOM).await;
    let mut client = server.connect().await;
    let (id, token) = resume(&mut client, Value::Null).await;
    client.subscribe(ROOM).await;
    watching.hear().await;
    drop(client);
    let mut again = server.connect().await;
    let (same, renewed) = resume(&mut again, token).await;
    assert_eq!(same, id);
    assert!(renewed.is_string());
    again.subscribe(ROOM).await;
    again.publish(ROOM, json!("back")).await;
    let heard = watching.hear().await;
    assert_eq!((&heard["message"], &heard["client_id"]), (&json!("back"), &json!(id)), "no leave, no join");
    assert_eq!(server.signaling.counters().resumed, 1);
}

#[tokio::test]
async fn a_token_gives_the_id_back_after_a_restart() {
    let before = Server::start().await;
    let (id, token) = resume(&mut before.connect().await, Value::Null).await;
    let after = Server::start_with(SignalingOptions { seed: [99; 32], ..options() }).await;
    assert_eq!(resume(&mut after.connect().await, token).await.0, id);
}

#[tokio::test]
async fn the_older_connection_of_a_client_that_resumes_is_closed_for_good() {
    let server = Server::start().await;
    let (mut watching, _) = server.enter(ROOM).await;
    let mut older = server.connect().await;
    let (_, token) = resume(&mut older, Value::Null).await;
    older.subscribe(ROOM).await;
    watching.hear().await;
    let mut newer = server.connect().await;
    resume(&mut newer, token).await;
    assert_eq!(older.hear_end().await, Ended::With(4000, "Replaced by a newer connection".to_owned()));
    drop(older);
    newer.subscribe(ROOM).await;
    assert!(watching.hear_all().await.is_empty());
}

#[tokio::test]
async fn a_client_that_closes_with_a_reason_leaves_at_once_even_if_it_could_resume() {
    let server = Server::start().await;
    let (mut watching, _) = server.enter(ROOM).await;
    let mut client = server.connect().await;
    let (id, _) = resume(&mut client, Value::Null).await;
    client.subscribe(ROOM).await;
    watching.hear().await;
    client.socket.close(Some(CloseFrame { code: CloseCode::Away, reason: "".into() })).await.unwrap();
    let leave = json!({"type": "observable_member_leave", "room": ROOM, "data": {"id": id}});
    assert_eq!(watching.hear().await, leave);
    assert_eq!(client.hear_end().await, Ended::With(1001, String::new()), "the Close frame is answered");
}

#[tokio::test]
async fn ice_servers_are_made_for_the_client_that_asks() {
    let server = Server::start().await;
    let (mut client, id) = server.join().await;
    let reply = client.ask(json!({"type": "ice_servers"})).await;
    let expected = json!({"urls": ["turn:a.example"], "username": id, "credential": "secret"});
    assert_eq!(reply, json!({"ice_servers": [expected], "ttl": 3600}));
}

#[tokio::test]
async fn ice_servers_need_a_handshake() {
    let server = Server::start().await;
    let reply = server.connect().await.ask(json!({"type": "ice_servers"})).await;
    assert_eq!(reply, json!({"error": "Handshake required"}));
}

#[tokio::test]
async fn peek_counts_who_is_inside_and_enters_nothing() {
    let server = Server::start().await;
    let (mut inside, _) = server.enter(ROOM).await;
    let (mut outside, _) = server.join().await;
    assert_eq!(outside.ask(json!({"type": "peek", "room": ROOM})).await, json!({"count": 1}));
    assert_eq!(outside.ask(json!({"type": "peek", "room": "empty"})).await, json!({"count": 0}));
    assert!(inside.hear_all().await.is_empty());
}

#[tokio::test]
async fn peek_is_limited_and_the_connection_lives() {
    let mut options = options();
    options.limits.hub.peeks = visavis_hub::Rate::new(1, 1);
    let server = Server::start_with(options).await;
    let (mut client, _) = server.join().await;
    client.ask(json!({"type": "peek", "room": ROOM})).await;
    let reply = client.ask(json!({"type": "peek", "room": ROOM})).await;
    assert_eq!(reply, json!({"error": "Too many requests"}));
    client.subscribe(ROOM).await;
}
