//! What came of a packet, in words that both servers share.

use std::net::SocketAddr;

use visavis_turn::wire::{ChannelData, Class, Message, Method, TransactionId, attribute};

use crate::request::{ACCOUNTS, Password, Told, key};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Nothing,
    Reply(Box<Answer>),
    ToPeer { relayed: SocketAddr, peer: SocketAddr, payload: Vec<u8> },
    ToClient { client: SocketAddr, way: Way, payload: Vec<u8> },
}

/// How data reaches a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Channel(u16),
    Indication(SocketAddr),
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) to: SocketAddr,
    pub(crate) method: Method,
    pub(crate) id: TransactionId,
    /// The error code; 200 for a success.
    pub(crate) code: u16,
    pub(crate) relayed: Vec<SocketAddr>,
    pub(crate) mapped: Option<SocketAddr>,
    pub(crate) lifetime: Option<u32>,
    pub(crate) address_error: Option<(u8, u16)>,
    /// UNKNOWN-ATTRIBUTES in ascending order, each once.
    pub(crate) unknown: Vec<u16>,
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) realm: Option<Vec<u8>>,
    pub(crate) algorithms: Option<Vec<u8>>,
    pub(crate) algorithm: Option<Vec<u8>>,
    pub(crate) seal: Option<Signature>,
    pub(crate) fingerprint: bool,
    pub(crate) software: bool,
    /// Which attributes come more than once.
    pub(crate) repeated: Vec<u16>,
    /// Attributes that are none of these.
    pub(crate) others: Vec<u16>,
}

/// How a response is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    /// The attribute.
    pub(crate) kind: u16,
    /// Whose key.
    pub(crate) account: usize,
    /// Whether that was made with SHA-256.
    pub(crate) sha256: bool,
}

impl Outcome {
    /// Reads what a server sends to a client.
    pub(crate) fn to_client(to: SocketAddr, packet: &[u8]) -> Self {
        if packet.first().is_some_and(|first| *first >= 0x40) {
            let ChannelData { number, payload } = ChannelData::parse(packet).expect("ChannelData");
            return Self::ToClient { client: to, way: Way::Channel(number), payload: payload.to_vec() };
        }
        let message = Message::parse(packet).expect("a server writes valid messages");
        assert_ne!(message.fingerprint_holds(), Some(false), "a server's FINGERPRINT is right");
        if message.class() == Class::Indication {
            assert_eq!(message.method(), Method::DATA);
            let peer = message.attribute(attribute::XOR_PEER_ADDRESS).expect("a peer");
            let peer = attribute::xor_address(peer, message.transaction_id()).expect("an address");
            let payload = message.attribute(attribute::DATA).expect("data").to_vec();
            return Self::ToClient { client: to, way: Way::Indication(peer), payload };
        }
        Self::Reply(Box::new(Answer::read(to, &message)))
    }

    pub(crate) fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Reply(answer) => Some(answer),
            _ => None,
        }
    }

    pub(crate) fn code(&self) -> Option<u16> {
        self.answer().map(|answer| answer.code)
    }

    pub(crate) fn is_data(&self) -> bool {
        matches!(self, Self::ToPeer { .. } | Self::ToClient { .. })
    }
}

impl Answer {
    fn read(to: SocketAddr, message: &Message<'_>) -> Self {
        let value = |kind| message.attribute(kind).map(<[u8]>::to_vec);
        let address =
            |value: &[u8]| attribute::xor_address(value, message.transaction_id()).expect("an address");
        let code = |value: &[u8]| u16::from(value[2]) * 100 + u16::from(value[3]);
        let code = match (message.class(), message.attribute(attribute::ERROR_CODE)) {
            (Class::Success, None) => 200,
            (Class::Error, Some(value)) => code(value),
            other => panic!("neither success nor error: {other:?}"),
        };
        let kinds: Vec<u16> = message.attributes().map(|attribute| attribute.kind).collect();
        let mut relayed: Vec<_> = message
            .attributes()
            .filter(|attribute| attribute.kind == attribute::XOR_RELAYED_ADDRESS)
            .map(|attribute| address(attribute.value))
            .collect();
        relayed.sort();
        let mut unknown: Vec<u16> = message
            .attribute(attribute::UNKNOWN_ATTRIBUTES)
            .unwrap_or_default()
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        let is_repeated = |kind: &u16| {
            *kind != attribute::XOR_RELAYED_ADDRESS && kinds.iter().filter(|other| *other == kind).count() > 1
        };
        let mut repeated: Vec<u16> = kinds.iter().copied().filter(is_repeated).collect();
        repeated.sort_unstable();
        repeated.dedup();
        let plain = message.attribute(attribute::MAPPED_ADDRESS).map(|value| {
            SocketAddr::from((
                [value[4], value[5], value[6], value[7]],
                u16::from_be_bytes([value[2], value[3]]),
            ))
        });
        Self {
            to,
            method: message.method(),
            id: message.transaction_id(),
            code,
            relayed,
            mapped: message.attribute(attribute::XOR_MAPPED_ADDRESS).map(address).or(plain),
            lifetime: value(attribute::LIFETIME)
                .map(|value| u32::from_be_bytes(value.try_into().expect("LIFETIME has four bytes"))),
            address_error: message
                .attribute(attribute::ADDRESS_ERROR_CODE)
                .map(|value| (value[0], u16::from(value[2]) * 100 + u16::from(value[3]))),
            unknown,
            nonce: value(attribute::NONCE),
            realm: value(attribute::REALM),
            algorithms: value(attribute::PASSWORD_ALGORITHMS),
            algorithm: value(attribute::PASSWORD_ALGORITHM),
            seal: signature(message),
            fingerprint: kinds.contains(&attribute::FINGERPRINT),
            software: kinds.contains(&attribute::SOFTWARE),
            repeated,
            others: kinds.into_iter().filter(|kind| !is_expected(*kind)).collect(),
        }
    }

    /// What a client learns of it for its next request.
    pub(crate) fn teach(&self, told: &mut Told) {
        if matches!(self.code, 401 | 438) {
            self.nonce.iter().for_each(|nonce| told.nonce.clone_from(nonce));
            self.algorithms.iter().for_each(|algorithms| told.algorithms.clone_from(algorithms));
        }
    }
}

fn is_expected(kind: u16) -> bool {
    use attribute::*;
    matches!(
        kind,
        MAPPED_ADDRESS
            | MESSAGE_INTEGRITY
            | ERROR_CODE
            | UNKNOWN_ATTRIBUTES
            | LIFETIME
            | REALM
            | NONCE
            | XOR_RELAYED_ADDRESS
            | MESSAGE_INTEGRITY_SHA256
            | PASSWORD_ALGORITHM
            | XOR_MAPPED_ADDRESS
            | ADDRESS_ERROR_CODE
            | PASSWORD_ALGORITHMS
            | SOFTWARE
            | FINGERPRINT
    )
}

/// Whose key signs the response; a signature that nobody's key makes is a fault of its own.
fn signature(message: &Message<'_>) -> Option<Signature> {
    let kinds = [attribute::MESSAGE_INTEGRITY, attribute::MESSAGE_INTEGRITY_SHA256];
    let kind = kinds.into_iter().find(|kind| message.attribute(*kind).is_some())?;
    for account in 0..ACCOUNTS.len() {
        for sha256 in [false, true] {
            let key = key(account, Password::Right, sha256);
            if message.integrity_holds(&key) || message.integrity_sha256_holds(&key) {
                return Some(Signature { kind, account, sha256 });
            }
        }
    }
    panic!("a response is signed with nobody's key: {message:?}");
}
