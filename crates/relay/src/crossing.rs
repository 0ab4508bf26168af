//! Ways from one shard to another, and from the rest of the program into a shard.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use mio::Waker;
use visavis_turn::Listed;

use crate::{parcel::Slot, stream::ClientStream};

/// Streams that may wait for a shard.
const STREAMS: usize = 256;

/// Errands that may wait for a shard.
const ERRANDS: usize = 64;

/// Says which credentials are revoked.
pub type IsRevoked = dyn Fn(&[u8]) -> bool + Send + Sync;

/// What the rest of the program wants of a shard.
pub(crate) enum Errand {
    /// To end the allocations of revoked credentials.
    Revoke(Arc<IsRevoked>),
    /// To say which allocations live, so many at most.
    List(usize, SyncSender<Vec<Listed>>),
}

/// The outside of a shard: what others put in.
#[derive(Clone)]
pub(crate) struct Door {
    /// Where each shard leaves packets.
    slots: Arc<[Slot]>,
    streams: SyncSender<ClientStream>,
    errands: SyncSender<Errand>,
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
}

/// The inside of a shard: what others have put in.
pub(crate) struct Inbox {
    streams: Receiver<ClientStream>,
    errands: Receiver<Errand>,
    stop: Arc<AtomicBool>,
}

/// A door for so many shards, and its inside; `waker` ends the waiting of the shard.
pub(crate) fn door(waker: Arc<Waker>, shards: u16) -> (Door, Inbox) {
    let slots = (0..shards).map(|_| Slot::default()).collect();
    let (streams, streams_in) = sync_channel(STREAMS);
    let (errands, errands_in) = sync_channel(ERRANDS);
    let stop = Arc::new(AtomicBool::new(false));
    let inbox = Inbox { streams: streams_in, errands: errands_in, stop: Arc::clone(&stop) };
    (Door { slots, streams, errands, stop, waker }, inbox)
}

impl Door {
    /// Where `shard` leaves packets. To do so does not wake this one.
    pub(crate) fn slot(&self, shard: u16) -> &Slot {
        &self.slots[usize::from(shard)]
    }

    /// Hands a stream over, or back if the shard has too many waiting or is gone.
    pub(crate) fn hand_over(&self, stream: ClientStream) -> Result<(), ClientStream> {
        self.streams
            .try_send(stream)
            .map_err(|(TrySendError::Full(stream) | TrySendError::Disconnected(stream))| stream)?;
        self.wake();
        Ok(())
    }

    /// Sends the shard on an errand; false if it has too many waiting or is gone.
    #[must_use]
    pub(crate) fn send(&self, errand: Errand) -> bool {
        let sent = self.errands.try_send(errand).is_ok();
        self.wake();
        sent
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Lets the shard look at what was put in.
    pub(crate) fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::warn!(%error, "wake a relay shard");
        }
    }
}

impl Inbox {
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub(crate) fn errand(&self) -> Option<Errand> {
        self.errands.try_recv().ok()
    }

    pub(crate) fn stream(&self) -> Option<ClientStream> {
        self.streams.try_recv().ok()
    }
}
