//! Refresh: prolong an allocation or end it, or one of its two relayed transport addresses (RFC 8656 section 8).

use std::time::Duration;

use visavis_clock::Now;

use super::{
    Answer, RelayKey, Server,
    allocate::family,
    request::{Code, Request, number},
};
use crate::{
    allocation::State,
    family::Family,
    wire::{Writer, attribute},
};

impl Server {
    pub(super) fn refresh(&mut self, request: &Request<'_>) -> Result<Answer, Code> {
        let lifetime = self.lifetime(&request.covered)?;
        let is_end = request.covered.lifetime.and_then(number) == Some(0);
        let (key, allocation) = self.owned(request)?;
        let relayed = allocation.route.relayed;
        let wanted = match request.covered.requested_family.map(family) {
            None => None,
            Some(Ok(family)) if relayed[family].is_some() => Some(family),
            Some(Err(Code::BadRequest)) => return Err(Code::BadRequest),
            Some(_) => return Err(Code::PeerAddressFamilyMismatch),
        };
        for (family, _) in relayed.iter().filter(|(family, _)| wanted.is_none_or(|wanted| wanted == *family))
        {
            let relay = RelayKey::new(key, family);
            if is_end {
                self.end_relay(relay);
            } else {
                self.prolong(relay, family, request.now + lifetime);
            }
        }
        let left = if is_end { Duration::ZERO } else { lifetime };
        Ok(self.grant(request, |writer| write_lifetime(writer, left)))
    }

    fn prolong(&mut self, relay: RelayKey, family: Family, until: Now) {
        if let State::Live { expires } = &mut self.allocations[relay.allocation().0 as usize].state {
            self.timers.remove(std::mem::replace(&mut expires[family], until), relay);
            self.timers.insert(until, relay);
        }
    }
}

fn write_lifetime(writer: &mut Writer<'_>, lifetime: Duration) {
    writer.number(attribute::LIFETIME, lifetime.as_secs() as u32);
}
