//! What a page makes of frames and room messages that are not quite as the protocol says.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use visavis_signal::{
    IceServer, Outbound, RawValue, Refusal, Reply,
    call::{Body, Envelope},
    outbound::{HistoryMessage, Published, Spoken},
};

#[test]
fn a_message_of_an_unknown_type_is_no_message() {
    assert!(Outbound::parse(r#"{"type":"parade","room":"r"}"#).is_err());
}

#[test]
fn unknown_fields_are_ignored() {
    let Ok(Outbound::Reply(reply)) = Outbound::parse(r#"{"callback":1,"weather":"fine"}"#) else {
        panic!("not read");
    };
    assert_eq!(reply.callback, Some(1));
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let server =
        IceServer { urls: Vec::new(), username: Some("u".into()), credential: Some("hunter2".into()) };
    let reply = Reply { resume: Some("token7".into()), ice_servers: Some(vec![server]), ..Reply::default() };
    let shown = format!("{reply:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("token7"), "{shown}");
}

#[test]
fn the_text_that_clients_compare_is_verbatim() {
    assert_eq!(Refusal::Unauthorized.text(), "Unauthorized");
}

#[test]
fn a_close_that_must_end_a_client_for_good_says_exceeded() {
    assert!(Refusal::RateExceeded.text().contains("exceeded"));
}

#[test]
fn a_null_candidate_is_the_end_of_candidates() {
    for message in [r#"{"candidate":null}"#, r#"{"candidate":{"candidate":""}}"#] {
        let Body::Candidate(candidate) = Envelope::parse(message).unwrap().body else {
            panic!("no candidate")
        };
        assert!(candidate.is_end());
    }
}

#[test]
fn what_a_browser_makes_of_a_candidate_is_read() {
    let message = r#"{"candidate":{"candidate":"candidate:1","sdpMid":null,"sdpMLineIndex":0,"usernameFragment":null}}"#;
    let Body::Candidate(candidate) = Envelope::parse(message).unwrap().body else { panic!("no candidate") };
    assert_eq!((candidate.sdp_mid, candidate.sdp_m_line_index), (None, Some(0)));
}

#[test]
fn a_room_message_that_is_no_signal_is_none() {
    for message in ["{}", "7", r#""hello""#, r#"{"bye":false}"#, r#"{"chat":"hello"}"#, r#"{"sdp":"v=0"}"#] {
        assert!(Envelope::parse(message).is_err(), "{message}");
    }
}

proptest! {
    #[test]
    fn what_is_written_at_once_is_what_is_written_field_by_field(
        room in ".{0,20}", said in ".{0,20}", client in proptest::option::of(".{0,12}"), id in ".{0,12}",
        index: u32, timestamp: u64,
    ) {
        let message = serde_json::value::to_raw_value(&[said]).unwrap();
        let message: &RawValue = &message;
        let client_id = client.as_deref();
        let spoken =
            Spoken { room: &room, message: message.get().as_bytes(), client_id, id: &id, timestamp };
        let (room, id, client_id) = ((&*room).into(), (&*id).into(), client_id.map(Into::into));
        let mut frame = Vec::new();
        spoken.publish(&mut frame);
        let same = Outbound::Publish(Published { room, message, client_id, id, timestamp });
        prop_assert_eq!(str::from_utf8(&frame).unwrap(), same.to_json());
        let Outbound::Publish(Published { room, client_id, id, .. }) = same else { unreachable!() };
        frame.clear();
        spoken.history_message(index, &mut frame);
        let same = Outbound::HistoryMessage(HistoryMessage { room, index, id, timestamp, client_id, message });
        prop_assert_eq!(str::from_utf8(&frame).unwrap(), same.to_json());
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(frame in any::<String>()) {
        let _ = Outbound::parse(&frame);
        let _ = Envelope::parse(&frame);
    }
}
