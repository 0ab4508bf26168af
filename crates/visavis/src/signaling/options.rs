//! What signaling is told once, and what it counts.

use std::{path::PathBuf, sync::Arc, time::Duration};

use visavis_hub::Rate;
use visavis_signal::IceServer;

use crate::{channels::Channels, config::quotas::Quotas, ice::Holder, stream::ConnectionInfo};

/// Answers `ice_servers`: the servers for somebody, and for how many seconds they hold.
pub(crate) type IceServersFor = dyn Fn(&ConnectionInfo, Holder<'_>) -> (Vec<IceServer>, u64) + Send + Sync;

/// What signaling is told once.
pub(crate) struct SignalingOptions {
    /// The channels there are at first; later [`super::Signaling::channels`] knows.
    pub(crate) channels: Channels,
    /// The file of the history; without it, history ends with the server.
    pub(crate) history: Option<PathBuf>,
    /// Where STUN and TURN are.
    pub(crate) ice: Arc<IceServersFor>,
    /// How long the place of a client that can resume is kept; 20 s by default.
    pub(crate) grace: Duration,
    /// Behind the client ids; new with each start.
    pub(crate) seed: [u8; 32],
    /// Behind the resume tokens; the same after a restart.
    pub(crate) resume_key: [u8; 32],
    pub(crate) limits: SignalingLimits,
}

/// What a client may make signaling keep and wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignalingLimits {
    pub(crate) hub: visavis_hub::Limits,
    /// Bytes of one message, where the channel says nothing else.
    pub(crate) message: usize,
    /// Bytes that one connection sends.
    pub(crate) bytes: Rate,
    /// Bytes of `client_data`.
    pub(crate) client_data: usize,
    /// Bytes that wait for a client that reads slowly.
    pub(crate) queue: usize,
    /// Until the `handshake` message is accepted.
    pub(crate) handshake: Duration,
    /// Between two pings, give or take a tenth.
    pub(crate) ping: Duration,
    /// Silence after which a client is gone.
    pub(crate) silence: Duration,
}

impl Default for SignalingLimits {
    fn default() -> Self {
        Self {
            hub: visavis_hub::Limits::default(),
            message: 64 * 1024,
            bytes: Quotas::default().bytes,
            client_data: 4 * 1024,
            queue: 256 * 1024,
            handshake: Duration::from_secs(5),
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(45),
        }
    }
}

impl SignalingLimits {
    /// No rates and no quotas, for load tests. What a connection may hold stays bounded.
    pub(crate) fn off() -> Self {
        Self { hub: visavis_hub::Limits::off(), bytes: Rate::OFF, ..Self::default() }
    }

    /// Those that were configured, and the rest as by default.
    pub(crate) fn within(quotas: &Quotas) -> Self {
        let hub = visavis_hub::Limits {
            messages: quotas.messages,
            rooms_per_client: quotas.subscriptions,
            ..visavis_hub::Limits::default()
        };
        Self { hub, bytes: quotas.bytes, ..Self::default() }
    }
}

/// What has happened so far, and how much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// WebSockets that are open.
    pub(crate) connections: usize,
    /// Channels.
    pub(crate) channels: usize,
    /// Clients, those whose place is only kept included.
    pub(crate) clients: usize,
    /// Rooms with members.
    pub(crate) rooms: usize,
    /// Members of all rooms: a client counts in each of its rooms.
    pub(crate) members: usize,
    /// Handshakes that were accepted.
    pub(crate) handshakes: u64,
    /// Of those, the ones that got back an earlier client id.
    pub(crate) resumed: u64,
    /// Tokens that were accepted.
    pub(crate) authenticated: u64,
    /// Messages that were published.
    pub(crate) published: u64,
    /// Copies of them that were sent out.
    pub(crate) delivered: u64,
    /// Messages of before that were shown to somebody who entered.
    pub(crate) recalled: u64,
    /// Messages that are kept.
    pub(crate) kept: usize,
    /// Bytes that these take.
    pub(crate) kept_bytes: u64,
    /// Writes of the history that failed.
    pub(crate) store_failures: u64,
    /// Connections dropped because their client read too slowly.
    pub(crate) slow: u64,
    /// Connections dropped because their client fell silent.
    pub(crate) silent: u64,
    /// Connections closed because their client sent too much.
    pub(crate) excessive: u64,
}
