//! What waits to be sent on one connection.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use axum::body::Bytes;

use super::past::Past;

/// A queue of frames that are ready to be sent, and how the connection is to end, if it is.
///
/// A room's history goes through it as well, in its place among the frames. Whoever takes it makes frames of it as
/// the connection drains, and what is pushed meanwhile waits behind it.
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    limit: usize,
    /// History has come and is not sent yet.
    feeding: AtomicBool,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    /// Comes behind the frames.
    past: Option<Past>,
    /// What comes behind history that is not sent yet.
    behind: VecDeque<Waiting>,
    /// Bytes of frames that have not been written: those in the queue and those that were taken from it.
    bytes: usize,
    /// Of these, so many count against no limit: what the client has asked for, and a message that is larger by itself.
    aside: usize,
    end: Option<End>,
    waker: Option<Waker>,
}

impl Queue {
    fn move_frames(&mut self, frames: &mut VecDeque<Bytes>) {
        if frames.is_empty() {
            std::mem::swap(frames, &mut self.frames);
        } else {
            frames.append(&mut self.frames);
        }
        self.frames.shrink_to(0);
    }
}

enum Waiting {
    Frame(Bytes),
    Past(Past),
}

/// Whether the client may be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    Open,
    /// So much of what it has asked for waits already that nothing may be added.
    Paused,
    /// It has been told, or is to be told, that its connection ends.
    Over,
}

/// How a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// At once and without a Close frame: the client comes back.
    Drop,
    /// With a Close frame behind what waits: the client does not come back by itself.
    Close(u16, &'static str),
}

impl Outbox {
    /// An empty queue. What others say may pile up to `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { queue: Mutex::default(), limit, feeding: AtomicBool::new(false) }
    }

    /// Queues what others have said. Ends the connection and says `false` where too much waits already; a single
    /// frame may be larger than that.
    pub(crate) fn push(&self, frame: Bytes) -> bool {
        let mut queue = self.lock();
        if queue.end.is_some() {
            return true;
        }
        let counted = queue.bytes - queue.aside;
        let fits = counted + frame.len() <= self.limit || (counted == 0 && queue.bytes <= self.limit);
        if fits {
            if frame.len() > self.limit {
                queue.aside += frame.len();
            }
            self.queue(&mut queue, frame);
        } else {
            queue.frames.clear();
            queue.behind.clear();
            queue.end = Some(End::Drop);
        }
        wake(queue);
        fits
    }

    /// Queues what the client has asked for. It is to ask for nothing more while much [waits](Hearing::Paused).
    pub(crate) fn answer(&self, frame: Bytes) {
        let mut queue = self.lock();
        if queue.end.is_none() {
            queue.aside += frame.len();
            self.queue(&mut queue, frame);
            wake(queue);
        }
    }

    fn queue(&self, queue: &mut Queue, frame: Bytes) {
        queue.bytes += frame.len();
        if self.is_feeding() {
            queue.behind.push_back(Waiting::Frame(frame));
        } else {
            queue.frames.push_back(frame);
        }
    }

    /// Queues a room's history.
    pub(crate) fn feed(&self, past: Past) {
        let mut queue = self.lock();
        if self.is_feeding() {
            queue.behind.push_back(Waiting::Past(past));
        } else {
            self.feeding.store(true, Ordering::Relaxed);
            queue.past = Some(past);
        }
        wake(queue);
    }

    /// Whether the client may be heard now.
    pub(crate) fn hearing(&self) -> Hearing {
        let queue = self.lock();
        if queue.end.is_some() {
            Hearing::Over
        } else if self.is_feeding() || queue.aside > self.limit / 2 {
            Hearing::Paused
        } else {
            Hearing::Open
        }
    }

    /// Whether history has come that is not sent yet.
    fn is_feeding(&self) -> bool {
        self.feeding.load(Ordering::Relaxed)
    }

    /// The history that was taken is sent: what waits behind it may come.
    pub(crate) fn fed(&self) {
        let mut queue = self.lock();
        while let Some(waiting) = queue.behind.pop_front() {
            match waiting {
                Waiting::Frame(frame) => queue.frames.push_back(frame),
                Waiting::Past(past) => {
                    queue.past = Some(past);
                    return;
                }
            }
        }
        queue.behind = VecDeque::new();
        self.feeding.store(false, Ordering::Relaxed);
    }

    /// So many bytes are written besides what was queued.
    pub(crate) fn add(&self, bytes: usize) {
        let mut queue = self.lock();
        queue.bytes += bytes;
        queue.aside += bytes;
    }

    /// Has the connection end. What was asked for first holds, unless it is to be dropped now.
    pub(crate) fn end(&self, end: End) {
        let mut queue = self.lock();
        if queue.end.is_none() || end == End::Drop {
            queue.end = Some(end);
        }
        wake(queue);
    }

    /// The connection is awake and is going to [`Outbox::take`]: what is queued until then need not wake it.
    pub(crate) fn hush(&self) {
        self.lock().waker = None;
    }

    /// Takes all frames onto the back of `frames`, the history that comes behind them, and says how the connection
    /// is to end.
    pub(crate) fn take(
        &self,
        frames: &mut VecDeque<Bytes>,
        past: &mut Option<Past>,
        waker: &Waker,
    ) -> Option<End> {
        let mut queue = self.lock();
        queue.move_frames(frames);
        if queue.past.is_some() {
            *past = queue.past.take();
        }
        queue.waker = Some(waker.clone());
        queue.end
    }

    /// Takes what is queued onto the back of `frames` before the connection's last frame.
    pub(crate) fn take_last(&self, frames: &mut VecDeque<Bytes>) {
        self.lock().move_frames(frames);
    }

    /// So many bytes of frames that were taken have been written.
    pub(crate) fn written(&self, bytes: usize) {
        let mut queue = self.lock();
        queue.bytes -= bytes;
        queue.aside = queue.aside.min(queue.bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(mut queue: MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
}
