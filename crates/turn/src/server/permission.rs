//! CreatePermission: whose datagrams the client wants (RFC 8656 section 10).

use std::net::{IpAddr, SocketAddr};

use super::{
    Answer, Server,
    request::{Code, Request},
};

impl Server {
    /// Permits all peers of the request or none.
    pub(super) fn create_permission(&mut self, request: &Request<'_>) -> Result<Answer, Code> {
        self.owned(request)?;
        let (now, limit) = (request.now, self.limits.permissions);
        // One more than may be permitted, so that an endless list costs no more than a long one.
        let peers = request.covered.peers().take(limit.saturating_add(1));
        let peers = peers.collect::<Option<Vec<_>>>().ok_or(Code::BadRequest)?;
        if peers.is_empty() {
            return Err(Code::BadRequest);
        }
        let ips: Vec<IpAddr> = peers.iter().map(SocketAddr::ip).collect();
        self.permits(request, &ips)?;
        let route = &mut self.owned(request)?.1.route;
        if !ips.iter().all(|&ip| route.reaches(ip)) {
            return Err(Code::PeerAddressFamilyMismatch);
        }
        if ips.len() > limit || !route.permissions.has_room(now, limit, &ips) {
            return Err(Code::InsufficientCapacity);
        }
        for ip in ips {
            route.permissions.install(now, ip);
        }
        Ok(self.grant(request, |_| {}))
    }
}
