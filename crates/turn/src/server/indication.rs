//! Send: data to a peer without a channel (RFC 8656 section 11).

use visavis_clock::Now;

use super::{Dropped, Outcome, Passed, Server, request::Covered};
use crate::FiveTuple;

impl Server {
    pub(super) fn send<'p>(
        &mut self,
        now: Now,
        from: FiveTuple,
        covered: &Covered<'p>,
    ) -> Result<Outcome<'p>, Dropped> {
        if !covered.unknown.is_empty() {
            return Err(Dropped::Malformed);
        }
        let peer = covered.first_peer().ok_or(Dropped::Malformed)?;
        let payload = covered.data.ok_or(Dropped::Malformed)?;
        let relay = self.live(&from).ok_or(Dropped::NoAllocation)?;
        if !self.allocations[relay.0 as usize].route.permissions.holds(now, peer.ip()) {
            return Err(Dropped::NoPermission);
        }
        let destination = self.destination(peer).ok_or(Dropped::ForbiddenPeer)?;
        let dont_fragment = covered.dont_fragment.is_some();
        Ok(Outcome::Passed(Passed { dont_fragment, ..self.pass(now, relay, destination, payload)? }))
    }
}
