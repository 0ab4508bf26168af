//! How good the way to a remote is: what `getStats` says, as bars and a path.

use std::time::Duration;

/// How media travels between the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// No relay on the way.
    Direct,
    /// Relayed; the client that is relayed reaches its relay over UDP.
    RelayUdp,
    /// Relayed, over TCP.
    RelayTcp,
    /// Relayed, over TLS.
    RelayTls,
}

impl Path {
    /// The word on the wire and in `data-path`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::RelayUdp => "relay-udp",
            Self::RelayTcp => "relay-tcp",
            Self::RelayTls => "relay-tls",
        }
    }

    /// The path that a word on the wire means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Direct, Self::RelayUdp, Self::RelayTcp, Self::RelayTls].into_iter().find(|path| path.as_str() == word)
    }
}

/// How good the way to a remote is, in bars: 0 is unusable, 4 is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quality(pub u8);

/// What `getStats` says at one moment. Counts run from the start of the connection, over all inbound
/// streams together; what a browser does not know stays at its default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// `packetsReceived` of `inbound-rtp`.
    pub packets_received: u64,
    /// `packetsLost` of `inbound-rtp`; may go down when late packets come.
    pub packets_lost: i64,
    /// `freezeCount` of `inbound-rtp` video.
    pub freezes: u64,
    /// `concealedSamples` of `inbound-rtp` audio.
    pub samples_concealed: u64,
    /// `totalSamplesReceived` of `inbound-rtp` audio.
    pub samples_received: u64,
    /// `fractionLost` (0 to 1) of `remote-inbound-rtp`: what the remote misses of what is sent to it.
    pub fraction_lost_there: Option<f64>,
    /// `currentRoundTripTime` of the selected candidate pair.
    pub round_trip: Option<Duration>,
    /// The path as this end sees it: [`Path::Direct`] unless the selected pair's own candidate is of
    /// type `relay`; then its `relayProtocol` says which.
    pub path: Option<Path>,
    /// The selected pair's remote candidate is of type `relay`.
    pub remote_relayed: bool,
}
