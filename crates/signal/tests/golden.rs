//! Every message, as it is on the wire: one per line in `golden/`, read and written again without a change.

#![allow(clippy::unwrap_used)]

use serde_json::from_str;
use visavis_signal::{Inbound, Outbound, call::Envelope};

#[test]
fn what_clients_say_is_read_and_written_as_it_is() {
    for line in include_str!("golden/inbound.jsonl").lines() {
        assert_eq!(Inbound::parse(line).unwrap().to_json(), line);
        assert_eq!(from_str::<Inbound<'_>>(line).unwrap().to_json(), line);
    }
}

#[test]
fn what_the_server_says_is_read_and_written_as_it_is() {
    for line in include_str!("golden/outbound.jsonl").lines() {
        assert_eq!(Outbound::parse(line).unwrap().to_json(), line);
        assert_eq!(from_str::<Outbound<'_>>(line).unwrap().to_json(), line);
    }
}

#[test]
fn what_pages_say_to_each_other_is_read_and_written_as_it_is() {
    for line in include_str!("golden/call.jsonl").lines() {
        assert_eq!(Envelope::parse(line).unwrap().to_json(), line);
    }
}
