//! Binding: what address does the server see (RFC 8489 section 2)?

use std::net::SocketAddr;

use visavis_clock::Now;

use super::{
    Outcome, Server,
    reply::fingerprint_length,
    request::{Code, Covered},
};
use crate::{
    FiveTuple,
    wire::{Class, HEADER, Method, Writer, attribute},
};

impl Server {
    /// Answers without keeping anything and without asking who it is.
    pub(super) fn binding<'p>(&mut self, now: Now, from: FiveTuple, covered: &Covered<'_>) -> Outcome<'p> {
        let is_exempt = from.transport.is_stream() || self.has_allocation(&from);
        let address = if mapped(from).is_ipv4() { 12 } else { 24 };
        let answer = if covered.unknown.is_empty() {
            HEADER + address + fingerprint_length(covered)
        } else {
            self.refusal_length(covered, Code::UnknownAttribute)
        };
        if !is_exempt && !self.admits_stranger(now, from, covered, answer) {
            return Outcome::Nothing;
        }
        if !covered.unknown.is_empty() {
            self.refuse_unknown(now, from, covered);
            return Outcome::Replied;
        }
        self.counters.bindings += 1;
        let id = covered.id();
        let mut writer = Writer::new(&mut self.out, Class::Success, Method::BINDING, id);
        if id.is_classic() {
            writer.address(attribute::MAPPED_ADDRESS, mapped(from));
        } else {
            writer.xor_address(attribute::XOR_MAPPED_ADDRESS, mapped(from));
        }
        if covered.has_fingerprint {
            writer.fingerprint();
        }
        Outcome::Replied
    }
}

/// The client's address; an IPv4 one as such, also where an IPv6 socket received it.
pub(super) fn mapped(from: FiveTuple) -> SocketAddr {
    SocketAddr::new(from.client.ip().to_canonical(), from.client.port())
}
