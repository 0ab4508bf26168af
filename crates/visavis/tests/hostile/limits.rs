//! More than one connection or one address may ask for.

use serde_json::json;

use crate::{
    client::{Call, Client},
    program::Program,
    raw::{CLOSE, Raw, TEXT, frame},
};

const EXCEEDED: &[u8] = b"\x03\xF0Rate limit exceeded";

fn end_of(raw: &mut Raw) -> Option<(u8, Vec<u8>)> {
    std::iter::from_fn(|| raw.receive()).find(|(first, _)| *first == CLOSE)
}

#[test]
fn who_says_too_much_is_told_so_for_good() {
    let program = Program::start(&["--limit", "messages=1"]);
    let mut raw = Raw::join(program.addr("http"));
    let pong = frame(TEXT, br#"{"type":"pong"}"#);
    raw.send(&pong.repeat(20));
    assert_eq!(end_of(&mut raw), Some((CLOSE, EXCEEDED.to_vec())));
    Raw::join(program.addr("http"));
}

#[test]
fn who_sends_too_many_bytes_is_told_so_for_good() {
    let program = Program::start(&["--limit", "bytes=1000"]);
    let mut raw = Raw::join(program.addr("http"));
    raw.send(&frame(TEXT, &[b' '; 12_000]));
    assert_eq!(end_of(&mut raw), Some((CLOSE, EXCEEDED.to_vec())));
}

#[test]
fn who_enters_too_many_rooms_is_refused_the_next() {
    let program = Program::start(&["--limit", "subscriptions=2"]);
    let mut client = Client::join(program.addr("http"), "visavis");
    client.subscribe("one", 0);
    client.subscribe("two", 0);
    client.say(&json!({"type": "subscribe", "room": "three", "callback": 9}));
    assert_eq!(client.hear(), json!({"callback": 9, "error": "Too many rooms"}));
}

#[test]
fn who_opens_too_many_websockets_is_asked_to_wait() {
    let program = Program::start(&["--limit", "new-websockets=1"]);
    let heads: Vec<String> = (0..14).map(|_| Raw::ask(program.addr("http")).1).collect();
    let refused = heads.iter().find(|head| head.starts_with("HTTP/1.1 429")).expect("one is refused");
    assert!(refused.contains("retry-after: 1"), "{refused}");
    assert!(heads[0].starts_with("HTTP/1.1 101"), "{}", heads[0]);
}

#[test]
fn who_calls_too_often_is_refused_in_json() {
    let program = Program::start(&["--limit", "requests=1", "--channel", "app"]);
    let call = || Call::post("/app/room/publish", "hello").send(program.addr("http"));
    let answers: Vec<_> = (0..14).map(|_| call()).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).expect("one is refused");
    assert_eq!(refused.body, r#"{"message":"Too many requests"}"#);
    assert_eq!(answers[0].status, 200);
}

#[test]
fn limits_off_lifts_every_rate() {
    let program =
        Program::start(&["--limits", "off", "--limit", "messages=1", "--limit", "new-websockets=1"]);
    for _ in 0..14 {
        let mut client = Client::join(program.addr("http"), "visavis");
        (0..20).for_each(|_| client.say(&json!({"type": "pong"})));
        client.subscribe("on", 0);
    }
}
