//! Other people's TURN clients against our relay, over real sockets.

mod foreign;
mod link;
mod proto;
mod relay;
mod rtc;

use std::time::Duration;

use visavis_turn::wire::Method;

use crate::{
    foreign::{Credential, Data, Foreign},
    link::{Over, Passed},
    proto::Proto,
    relay::{Loopback, next, peer},
    rtc::Rtc,
};

/// Through an allocation's whole life.
fn lives(relay: &Loopback, mut client: impl Foreign, sha256: bool) {
    let (peer, at) = peer();
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
    // Five bytes, so that a stream needs padding.
    for payload in [&b"seven"[..], b"", &[7; 1200]] {
        client.send(at, payload);
        assert_eq!(client.link().passed.last(), Some(&Passed::ChannelData));
        assert_eq!(next(&peer), (payload.to_vec(), relayed));
        peer.send_to(payload, relayed).unwrap();
        assert_eq!(client.receive(), Data { peer: at, payload: payload.to_vec() });
        assert_eq!(client.link().passed.last(), Some(&Passed::ChannelData));
    }

    // By the client's clock the allocation is about to end.
    client.pass(Duration::from_secs(290));
    client.wait("a refreshed permission", &|link| link.granted(Method::CREATE_PERMISSION) >= 2);
    client.pass(Duration::from_secs(270));
    client.wait("a refreshed allocation", &|link| link.granted(Method::REFRESH) >= 1);
    client.send(at, b"refreshed");
    assert_eq!(next(&peer), (b"refreshed".to_vec(), relayed));

    relay.wait_for("one allocation", |stats| stats.turn.allocations == 1);
    let before = client.link().granted(Method::REFRESH);
    client.delete();
    client.wait("an answer to the end", &|link| link.granted(Method::REFRESH) > before);
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
