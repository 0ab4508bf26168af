//! Channels that require a token, as clients meet them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use visavis_hub::{ChannelSettings, HistoryBounds};

use super::*;
use crate::{channels::ChannelSecret, token::sign};

pub(super) const LOCKED: &str = "locked";
const OTHER: &str = "other";
const SECRET: &str = "the secret of a channel";

fn requiring(id: &str, secrets: &[&str]) -> Channel {
    let secrets = secrets.iter().map(|secret| ChannelSecret::new(*secret)).collect();
    let bounds = HistoryBounds { lifetime: Duration::from_hours(24), bytes: 1024 * 1024 };
    let hub = ChannelSettings { require_auth: true, history: Some(bounds), ..ChannelSettings::default() };
    Channel { secrets, hub, ..Channel::new(id) }
}

fn channels() -> Channels {
    Channels::new([requiring(LOCKED, &[SECRET]), requiring(OTHER, &[SECRET])], false)
}

pub(super) async fn start() -> Server {
    let server = Server::start_with(SignalingOptions { channels: channels(), ..options() }).await;
    server.signaling.keep_history(&channels()).unwrap();
    server
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(super) fn claims(channel: &str, client: &str, permissions: &Value) -> Value {
    json!({"channel": channel, "client": client, "permissions": permissions, "exp": now() + 180})
}

fn token(client: &str, permissions: &Value) -> String {
    sign_as_the_channel(&claims(LOCKED, client, permissions))
}

pub(super) fn sign_as_the_channel(claims: &Value) -> String {
    sign(&ChannelSecret::new(SECRET), &claims.to_string())
}

fn everything() -> Value {
    json!({"": {"publish": true, "subscribe": true}})
}

async fn join(server: &Server) -> (Client<TcpStream>, String) {
    let mut client = server.connect().await;
    let reply = client.ask(json!({"type": "handshake", "channel": LOCKED})).await;
    assert_eq!(reply["require_auth"], true);
    let id = reply["client_id"].as_str().unwrap().to_owned();
    (client, id)
}

async fn show(client: &mut Client<TcpStream>, token: &str) -> Value {
    client.ask(json!({"type": "authenticate", "token": token})).await
}

/// Somebody who has shown a token with these permissions.
async fn join_with(server: &Server, permissions: Value) -> (Client<TcpStream>, String) {
    let (mut client, id) = join(server).await;
    assert_eq!(show(&mut client, &token(&id, &permissions)).await, json!({}));
    (client, id)
}

async fn error(client: &mut Client<TcpStream>, message: Value) -> String {
    let reply = client.ask(message).await;
    reply["error"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

#[tokio::test]
async fn without_a_token_everything_is_unauthorized_and_the_connection_goes_on() {
    let server = start().await;
    let (mut client, id) = join(&server).await;
    let attempts = [
        json!({"type": "subscribe", "room": ROOM}),
        json!({"type": "publish", "room": ROOM, "message": 1}),
        json!({"type": "peek", "room": ROOM}),
        json!({"type": "ice_servers"}),
    ];
    for attempt in &attempts {
        assert_eq!(error(&mut client, attempt.clone()).await, "Unauthorized", "{attempt}");
    }
    client.publish(ROOM, json!("nobody waits for an answer")).await;
    assert_eq!(client.hear().await, json!({"error": "Unauthorized"}));
    assert_eq!(show(&mut client, "not a token").await, json!({"error": "JWT does not have 3 parts"}));
    assert_eq!(
        show(&mut client, &token("b58:other", &everything())).await["error"],
        "JWT is for another client"
    );
    assert_eq!(error(&mut client, attempts[0].clone()).await, "Unauthorized");
    assert_eq!(show(&mut client, &token(&id, &everything())).await, json!({}));
    client.subscribe(ROOM).await;
    assert_eq!(client.ask(attempts[2].clone()).await, json!({"count": 1}));
    assert!(client.ask(attempts[3].clone()).await["ice_servers"].is_array());
}

#[tokio::test]
async fn who_asks_is_told_how_long_a_token_holds() {
    let server = start().await;
    let (mut client, id) = join(&server).await;
    let mut asking = json!({"type": "authenticate", "token": token(&id, &everything()), "ttl": true});
    let ttl = client.ask(asking.clone()).await["ttl"].as_u64().unwrap();
    assert!((178..=180).contains(&ttl), "{ttl} of 180 s");
    asking["ttl"] = json!(1);
    assert_eq!(client.ask(asking.clone()).await, json!({}), "this asks for nothing");
    asking["token"] = json!("not a token");
    asking["ttl"] = json!(true);
    assert_eq!(client.ask(asking).await, json!({"error": "JWT does not have 3 parts"}));
}

#[tokio::test]
async fn members_are_told_what_the_token_says_of_a_client() {
    let server = start().await;
    let (mut first, first_id) = join(&server).await;
    let mut claims = claims(LOCKED, &first_id, &everything());
    claims["data"] = json!({"name": "Ada", "admin": true});
    let token = sign(&ChannelSecret::new(SECRET), &claims.to_string());
    assert_eq!(first.ask(json!({"type": "authenticate", "jwt": token})).await, json!({}));
    first.subscribe(ROOM).await;
    let (mut second, second_id) = join_with(&server, everything()).await;
    let members = second.subscribe(ROOM).await;
    assert_eq!(members[0], json!({"id": second_id}));
    assert_eq!(members[1], json!({"id": first_id, "authData": {"name": "Ada", "admin": true}}));
    assert_eq!(first.hear().await["data"], json!({"id": second_id}));
    drop(first);
    assert_eq!(second.hear().await["data"]["authData"]["name"], "Ada");
}

#[tokio::test]
async fn what_was_sent_before_the_token_was_looked_at_is_handled_in_order() {
    let server = start().await;
    let (mut client, id) = join(&server).await;
    client.say(json!({"type": "subscribe", "room": "a", "callback": 0})).await;
    client.say(json!({"type": "authenticate", "token": token(&id, &everything()), "callback": 1})).await;
    for callback in 2..40 {
        let room = format!("room {}", callback % 20);
        client.say(json!({"type": "subscribe", "room": room, "callback": callback})).await;
    }
    client.publish("room 2", json!("last")).await;
    assert_eq!(client.hear().await, json!({"callback": 0, "error": "Unauthorized"}));
    for callback in 1..40 {
        assert_eq!(client.hear().await, json!({"callback": callback}));
    }
    assert_eq!(client.hear().await["message"], "last");
}

#[tokio::test]
async fn permissions_are_those_of_the_rules_that_match() {
    let server = start().await;
    let (mut speaker, _) = join_with(&server, json!({"^news$": {"publish": true}})).await;
    let rules = json!({"^news$": {"subscribe": true, "history": 2}, "^(?!news)": {"subscribe": true, "publish": true}});
    let (mut listener, _) = join_with(&server, rules).await;
    let subscribe = |room| json!({"type": "subscribe", "room": room, "history_count": 100});
    assert_eq!(error(&mut speaker, subscribe("news")).await, "Unauthorized");
    assert_eq!(
        error(&mut speaker, json!({"type": "publish", "room": "other", "message": 1})).await,
        "Unauthorized"
    );
    for number in 0..5 {
        let spoken = speaker.ask(json!({"type": "publish", "room": "news", "message": number})).await;
        assert_eq!(spoken, json!({}));
    }
    assert_eq!(listener.ask(subscribe("news")).await, json!({}));
    for (index, message) in [3, 4].into_iter().enumerate() {
        let past = listener.hear().await;
        assert_eq!((&past["index"], &past["message"]), (&json!(index), &json!(message)));
    }
    assert_eq!(
        error(&mut listener, json!({"type": "publish", "room": "news", "message": 1})).await,
        "Unauthorized"
    );
    listener.publish("other", json!("unheard")).await;
    assert_eq!(listener.ask(subscribe("other")).await, json!({}));
    assert!(listener.hear_all().await.is_empty(), "no number, no history");
}

#[tokio::test]
async fn a_token_may_follow_another_and_takes_its_place() {
    let server = start().await;
    let (mut client, id) = join_with(&server, everything()).await;
    client.subscribe("a").await;
    assert_eq!(show(&mut client, &token(&id, &json!({"^b$": {"publish": true}}))).await, json!({}));
    assert_eq!(error(&mut client, json!({"type": "subscribe", "room": "a"})).await, "Unauthorized");
    assert_eq!(show(&mut client, "a.b.c").await["error"], "JWT is not valid");
    client.publish("b", json!(1)).await;
    server.signaling.with(|state, _| state.hub.handle_post(LOCKED, &["a"], &(*b"2").into())).unwrap();
    assert_eq!(client.hear().await["message"], 2, "where it is, it stays");
}

#[tokio::test]
async fn a_token_that_has_expired_ends_what_may_be_asked_for_and_nothing_else() {
    let server = start().await;
    let (mut client, id) = join(&server).await;
    let mut claims = claims(LOCKED, &id, &everything());
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(1);
    claims["exp"] = json!(soon.as_secs_f64());
    let short = sign(&ChannelSecret::new(SECRET), &claims.to_string());
    assert_eq!(show(&mut client, &short).await, json!({}));
    client.subscribe(ROOM).await;
    while client.ask(json!({"type": "unsubscribe", "room": "other"})).await == json!({})
        && client.ask(json!({"type": "ice_servers"})).await["error"].is_null()
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for attempt in ["subscribe", "publish", "peek", "ice_servers"] {
        let attempt = json!({"type": attempt, "room": ROOM, "message": 1});
        assert_eq!(error(&mut client, attempt.clone()).await, "JWT has expired", "{attempt}");
    }
    assert_eq!(show(&mut client, &short).await["error"], "JWT has expired");
    server.signaling.with(|state, _| state.hub.handle_post(LOCKED, &[ROOM], &(*b"2").into())).unwrap();
    assert_eq!(client.hear().await["message"], 2, "where it is, it stays");
    assert_eq!(show(&mut client, &token(&id, &everything())).await, json!({}));
    assert_eq!(client.ask(json!({"type": "peek", "room": ROOM})).await, json!({"count": 1}));
}

#[tokio::test]
async fn tokens_are_not_guessed_without_end() {
    let server = start().await;
    let (mut client, _) = join(&server).await;
    let mut answers = Vec::new();
    for _ in 0..11 {
        answers.push(show(&mut client, "a.b.c").await["error"].clone());
    }
    assert_eq!(answers.last(), Some(&json!("Too many requests")));
}

#[tokio::test]
async fn a_channel_that_requires_no_token_takes_one_for_what_it_says() {
    let mut open = requiring(LOCKED, &[SECRET]);
    open.hub.require_auth = false;
    let channels = Channels::new([open], false);
    let server = Server::start_with(SignalingOptions { channels, ..options() }).await;
    let mut client = server.connect().await;
    let id = client.shake_hands(LOCKED).await;
    let mut claims = claims(LOCKED, &id, &json!({}));
    claims["data"] = json!("verified");
    let token = sign(&ChannelSecret::new(SECRET), &claims.to_string());
    assert_eq!(show(&mut client, &token).await, json!({}));
    assert_eq!(client.subscribe(ROOM).await, [json!({"id": id, "authData": "verified"})]);
}

#[tokio::test]
async fn channels_and_secrets_change_and_nobody_is_dropped() {
    let server = start().await;
    let (mut before, before_id) = join_with(&server, everything()).await;
    before.subscribe(ROOM).await;
    let (mut stranger, stranger_id) = join(&server).await;
    let secrets = ["a secret that is new", "another new secret"];
    server.signaling.set_channels(Channels::new([requiring(LOCKED, &secrets)], false)).unwrap();
    let old = token(&stranger_id, &everything());
    assert_eq!(show(&mut stranger, &old).await["error"], "JWT signature does not match");
    for secret in secrets {
        let new = claims(LOCKED, &stranger_id, &everything()).to_string();
        assert_eq!(show(&mut stranger, &sign(&ChannelSecret::new(secret), &new)).await, json!({}));
    }
    stranger.subscribe(ROOM).await;
    assert_eq!(before.hear().await["data"]["id"], stranger_id.as_str());
    let gone = server.connect().await.ask(json!({"type": "handshake", "channel": OTHER})).await;
    assert_eq!(gone["error"], "Channel not found");
    server.signaling.set_channels(Channels::new([], false)).unwrap();
    before.publish(ROOM, json!("still here")).await;
    assert_eq!(stranger.hear().await["client_id"], before_id.as_str());
    assert_eq!(show(&mut stranger, "a.b.c").await["error"], "Channel not found");
}

/// 64 rules that want to go back for ever, each in another way.
fn evil() -> Value {
    let rule = |number| (format!("((a*)*)*(?!{number})b"), json!({"subscribe": true}));
    (0..64).map(rule).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_evil_tokens_hold_up_nobody_else() {
    let server = start().await;
    let (mut honest, _) = join_with(&server, everything()).await;
    honest.subscribe(ROOM).await;
    let evil = evil();
    let mut attackers = Vec::new();
    for _ in 0..1000 {
        attackers.push(join(&server).await);
    }
    for (client, id) in &mut attackers {
        client.say(json!({"type": "authenticate", "token": token(id, &evil), "callback": 1})).await;
        client.say(json!({"type": "publish", "room": "a".repeat(256), "message": 1, "callback": 2})).await;
    }
    let mut slowest = Duration::ZERO;
    for number in 0..50 {
        let started = Instant::now();
        honest.publish(ROOM, json!(number)).await;
        assert_eq!(honest.hear().await["message"], number);
        slowest = slowest.max(started.elapsed());
    }
    assert!(slowest < Duration::from_millis(500), "a round trip took {slowest:?}");
    let started = Instant::now();
    let mut newcomer = server.connect().await;
    let id = newcomer.shake_hands(OTHER).await;
    let token = sign(&ChannelSecret::new(SECRET), &claims(OTHER, &id, &everything()).to_string());
    assert_eq!(show(&mut newcomer, &token).await, json!({}));
    newcomer.subscribe(ROOM).await;
    assert!(started.elapsed() < Duration::from_secs(1), "joining elsewhere took {:?}", started.elapsed());
    let accepted = server.signaling.counters().authenticated;
    assert!(accepted < 1000, "the attack was over before it could hold up anybody: {accepted}");
    assert_eq!(attackers[0].0.hear().await, json!({"callback": 1}));
    assert_eq!(attackers[0].0.hear().await, json!({"callback": 2, "error": "Unauthorized"}));
}
