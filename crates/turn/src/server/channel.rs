//! ChannelBind, and what a client sends on channels (RFC 8656 section 12).

use visavis_clock::Now;

use super::{
    Answer, Dropped, Outcome, Server,
    request::{Code, Request},
};
use crate::{
    FiveTuple,
    channel::{ChannelNumber, Unbindable},
    wire::ChannelData,
};

impl Server {
    pub(super) fn channel_bind(&mut self, request: &Request<'_>) -> Result<Answer, Code> {
        self.owned(request)?;
        let number = request.covered.channel_number.and_then(channel_number).ok_or(Code::BadRequest)?;
        let peer = request.covered.first_peer().ok_or(Code::BadRequest)?;
        self.permits(request, &[peer.ip()])?;
        let destination = self.destination(peer).ok_or(Code::Forbidden)?;
        let (now, permissions, channels) = (request.now, self.limits.permissions, self.limits.channels);
        let route = &mut self.owned(request)?.1.route;
        if !route.reaches(peer.ip()) {
            return Err(Code::PeerAddressFamilyMismatch);
        }
        route.channels.check(now, channels, number, peer).map_err(|unbindable| match unbindable {
            Unbindable::Taken => Code::BadRequest,
            Unbindable::Full => Code::InsufficientCapacity,
        })?;
        if !route.permissions.has_room(now, permissions, &[peer.ip()]) {
            return Err(Code::InsufficientCapacity);
        }
        route.channels.bind(now, number, peer, destination);
        route.permissions.install(now, peer.ip());
        Ok(self.grant(request, |_| {}))
    }

    pub(super) fn channel_data<'p>(
        &mut self,
        now: Now,
        from: FiveTuple,
        packet: &'p [u8],
    ) -> Result<Outcome<'p>, Dropped> {
        let ChannelData { number, payload } = ChannelData::parse(packet).ok_or(Dropped::Malformed)?;
        let number = ChannelNumber::new(number).ok_or(Dropped::Malformed)?;
        let relay = self.live(&from).ok_or(Dropped::NoAllocation)?;
        let channels = &self.allocations[relay.0 as usize].route.channels;
        let destination = channels.destination(now, number).ok_or(Dropped::NoChannel)?;
        Ok(Outcome::Passed(self.pass(now, relay, destination, payload)?))
    }
}

/// CHANNEL-NUMBER: a number and two bytes that mean nothing (RFC 8656 section 18.1).
fn channel_number(value: &[u8]) -> Option<ChannelNumber> {
    let &[n0, n1, _, _] = value.first_chunk().filter(|_| value.len() == 4)?;
    ChannelNumber::new(u16::from_be_bytes([n0, n1]))
}
