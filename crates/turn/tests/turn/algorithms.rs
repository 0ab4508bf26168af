//! Keys made with SHA-256, and what guards them from being bid down to MD5 (RFC 8489 sections 9.2.1 and 9.2.4).

use visavis_turn::{
    Transport,
    wire::{Message, Method, Writer, attribute},
};

use crate::harness::{ALGORITHMS, Client, Got, MD5, NAME, PEER, REALM, Response, SHA256, UDP, World};

fn modern() -> Client {
    Client::new(1).with_sha256(true)
}

/// An Allocate request with what `write` adds before it is signed by `sign`.
fn signed(
    alice: &mut Client,
    write: impl FnOnce(&mut Writer<'_>),
    sign: impl FnOnce(&mut Writer<'_>),
) -> Vec<u8> {
    let nonce = alice.nonce.clone();
    alice.bare(Method::ALLOCATE, |writer| {
        writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
        writer.attribute(attribute::USERNAME, NAME.as_bytes());
        writer.attribute(attribute::REALM, REALM.as_bytes());
        writer.attribute(attribute::NONCE, &nonce);
        write(writer);
        sign(writer);
    })
}

fn kinds(response: &Response) -> Vec<u16> {
    response.message().attributes().map(|seen| seen.kind).collect()
}

#[test]
fn a_challenge_offers_sha256_first_and_its_nonce_says_so() {
    let mut alice = Client::new(1);
    let response = alice.challenge(&mut World::default());
    assert_eq!(response.get(attribute::PASSWORD_ALGORITHMS), Some(&ALGORITHMS[..]));
    // The nonce cookie, and of 24 feature bits the first: *Password algorithms*; not *Username anonymity*.
    assert!(alice.nonce.starts_with(b"obMatJos2gAAA"));
}

#[test]
fn a_challenge_stays_near_the_floor() {
    let mut alice = Client::new(1);
    let response = alice.challenge(&mut World::default());
    // Header, ERROR-CODE, REALM of eleven bytes, NONCE of 28, PASSWORD-ALGORITHMS.
    assert_eq!(response.0.len(), 20 + 8 + 16 + 32 + 12);
}

#[test]
fn every_method_works_with_sha256() {
    for name in [Client::new(1), Client::new(1).until(600), Client::at("192.0.2.1:40000", Transport::Tcp)] {
        let mut world = World::default();
        let mut alice = name.with_sha256(true);
        alice.allocate(&mut world);
        assert_eq!(alice.permit(&mut world, &[PEER]), 0);
        assert_eq!(alice.bind(&mut world, 0x4000, PEER), 0);
        assert!(matches!(alice.send(&mut world, PEER, b"x"), Got::ToPeer { .. }));
        assert_eq!(alice.permit(&mut world, &["10.0.0.1:1"]), 403, "a refusal is signed too");
        assert_eq!(alice.refresh(&mut world, 0).code(), 0);
    }
}

#[test]
fn a_success_holds_nothing_that_firefox_does_not_know() {
    for (sha256, signature) in
        [(false, attribute::MESSAGE_INTEGRITY), (true, attribute::MESSAGE_INTEGRITY_SHA256)]
    {
        let mut alice = Client::new(1).with_sha256(sha256);
        let response = alice.ask_allocate(&mut World::default(), |_| {});
        let expected =
            [attribute::XOR_RELAYED_ADDRESS, attribute::LIFETIME, attribute::XOR_MAPPED_ADDRESS, signature];
        assert_eq!(kinds(&response), expected);
    }
}

#[test]
fn a_retransmission_and_a_failed_bind_are_signed_alike() {
    let mut world = World { bind_failures: 8, ..World::default() };
    let mut alice = modern();
    assert_eq!(alice.ask_allocate(&mut world, |_| {}).code(), 508);
    let packet = alice.request(Method::ALLOCATE, |writer| {
        writer.attribute(attribute::REQUESTED_TRANSPORT, &UDP);
    });
    let first = world.send(alice.tuple, &packet).reply();
    assert!(alice.trusts(&first.message()));
    assert_eq!(world.send(alice.tuple, &packet).reply(), first);
}

#[test]
fn a_key_of_the_other_algorithm_is_wrong() {
    let mut world = World::default();
    let mut alice = modern();
    alice.challenge(&mut world);
    let (md5, sha256) = (Client::new(1).key(), alice.key());
    for (algorithm, key) in [(MD5, &sha256), (SHA256, &md5)] {
        let packet = signed(
            &mut alice,
            |writer| {
                writer.attribute(attribute::PASSWORD_ALGORITHMS, &ALGORITHMS);
                writer.attribute(attribute::PASSWORD_ALGORITHM, &algorithm);
            },
            |writer| {
                writer.integrity_sha256(key);
            },
        );
        assert_eq!(world.send(alice.tuple, &packet).reply().code(), 401);
    }
}

#[test]
fn whoever_was_offered_less_or_chooses_what_was_not_offered_is_a_bad_request() {
    let mut world = World::default();
    let mut alice = modern();
    alice.challenge(&mut world);
    let key = alice.key();
    let only_md5: &[u8] = &MD5;
    let turned: &[u8] = &[0, 1, 0, 0, 0, 2, 0, 0];
    let with_parameters: &[u8] = &[0, 2, 0, 4, 1, 2, 3, 4];
    for (chosen, offered) in [
        (None, Some(&ALGORITHMS[..])),
        (Some(&SHA256[..]), None),
        (Some(&MD5), None),
        (Some(&MD5), Some(only_md5)),
        (Some(&SHA256), Some(turned)),
        (Some(&SHA256), Some(&[])),
        (Some(&[0, 3, 0, 0]), Some(&ALGORITHMS)),
        (Some(with_parameters), Some(&ALGORITHMS)),
        (Some(&[]), Some(&ALGORITHMS)),
    ] {
        let packet = signed(
            &mut alice,
            |writer| {
                for (kind, value) in
                    [(attribute::PASSWORD_ALGORITHMS, offered), (attribute::PASSWORD_ALGORITHM, chosen)]
                {
                    if let Some(value) = value {
                        writer.attribute(kind, value);
                    }
                }
            },
            |writer| {
                writer.integrity_sha256(&key);
            },
        );
        let response = world.send(alice.tuple, &packet).reply();
        assert_eq!(response.code(), 400, "{chosen:?} of {offered:?}");
        assert_eq!(kinds(&response), [attribute::ERROR_CODE]);
    }
}

#[test]
fn a_nonce_without_its_cookie_or_with_other_features_is_stale() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let good = alice.nonce.clone();
    let bare = good[13..].to_vec();
    let other = [b"obMatJos2AAAA", &good[13..]].concat();
    for nonce in [bare, other] {
        alice.nonce = nonce;
        let response = alice.ask(&mut world, Method::ALLOCATE, |_| {});
        assert_eq!(response.code(), 438);
        assert_eq!(response.get(attribute::PASSWORD_ALGORITHMS), Some(&ALGORITHMS[..]));
    }
}

#[test]
fn the_new_integrity_may_sign_with_the_old_key() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let key = alice.key();
    let packet = signed(
        &mut alice,
        |_| {},
        |writer| {
            writer.integrity_sha256(&key);
        },
    );
    let response = world.send(alice.tuple, &packet).reply();
    assert_eq!(response.code(), 0);
    assert!(response.message().integrity_sha256_holds(&key));
    assert_eq!(response.get(attribute::MESSAGE_INTEGRITY), None);
}

#[test]
fn of_two_signatures_the_stronger_counts() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let key = alice.key();
    let wrong = signed(
        &mut alice,
        |_| {},
        |writer| {
            writer.integrity(&key).integrity_sha256(b"another");
        },
    );
    assert_eq!(world.send(alice.tuple, &wrong).reply().code(), 401);
    let right = signed(
        &mut alice,
        |_| {},
        |writer| {
            writer.integrity(b"another").integrity_sha256(&key);
        },
    );
    assert_eq!(world.send(alice.tuple, &right).reply().code(), 0);
}

#[test]
fn a_truncated_signature_is_wrong() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let key = alice.key();
    let whole = signed(
        &mut alice,
        |_| {},
        |writer| {
            writer.integrity_sha256(&key);
        },
    );
    let signature = Message::parse(&whole).unwrap().attribute(attribute::MESSAGE_INTEGRITY_SHA256).unwrap();
    for length in [0, 16, 28] {
        let cut = &signature[..length];
        let packet = signed(
            &mut alice,
            |_| {},
            |writer| {
                writer.attribute(attribute::MESSAGE_INTEGRITY_SHA256, cut);
            },
        );
        assert_eq!(world.send(alice.tuple, &packet).reply().code(), 401);
    }
}

#[test]
fn what_stands_behind_the_new_integrity_is_ignored() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    alice.challenge(&mut world);
    let key = alice.key();
    let packet = signed(
        &mut alice,
        |_| {},
        |writer| {
            writer
                .integrity_sha256(&key)
                .number(attribute::LIFETIME, 3000)
                .attribute(0x7ff0, b"must be known");
            writer.integrity(b"another");
        },
    );
    let response = world.send(alice.tuple, &packet).reply();
    assert_eq!((response.code(), response.lifetime()), (0, 600));
}
