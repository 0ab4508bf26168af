//! One message: what is parsed lies within the bytes, and what is written from it reads the same.

use visavis_turn::wire::{ChannelData, Message, TransactionId, Writer, attribute};

const KEY: &[u8] = b"key";
/// Leaves room for what is added, so that the copy stays a message.
const LONGEST: usize = 60_000;

/// Takes `data` as one datagram.
pub fn message(data: &[u8]) {
    let data = &data[..data.len().min(LONGEST)];
    if let Some(message) = Message::parse(data) {
        lies_within(data, &message);
        reads_the_same(data, &message);
        is_signed_anew(&message);
    }
    if let Some(ChannelData { number, payload }) = ChannelData::parse(data) {
        assert_eq!(number.to_be_bytes(), data[..2]);
        assert_eq!(payload, &data[4..4 + payload.len()]);
    }
}

fn lies_within(data: &[u8], message: &Message<'_>) {
    let mut end = 20;
    for seen in message.attributes() {
        assert_eq!(seen.offset, end, "attributes leave no gap");
        assert_eq!(seen.value, &data[end + 4..end + 4 + seen.value.len()]);
        end += 4 + seen.value.len().next_multiple_of(4);
        assert!(message.attribute(seen.kind).is_some());
        addresses_survive(seen.value, message.transaction_id());
    }
    assert_eq!(end, data.len(), "nothing is left over");
}

/// An address that can be read is written in the same way, but for the first byte, which means nothing.
fn addresses_survive(value: &[u8], id: TransactionId) {
    let Some(address) = attribute::xor_address(value, id) else { return };
    let mut out = Vec::new();
    Writer::new(&mut out, visavis_turn::wire::Class::Request, visavis_turn::wire::Method::BINDING, id)
        .xor_address(attribute::XOR_PEER_ADDRESS, address);
    let written = Message::parse(&out).unwrap().attribute(attribute::XOR_PEER_ADDRESS).unwrap();
    assert_eq!(written[1..], value[1..]);
}

fn reads_the_same(data: &[u8], message: &Message<'_>) {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, message.class(), message.method(), message.transaction_id());
    for seen in message.attributes() {
        writer.attribute(seen.kind, seen.value);
    }
    assert_eq!((out.len(), &out[..20]), (data.len(), &data[..20]));
    assert!(Message::parse(&out).unwrap().attributes().eq(message.attributes()));
}

/// With its own signatures taken out, the message can be signed and the signatures hold; with one bit changed none does.
fn is_signed_anew(message: &Message<'_>) {
    let signatures =
        [attribute::MESSAGE_INTEGRITY, attribute::MESSAGE_INTEGRITY_SHA256, attribute::FINGERPRINT];
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, message.class(), message.method(), message.transaction_id());
    for seen in message.attributes().filter(|seen| !signatures.contains(&seen.kind)) {
        writer.attribute(seen.kind, seen.value);
    }
    writer.integrity(KEY).integrity_sha256(KEY).fingerprint();
    assert_eq!(holds(&out), Some((true, true, Some(true))));
    let changed = 4 + usize::from(message.transaction_id().0[15]) % 16;
    out[changed] ^= 1;
    assert_eq!(holds(&out), Some((false, false, Some(false))));
}

fn holds(bytes: &[u8]) -> Option<(bool, bool, Option<bool>)> {
    let message = Message::parse(bytes)?;
    Some((message.integrity_holds(KEY), message.integrity_sha256_holds(KEY), message.fingerprint_holds()))
}
