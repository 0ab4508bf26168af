//! What the server makes of frames that are not quite as the protocol says.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use visavis_signal::{
    Inbound, Malformed, Refusal,
    inbound::{Handshake, Resume},
};

fn refused(frame: &str) -> (Option<i64>, Refusal) {
    let Malformed { callback, refusal, .. } = Inbound::parse(frame).unwrap_err();
    (callback, refusal)
}

fn handshake(frame: &str) -> Handshake<'_> {
    match Inbound::parse(frame).unwrap() {
        Inbound::Handshake(handshake) => handshake,
        other => panic!("{other:?} is no handshake"),
    }
}

#[test]
fn null_client_data_is_unset_and_null_resume_is_a_wish() {
    let handshake =
        handshake(r#"{"type":"handshake","channel":"c","client_data":null,"resume":null,"callback":1}"#);
    assert!(handshake.client_data.is_none());
    assert_eq!(handshake.resume, Some(Resume::Ask));
}

#[test]
fn other_spellings_of_third_party_clients_are_read() {
    assert_eq!(
        handshake(r#"{"type":"handshake","channel":"c","data":[1]}"#).client_data.unwrap().get(),
        "[1]"
    );
    let Ok(Inbound::Authenticate(message)) = Inbound::parse(r#"{"type":"authenticate","jwt":"a.b.c"}"#)
    else {
        panic!("not read");
    };
    assert_eq!(message.token, "a.b.c");
    let Ok(Inbound::Subscribe(message)) = Inbound::parse(r#"{"type":"subscribe","room":"r","history":7}"#)
    else {
        panic!("not read");
    };
    assert_eq!(message.history_count, Some(7));
}

#[test]
fn a_message_keeps_its_bytes() {
    let frame = r#" {"message" : {"b":1.0, "a":1e2,"\u0061":"\ud800"} ,"room":"r\u00e4","type":"publish"}"#;
    let Ok(Inbound::Publish(message)) = Inbound::parse(frame) else { panic!("not read") };
    assert_eq!(message.message.get(), r#"{"b":1.0, "a":1e2,"\u0061":"\ud800"}"#);
    assert_eq!(message.room, "rä");
}

#[test]
fn a_malformed_frame_is_refused_to_the_callback_it_names() {
    let cases = [
        ("", None, Refusal::NotJson),
        ("hello", None, Refusal::NotJson),
        ("[]", None, Refusal::NotAnObject),
        ("7", None, Refusal::NotAnObject),
        ("{}", None, Refusal::UnknownType),
        (r#"{"type":7,"callback":3}"#, Some(3), Refusal::UnknownType),
        (r#"{"type":"dance","callback":0}"#, Some(0), Refusal::UnknownType),
        (r#"{"type":"subscribe","callback":3}"#, Some(3), Refusal::BadField),
        (r#"{"type":"subscribe","room":5,"callback":3}"#, Some(3), Refusal::BadField),
        (r#"{"type":"subscribe","room":"\ud800","callback":3}"#, Some(3), Refusal::BadField),
        (r#"{"type":"publish","room":"r"}"#, None, Refusal::BadField),
        (r#"{"type":"handshake","channel":"c","resume":5,"callback":1}"#, Some(1), Refusal::BadField),
        (r#"{"type":"peek","room":"a","room":"b","callback":9}"#, Some(9), Refusal::BadField),
        (r#"{"callback":12,"type":"subscribe","room":"#, Some(12), Refusal::NotJson),
        (r#"{"type":"subscribe", "callback" : -4 "room"}"#, Some(-4), Refusal::NotJson),
        (r#"{"message":{"callback":1},"x":"callback""#, None, Refusal::NotJson),
        (r#"{"message":"\"callback\":1",,"callback":2}"#, Some(2), Refusal::NotJson),
        (r#"{"type":"subscribe","callback":7}"#, Some(7), Refusal::BadField),
    ];
    for (frame, callback, refusal) in cases {
        assert_eq!(refused(frame), (callback, refusal), "{frame}");
    }
}

#[test]
fn a_callback_that_no_reply_can_carry_is_refused() {
    for callback in ["1.0", "\"1\"", "1e0", "true", "[1]", "{}", "9223372036854775808"] {
        for rest in [r#""type":"subscribe","room":"r""#, r#""type":"handshake","channel":"c""#] {
            let frame = format!("{{{rest},\"callback\":{callback}}}");
            assert_eq!(refused(&frame), (None, Refusal::BadCallback), "{frame}");
        }
    }
    let unset = Inbound::parse(r#"{"type":"subscribe","room":"r","callback":null}"#).unwrap();
    assert_eq!(unset.callback(), None, "null is unset");
}

#[test]
fn a_malformed_handshake_is_known_as_one() {
    let is_handshake = |frame| Inbound::parse(frame).unwrap_err().handshake;
    assert!(is_handshake(r#"{"type":"handshake","callback":1}"#));
    assert!(is_handshake(r#"{"type":"handshake","channel":"c","callback":"1"}"#));
    assert!(!is_handshake(r#"{"type":"subscribe","callback":1}"#));
}

#[test]
fn a_devices_secret_is_one_that_nobody_guesses_and_no_log_shows() {
    let frame = |secret: &str| format!(r#"{{"type":"handshake","channel":"c","device_secret":{secret}}}"#);
    let secret = "s3cret-of-a-device";
    let sound = frame(&format!("{secret:?}"));
    let read = handshake(&sound);
    assert_eq!(read.device_secret.as_deref(), Some(secret));
    assert!(!format!("{read:?}").contains(secret));
    let long = format!("{:?}", "x".repeat(129));
    for secret in ["null", "7", r#""""#, r#""fifteen bytes..""#, &long] {
        assert_eq!(refused(&frame(secret)), (None, Refusal::BadField), "{secret}");
    }
}

fn valid() -> impl Strategy<Value = String> {
    let lines: Vec<_> = include_str!("golden/inbound.jsonl").lines().map(str::to_owned).collect();
    prop::sample::select(lines)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn garbage_never_panics(frame in any::<String>()) {
        let _ = Inbound::parse(&frame);
    }

    #[test]
    fn json_like_garbage_never_panics(frame in r#"[{}\[\]",:\\a0-9 ]{0,60}|\{"callback":.{0,20}"#) {
        let _ = Inbound::parse(&frame);
    }

    #[test]
    fn a_truncated_message_is_refused(frame in valid(), cut in 0.0..1.0) {
        let end = (frame.len() as f64 * cut) as usize;
        prop_assert!(Inbound::parse(&frame[..end]).is_err());
    }

    #[test]
    fn the_callback_is_found_before_whatever_breaks_the_frame(callback in any::<i64>(), rest in any::<String>()) {
        let frame = format!("{{\"callback\":{callback} ,\u{0}{rest}");
        prop_assert_eq!(refused(&frame), (Some(callback), Refusal::NotJson));
    }

    #[test]
    fn a_mutated_message_never_panics(frame in valid(), at in 0.0..1.0, byte in any::<u8>()) {
        let mut bytes = frame.into_bytes();
        let index = (bytes.len() as f64 * at) as usize;
        bytes[index] = byte;
        if let Ok(frame) = String::from_utf8(bytes) {
            let _ = Inbound::parse(&frame);
        }
    }
}
