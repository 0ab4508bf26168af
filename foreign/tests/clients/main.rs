//! Other people's TURN clients against our relay, over real sockets.
#![allow(clippy::unwrap_used)]

mod foreign;
mod link;
#[path = "../../../crates/relay/tests/relay/peer.rs"]
mod peer;
mod proto;
mod relay;
mod rtc;

use std::time::Duration;

use visavis_turn::wire::Method;

use crate::{
    foreign::{Credential, Data, Foreign},
    link::{Over, Passed},
    peer::{next, peer},
    proto::Proto,
    relay::Loopback,
    rtc::Rtc,
};

/// Through an allocation's whole life.
fn lives(relay: &Loopback, mut client: impl Foreign, sha256: bool) {
    let (peer, at) = peer(false);
    let relayed = client.allocate().expect("an allocation");
    client.permit(at);

    peer.send_to(b"by indication", relayed).unwrap();
    assert_eq!(client.receive(), Data { peer: at, payload: b"by indication".to_vec() });
    assert_eq!(client.link().passed.last(), Some(&Passed::Indication(Method::DATA)));
    client.send(at, b"indicated");
    assert_eq!(next(&peer), (b"indicated".to_vec(), relayed));
    assert!(client.link().passed.contains(&Passed::Indication(Method::SEND)));

    client.bind(at);
    assert!(!client.link().passed.contains(&Passed::ChannelData));
    // Five bytes are padded on a stream.
    for length in [if client.pads() { 5 } else { 4 }, 0, 1200] {
        let payload = &vec![7; length][..];
        client.send(at, payload);
        assert_eq!(client.link().passed.last(), Some(&Passed::ChannelData));
        assert_eq!(next(&peer), (payload.to_vec(), relayed));
        peer.send_to(payload, relayed).unwrap();
        assert_eq!(client.receive(), Data { peer: at, payload: payload.to_vec() });
        assert_eq!(client.link().passed.last(), Some(&Passed::ChannelData));
    }

    // By the client's clock everything would have ended.
    client.pass(Duration::from_secs(1800));
    client.send(at, b"refresh.");
    assert_eq!(next(&peer), (b"refresh.".to_vec(), relayed));
    client.until("a refreshed channel", |own| own.link().granted(Method::CHANNEL_BIND) >= 2);
    assert!(client.link().granted(Method::CREATE_PERMISSION) >= 2, "{:?}", client.link().passed);
    assert!(client.link().granted(Method::REFRESH) >= 1, "{:?}", client.link().passed);

    relay.wait_for("one allocation", |stats| stats.turn.allocations == 1);
    let before = client.link().granted(Method::REFRESH);
    client.delete();
    client.until("an answer to the end", |own| own.link().granted(Method::REFRESH) > before);
    relay.wait_for("no allocation", |stats| stats.turn.allocations == 0);

    let is_end = |passed: &Passed| {
        matches!(passed, Passed::Request { method: Method::REFRESH, lifetime: Some(0), .. })
    };
    assert!(client.link().passed.iter().any(is_end));
    let granted = |passed: &Passed| match *passed {
        Passed::Response { code: 200, sha256, .. } => Some(sha256),
        _ => None,
    };
    assert!(client.link().passed.iter().filter_map(granted).all(|signed| signed == sha256));
}

/// With a wrong password.
fn is_refused(relay: &Loopback, mut client: impl Foreign) {
    assert_eq!(client.allocate(), None);
    assert!(client.link().refused(Method::ALLOCATE, 401) >= 2, "{:?}", client.link().passed);
    assert_eq!(client.link().granted(Method::ALLOCATE), 0);
    relay.wait_for("no allocation", |stats| stats.turn.allocations == 0 && stats.turn.created == 0);
}

#[test]
fn turn_client_proto_lives_over_udp_with_md5() {
    let relay = Loopback::new();
    lives(&relay, Proto::new(&relay, Over::Udp, Credential::MD5), false);
}

#[test]
fn turn_client_proto_lives_over_udp_with_sha256() {
    let relay = Loopback::new();
    lives(&relay, Proto::new(&relay, Over::Udp, Credential::SHA256), true);
}

#[test]
fn turn_client_proto_lives_over_tcp_with_md5() {
    let relay = Loopback::new();
    lives(&relay, Proto::new(&relay, Over::Tcp, Credential::MD5), false);
}

#[test]
fn turn_client_proto_lives_over_tcp_with_sha256() {
    let relay = Loopback::new();
    lives(&relay, Proto::new(&relay, Over::Tcp, Credential::SHA256), true);
}

/// RFC 8656 section 12.5 wants padding, without which nobody knows where the next message begins. If this fails, the
/// client has learned it, and [`Foreign::pads`] may say so.
#[test]
fn turn_client_proto_does_not_pad_on_streams() {
    let relay = Loopback::new();
    let mut client = Proto::new(&relay, Over::Tcp, Credential::MD5);
    let (_, at) = peer(false);
    client.allocate().expect("an allocation");
    client.permit(at);
    client.bind(at);
    client.send(at, b"seven");
    assert_eq!(client.link().last_length, 4 + 5);
}

#[test]
fn turn_client_proto_is_refused_with_a_wrong_password() {
    for over in [Over::Udp, Over::Tcp] {
        for credential in [Credential::MD5, Credential::SHA256] {
            let relay = Loopback::new();
            is_refused(&relay, Proto::new(&relay, over, credential.wrong()));
        }
    }
}

#[test]
fn rtc_turn_lives_over_udp() {
    let relay = Loopback::new();
    lives(&relay, Rtc::new(&relay, Over::Udp, Credential::MD5), false);
}

#[test]
fn rtc_turn_lives_over_tcp() {
    let relay = Loopback::new();
    lives(&relay, Rtc::new(&relay, Over::Tcp, Credential::MD5), false);
}

#[test]
fn rtc_turn_is_refused_with_a_wrong_password() {
    for over in [Over::Udp, Over::Tcp] {
        let relay = Loopback::new();
        is_refused(&relay, Rtc::new(&relay, over, Credential::MD5.wrong()));
    }
}
