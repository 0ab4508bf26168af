//! Whom the holder of one credential may talk to.

use std::{fmt, net::IpAddr, sync::Arc};

/// What somebody else knows of the holders of credentials: asked before an allocation, a permission or a channel is granted, and never
/// for a packet of data. Asked on the thread that serves the packets, so it must answer at once.
pub trait Circle: Send + Sync {
    /// Whether who holds `username` may open allocations.
    fn admits(&self, username: &[u8]) -> bool;

    /// Whether who holds `username` may reach `peer`, which the general policy allows.
    fn holds(&self, username: &[u8], peer: IpAddr) -> bool;
}

/// A circle, or none: then everybody may reach everybody.
#[derive(Clone, Default)]
pub(crate) struct Bounds(pub(crate) Option<Arc<dyn Circle>>);

impl Bounds {
    pub(crate) fn admit(&self, username: &[u8]) -> bool {
        self.0.as_ref().is_none_or(|circle| circle.admits(username))
    }

    pub(crate) fn hold(&self, username: &[u8], peer: IpAddr) -> bool {
        self.0.as_ref().is_none_or(|circle| circle.holds(username, peer))
    }
}

impl fmt::Debug for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Bounds(…)" } else { "Bounds(none)" })
    }
}
