//! What a request says, as far as it may be believed.

use std::net::SocketAddr;

use visavis_clock::Now;

use crate::{
    FiveTuple,
    auth::Seal,
    wire::{
        Integrity, Message, Method, TransactionId,
        attribute::{self, is_known, must_be_known},
    },
};

/// The error codes that this server answers with (RFC 8489 section 14.8, RFC 8656 section 19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    BadRequest = 400,
    Unauthenticated = 401,
    Forbidden = 403,
    UnknownAttribute = 420,
    AllocationMismatch = 437,
    StaleNonce = 438,
    AddressFamilyNotSupported = 440,
    WrongCredentials = 441,
    UnsupportedTransport = 442,
    PeerAddressFamilyMismatch = 443,
    AllocationQuotaReached = 486,
    InsufficientCapacity = 508,
}

/// A request whose sender has proved to hold a credential.
pub(super) struct Request<'a> {
    pub(super) now: Now,
    pub(super) from: FiveTuple,
    pub(super) covered: Covered<'a>,
    pub(super) seal: Seal,
}

/// The attributes of a message up to MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256: what stands behind it is no one's word. Of attributes of one type the
/// first counts.
#[derive(Clone, Copy)]
pub(super) struct Covered<'a> {
    pub(super) message: Message<'a>,
    /// What signs it; the stronger of both.
    pub(super) integrity: Option<Integrity>,
    pub(super) has_fingerprint: bool,
    pub(super) username: Option<&'a [u8]>,
    pub(super) realm: Option<&'a [u8]>,
    pub(super) nonce: Option<&'a [u8]>,
    pub(super) password_algorithm: Option<&'a [u8]>,
    pub(super) password_algorithms: Option<&'a [u8]>,
    pub(super) lifetime: Option<&'a [u8]>,
    pub(super) requested_transport: Option<&'a [u8]>,
    pub(super) requested_family: Option<&'a [u8]>,
    pub(super) additional_family: Option<&'a [u8]>,
    pub(super) dont_fragment: Option<&'a [u8]>,
    pub(super) even_port: Option<&'a [u8]>,
    pub(super) reservation_token: Option<&'a [u8]>,
    pub(super) channel_number: Option<&'a [u8]>,
    pub(super) peer: Option<&'a [u8]>,
    pub(super) data: Option<&'a [u8]>,
    pub(super) unknown: Unknown,
}

impl<'a> Covered<'a> {
    pub(super) fn of(message: Message<'a>) -> Self {
        let mut covered = Self::nothing(message);
        for attribute in message.attributes() {
            match attribute.kind {
                attribute::FINGERPRINT => covered.has_fingerprint = true,
                attribute::MESSAGE_INTEGRITY_SHA256 => covered.integrity = Some(Integrity::Sha256),
                _ if covered.integrity.is_some() => {}
                attribute::MESSAGE_INTEGRITY => covered.integrity = Some(Integrity::Sha1),
                kind => covered.take(kind, attribute.value),
            }
        }
        covered
    }

    const fn nothing(message: Message<'a>) -> Self {
        Self {
            message,
            integrity: None,
            has_fingerprint: false,
            username: None,
            realm: None,
            nonce: None,
            password_algorithm: None,
            password_algorithms: None,
            lifetime: None,
            requested_transport: None,
            requested_family: None,
            additional_family: None,
            dont_fragment: None,
            even_port: None,
            reservation_token: None,
            channel_number: None,
            peer: None,
            data: None,
            unknown: Unknown { kinds: [0; Unknown::MOST], count: 0 },
        }
    }

    fn take(&mut self, kind: u16, value: &'a [u8]) {
        let place = match kind {
            attribute::USERNAME => &mut self.username,
            attribute::REALM => &mut self.realm,
            attribute::NONCE => &mut self.nonce,
            attribute::PASSWORD_ALGORITHM => &mut self.password_algorithm,
            attribute::PASSWORD_ALGORITHMS => &mut self.password_algorithms,
            attribute::LIFETIME => &mut self.lifetime,
            attribute::REQUESTED_TRANSPORT => &mut self.requested_transport,
            attribute::REQUESTED_ADDRESS_FAMILY => &mut self.requested_family,
            attribute::ADDITIONAL_ADDRESS_FAMILY => &mut self.additional_family,
            attribute::DONT_FRAGMENT => &mut self.dont_fragment,
            attribute::EVEN_PORT => &mut self.even_port,
            attribute::RESERVATION_TOKEN => &mut self.reservation_token,
            attribute::CHANNEL_NUMBER => &mut self.channel_number,
            attribute::XOR_PEER_ADDRESS => &mut self.peer,
            attribute::DATA => &mut self.data,
            _ if must_be_known(kind) && !is_known(kind) => return self.unknown.add(kind),
            _ => return,
        };
        place.get_or_insert(value);
    }

    /// All peers of a CreatePermission, in their order; none in place of one that is no address.
    pub(super) fn peers(&self) -> impl Iterator<Item = Option<SocketAddr>> + use<'a> {
        let id = self.message.transaction_id();
        let covered = self.message.attributes().take_while(|seen| !attribute::is_integrity(seen.kind));
        let peers = covered.filter(|seen| seen.kind == attribute::XOR_PEER_ADDRESS);
        peers.map(move |seen| attribute::xor_address(seen.value, id))
    }

    /// The first peer.
    pub(super) fn first_peer(&self) -> Option<SocketAddr> {
        attribute::xor_address(self.peer?, self.id())
    }

    pub(super) fn id(&self) -> TransactionId {
        self.message.transaction_id()
    }

    pub(super) const fn method(&self) -> Method {
        self.message.method()
    }
}

/// The types that a 420 names; of many the first few are enough.
#[derive(Clone, Copy)]
pub(super) struct Unknown {
    kinds: [u16; Self::MOST],
    count: usize,
}

impl Unknown {
    const MOST: usize = 8;

    pub(super) fn add(&mut self, kind: u16) {
        if self.count < Self::MOST {
            self.kinds[self.count] = kind;
            self.count += 1;
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The value of UNKNOWN-ATTRIBUTES, and how long it is.
    pub(super) fn value(&self) -> ([u8; 2 * Self::MOST], usize) {
        let mut value = [0; 2 * Self::MOST];
        for (place, kind) in value.chunks_exact_mut(2).zip(self.kinds) {
            place.copy_from_slice(&kind.to_be_bytes());
        }
        (value, 2 * self.count)
    }
}

/// A value of four bytes as a number.
pub(super) fn number(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(value.try_into().ok()?))
}
