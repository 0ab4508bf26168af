//! What every client can do.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    link::{Link, Passed},
    relay::{NAME, PASSWORD, PATIENCE},
};

/// Data from a peer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Data {
    pub(crate) peer: SocketAddr,
    pub(crate) payload: Vec<u8>,
}

#[derive(Clone, Copy)]
pub(crate) struct Credential {
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
    /// Whether the key is made with SHA-256.
    pub(crate) sha256: bool,
}

impl Credential {
    pub(crate) const MD5: Self = Self { name: NAME, password: PASSWORD, sha256: false };
    pub(crate) const SHA256: Self = Self { sha256: true, ..Self::MD5 };

    pub(crate) const fn wrong(self) -> Self {
        Self { password: "battery", ..self }
    }
}

pub(crate) trait Foreign {
    fn link(&self) -> &Link;
    /// The relayed transport address; none if the server refuses.
    fn allocate(&mut self) -> Option<SocketAddr>;
    fn permit(&mut self, peer: SocketAddr);
    fn bind(&mut self, peer: SocketAddr);
    fn send(&mut self, peer: SocketAddr, payload: &[u8]);
    fn receive(&mut self) -> Data;
    /// Whether the client pads ChannelData on streams, and takes padded ChannelData.
    fn pads(&self) -> bool {
        true
    }
    /// Puts the client's clock forward.
    fn skip(&mut self, time: Duration);
    /// Sends what the client wants to send, and gives it what arrives within a few milliseconds.
    fn turn(&mut self);
    /// Lets time pass for the client alone.
    fn pass(&mut self, time: Duration) {
        // turn-client-proto refreshes a minute before the end, one thing at a time.
        const STEP: Duration = Duration::from_secs(20);
        for _ in 0..time.as_secs() / STEP.as_secs() {
            self.skip(STEP);
            let (start, mut quiet) = (Instant::now(), 0);
            // A request that waits for its answer would otherwise grow old at once.
            while quiet < 2 || matches!(self.link().passed.last(), Some(Passed::Request { .. })) {
                assert!(start.elapsed() < PATIENCE, "no answer: {:?}", self.link().passed);
                let before = self.link().passed.len();
                self.turn();
                quiet = if self.link().passed.len() == before { quiet + 1 } else { 0 };
            }
        }
    }
    fn wait(&mut self, what: &str, reached: &dyn Fn(&Link) -> bool);
    /// Ends the allocation.
    fn delete(&mut self);
}
