//! What ICMP says of a peer, told to the client (RFC 8656 section 11.5).

use std::net::SocketAddr;

use visavis_clock::Now;

use super::{Dropped, RelayKey, Reply, Server, route_at, transaction_id};
use crate::{
    FiveTuple, Icmp, PeerAddr,
    route::Bandwidth,
    wire::{Class, Method, Writer, attribute},
};

impl Server {
    /// Takes an ICMP error about a datagram that the relayed transport address `at` sent to `peer`: the Data indication
    /// for the client, if it hears of such errors and has permitted that peer. It may be dropped like any other data.
    pub fn handle_icmp(
        &mut self,
        now: Now,
        at: RelayKey,
        PeerAddr(peer): PeerAddr,
        icmp: Icmp,
    ) -> Option<Reply<'_>> {
        self.handle_timeout(now);
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        if !icmp.is_reported(peer.ip()) {
            return None;
        }
        match self.write_icmp(now, at, peer, icmp) {
            Ok(to) => {
                self.counters.icmp += 1;
                Some(Reply { to, bytes: &self.out })
            }
            Err(dropped) => {
                self.count_dropped(dropped);
                None
            }
        }
    }

    fn write_icmp(
        &mut self,
        now: Now,
        at: RelayKey,
        peer: SocketAddr,
        icmp: Icmp,
    ) -> Result<FiveTuple, Dropped> {
        let route = route_at(&mut self.allocations, at)?;
        if !route.permissions.holds(now, peer.ip()) {
            return Err(Dropped::NoPermission);
        }
        route.spend_to_client(now, self.limits.bandwidth.map(Bandwidth), 0)?;
        let id = transaction_id(&mut self.rng);
        let mut writer = Writer::new(&mut self.out, Class::Indication, Method::DATA, id);
        writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        writer.attribute(attribute::ICMP, &icmp.value(peer.ip()));
        Ok(route.client)
    }
}
