//! Long-term and time-limited credentials (RFC 8489 section 9.2), and the nonce.

use visavis_turn::{
    Transport,
    wire::{Method, attribute},
};

use crate::harness::{Client, Got, NAME, REALM, SECRET, UDP, UNIX_START, World, seconds};

#[test]
fn a_stranger_is_told_realm_and_nonce_and_nothing_else() {
    let mut alice = Client::new(1);
    let response = alice.challenge(&mut World::default());
    assert_eq!(response.get(attribute::REALM), Some(REALM.as_bytes()));
    let kinds: Vec<u16> = response.message().attributes().map(|attribute| attribute.kind).collect();
    let expected =
        [attribute::ERROR_CODE, attribute::REALM, attribute::NONCE, attribute::PASSWORD_ALGORITHMS];
    assert_eq!(kinds, expected);
}

#[test]
fn every_method_but_binding_wants_credentials() {
    let mut alice = Client::new(1);
    for method in [Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND] {
        let packet = alice.bare(method, |_| {});
        assert_eq!(World::default().send(alice.tuple, &packet).reply().code(), 401);
    }
}

#[test]
fn integrity_without_the_rest_is_a_bad_request() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    for missing in [attribute::USERNAME, attribute::REALM, attribute::NONCE] {
        let (nonce, key) = (alice.nonce.clone(), alice.key());
        let packet = alice.bare(Method::ALLOCATE, |writer| {
            for (kind, value) in [
                (attribute::USERNAME, NAME.as_bytes()),
                (attribute::REALM, REALM.as_bytes()),
                (attribute::NONCE, &nonce),
            ] {
                if kind != missing {
                    writer.attribute(kind, value);
                }
            }
            writer.integrity(&key);
        });
        assert_eq!(world.send(alice.tuple, &packet).reply().code(), 400);
    }
}

#[test]
fn a_wrong_password_or_name_is_challenged_again() {
    for (name, password) in
        [(NAME, "wrong"), ("nobody", "x"), ("", ""), ("1700000600", "x"), ("1700000600:m", "x")]
    {
        let mut alice = Client::new(1).named(name, password);
        let mut world = World::default();
        let response = alice.ask_allocate(&mut world, |_| {});
        assert_eq!(response.code(), 401);
        assert!(response.get(attribute::NONCE).is_some());
        assert_eq!(world.server.counters().allocations, 0);
    }
}

#[test]
fn a_name_longer_than_the_rfc_allows_is_not_looked_up() {
    let name = format!("{}:{}", UNIX_START + 600, "n".repeat(600));
    let mut alice = Client::new(1).named(&name, "x");
    assert_eq!(alice.ask_allocate(&mut World::default(), |_| {}).code(), 401);
}

#[test]
fn a_nonce_just_issued_holds_and_a_stale_one_is_replaced() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.allocate(&mut world);
    world.pass(seconds(599));
    assert_eq!(alice.refresh(&mut world, 600).code(), 0);
    world.pass(seconds(1));
    let response = alice.refresh(&mut world, 600);
    assert_eq!(response.code(), 438);
    alice.nonce = response.get(attribute::NONCE).unwrap().to_vec();
    assert_eq!(alice.refresh(&mut world, 600).code(), 0);
}

#[test]
fn a_nonce_is_worth_nothing_to_others() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let others = [Client::new(2), Client::new(1).port(40_001)];
    for mut other in others {
        other.nonce = alice.nonce.clone();
        assert_eq!(other.ask(&mut world, Method::ALLOCATE, |_| {}).code(), 438);
    }
}

#[test]
fn a_nonce_that_was_not_made_here_is_stale() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let good = alice.nonce.clone();
    let mut flipped = good.clone();
    flipped[27] ^= 1;
    let ours = [b"obMatJos2gAAA", &[0xff; 15][..]].concat();
    let short = &good[..27];
    for nonce in [&b""[..], b"x", b"obMatJos2gAAA", b"AAAAAAAAAAAAAAAAAAAAAAAAAAAA", &ours, short, &flipped] {
        alice.nonce = nonce.to_vec();
        assert_eq!(alice.ask(&mut world, Method::ALLOCATE, |_| {}).code(), 438);
    }
}

#[test]
fn any_shard_honours_the_nonce_of_another() {
    let mut alice = Client::new(1);
    alice.challenge(&mut World::default());
    let mut other_shard = World::with(|config| config.ports.shard = 0);
    let response = alice.ask(&mut other_shard, Method::ALLOCATE, |writer| {
        writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
    });
    assert_eq!(response.code(), 0);
}

#[test]
fn a_time_limited_credential_opens_allocations_until_it_ends() {
    let mut world = World::default();
    Client::new(1).until(600).allocate(&mut world);
    world.pass(seconds(599));
    let mut alice = Client::new(2).until(600);
    alice.allocate(&mut world);
    world.pass(seconds(1));
    let mut late = Client::new(3).until(600);
    assert_eq!(late.ask_allocate(&mut world, |_| {}).code(), 401);
    // What lives goes on: a browser cannot change the name of a live allocation.
    assert_eq!(alice.refresh(&mut world, 600).code(), 0);
    assert_eq!(alice.permit(&mut world, &["8.8.8.8:1"]), 0);
}

#[test]
fn a_secret_being_replaced_still_counts() {
    let (name, password) = visavis_turn::time_limited_credential(
        &visavis_turn::Secret::new("old north"),
        UNIX_START + 600,
        "m:x",
    );
    Client::new(1).named(&name, &password).allocate(&mut World::default());
}

/// As `openssl dgst -sha1 -hmac north -binary | base64` makes it.
#[test]
fn the_name_of_a_time_limited_credential_may_be_its_end_alone() {
    Client::new(1).named("1700000600", "pL3AD+pdSi0Td8xk/uSD7cXdsYc=").allocate(&mut World::default());
}

#[test]
fn a_credential_of_a_wrong_form_is_refused() {
    for name in ["m:1700000600", ":x", "+1700000600:x", "17000006000000000000000:x", "abc"] {
        let mut alice = Client::new(1).named(name, SECRET);
        assert_eq!(alice.ask_allocate(&mut World::default(), |_| {}).code(), 401);
    }
}

#[test]
fn what_stands_behind_the_integrity_is_ignored() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let (nonce, key) = (alice.nonce.clone(), alice.key());
    let packet = alice.bare(Method::ALLOCATE, |writer| {
        writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
        writer.attribute(attribute::USERNAME, NAME.as_bytes());
        writer.attribute(attribute::REALM, REALM.as_bytes());
        writer.attribute(attribute::NONCE, &nonce);
        writer.integrity(&key);
        writer.number(attribute::LIFETIME, 3000);
        writer.attribute(0x7ff0, b"must be known");
    });
    let response = world.send(alice.tuple, &packet).reply();
    assert_eq!((response.code(), response.lifetime()), (0, 600));
}

#[test]
fn what_stands_only_behind_the_integrity_is_missing() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let (nonce, key) = (alice.nonce.clone(), alice.key());
    let packet = alice.bare(Method::ALLOCATE, |writer| {
        writer.attribute(attribute::USERNAME, NAME.as_bytes());
        writer.attribute(attribute::REALM, REALM.as_bytes());
        writer.attribute(attribute::NONCE, &nonce);
        writer.integrity(&key);
        writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
    });
    assert_eq!(world.send(alice.tuple, &packet).reply().code(), 400);
}

#[test]
fn of_attributes_of_one_type_the_first_counts() {
    let mut alice = Client::new(1);
    let response = alice.ask_allocate(&mut World::default(), |writer| {
        writer.number(attribute::LIFETIME, 900).number(attribute::LIFETIME, 1800);
    });
    assert_eq!(response.lifetime(), 900);
}

#[test]
fn an_attribute_that_must_be_known_is_refused_in_signed_words() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    let response = alice.ask_allocate(&mut world, |writer| {
        writer.attribute(0x7ff0, b"").attribute(0xc001, b"may be unknown");
    });
    assert_eq!(response.code(), 420);
    assert_eq!(response.get(attribute::UNKNOWN_ATTRIBUTES), Some(&[0x7f, 0xf0][..]));
}

#[test]
fn a_changed_byte_breaks_the_integrity() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let mut packet = alice.request(Method::ALLOCATE, |writer| {
        writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
    });
    packet[25] ^= 1;
    assert_eq!(world.send(alice.tuple, &packet).reply().code(), 401);
}

#[test]
fn answers_to_firefox_have_a_fingerprint_and_its_allocate_works() {
    let mut world = World::default();
    let mut firefox = Client::at("192.0.2.1:40000", Transport::Udp);
    firefox.fingerprint = true;
    let response = firefox.ask_allocate(&mut world, |writer| {
        writer.number(attribute::LIFETIME, 3600);
    });
    assert_eq!((response.code(), response.lifetime()), (0, 3600));
    assert_eq!(response.message().fingerprint_holds(), Some(true));
    assert!(matches!(firefox.send(&mut world, "8.8.8.8:1", b"x"), Got::Nothing));
    assert_eq!(firefox.permit(&mut world, &["8.8.8.8:1"]), 0);
    assert!(matches!(firefox.send(&mut world, "8.8.8.8:1", b"x"), Got::ToPeer { .. }));
}
