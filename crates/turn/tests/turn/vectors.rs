//! Messages that others wrote: RFC 5769, and RFC 8489 appendix B.1 as corrected by erratum 6268.

use sha2::Digest;
use visavis_turn::wire::{Class, Message, Method, TransactionId, Writer, attribute};

use crate::harness::{Client, SHA256, World, address};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

const SHORT_TERM: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";
const NAME: &str = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";

const REQUEST: &str = "
    00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74
    00240004 6e0001ff 80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020
    00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf";
const IPV4_RESPONSE: &str = "
    0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220
    00200008 0001a147 e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96";
const IPV6_RESPONSE: &str = "
    01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220
    00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
    00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c";
const LONG_TERM_REQUEST: &str = "
    00010060 2112a442 78ad3433 c6ad72c0 29da412e 00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000
    0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341 0014000b 6578616d 706c652e 6f726700
    00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666";
const SHA256_REQUEST: &str = "
    00010090 2112a442 78ad3433 c6ad72c0 29da412e
    001e0020 4a3cf38f ef6992bd a952c678 0417da0f 24819415 569e60b2 05c46e41 407f1704
    00150029 6f624d61 744a6f73 32414141 43662f2f 3439396b 39353464 364f4c33 346f4c39 46535476 79363473 41000000
    0014000b 6578616d 706c652e 6f726700 001d0004 00020000
    001c0020 b5c7bf00 5b6c52a2 1c51c5e8 92f81924 136296cb 927c4314 9309278c c6518e65";

#[test]
fn the_sample_request_is_read_and_verified() {
    let bytes = hex(REQUEST);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, Method::BINDING));
    assert_eq!(message.attribute(attribute::USERNAME), Some(&b"evtj:h6vY"[..]));
    assert!(message.integrity_holds(SHORT_TERM));
    assert!(!message.integrity_holds(b"another"));
    assert_eq!(message.fingerprint_holds(), Some(true));
}

#[test]
fn the_sample_responses_hold_the_mapped_address() {
    for (text, mapped) in
        [(IPV4_RESPONSE, "192.0.2.1:32853"), (IPV6_RESPONSE, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    {
        let bytes = hex(text);
        let message = Message::parse(&bytes).unwrap();
        let value = message.attribute(attribute::XOR_MAPPED_ADDRESS).unwrap();
        assert_eq!(attribute::xor_address(value, message.transaction_id()), Some(address(mapped)));
        assert!(message.integrity_holds(SHORT_TERM));
        assert_eq!(message.fingerprint_holds(), Some(true));
    }
}

#[test]
fn a_written_request_is_the_sample_request_byte_for_byte() {
    let bytes = hex(LONG_TERM_REQUEST);
    let client = Client::new(1).named(NAME, "TheMatrIX");
    let mut out = Vec::new();
    let id = TransactionId::new(bytes[8..20].try_into().unwrap());
    Writer::new(&mut out, Class::Request, Method::BINDING, id)
        .attribute(attribute::USERNAME, NAME.as_bytes())
        .attribute(attribute::NONCE, b"f//499k954d6OL34oL9FSTvy64sA")
        .attribute(attribute::REALM, b"example.org")
        .integrity(&client.key());
    assert_eq!(out, bytes);
}

#[test]
fn the_sample_request_with_a_long_term_credential_is_verified() {
    let bytes = hex(LONG_TERM_REQUEST);
    let message = Message::parse(&bytes).unwrap();
    let client = Client::new(1).named(NAME, "TheMatrIX");
    assert_eq!(message.attribute(attribute::USERNAME), Some(NAME.as_bytes()));
    assert!(message.integrity_holds(&client.key()));
}

#[test]
fn the_sample_request_with_sha256_is_verified() {
    let bytes = hex(SHA256_REQUEST);
    let message = Message::parse(&bytes).unwrap();
    let client = matrix();
    assert_eq!(message.attribute(USERHASH), Some(&userhash()[..]));
    assert_eq!(message.attribute(attribute::PASSWORD_ALGORITHM), Some(&SHA256[..]));
    assert!(message.integrity_sha256_holds(&client.key()));
    assert!(!message.integrity_sha256_holds(b"another"));
    assert!(!message.integrity_holds(&client.key()));
    let mut changed = bytes;
    changed[25] ^= 1;
    assert!(!Message::parse(&changed).unwrap().integrity_sha256_holds(&client.key()));
}

#[test]
fn a_written_request_is_the_sample_request_with_sha256_byte_for_byte() {
    let bytes = hex(SHA256_REQUEST);
    let mut out = Vec::new();
    let id = TransactionId::new(bytes[8..20].try_into().unwrap());
    Writer::new(&mut out, Class::Request, Method::BINDING, id)
        .attribute(USERHASH, &userhash())
        .attribute(attribute::NONCE, b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA")
        .attribute(attribute::REALM, b"example.org")
        .attribute(attribute::PASSWORD_ALGORITHM, &SHA256)
        .integrity_sha256(&matrix().key());
    assert_eq!(out, bytes);
}

#[test]
fn the_sample_request_is_told_that_a_hash_is_no_username() {
    let response = World::default().send(Client::new(1).tuple, &hex(SHA256_REQUEST)).reply();
    assert_eq!(response.code(), 420);
    assert_eq!(response.get(attribute::UNKNOWN_ATTRIBUTES), Some(&USERHASH.to_be_bytes()[..]));
}

/// The hash of username and realm (RFC 8489 section 14.4), which this server does not look up.
const USERHASH: u16 = 0x001e;

fn userhash() -> Vec<u8> {
    sha2::Sha256::digest(format!("{NAME}:example.org")).to_vec()
}

fn matrix() -> Client {
    Client::new(1).named(NAME, "TheMatrIX").with_sha256(true)
}

#[test]
fn a_minted_credential_is_the_one_that_other_servers_expect() {
    // printf '1700000600:m:x' | openssl dgst -sha1 -hmac north -binary | base64
    let client = Client::new(1).until(600);
    assert_eq!(client.username, "1700000600:m:x");
    assert_eq!(client.password, EXPECTED_CREDENTIAL);
}

const EXPECTED_CREDENTIAL: &str = "sDu13lYuXURW9KN30l6KhgWLg0Q=";

#[test]
fn what_only_looks_like_a_fingerprint_at_the_end_is_none() {
    let mut alice = Client::new(1);
    let packet = alice.bare(Method::BINDING, |writer| {
        writer.attribute(attribute::SOFTWARE, &[0x80, 0x28, 0, 4, 1, 2, 3, 4]);
    });
    assert_eq!(Message::parse(&packet).unwrap().fingerprint_holds(), None);
    assert_eq!(World::default().send(alice.tuple, &packet).reply().code(), 0);
}

#[test]
fn nothing_may_follow_a_fingerprint() {
    let mut alice = Client::new(1);
    let packet = alice.bare(Method::BINDING, |writer| {
        writer.fingerprint().attribute(attribute::SOFTWARE, b"x");
    });
    assert!(Message::parse(&packet).is_none());
}
