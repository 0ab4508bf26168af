//! What happened so far, in plain numbers.

use std::ops::AddAssign;

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
        /// 403 Forbidden: a peer that the policy refuses.
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

/// What one [`Server`](crate::Server) has done. All but `allocations` only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Allocations that live now.
    pub allocations: u64,
    /// Allocations ever created.
    pub created: u64,
    /// Binding requests answered.
    pub bindings: u64,
    /// Answers to strangers withheld because their prefix asked too often.
    pub limited: u64,
    /// Relay ports that could not be bound.
    pub bind_failures: u64,
    /// ICMP errors about peers that clients were told.
    pub icmp: u64,
    /// Client to peer.
    pub to_peers: Traffic,
    /// Peer to client.
    pub to_clients: Traffic,
    /// Packets not passed on.
    pub drops: Drops,
    /// Error responses.
    pub refusals: Refusals,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.allocations += other.allocations;
        self.created += other.created;
        self.bindings += other.bindings;
        self.limited += other.limited;
        self.bind_failures += other.bind_failures;
        self.icmp += other.icmp;
        self.to_peers += other.to_peers;
        self.to_clients += other.to_clients;
        self.drops += other.drops;
        self.refusals += other.refusals;
    }
}
