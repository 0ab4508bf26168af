//! Ways from one shard to another, and from the rest of the program into a shard.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use mio::Waker;
use visavis_turn::RelayedAddr;

use crate::stream::ClientStream;

/// Packets that may wait for a shard. Beyond it they are dropped: it could not serve them in time.
const PACKETS: usize = 2048;
/// Streams that may wait for a shard.
const STREAMS: usize = 256;

/// A packet between relayed addresses of two shards.
pub(crate) struct Crossing {
    pub(crate) from: RelayedAddr,
    pub(crate) to: RelayedAddr,
    pub(crate) payload: Box<[u8]>,
}

/// The outside of a shard: what others put in.
#[derive(Clone)]
pub(crate) struct Door {
    packets: SyncSender<Crossing>,
    streams: SyncSender<ClientStream>,
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
}

/// The inside of a shard: what others have put in.
pub(crate) struct Inbox {
    packets: Receiver<Crossing>,
    streams: Receiver<ClientStream>,
    stop: Arc<AtomicBool>,
}

/// A door and its inside; `waker` ends the waiting of the shard.
pub(crate) fn door(waker: Arc<Waker>) -> (Door, Inbox) {
    let (packets, packets_in) = sync_channel(PACKETS);
    let (streams, streams_in) = sync_channel(STREAMS);
    let stop = Arc::new(AtomicBool::new(false));
    let inbox = Inbox { packets: packets_in, streams: streams_in, stop: Arc::clone(&stop) };
    (Door { packets, streams, stop, waker }, inbox)
}

impl Door {
    /// Puts a packet in without waking the shard; false if it had to be dropped.
    #[must_use]
    pub(crate) fn put(&self, crossing: Crossing) -> bool {
        self.packets.try_send(crossing).is_ok()
    }

    /// Hands a stream over, or back if the shard has too many waiting or is gone.
    pub(crate) fn hand_over(&self, stream: ClientStream) -> Result<(), ClientStream> {
        self.streams
            .try_send(stream)
            .map_err(|(TrySendError::Full(stream) | TrySendError::Disconnected(stream))| stream)?;
        self.wake();
        Ok(())
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

    pub(crate) fn packet(&self) -> Option<Crossing> {
        self.packets.try_recv().ok()
    }

    pub(crate) fn stream(&self) -> Option<ClientStream> {
        self.streams.try_recv().ok()
    }
}
