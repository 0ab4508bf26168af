//! What happened so far, in plain numbers.

use std::ops::AddAssign;

use crate::Transport;

macro_rules! counted {
    ($(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $field:ident),+ $(,)? }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name { $($(#[$doc])* pub $field: u64),+ }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) { $(self.$field += other.$field;)+ }
        }

        impl $name {
            /// Every counter with its name.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((stringify!($field), self.$field)),+].into_iter()
            }
        }
    };
}

counted! {
    /// Packets and payload bytes passed in one direction.
    Traffic {
        /// Datagrams passed on.
        packets,
        /// Bytes of payload passed on, headers not counted.
        bytes,
    }
}

counted! {
    /// Packets that were not passed on, by cause.
    Drops {
        /// Neither STUN nor ChannelData, or broken inside.
        malformed,
        /// Data for a five-tuple that has no allocation, or for a relayed address without one.
        no_allocation,
        /// No permission for the peer's address.
        no_permission,
        /// ChannelData on a channel that is not bound.
        no_channel,
        /// An address that data may not be sent to: port 0, or an own one that is no relayed address.
        forbidden_peer,
        /// More than the bandwidth of one allocation.
        bandwidth,
        /// Too long for one message to the client.
        too_long,
    }
}

counted! {
    /// Error responses, by code.
    Refusals {
        /// 400 Bad Request.
        bad_request,
        /// 401 Unauthenticated; the challenge that begins every allocation included.
        unauthenticated,
        /// 403 Forbidden: a peer that the policy or the circle refuses, or a credential that may not allocate any more.
        forbidden,
        /// 420 Unknown Attribute.
        unknown_attribute,
        /// 437 Allocation Mismatch.
        allocation_mismatch,
        /// 438 Stale Nonce.
        stale_nonce,
        /// 440 Address Family not Supported.
        address_family_not_supported,
        /// 441 Wrong Credentials.
        wrong_credentials,
        /// 442 Unsupported Transport Protocol.
        unsupported_transport,
        /// 443 Peer Address Family Mismatch.
        peer_address_family_mismatch,
        /// 486 Allocation Quota Reached.
        allocation_quota_reached,
        /// 508 Insufficient Capacity.
        insufficient_capacity,
    }
}

counted! {
    /// Packets and payload bytes of one transport, each way.
    Ways {
        /// Datagrams from clients to peers.
        packets_to_peers,
        /// Bytes of their payload.
        bytes_to_peers,
        /// Datagrams from peers to clients.
        packets_to_clients,
        /// Bytes of their payload.
        bytes_to_clients,
    }
}

/// What one [`Server`](crate::Server) has done. All but `allocations`, `permissions` and `channels` only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Allocations that live now.
    pub allocations: u64,
    /// Permissions held for them, those included that have lapsed and are not thrown away yet.
    pub permissions: u64,
    /// Channels held for them, likewise.
    pub channels: u64,
    /// Allocations ever created.
    pub created: u64,
    /// Binding requests answered.
    pub bindings: u64,
    /// Answers to strangers withheld because their prefix asked too often.
    pub limited: u64,
    /// Of the 403: what the general policy allows, and the credential's [`Circle`](crate::Circle) does not.
    pub outside_circle: u64,
    /// Allocations ended because their credential was revoked.
    pub revoked: u64,
    /// Relay ports that could not be bound.
    pub bind_failures: u64,
    /// ICMP errors about peers that clients were told.
    pub icmp: u64,
    /// Client to peer.
    pub to_peers: Traffic,
    /// Peer to client.
    pub to_clients: Traffic,
    /// What of both went over TCP between client and server.
    pub over_tcp: Ways,
    /// What of both went over TLS.
    pub over_tls: Ways,
    /// Packets not passed on.
    pub drops: Drops,
    /// Error responses.
    pub refusals: Refusals,
}

impl Counters {
    /// A datagram from a client has been passed on.
    pub(crate) const fn count_to_peers(&mut self, transport: Transport, bytes: usize) {
        self.to_peers.packets += 1;
        self.to_peers.bytes += bytes as u64;
        if let Some(ways) = self.over_stream(transport) {
            ways.packets_to_peers += 1;
            ways.bytes_to_peers += bytes as u64;
        }
    }

    /// A datagram from a peer has been passed on.
    pub(crate) const fn count_to_clients(&mut self, transport: Transport, bytes: usize) {
        self.to_clients.packets += 1;
        self.to_clients.bytes += bytes as u64;
        if let Some(ways) = self.over_stream(transport) {
            ways.packets_to_clients += 1;
            ways.bytes_to_clients += bytes as u64;
        }
    }

    /// The permissions and channels of one allocation have become others.
    pub(crate) const fn recount(&mut self, before: (u64, u64), after: (u64, u64)) {
        self.permissions = self.permissions + after.0 - before.0;
        self.channels = self.channels + after.1 - before.1;
    }

    const fn over_stream(&mut self, transport: Transport) -> Option<&mut Ways> {
        match transport {
            Transport::Udp => None,
            Transport::Tcp => Some(&mut self.over_tcp),
            Transport::Tls => Some(&mut self.over_tls),
        }
    }

    /// What each transport between clients and server has carried.
    #[must_use]
    pub const fn by_transport(&self) -> [(Transport, Ways); 3] {
        let (tcp, tls) = (self.over_tcp, self.over_tls);
        let udp = Ways {
            packets_to_peers: self.to_peers.packets - tcp.packets_to_peers - tls.packets_to_peers,
            bytes_to_peers: self.to_peers.bytes - tcp.bytes_to_peers - tls.bytes_to_peers,
            packets_to_clients: self.to_clients.packets - tcp.packets_to_clients - tls.packets_to_clients,
            bytes_to_clients: self.to_clients.bytes - tcp.bytes_to_clients - tls.bytes_to_clients,
        };
        [(Transport::Udp, udp), (Transport::Tcp, tcp), (Transport::Tls, tls)]
    }
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.allocations += other.allocations;
        self.permissions += other.permissions;
        self.channels += other.channels;
        self.created += other.created;
        self.bindings += other.bindings;
        self.limited += other.limited;
        self.outside_circle += other.outside_circle;
        self.revoked += other.revoked;
        self.bind_failures += other.bind_failures;
        self.icmp += other.icmp;
        self.to_peers += other.to_peers;
        self.to_clients += other.to_clients;
        self.over_tcp += other.over_tcp;
        self.over_tls += other.over_tls;
        self.drops += other.drops;
        self.refusals += other.refusals;
    }
}
