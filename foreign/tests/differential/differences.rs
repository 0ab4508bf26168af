//! What the two servers do differently, each with who is right and why.

use std::{net::SocketAddr, time::Duration};

use visavis_turn::wire::{Method, attribute};

use crate::{
    outcome::{Answer, Outcome},
    request::{Nonce, Request},
};

/// What was given to both servers.
pub(crate) enum Sent<'a> {
    /// A STUN message of a client.
    Message(&'a Request),
    /// ChannelData of a client for that peer, if it ever bound one.
    ChannelData(Option<SocketAddr>),
    /// Data from that peer.
    Peer(SocketAddr),
    Garbage,
}

/// One packet, and what came of it.
pub(crate) struct Case<'a> {
    pub(crate) sent: Sent<'a>,
    pub(crate) ours: &'a Outcome,
    pub(crate) theirs: &'a Outcome,
    /// How old the nonces of the packet are: ours since it was told, theirs since it was first seen.
    pub(crate) ages: [Duration; 2],
    /// The transaction that made the client's allocation.
    pub(crate) allocated_by: Option<[u8; 12]>,
    /// Whether a permission for the peer is 300 s old.
    pub(crate) is_permission_old: bool,
    /// Whether the peer stood in a CreatePermission that was refused for another peer's family.
    pub(crate) is_half_permitted: bool,
}

/// In what two outcomes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facet {
    /// What is done: an answer, which code it has, data and where it goes.
    Act,
    /// Where an answer is sent to.
    Destination,
    /// NONCE and REALM.
    Challenge,
    PasswordAlgorithms,
    PasswordAlgorithm,
    Integrity,
    Fingerprint,
    UnknownAttributes,
    Repeated,
    Software,
    /// Lifetime, mapped and relayed addresses, transaction.
    Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    Ours,
    Theirs,
    Both,
}

pub(crate) struct Difference {
    pub(crate) name: &'static str,
    /// Of which RFC.
    pub(crate) section: &'static str,
    pub(crate) right: Right,
    pub(crate) why: &'static str,
    pub(crate) facet: Facet,
    pub(crate) holds: fn(&Case<'_>) -> bool,
}

pub(crate) const SILENCE: u16 = 0;
pub(crate) const DATA: u16 = 1;
pub(crate) const SUCCESS: u16 = 200;

impl Case<'_> {
    /// Everything in which the outcomes differ.
    pub(crate) fn facets(&self) -> Vec<Facet> {
        let (Some(ours), Some(theirs)) = (self.ours.answer(), self.theirs.answer()) else {
            return if self.ours == self.theirs { Vec::new() } else { vec![Facet::Act] };
        };
        if ours.code != theirs.code {
            return vec![Facet::Act];
        }
        let differs = [
            (Facet::Destination, ours.to != theirs.to),
            (Facet::Challenge, ours.nonce.is_some() != theirs.nonce.is_some() || ours.realm != theirs.realm),
            (Facet::PasswordAlgorithms, ours.algorithms != theirs.algorithms),
            (Facet::PasswordAlgorithm, ours.algorithm != theirs.algorithm),
            (Facet::Integrity, ours.seal != theirs.seal),
            (Facet::Fingerprint, ours.fingerprint != theirs.fingerprint),
            (Facet::UnknownAttributes, ours.unknown != theirs.unknown),
            (Facet::Repeated, ours.repeated != theirs.repeated),
            (Facet::Software, ours.software != theirs.software),
            (Facet::Value, values(ours) != values(theirs)),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(facet, _)| facet).collect()
    }

    pub(crate) fn codes(&self) -> (u16, u16) {
        let code = |outcome: &Outcome| match outcome {
            Outcome::Nothing => SILENCE,
            _ if outcome.is_data() => DATA,
            _ => outcome.code().unwrap_or(SILENCE),
        };
        (code(self.ours), code(self.theirs))
    }

    pub(crate) fn request(&self) -> Option<&Request> {
        match self.sent {
            Sent::Message(request) => Some(request),
            _ => None,
        }
    }

    /// Whether it is a message for which this holds.
    pub(crate) fn is(&self, holds: impl FnOnce(&Request) -> bool) -> bool {
        self.request().is_some_and(holds)
    }

    /// Whether it is a message of that method for which this holds.
    pub(crate) fn asks(&self, method: Method, holds: impl FnOnce(&Request) -> bool) -> bool {
        self.is(|request| request.method == method && holds(request))
    }

    pub(crate) fn both(&self) -> Option<(&Answer, &Answer)> {
        self.ours.answer().zip(self.theirs.answer())
    }
}

type Values<'a> =
    (Method, [u8; 16], &'a [SocketAddr], Option<SocketAddr>, Option<u32>, Option<(u8, u16)>, &'a [u16]);

fn values(answer: &Answer) -> Values<'_> {
    let Answer { method, id, relayed, mapped, lifetime, address_error, others, .. } = answer;
    (*method, id.0, relayed, *mapped, *lifetime, *address_error, others)
}

/// The types that must be understood and that our server does not know.
pub(crate) fn unknown(request: &Request) -> impl Iterator<Item = u16> {
    let kinds = request.body.iter().map(|(kind, _)| *kind);
    kinds.filter(|kind| attribute::must_be_known(*kind) && !attribute::is_known(*kind))
}

/// Whether there are attributes that STUN and TURN know, but not for this method.
pub(crate) fn has_unexpected(request: &Request) -> bool {
    use attribute::*;
    let expected: &[u16] = match request.method {
        Method::ALLOCATE => &[
            REQUESTED_TRANSPORT,
            LIFETIME,
            RESERVATION_TOKEN,
            EVEN_PORT,
            REQUESTED_ADDRESS_FAMILY,
            DONT_FRAGMENT,
        ],
        Method::REFRESH => &[LIFETIME, REQUESTED_ADDRESS_FAMILY],
        Method::CREATE_PERMISSION => &[XOR_PEER_ADDRESS],
        Method::CHANNEL_BIND => &[XOR_PEER_ADDRESS, CHANNEL_NUMBER],
        Method::SEND => &[XOR_PEER_ADDRESS, DATA],
        _ => &[],
    };
    let is_unexpected = |kind: u16| must_be_known(kind) && is_known(kind) && !expected.contains(&kind);
    let has_credential =
        request.credential.is_some() && matches!(request.method, Method::BINDING | Method::SEND);
    has_credential || request.body.iter().any(|(kind, _)| is_unexpected(*kind))
}

pub(crate) fn has_length(request: &Request, kind: u16, length: usize) -> bool {
    request.values(kind).all(|value| value.len() == length)
}

pub(crate) fn peers(request: &Request) -> impl Iterator<Item = SocketAddr> {
    let id = request.transaction_id();
    request.values(attribute::XOR_PEER_ADDRESS).filter_map(move |value| attribute::xor_address(value, id))
}

/// Whether the nonce is one that the server gave out.
pub(crate) fn is_told(request: &Request) -> bool {
    request.credential.as_ref().is_some_and(|credential| credential.nonce == Nonce::Told)
}
