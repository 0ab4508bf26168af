//! The channels as they are configured.

use std::{collections::HashMap, fmt, sync::Arc};

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use visavis_hub::{ChannelId, ChannelSettings};
use zeroize::Zeroizing;

use crate::token::lane::Lane;

/// The channel of the call page. It is always there.
pub(crate) const PAGE_CHANNEL: &str = "visavis";

/// First parts of paths that this server serves itself: no channel may be called so.
pub(crate) const RESERVED: [&str; 10] =
    ["assets", "check", "examples", "favicon", "healthz", "metrics", "readyz", "sdk", "settings", "v3"];

/// All channels. Replaced as a whole when the settings are read anew.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    by_id: HashMap<String, Arc<Channel>>,
    /// Whether any other channel comes into being when it is first used.
    pub(crate) open: bool,
}

/// One channel.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: String,
    /// Any of them will do, so that a new one can come into use before the old one goes.
    pub(crate) secrets: Vec<ChannelSecret>,
    pub(crate) origins: Origins,
    /// Whether who knows no secret may list rooms and members although no token is required.
    pub(crate) public_listing: bool,
    /// Whether credentials for its clients reach only who is in a room with them.
    pub(crate) relay_within_rooms: bool,
    /// Bytes of one message, if it is not what holds for all.
    pub(crate) max_message: Option<usize>,
    /// Where questions about its tokens wait.
    pub(crate) lane: Lane,
    /// What the hub has to know.
    pub(crate) hub: ChannelSettings,
}

/// Pages of which origins may use a channel. Programs that are no browsers send no origin and always may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origins {
    /// Those of this server itself: the origin's host and port are those of the `Host` header.
    Own,
    /// All.
    Any,
    /// These, as `scheme://host[:port]`, and this server's own.
    Listed(Vec<String>),
}

/// What a channel's tokens are signed with, and what opens its REST interface. Never printed.
#[derive(Clone)]
pub(crate) struct ChannelSecret(Zeroizing<Vec<u8>>);

impl Channels {
    /// These, and the page's own if it is not among them.
    pub(crate) fn new(channels: impl IntoIterator<Item = Channel>, open: bool) -> Self {
        let named = |channel: Channel| (channel.id.clone(), Arc::new(channel));
        let page = std::iter::once(Channel::new(PAGE_CHANNEL));
        Self { by_id: page.chain(channels).map(named).collect(), open }
    }

    /// The channel of that id, if it may be used.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Channel>> {
        let made = || (self.open && is_channel_id(id)).then(|| Arc::new(Channel::new(id)));
        self.by_id.get(id).cloned().or_else(made)
    }

    /// What the hub has to know of each.
    pub(crate) fn settings(&self) -> HashMap<ChannelId, ChannelSettings> {
        self.by_id.values().map(|channel| (channel.id.as_str().into(), channel.hub)).collect()
    }
}

impl Channel {
    /// A channel that was not told anything: the page's for its own origin, any other for all.
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            secrets: Vec::new(),
            origins: if id == PAGE_CHANNEL { Origins::Own } else { Origins::Any },
            public_listing: false,
            relay_within_rooms: id == PAGE_CHANNEL,
            max_message: None,
            lane: Lane::new(),
            hub: ChannelSettings::default(),
        }
    }

    /// Whether `text` is one of the channel's secrets. Takes as long whether it is or not.
    pub(crate) fn has_secret(&self, text: &[u8]) -> bool {
        let known = self.secrets.iter().map(|secret| secret.is(text));
        known.fold(Choice::from(0), |any, one| any | one).into()
    }
}

impl ChannelSecret {
    /// Keeps `bytes` as a secret.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Compares digests, so that not even the length takes its time.
    fn is(&self, text: &[u8]) -> Choice {
        Sha256::digest(self.bytes()).ct_eq(&Sha256::digest(text))
    }
}

impl fmt::Debug for ChannelSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChannelSecret(…)")
    }
}

/// Whether a channel may be called so: it is the first part of paths.
pub(crate) fn is_channel_id(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(fits) && !RESERVED.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_of_two_secrets_will_do() {
        let secrets = ["first secret", "other secret"].map(ChannelSecret::new).to_vec();
        let channel = Channel { secrets, ..Channel::new("chat") };
        assert!(channel.has_secret(b"first secret") && channel.has_secret(b"other secret"));
        for wrong in ["", "first secre", "first secret ", "FIRST SECRET"] {
            assert!(!channel.has_secret(wrong.as_bytes()), "{wrong:?}");
        }
        assert!(!Channel::new("chat").has_secret(b""), "none is not the empty one");
    }

    #[test]
    fn a_secret_is_never_printed() {
        let secrets = vec![ChannelSecret::new("hunter2hunter2hunter2")];
        let channel = Channel { secrets, ..Channel::new("chat") };
        assert!(!format!("{channel:?}").contains("hunter2"));
        assert!(!format!("{:?}", Channels::new([channel], false)).contains("hunter2"));
    }

    #[test]
    fn open_channels_are_those_that_could_be_configured() {
        let open = Channels::new([], true);
        assert!(open.find("anything").is_some());
        for id in ["", "v3", "a/b", "a b", &"x".repeat(65)] {
            assert!(open.find(id).is_none(), "{id:?}");
        }
        assert!(Channels::new([], false).find("anything").is_none());
        assert_eq!(Channels::new([], false).find(PAGE_CHANNEL).unwrap().origins, Origins::Own);
    }
}
