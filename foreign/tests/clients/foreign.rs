//! What every client can do, and what is the same for all of them.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    link::{Link, Passed},
    peer::PATIENCE,
    relay::{NAME, PASSWORD},
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

/// What a client stands in.
pub(crate) struct Surroundings {
    pub(crate) link: Link,
    /// How far the client's clock is ahead.
    pub(crate) ahead: Duration,
    /// What it has received and nobody has taken yet.
    pub(crate) data: Vec<Data>,
}

impl Surroundings {
    pub(crate) fn new(link: Link) -> Self {
        Self { link, ahead: Duration::ZERO, data: Vec::new() }
    }
}

pub(crate) trait Foreign: Sized {
    fn surroundings(&self) -> &Surroundings;
    fn surroundings_mut(&mut self) -> &mut Surroundings;
    /// The relayed transport address; none if the server refuses.
    fn allocate(&mut self) -> Option<SocketAddr>;
    fn permit(&mut self, peer: SocketAddr);
    fn bind(&mut self, peer: SocketAddr);
    fn send(&mut self, peer: SocketAddr, payload: &[u8]);
    /// Whether the client pads ChannelData on streams, and takes padded ChannelData.
    fn pads(&self) -> bool {
        true
    }
    /// Sends what the client wants to send, and gives it what arrives within a few milliseconds.
    fn drive(&mut self);
    /// Ends the allocation.
    fn delete(&mut self);

    fn link(&self) -> &Link {
        &self.surroundings().link
    }

    fn receive(&mut self) -> Data {
        self.until("data", |own| !own.surroundings().data.is_empty());
        self.surroundings_mut().data.remove(0)
    }

    fn until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !reached(self) {
            assert!(start.elapsed() < PATIENCE, "{what}: {:?}", self.link().passed);
            self.drive();
        }
    }

    /// Lets time pass for the client alone.
    fn pass(&mut self, time: Duration) {
        // turn-client-proto refreshes a minute before the end, one thing at a time.
        const STEP: Duration = Duration::from_secs(20);
        for _ in 0..time.as_secs() / STEP.as_secs() {
            self.surroundings_mut().ahead += STEP;
            let (start, mut quiet) = (Instant::now(), 0);
            // A request that waits for its answer would otherwise grow old at once.
            while quiet < 2 || matches!(self.link().passed.last(), Some(Passed::Request { .. })) {
                assert!(start.elapsed() < PATIENCE, "no answer: {:?}", self.link().passed);
                let before = self.link().passed.len();
                self.drive();
                quiet = if self.link().passed.len() == before { quiet + 1 } else { 0 };
            }
        }
    }
}
