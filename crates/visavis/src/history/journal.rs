//! What is on its way to the disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::watch;
use visavis_hub::Record;

use super::Store;

/// How long after a write that failed the next one is tried.
const PAUSE: Duration = Duration::from_secs(1);

/// Hands what is to be stored to a thread that writes it, batch by batch.
pub(crate) struct Journal {
    shared: Arc<Shared>,
    written: watch::Receiver<Written>,
    thread: Option<JoinHandle<()>>,
}

/// Stands for everything that was handed over before it was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// The disk did not take it. It is tried again, but nobody knows whether in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotStored;

struct Shared {
    pending: Mutex<Pending>,
    changed: Condvar,
    failures: AtomicU64,
}

/// What goes into the next batch. No more than the history in memory, since what is removed there before it was
/// written is not written at all.
struct Pending {
    records: BTreeMap<u64, Record>,
    removed: BTreeSet<u64>,
    /// The number of the next batch.
    batch: u64,
    ended: bool,
    /// What the next server is to know, if nothing is handed over any more.
    ending: Option<String>,
}

/// Batches that were tried.
#[derive(Clone, Copy, Default)]
struct Written {
    stored: u64,
    failed: u64,
}

impl Journal {
    /// Starts the thread that writes into `store`.
    pub(crate) fn start(store: Store) -> io::Result<Self> {
        let (records, removed) = (BTreeMap::new(), BTreeSet::new());
        let pending = Pending { records, removed, batch: 1, ended: false, ending: None };
        let shared =
            Shared { pending: Mutex::new(pending), changed: Condvar::new(), failures: AtomicU64::new(0) };
        let shared = Arc::new(shared);
        let (sender, written) = watch::channel(Written::default());
        let writer = Writer { shared: Arc::clone(&shared), written: sender, store };
        let thread = thread::Builder::new().name("history".to_owned()).spawn(|| writer.run())?;
        Ok(Self { shared, written, thread: Some(thread) })
    }

    /// Hands over what has changed. Waits for nothing.
    pub(crate) fn submit(&self, records: Vec<Record>, removed: Vec<u64>) {
        if records.is_empty() && removed.is_empty() {
            return;
        }
        let mut pending = self.shared.lock();
        pending.records.extend(records.into_iter().map(|record| (record.number, record)));
        for number in removed {
            if pending.records.remove(&number).is_none() {
                pending.removed.insert(number);
            }
        }
        drop(pending);
        self.shared.changed.notify_one();
    }

    /// Stands for everything that was handed over so far.
    pub(crate) fn ticket(&self) -> Ticket {
        let pending = self.shared.lock();
        Ticket(if pending.is_empty() { pending.batch - 1 } else { pending.batch })
    }

    /// Waits until the disk has what `ticket` stands for.
    pub(crate) fn stored(&self, ticket: Ticket) -> impl Future<Output = Result<(), NotStored>> + use<> {
        let mut written = self.written.clone();
        async move {
            let tried = |written: &Written| written.stored.max(written.failed) >= ticket.0;
            let written = written.wait_for(tried).await.map_err(|_| NotStored)?;
            if written.stored >= ticket.0 { Ok(()) } else { Err(NotStored) }
        }
    }

    /// Has the thread end when everything is written, and say so in the file, where `ending` tells the next server
    /// what it is to know. Nothing may be handed over later.
    pub(crate) fn end(&mut self, ending: String) -> Option<JoinHandle<()>> {
        self.shared.lock().ending = Some(ending);
        self.stop()
    }

    fn stop(&mut self) -> Option<JoinHandle<()>> {
        self.shared.lock().ended = true;
        self.shared.changed.notify_one();
        self.thread.take()
    }

    /// How many writes have failed.
    pub(crate) fn failures(&self) -> u64 {
        self.shared.failures.load(Ordering::Relaxed)
    }
}

impl Drop for Journal {
    /// Waits until what is left is written.
    fn drop(&mut self) {
        let thread = self.stop();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes the history panicked");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.removed.is_empty()
    }

    fn take(&mut self) -> Batch {
        let batch = Batch {
            number: self.batch,
            records: std::mem::take(&mut self.records),
            removed: std::mem::take(&mut self.removed),
        };
        self.batch += 1;
        batch
    }

    /// A batch could not be written: it is part of the next one.
    fn put_back(&mut self, batch: Batch) {
        let Batch { records, removed, .. } = batch;
        let wanted = records.into_iter().filter(|(number, _)| !self.removed.contains(number));
        self.records.extend(wanted.collect::<Vec<_>>());
        self.removed.extend(removed);
    }
}

struct Batch {
    number: u64,
    records: BTreeMap<u64, Record>,
    removed: BTreeSet<u64>,
}

/// The thread's own.
struct Writer {
    shared: Arc<Shared>,
    written: watch::Sender<Written>,
    store: Store,
}

impl Writer {
    fn run(mut self) {
        while let Some(batch) = self.next() {
            let number = batch.number;
            match self.store.write(batch.records.values(), batch.removed.iter().copied()) {
                Ok(()) => self.written.send_modify(|written| written.stored = number),
                Err(error) => {
                    self.complain(&error);
                    self.shared.lock().put_back(batch);
                    self.written.send_modify(|written| written.failed = number);
                    if self.pause() {
                        return;
                    }
                }
            }
        }
        let ending = self.shared.lock().ending.take();
        if let Some(Err(error)) = ending.map(|ending| self.store.end(&ending)) {
            self.complain(&error);
        }
    }

    /// Waits for something to write; nothing once it is all written and the journal has ended.
    fn next(&self) -> Option<Batch> {
        let idle = |pending: &mut Pending| pending.is_empty() && !pending.ended;
        let waited = self.shared.changed.wait_while(self.shared.lock(), idle);
        let mut pending = waited.unwrap_or_else(PoisonError::into_inner);
        (!pending.is_empty()).then(|| pending.take())
    }

    /// Says it once, however often it fails in a row.
    fn complain(&self, error: &anyhow::Error) {
        let before = self.written.borrow();
        let repeated = before.failed > before.stored;
        self.shared.failures.fetch_add(1, Ordering::Relaxed);
        if repeated {
            tracing::debug!("the history can still not be written: {error:#}");
        } else {
            tracing::error!("the history cannot be written, and is tried again: {error:#}");
        }
    }

    /// Whether the journal ended meanwhile.
    fn pause(&self) -> bool {
        let waiting = |pending: &mut Pending| !pending.ended;
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), PAUSE, waiting);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }
}
