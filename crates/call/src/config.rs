//! What a call is told before it starts.

use visavis_signal::outbound::IceServer;

/// Everything that stays the same for one page load, and what the person wishes at the start.
#[derive(Clone, Debug)]
pub struct Config {
    /// The room's id as it stands in the link, already trimmed and normalised. The signaling room is
    /// `observable-` and this.
    pub room: String,
    /// What only this tab knows, 128 random bits as text; kept in `sessionStorage`, so that a reload is known to be the
    /// same device. The server makes the device's name of it, so that nobody else can bear that.
    pub device_secret: String,
    /// 128 random bits as text, new with every page load.
    pub session: String,
    /// The person's name; empty if none was given.
    pub name: String,
    /// Media through the relay only, or `None` for the best path there is.
    pub relay: Option<RelayOnly>,
    /// Which of microphone and camera are on. Both may be off.
    pub wishes: Wishes,
}

/// The wish to hide one's addresses, or to prove one transport: `&relay=` in the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelayOnly {
    /// Any transport to the relay.
    Any,
    /// Only `turn:` over UDP.
    Udp,
    /// Only `turn:` over TCP.
    Tcp,
    /// Only `turns:`.
    Tls,
}

/// What the person wants to send. The remote learns of it as *muted* and *camera*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The microphone is on.
    pub microphone: bool,
    /// The camera is on.
    pub camera: bool,
}

/// The servers that are left under the wish for one transport to the relay.
pub(crate) fn usable(servers: Vec<IceServer>, relay: Option<RelayOnly>) -> Vec<IceServer> {
    let Some(relay) = relay else { return servers };
    let mut usable = servers;
    for server in &mut usable {
        server.urls.retain(|url| relay.takes(url));
    }
    usable.retain(|server| !server.urls.is_empty());
    usable
}

impl RelayOnly {
    /// Whether a URL (RFC 7065) leads to a relay over the wished transport. Without `transport=`, `turn:`
    /// is UDP and `turns:` TLS over TCP.
    fn takes(self, url: &str) -> bool {
        let over_tcp = url.contains("transport=tcp");
        match self {
            Self::Any => url.starts_with("turn:") || url.starts_with("turns:"),
            Self::Udp => url.starts_with("turn:") && !over_tcp,
            Self::Tcp => url.starts_with("turn:") && over_tcp,
            Self::Tls => url.starts_with("turns:"),
        }
    }
}
