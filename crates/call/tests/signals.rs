//! Signals that are late, lost, doubled or nonsense.
#![allow(clippy::unwrap_used)]

mod sim;

use serde_json::{Value, json};
use sim::{World, server::device};
use visavis_call::Phase;

fn call(seed: u64) -> (World, usize, usize, [String; 2]) {
    let mut world = World::new(seed);
    let anna = world.join("anna");
    world.run_until(1000, |world| world.phase(anna) == Phase::Waiting);
    let bert = world.join("bert");
    world.run_until(3000, |world| world.in_call(&[anna, bert]));
    let ids = [world.remotes(bert)[0].member.clone(), world.remotes(anna)[0].member.clone()];
    (world, anna, bert, ids)
}

fn offer() -> Value {
    json!({"type": "offer", "sdp": "v=0\r\na=ice-ufrag:evil\r\na=fingerprint:999\r\nm=audio\r\n"})
}

#[test]
fn stale_and_strange_signals_change_nothing() {
    let (mut world, anna, bert, [anna_id, bert_id]) = call(1);
    let session = world.session(bert);
    let signals = [
        json!({"sdp": offer()}),
        json!({"sdp": offer(), "to": anna_id}),
        json!({"sdp": offer(), "to": "b58:other", "session": session, "generation": 900}),
        json!({"sdp": offer(), "to": anna_id, "session": session, "for": "another", "generation": 900}),
        json!({"sdp": offer(), "to": anna_id, "session": session, "generation": 0}),
        json!({"sdp": offer(), "session": session, "generation": 900}),
        json!({"sdp": {"type": "answer", "sdp": "v=0"}, "to": anna_id, "session": session, "generation": 2}),
        json!({"sdp": {"type": "answer", "sdp": "v=0"}, "to": anna_id, "session": "another", "generation": 2}),
        json!({"candidate": {"candidate": "candidate:1 host", "usernameFragment": "gone"}, "to": anna_id, "session": session, "generation": 3}),
        json!({"candidate": null, "to": anna_id, "session": session, "generation": 3}),
        json!({"bye": true, "session": "another"}),
        json!({"bye": true, "to": "b58:other", "session": session}),
        json!({"state": {"name": 5}, "session": session}),
        json!({"sdp": 5}),
        json!({"candidate": []}),
        json!({"chat": "hello"}),
        json!("text"),
        json!(null),
        json!([[[[]]]]),
    ];
    for signal in signals {
        world.server.inject(&bert_id, &signal);
        world.run_for(100);
        assert!(world.in_call(&[anna, bert]), "{signal}");
    }
    world.run_for(5000);
    assert!(world.in_call(&[anna, bert]));
    assert_eq!(world.pages[anna].connects.len(), 1);
    world.assert_paired(&[anna, bert]);
}

#[test]
fn signals_of_nobody_and_of_oneself_are_ignored() {
    let (mut world, anna, bert, [anna_id, _]) = call(2);
    for from in ["b58:nobody", anna_id.as_str()] {
        let session = world.session(bert);
        world.server.inject(from, &json!({"bye": true, "session": session}));
        world
            .server
            .inject(from, &json!({"sdp": offer(), "to": anna_id, "session": session, "generation": 901}));
    }
    world.run_for(1000);
    assert!(world.in_call(&[anna, bert]));
}

#[test]
fn frames_that_are_nonsense_are_reported_and_not_fatal() {
    let (mut world, anna, bert, _) = call(3);
    let frames = [
        "",
        "{",
        "null",
        "[]",
        "5",
        "{}",
        r#"{"type":"publish"}"#,
        r#"{"type":"observable_members","room":"observable-room"}"#,
        r#"{"type":"observable_members","room":"observable-other","data":[]}"#,
        r#"{"type":"tomorrow"}"#,
        r#"{"callback":999999,"error":"x"}"#,
        r#"{"callback":-1}"#,
        r#"{"error":"Unauthorized"}"#,
        r#"{"type":"publish","room":"observable-other","message":{"bye":true},"client_id":"x","id":"1","timestamp":1}"#,
    ];
    let before = world.pages[anna].reports.len();
    for frame in frames {
        world.with(anna, |call, now| call.handle_link_frame(now, frame));
    }
    world.run_for(1000);
    assert!(world.in_call(&[anna, bert]));
    assert!(world.pages[anna].reports.len() > before);
    assert!(world.pages[anna].reports.iter().all(|line| !line.contains("Unauthorized")));
}

#[test]
fn an_offer_that_a_remote_makes_up_does_not_take_the_call_away() {
    let (mut world, anna, bert, [anna_id, bert_id]) = call(4);
    let session = world.session(bert);
    // Of the right session even: it may cost a second connection, not the first.
    let generation = 900 + u32::from(world.is_odd(bert, anna));
    world.server.inject(
        &bert_id,
        &json!({"sdp": offer(), "to": anna_id, "session": session, "generation": generation}),
    );
    for _ in 0..30 {
        world.run_for(1000);
        assert!(world.in_call(&[anna, bert]));
    }
    assert_eq!(world.live_peers(anna), 1);
}

#[test]
fn a_flood_of_candidates_and_members_stays_bounded() {
    let (mut world, anna, bert, [anna_id, bert_id]) = call(5);
    let session = world.session(bert);
    for nth in 0..2000 {
        let candidate = json!({"candidate": format!("candidate:{nth} host"), "usernameFragment": "gone"});
        let signal = json!({"candidate": candidate, "to": anna_id, "session": session, "generation": 3});
        world.server.inject(&bert_id, &signal);
        let member =
            json!({"id": format!("b58:x{nth}"), "clientData": {"visavis": 1}, "device": format!("d{nth}")});
        let frame = json!({"type": "observable_member_join", "room": "observable-room", "data": member});
        world.with(anna, |call, now| call.handle_link_frame(now, &frame.to_string()));
    }
    world.run_for(1000);
    assert!(world.remotes(anna).len() <= 3);
    assert_eq!(world.phase(bert), Phase::InCall);
}

#[test]
fn nobody_is_another_device_by_saying_so() {
    for victim in [0, 1] {
        let (mut world, anna, bert, _) = call(6);
        let name = device(&world.pages[[anna, bert][victim]].device);
        let said = json!({"visavis": 1, "device": name, "device_secret": name});
        let liar = json!({"id": "b58:liar", "clientData": said});
        for member in [liar.clone(), json!({"id": "b58:liar", "clientData": said, "device": "of a liar"})] {
            let frame = json!({"type": "observable_member_join", "room": "observable-room", "data": member});
            for page in [anna, bert] {
                world.with(page, |call, now| call.handle_link_frame(now, &frame.to_string()));
            }
            world.run_for(5000);
            assert_eq!((world.phase(anna), world.phase(bert)), (Phase::InCall, Phase::InCall), "{member}");
            let shown = |page| world.remotes(page).iter().filter(|one| one.member != "b58:liar").count();
            assert_eq!((shown(anna), shown(bert)), (1, 1), "{member}");
        }
    }
}
