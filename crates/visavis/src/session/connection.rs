//! The bytes of one signaling connection: frames off the stream to the session, and its queue onto the stream.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice},
    mem::MaybeUninit,
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use visavis_signal::Refusal;

use super::Session;
use crate::{
    http::websocket::{
        frame,
        reader::{Message, Reader, Violation},
    },
    signaling::{End, Hearing, Past},
};

/// What is read at once. It lies on the stack: a connection on which nothing happens owns no buffer.
const CHUNK: usize = 16 * 1024;
/// How often is read before others have their turn.
const READS_PER_ROUND: usize = 4;
/// How many frames are written at once.
const FRAMES_PER_WRITE: usize = 32;
/// History is made into frames while less than this waits to be written.
const PIECE: usize = 16 * 1024;
/// How long a client may take to answer a Close frame.
const CLOSING: Duration = Duration::from_secs(2);

/// One signaling connection with its stream.
pub(crate) struct Connection<S> {
    stream: S,
    session: Session,
    reader: Reader,
    /// Nothing is read until what was asked for is on its way: nobody may ask for ever more.
    paused: bool,
    /// What was read before reading had to wait.
    unread: Vec<u8>,
    /// Frames that are being written; the first one in part.
    writing: VecDeque<Bytes>,
    /// The history that comes behind them.
    past: Option<Past>,
    written: usize,
    flushed: bool,
    closing: Closing,
    clock: Clock,
}

/// How far the closing handshake has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// A Close frame is the last that is written.
    Sending,
    /// It was sent, and so was the end of the stream.
    Sent,
}

/// When something is due.
struct Clock {
    heard: Instant,
    ping: Instant,
    /// For the handshake, later for the client's answer to a Close frame.
    deadline: Option<Instant>,
}

/// The connection is over.
struct Over;

type Step = ControlFlow<Over>;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection whose client has sent `read_ahead` already.
    pub(crate) fn new(stream: S, read_ahead: &[u8], session: Session) -> Self {
        let limits = &session.signaling.options.limits;
        let handshake = limits.handshake;
        let now = Instant::now();
        let clock = Clock {
            heard: now,
            ping: now + pause(limits.ping, session.connection.0),
            deadline: Some(now + handshake),
        };
        let reader = Reader::new(session.message_limit);
        let mut connection = Self {
            stream,
            session,
            reader,
            paused: false,
            unread: Vec::new(),
            writing: VecDeque::new(),
            past: None,
            written: 0,
            flushed: true,
            closing: Closing::No,
            clock,
        };
        connection.handle_bytes(&mut read_ahead.to_vec());
        connection
    }

    /// Serves it to its end.
    pub(crate) async fn run(mut self) {
        let mut sleep = std::pin::pin!(sleep_until(self.next_wake()));
        poll_fn(|cx| self.poll(cx, sleep.as_mut())).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>, mut sleep: Pin<&mut Sleep>) -> Poll<()> {
        loop {
            if self.poll_read(cx).is_break() || self.poll_write(cx).is_break() {
                return Poll::Ready(());
            }
            if self.paused && self.session.outbox.hearing() != Hearing::Paused {
                continue;
            }
            let next = self.next_wake();
            if sleep.deadline() != next {
                sleep.as_mut().reset(next);
            }
            ready!(sleep.as_mut().poll(cx));
            if self.handle_time(Instant::now()).is_break() {
                return Poll::Ready(());
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Step {
        let mut chunk = [const { MaybeUninit::uninit() }; CHUNK];
        for _ in 0..READS_PER_ROUND {
            if self.session.poll_waiting(cx).is_pending() {
                return Step::Continue(());
            }
            self.paused = self.session.outbox.hearing() == Hearing::Paused;
            if self.paused {
                return Step::Continue(());
            }
            if !self.unread.is_empty() {
                let mut unread = std::mem::take(&mut self.unread);
                self.handle_bytes(&mut unread);
                continue;
            }
            let mut buffer = ReadBuf::uninit(&mut chunk);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Pending => return Step::Continue(()),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => return Step::Break(Over),
                Poll::Ready(Ok(())) => {
                    if !self.session.admit_bytes(buffer.filled().len()) {
                        return Step::Continue(());
                    }
                    self.handle_bytes(buffer.filled_mut());
                }
                Poll::Ready(Err(error)) => return self.handle_broken(&error),
            }
        }
        cx.waker().wake_by_ref();
        Step::Continue(())
    }

    fn handle_bytes(&mut self, mut bytes: &mut [u8]) {
        self.session.outbox.hush();
        self.clock.heard = Instant::now();
        while self.closing == Closing::No {
            match self.session.outbox.hearing() {
                Hearing::Open if !self.session.is_waiting() => {}
                Hearing::Over => return,
                _ => {
                    self.unread = bytes.to_vec();
                    return;
                }
            }
            match self.reader.read(&mut bytes) {
                Ok(Some(message)) => {
                    self.handle_message(message);
                    self.reader.set_limit(self.session.message_limit);
                }
                Ok(None) => return,
                Err(Violation(code)) => self.close(code, ""),
            }
        }
    }

    fn handle_message(&mut self, message: Message<'_>) {
        match message {
            Message::Text(text) => self.session.handle_message(&text),
            Message::Binary(bytes) => match str::from_utf8(&bytes) {
                Ok(text) => self.session.handle_message(text),
                Err(_) => self.session.handle_unreadable(Refusal::NotJson),
            },
            Message::TooLarge => self.session.handle_unreadable(Refusal::MessageTooLarge),
            Message::Ping(payload) => self.session.outbox.answer(frame::pong(&payload)),
            Message::Pong => {}
            Message::Close(code) => {
                self.session.handle_close(code);
                self.close(code.unwrap_or(1000), "");
            }
        }
    }

    /// The kernel has given up on a client that acknowledges nothing: it was silent.
    fn handle_broken(&mut self, error: &io::Error) -> Step {
        if error.kind() == io::ErrorKind::TimedOut {
            self.session.handle_silence();
        }
        Step::Break(Over)
    }

    /// Ends it with a Close frame, behind the answers to whatever came before.
    fn close(&mut self, code: u16, reason: &str) {
        self.session.outbox.take_last(&mut self.writing);
        let frame = frame::close(code, reason);
        self.session.outbox.add(frame.len());
        self.writing.push_back(frame);
        self.closing = Closing::Sending;
        self.clock.deadline = Some(Instant::now() + CLOSING);
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Step {
        if self.closing == Closing::Sent {
            return Step::Continue(());
        }
        loop {
            // Behind a Close frame nothing may follow, neither what waited nor what comes.
            if self.closing == Closing::No {
                match self.session.outbox.take(&mut self.writing, &mut self.past, cx.waker()) {
                    Some(End::Drop) => return Step::Break(Over),
                    Some(End::Close(code, reason)) => self.close(code, reason),
                    None => {}
                }
            }
            let feeding = self.closing == Closing::No && self.feed();
            while !self.writing.is_empty() {
                match self.poll_write_some(cx) {
                    Poll::Pending => return Step::Continue(()),
                    Poll::Ready(Ok(0)) => return Step::Break(Over),
                    Poll::Ready(Ok(count)) => self.handle_written(count),
                    Poll::Ready(Err(error)) => return self.handle_broken(&error),
                }
            }
            if !feeding {
                return self.poll_flush(cx);
            }
        }
    }

    /// Makes frames of the history as far as there is place for them; whether there was any.
    fn feed(&mut self) -> bool {
        let Some(past) = &mut self.past else { return false };
        let mut waiting = self.writing.iter().map(Bytes::len).sum::<usize>();
        let mut made = 0;
        while waiting < PIECE {
            let Some(frame) = past.next() else {
                self.past = None;
                self.session.outbox.fed();
                break;
            };
            waiting += frame.len();
            made += frame.len();
            self.writing.push_back(frame);
        }
        self.session.outbox.add(made);
        true
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.flushed = false;
        if let [only] = self.writing.as_slices().0
            && self.writing.len() == 1
        {
            // Most often; and the kernel has less to do for one piece than for a list of one.
            return Pin::new(&mut self.stream).poll_write(cx, &only[self.written..]);
        }
        let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE];
        let mut count = 0;
        for (slice, frame) in slices.iter_mut().zip(&self.writing) {
            let start = if count == 0 { self.written } else { 0 };
            *slice = IoSlice::new(&frame[start..]);
            count += 1;
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..count])
    }

    fn handle_written(&mut self, count: usize) {
        self.written += count;
        while let Some(first) = self.writing.front()
            && self.written >= first.len()
        {
            self.written -= first.len();
            self.writing.pop_front();
        }
        if self.writing.is_empty() {
            self.writing = VecDeque::new();
        }
        self.session.outbox.written(count);
        if self.paused {
            // Who takes what it asked for lives, although nothing is read from it.
            self.clock.heard = Instant::now();
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Step {
        if !self.flushed {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Pending => return Step::Continue(()),
                Poll::Ready(Ok(())) => self.flushed = true,
                Poll::Ready(Err(error)) => return self.handle_broken(&error),
            }
        }
        if self.closing == Closing::Sending {
            match Pin::new(&mut self.stream).poll_shutdown(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.closing = Closing::Sent,
                Poll::Ready(Err(_)) => return Step::Break(Over),
            }
        }
        Step::Continue(())
    }

    fn next_wake(&self) -> Instant {
        let silent = self.clock.heard + self.session.signaling.options.limits.silence;
        let due = silent.min(self.clock.ping);
        self.clock.deadline.map_or(due, |deadline| deadline.min(due))
    }

    fn handle_time(&mut self, now: Instant) -> Step {
        let limits = &self.session.signaling.options.limits;
        let (silence, ping) = (limits.silence, limits.ping);
        if self.session.is_waiting() {
            // Nothing is read from it meanwhile.
            self.clock.heard = now;
        }
        if now >= self.clock.heard + silence {
            self.session.handle_silence();
            return Step::Break(Over);
        }
        if self.clock.deadline.is_some_and(|deadline| now >= deadline) {
            self.clock.deadline = None;
            if self.closing != Closing::No {
                return Step::Break(Over);
            }
            self.session.handle_late();
        }
        if now >= self.clock.ping {
            self.clock.ping = now + pause(ping, self.session.connection.0);
            self.session.outbox.answer(frame::ping());
        }
        Step::Continue(())
    }
}

/// Between two pings: a tenth more or less, so that connections made together do not stay together.
fn pause(ping: Duration, connection: usize) -> Duration {
    let scattered = connection.wrapping_mul(0x9E37_79B9) >> 8 & 0xFF;
    ping.mul_f64(0.9 + 0.2 * scattered as f64 / 255.0)
}
