//! What a hub is told once.

use std::{collections::HashMap, fmt, time::Duration};

use crate::{ChannelId, rate::Rate};

/// What a hub is told once.
#[derive(Clone, Debug)]
pub struct Config {
    /// The channels there are.
    pub channels: HashMap<ChannelId, ChannelSettings>,
    /// Whether any other channel comes into being when it is first used.
    pub open_channels: bool,
    /// The key of resume tokens; the same after a restart, or clients get new ids.
    pub resume_key: ResumeKey,
    /// How long a resume token is good for.
    pub resume_lifetime: Duration,
    /// How long the place of a client that lost its connection is kept.
    pub grace: Duration,
    /// The Unix time at `Now::ZERO`.
    pub unix_time_at_zero: Duration,
    /// What a stranger may make this hub keep and do.
    pub limits: Limits,
}

impl Config {
    /// What holds by default: no channels, 20 s of grace, tokens for a day.
    #[must_use]
    pub fn new(resume_key: ResumeKey, unix_time_at_zero: Duration) -> Self {
        Self {
            channels: HashMap::new(),
            open_channels: false,
            resume_key,
            resume_lifetime: Duration::from_hours(24),
            grace: Duration::from_secs(20),
            unix_time_at_zero,
            limits: Limits::default(),
        }
    }
}

/// How one channel is run. By default it is open to everybody and keeps nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelSettings {
    /// Whether a connection must be authenticated before it may do anything.
    pub require_auth: bool,
    /// How much of what was said is kept; nothing where this is missing.
    pub history: Option<HistoryBounds>,
    /// Clients, those whose place is only kept included; else [`Limits::clients_per_channel`].
    pub clients: Option<usize>,
}

/// How much of what was said a channel keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryBounds {
    /// For how long.
    pub lifetime: Duration,
    /// Bytes of messages in all rooms together; the oldest go first.
    pub bytes: u64,
}

/// What a stranger may make a hub keep and do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Clients per channel that has no limit of its own, those whose place is only kept included.
    pub clients_per_channel: usize,
    /// Rooms per client.
    pub rooms_per_client: usize,
    /// Members per room.
    pub members_per_room: usize,
    /// Bytes of a room's or channel's name.
    pub name_length: usize,
    /// Messages per connection, of whatever kind; more is [`crate::Refusal::RateExceeded`].
    pub messages: Rate,
    /// Peeks per connection; more is [`crate::Refusal::TooManyRequests`].
    pub peeks: Rate,
    /// Attempts to authenticate per connection; more is [`crate::Refusal::TooManyRequests`].
    pub authentications: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients_per_channel: 100_000,
            rooms_per_client: 64,
            members_per_room: 2_000,
            name_length: 256,
            messages: Rate::new(1_000, 100),
            peeks: Rate::new(20, 2),
            authentications: Rate::new(10, 1),
        }
    }
}

impl Limits {
    /// No rates and no quotas, for load tests.
    #[must_use]
    pub fn off() -> Self {
        Self {
            clients_per_channel: usize::MAX,
            rooms_per_client: usize::MAX,
            members_per_room: usize::MAX,
            messages: Rate::OFF,
            peeks: Rate::OFF,
            authentications: Rate::OFF,
            ..Self::default()
        }
    }
}

/// The secret that resume tokens are made with.
#[derive(Clone)]
pub struct ResumeKey(pub [u8; 32]);

impl fmt::Debug for ResumeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeKey(…)")
    }
}
