//! What the server answers to each request.

use std::time::Duration;

use visavis_clock::Now;
use visavis_signal::outbound::Reply;

use super::{Effects, Link, Request, Stage, Told};
use crate::Problem;

/// When to ask for relay credentials again after a refusal, and the least time between two such requests.
const ICE_RETRY: Duration = Duration::from_secs(30);
/// How long credentials hold if the server does not say, and at most, in seconds.
const TTL: u64 = 3600;
const LONGEST_TTL: u64 = 86_400;

impl Link {
    pub(super) fn reply(&mut self, now: Now, reply: Reply<'_>, effects: &mut Effects) -> Option<Told> {
        let Some(callback) = reply.callback else {
            return Some(Told::Odd("an error that belongs to no request"));
        };
        // Without a request it is the answer to a goodbye, or nonsense; neither matters.
        let (request, _) = self.asked.remove(&callback)?;
        match request {
            Request::Handshake => self.shaken(now, reply, effects),
            Request::Subscribe if reply.error.is_some() => self.refused(now, Problem::Room, effects),
            Request::Subscribe => None,
            Request::IceServers => Some(self.ice_servers(now, reply)),
            Request::Peek => reply.count.filter(|_| self.wants_peek).map(Told::Inside),
        }
    }

    fn shaken(&mut self, now: Now, reply: Reply<'_>, effects: &mut Effects) -> Option<Told> {
        if reply.error.is_some() || reply.client_id.is_none() {
            // Perhaps only the token was not to its liking.
            let resumed = self.resume.take().is_some();
            return if resumed {
                self.retry(now, effects)
            } else {
                self.refused(now, Problem::Channel, effects)
            };
        }
        self.stage = Stage::Open;
        self.known = true;
        if !self.wants_room {
            self.attempt = 0;
        }
        self.member = reply.client_id.map(Into::into);
        self.device = reply.device.map(Into::into);
        self.resume = reply.resume.map(Into::into).or(self.resume.take());
        Some(Told::Ready)
    }

    /// A refusal ends what has not begun; a call that goes on keeps trying.
    fn refused(&mut self, now: Now, problem: Problem, effects: &mut Effects) -> Option<Told> {
        if self.entered { self.retry(now, effects) } else { Some(Told::Refused(problem)) }
    }

    fn retry(&mut self, now: Now, effects: &mut Effects) -> Option<Told> {
        self.reopen(now, effects);
        None
    }

    fn ice_servers(&mut self, now: Now, reply: Reply<'_>) -> Told {
        let Some(ice_servers) = reply.ice_servers else {
            self.renew_at = Some(now + ICE_RETRY);
            return Told::NoIceServers;
        };
        let ttl = Duration::from_secs(reply.ttl.unwrap_or(TTL).min(LONGEST_TTL));
        self.renew_at = Some(now + (ttl * 3 / 4).max(ICE_RETRY));
        Told::IceServers(ice_servers)
    }
}
