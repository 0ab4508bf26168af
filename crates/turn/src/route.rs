//! The hot look-up: client address to allocation, channel number to peer, peer to channel or permission.
//!
//! Everything that one packet of data needs, and nothing else, so that it can be copied into a faster path.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use foldhash::fast::FixedState;
use visavis_clock::Now;

use crate::{
    FiveTuple, PeerAddr, RelayedAddr,
    allocation::AllocationKey,
    channel::{ChannelNumber, Channels},
    family::{ByFamily, Family},
    permission::Permissions,
    rate::Bucket,
    server::Dropped,
};

/// Which allocation a client's packet belongs to.
pub(crate) struct ByClient(HashMap<FiveTuple, AllocationKey, FixedState>);

impl ByClient {
    pub(crate) fn new(seed: u64) -> Self {
        Self(HashMap::with_hasher(FixedState::with_seed(seed)))
    }

    pub(crate) fn find(&self, from: &FiveTuple) -> Option<AllocationKey> {
        self.0.get(from).copied()
    }

    pub(crate) fn insert(&mut self, from: FiveTuple, key: AllocationKey) {
        self.0.insert(from, key);
    }

    pub(crate) fn remove(&mut self, from: &FiveTuple) {
        self.0.remove(from);
    }
}

/// Where data for a peer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Out of the relay's socket.
    Peer(PeerAddr),
    /// Across to another relayed transport address of this process.
    Relayed(RelayedAddr),
}

impl Destination {
    /// Which relayed transport address of an allocation data for it leaves from.
    pub(crate) const fn family(&self) -> Family {
        let (Self::Peer(PeerAddr(address)) | Self::Relayed(RelayedAddr(address))) = self;
        Family::of(address.ip())
    }
}

/// How data reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Channel(ChannelNumber),
    Indication,
}

/// What one allocation's data needs on its way.
pub(crate) struct Route {
    pub(crate) client: FiveTuple,
    pub(crate) relayed: ByFamily<Option<RelayedAddr>>,
    pub(crate) permissions: Permissions,
    pub(crate) channels: Channels,
    /// Bytes of payload passed on so far, both ways together.
    pub(crate) bytes: u64,
    to_peers: Bucket,
    to_client: Bucket,
}

impl Route {
    pub(crate) fn new(client: FiveTuple) -> Self {
        Self {
            client,
            relayed: ByFamily::default(),
            permissions: Permissions::default(),
            channels: Channels::default(),
            bytes: 0,
            to_peers: Bucket::default(),
            to_client: Bucket::default(),
        }
    }

    /// Whether there is a relayed transport address of the peer's family.
    pub(crate) fn reaches(&self, ip: IpAddr) -> bool {
        self.relayed[Family::of(ip)].is_some()
    }

    /// How many permissions and channels are held, those included that have lapsed.
    pub(crate) const fn held(&self) -> (u64, u64) {
        (self.permissions.len() as u64, self.channels.len() as u64)
    }

    /// Takes a relayed transport address away, and with it the permissions and channels of its family.
    pub(crate) fn take(&mut self, family: Family) -> Option<RelayedAddr> {
        self.permissions.forget(family);
        self.channels.forget(family);
        self.relayed[family].take()
    }

    /// How a datagram from `peer` reaches the client (RFC 8656 sections 11.3 and 12.6).
    pub(crate) fn way(&self, now: Now, peer: SocketAddr) -> Result<Way, Dropped> {
        if !self.permissions.holds(now, peer.ip()) {
            return Err(Dropped::NoPermission);
        }
        Ok(self.channels.number(now, peer).map_or(Way::Indication, Way::Channel))
    }

    pub(crate) fn spend_to_peer(
        &mut self,
        now: Now,
        bandwidth: Option<Bandwidth>,
        bytes: usize,
    ) -> Result<(), Dropped> {
        spend(&mut self.to_peers, now, bandwidth, bytes)?;
        self.bytes += bytes as u64;
        Ok(())
    }

    pub(crate) fn spend_to_client(
        &mut self,
        now: Now,
        bandwidth: Option<Bandwidth>,
        bytes: usize,
    ) -> Result<(), Dropped> {
        spend(&mut self.to_client, now, bandwidth, bytes)?;
        self.bytes += bytes as u64;
        Ok(())
    }
}

fn spend(bucket: &mut Bucket, now: Now, bandwidth: Option<Bandwidth>, bytes: usize) -> Result<(), Dropped> {
    let admitted =
        bandwidth.is_none_or(|bandwidth| bucket.take(now, bandwidth.cost(bytes), Bandwidth::BURST));
    if admitted { Ok(()) } else { Err(Dropped::Bandwidth) }
}

/// Bits a second, and twice that at once. Each packet counts with its headers.
#[derive(Clone, Copy)]
pub(crate) struct Bandwidth(pub(crate) u64);

impl Bandwidth {
    const BURST: Duration = Duration::from_secs(2);
    /// What IPv4 and UDP put before every payload: without it empty packets would be free.
    const HEADERS: usize = 28;

    fn cost(self, payload: usize) -> Duration {
        Duration::from_nanos((payload + Self::HEADERS) as u64 * 8_000_000_000 / self.0.max(1))
    }
}
