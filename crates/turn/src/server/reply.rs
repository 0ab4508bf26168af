//! Authentication, and the answers: granted, refused, challenged.

use visavis_clock::Now;

use super::{
    Answer, Outcome, Server,
    request::{Code, Covered, Request},
};
use crate::{
    FiveTuple,
    auth::{Algorithm, Key, Nonce, PASSWORD_ALGORITHMS, Seal},
    wire::{Class, HEADER, Method, TransactionId, Writer, attribute},
};

impl Server {
    /// How a request with a long-term credential is signed (RFC 8489 section 9.2.4). The nonce comes first: it costs the
    /// sender a way back before any password is tried.
    pub(super) fn authenticate(
        &self,
        now: Now,
        from: FiveTuple,
        covered: &Covered<'_>,
    ) -> Result<Seal, Code> {
        let integrity = covered.integrity.ok_or(Code::Unauthenticated)?;
        let (Some(username), Some(_), Some(nonce)) = (covered.username, covered.realm, covered.nonce) else {
            return Err(Code::BadRequest);
        };
        if !self.auth.nonce_holds(now, from.client, nonce) {
            return Err(Code::StaleNonce);
        }
        let algorithm = Algorithm::of(covered.password_algorithm, covered.password_algorithms);
        let algorithm = algorithm.ok_or(Code::BadRequest)?;
        let is_right = |key: &Key| covered.message.is_signed(integrity, key.bytes());
        let allocation = self.by_client.find(&from).map(|relay| &self.allocations[relay.0 as usize]);
        let known = allocation.filter(|allocation| *allocation.username == *username);
        let known = known.map(|allocation| allocation.seal.key).filter(|key| key.algorithm() == algorithm);
        let key = known.filter(is_right).or_else(|| self.auth.key(username, algorithm, is_right));
        Ok(Seal { integrity, key: key.ok_or(Code::Unauthenticated)? })
    }

    /// Grants a request with what `write` puts into the answer.
    pub(super) fn grant(&mut self, request: &Request<'_>, write: impl FnOnce(&mut Writer<'_>)) -> Answer {
        let Covered { message, has_fingerprint, .. } = request.covered;
        let mut writer =
            Writer::new(&mut self.out, Class::Success, message.method(), message.transaction_id());
        write(&mut writer);
        writer.sign(request.seal.integrity, request.seal.key.bytes());
        if has_fingerprint {
            writer.fingerprint();
        }
        Answer::Written
    }

    /// Refuses a request whose sender has proved who he is.
    pub(super) fn refuse(&mut self, request: &Request<'_>, code: Code) {
        let seal = Some(request.seal).filter(|_| !is_challenge(code));
        self.write_refusal(request.now, request.from, &request.covered, code, seal);
    }

    /// Refuses a request of someone who has not, unless there were too many of his kind.
    pub(super) fn refuse_stranger<'p>(
        &mut self,
        now: Now,
        from: FiveTuple,
        covered: &Covered<'_>,
        code: Code,
    ) -> Outcome<'p> {
        // Guessing is slow for everybody. Beside it nothing can be reflected off a stream, and who has an allocation
        // is no stranger.
        let is_guess = covered.integrity.is_some() && code == Code::Unauthenticated;
        let is_exempt = !is_guess && (from.transport.is_stream() || self.has_allocation(&from));
        if !is_exempt && !self.admits_stranger(now, from, covered, self.refusal_length(covered, code)) {
            return Outcome::Nothing;
        }
        self.write_refusal(now, from, covered, code, None);
        Outcome::Replied
    }

    /// Whether a stranger's request may be answered with so many bytes.
    pub(super) fn admits_stranger(
        &mut self,
        now: Now,
        from: FiveTuple,
        covered: &Covered<'_>,
        answer: usize,
    ) -> bool {
        let asked = covered.message.bytes().len();
        let ip = from.client.ip();
        let admitted = self.strangers.as_mut().is_none_or(|rate| rate.admits(now, ip, asked, answer));
        self.counters.limited += u64::from(!admitted);
        admitted
    }

    /// How long a refusal is that nobody signs.
    pub(super) fn refusal_length(&self, covered: &Covered<'_>, code: Code) -> usize {
        const ERROR_CODE: usize = 8;
        let attribute = |length: usize| 4 + length.next_multiple_of(4);
        let unknown = if code == Code::UnknownAttribute { attribute(covered.unknown.value().1) } else { 0 };
        let challenge = attribute(self.auth.realm().len())
            + attribute(size_of::<Nonce>())
            + attribute(PASSWORD_ALGORITHMS.len());
        let challenge = if is_challenge(code) { challenge } else { 0 };
        HEADER + ERROR_CODE + unknown + challenge + fingerprint_length(covered)
    }

    fn write_refusal(
        &mut self,
        now: Now,
        from: FiveTuple,
        covered: &Covered<'_>,
        code: Code,
        seal: Option<Seal>,
    ) {
        self.count_refusal(code);
        let mut writer = Writer::new(&mut self.out, Class::Error, covered.method(), covered.id());
        writer.error_code(code as u16);
        if code == Code::UnknownAttribute {
            let (value, length) = covered.unknown.value();
            writer.attribute(attribute::UNKNOWN_ATTRIBUTES, &value[..length]);
        }
        if is_challenge(code) {
            writer.attribute(attribute::REALM, self.auth.realm().as_bytes());
            writer.attribute(attribute::NONCE, &self.auth.nonce(now, from.client));
            writer.attribute(attribute::PASSWORD_ALGORITHMS, &PASSWORD_ALGORITHMS);
        }
        if let Some(Seal { integrity, key }) = seal {
            writer.sign(integrity, key.bytes());
        }
        if covered.has_fingerprint {
            writer.fingerprint();
        }
    }

    pub(super) fn refuse_unknown(&mut self, now: Now, from: FiveTuple, covered: &Covered<'_>) {
        self.write_refusal(now, from, covered, Code::UnknownAttribute, None);
    }

    /// Refuses an Allocate request that no port could be bound for; the request itself is long gone.
    pub(super) fn refuse_bind(&mut self, id: TransactionId, seal: Seal, fingerprint: bool) {
        self.count_refusal(Code::InsufficientCapacity);
        let mut writer = Writer::new(&mut self.out, Class::Error, Method::ALLOCATE, id);
        writer.error_code(Code::InsufficientCapacity as u16).sign(seal.integrity, seal.key.bytes());
        if fingerprint {
            writer.fingerprint();
        }
    }

    const fn count_refusal(&mut self, code: Code) {
        let refusals = &mut self.counters.refusals;
        let counter = match code {
            Code::BadRequest => &mut refusals.bad_request,
            Code::Unauthenticated => &mut refusals.unauthenticated,
            Code::Forbidden => &mut refusals.forbidden,
            Code::UnknownAttribute => &mut refusals.unknown_attribute,
            Code::AllocationMismatch => &mut refusals.allocation_mismatch,
            Code::StaleNonce => &mut refusals.stale_nonce,
            Code::AddressFamilyNotSupported => &mut refusals.address_family_not_supported,
            Code::WrongCredentials => &mut refusals.wrong_credentials,
            Code::UnsupportedTransport => &mut refusals.unsupported_transport,
            Code::PeerAddressFamilyMismatch => &mut refusals.peer_address_family_mismatch,
            Code::AllocationQuotaReached => &mut refusals.allocation_quota_reached,
            Code::InsufficientCapacity => &mut refusals.insufficient_capacity,
        };
        *counter += 1;
    }
}

/// How many bytes an answer has more because the request has a FINGERPRINT.
pub(super) const fn fingerprint_length(covered: &Covered<'_>) -> usize {
    if covered.has_fingerprint { 8 } else { 0 }
}

/// Whether an answer says how to authenticate; such a one is never signed (RFC 8489 section 9.2.4).
const fn is_challenge(code: Code) -> bool {
    matches!(code, Code::Unauthenticated | Code::StaleNonce)
}
