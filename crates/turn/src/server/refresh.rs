//! Refresh: prolong an allocation or end it (RFC 8656 section 8).

use std::time::Duration;

use super::{
    Answer, Server,
    allocate::family,
    request::{Code, Request, number},
};
use crate::{
    allocation::State,
    wire::{Writer, attribute},
};

impl Server {
    pub(super) fn refresh(&mut self, request: &Request<'_>) -> Result<Answer, Code> {
        let lifetime = self.lifetime(&request.covered)?;
        let is_end = request.covered.lifetime.and_then(number) == Some(0);
        let (relay, allocation) = self.owned(request)?;
        let is_ipv4 = allocation.route.relayed.0.is_ipv4();
        match request.covered.requested_family.map(family) {
            Some(Err(Code::BadRequest)) => return Err(Code::BadRequest),
            Some(Ok(family)) if family.is_ipv4() == is_ipv4 => {}
            Some(_) => return Err(Code::PeerAddressFamilyMismatch),
            None => {}
        }
        if is_end {
            self.end(relay);
            return Ok(self.grant(request, |writer| write_lifetime(writer, Duration::ZERO)));
        }
        if let State::Live { expires } = &mut allocation.state {
            let before = std::mem::replace(expires, request.now + lifetime);
            self.timers.remove(before, relay);
            self.timers.insert(request.now + lifetime, relay);
        }
        Ok(self.grant(request, |writer| write_lifetime(writer, lifetime)))
    }
}

fn write_lifetime(writer: &mut Writer<'_>, lifetime: Duration) {
    writer.number(attribute::LIFETIME, lifetime.as_secs() as u32);
}
