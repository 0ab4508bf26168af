//! The load: many members on one thread, driven by readiness.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{
    dialect::{Dialect, MARK, SENDER, Seat, Step, TIME, marks},
    frame::{Input, Opcode, client},
};

/// How long entering may take; who has not entered by then is lost.
const ENTERING: Duration = Duration::from_secs(30);
const SCRATCH: usize = 256 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Everybody who is connected to a server.
pub(crate) struct Crowd {
    number: usize,
    per_room: usize,
    dialect: Dialect,
    poll: Poll,
    pub(crate) members: Vec<Member>,
    scratch: Vec<u8>,
}

/// One client.
pub(crate) struct Member {
    stream: TcpStream,
    input: Input,
    /// What is left of the head of the answer to the upgrade; none once it is over.
    head: Option<Vec<u8>>,
    steps: std::vec::IntoIter<Step>,
    hear: Option<&'static str>,
    output: Vec<u8>,
    /// What it says, whole; where the mark is.
    frame: Vec<u8>,
    mark: usize,
}

/// A message that a member heard.
pub(crate) struct Heard<'a> {
    pub(crate) own: bool,
    mark: &'a [u8],
}

impl Heard<'_> {
    /// The time that the message carries.
    pub(crate) fn time(&self) -> u64 {
        let digits = str::from_utf8(&self.mark[TIME]).unwrap_or_default();
        u64::from_str_radix(digits, 16).unwrap_or_default()
    }
}

/// How entering went.
pub(crate) struct Entered {
    pub(crate) crowd: Crowd,
    pub(crate) lost: usize,
    pub(crate) took: Duration,
}

/// Has `count` members enter rooms of `per_room`, so many at once.
pub(crate) fn enter(
    server: SocketAddr,
    dialect: Dialect,
    count: usize,
    per_room: usize,
    at_once: usize,
) -> Result<Entered> {
    let start = Instant::now();
    let mut crowd = Crowd::new(dialect, per_room)?;
    let mut events = Events::with_capacity(1024);
    let (mut entered, mut broken) = (0, 0);
    while entered + broken < count && start.elapsed() < ENTERING {
        while crowd.members.len() < count && crowd.members.len() < entered + broken + at_once {
            crowd.add(server)?;
        }
        crowd.wait(&mut events, Duration::from_millis(100))?;
        for event in &events {
            let Crowd { members, scratch, .. } = &mut crowd;
            let member = &mut members[event.token().0];
            let before = member.is_in();
            match member.handle(scratch, |_| {}) {
                Ok(()) if member.is_in() && !before => entered += 1,
                Ok(()) => {}
                Err(_) if before => bail!("a server dropped a member"),
                Err(_) => broken += 1,
            }
        }
    }
    Ok(Entered { crowd, lost: count - entered, took: start.elapsed() })
}

impl Crowd {
    fn new(dialect: Dialect, per_room: usize) -> Result<Self> {
        static CROWDS: AtomicUsize = AtomicUsize::new(0);
        let number = CROWDS.fetch_add(1, Ordering::Relaxed);
        let (members, scratch) = (Vec::new(), vec![0; SCRATCH]);
        Ok(Self { number, per_room, dialect, poll: Poll::new()?, members, scratch })
    }

    fn add(&mut self, server: SocketAddr) -> Result<()> {
        let number = self.members.len();
        let mut stream = TcpStream::connect(server).context("connect")?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(number), interest)?;
        self.members.push(Member::new(stream, self.dialect, Seat::new(self.number, number, self.per_room)));
        Ok(())
    }

    /// Waits for events.
    pub(crate) fn wait(&mut self, events: &mut Events, limit: Duration) -> Result<()> {
        match self.poll.poll(events, Some(limit)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            result => Ok(result?),
        }
    }

    /// Has a member carry out what is ready, and says what it heard.
    pub(crate) fn handle(&mut self, token: Token, heard: impl FnMut(Heard<'_>)) -> Result<()> {
        self.members[token.0].handle(&mut self.scratch, heard).context("a server dropped a member")
    }
}

impl Member {
    fn new(stream: TcpStream, dialect: Dialect, seat: Seat) -> Self {
        let frame = dialect.publish(seat);
        let mark = memchr::memchr(MARK, &frame).expect("what is published is marked");
        Self {
            stream,
            input: Input::default(),
            head: Some(Vec::new()),
            steps: dialect.enter(seat).into_iter(),
            hear: None,
            output: dialect.upgrade(seat),
            frame,
            mark,
        }
    }

    fn is_in(&self) -> bool {
        self.head.is_none() && self.hear.is_none()
    }

    /// Says its message so many times.
    pub(crate) fn publish(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            self.output.extend_from_slice(&self.frame);
        }
        self.flush().context("a server dropped a member")
    }

    /// Says its message once, with a time in it.
    pub(crate) fn publish_at(&mut self, time: u64) -> Result<()> {
        let digits = format!("{time:016x}");
        self.frame[self.mark..][TIME].copy_from_slice(digits.as_bytes());
        self.publish(1)
    }

    fn handle(&mut self, scratch: &mut [u8], mut heard: impl FnMut(Heard<'_>)) -> io::Result<()> {
        self.flush()?;
        loop {
            let count = match self.stream.read(scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(()),
                Err(error) => return Err(error),
            };
            self.take(&scratch[..count], &mut heard);
            self.flush()?;
            // The socket is empty, and what comes next is told anew.
            if count < scratch.len() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, mut bytes: &[u8], heard: &mut impl FnMut(Heard<'_>)) {
        if let Some(head) = &mut self.head {
            let before = head.len();
            head.extend_from_slice(bytes);
            let Some(end) = memchr::memmem::find(head, END_OF_HEAD) else { return };
            bytes = &bytes[end + END_OF_HEAD.len() - before..];
            self.head = None;
            self.step();
        }
        let Self { input, frame, mark, .. } = self;
        let own = &frame[*mark..][SENDER];
        let (mut pings, mut words) = (0, Vec::new());
        let waits = self.hear.is_some();
        input.read(bytes, |first, payload| {
            if first & 0x0F == Opcode::Ping as u8 {
                pings += 1;
            } else if waits {
                words.push(payload.to_vec());
            } else {
                marks(payload).for_each(|mark| heard(Heard { own: mark[SENDER] == *own, mark }));
            }
        });
        for _ in 0..pings {
            self.output.extend_from_slice(&client(Opcode::Pong, &[]));
        }
        for word in words {
            if self.hear.is_some_and(|hear| memchr::memmem::find(&word, hear.as_bytes()).is_some()) {
                self.step();
            }
        }
    }

    fn step(&mut self) {
        let next = self.steps.next();
        self.hear = next.as_ref().map(|step| step.hear);
        if let Some(step) = next {
            self.output.extend_from_slice(&step.say);
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut written = 0;
        while written < self.output.len() {
            match self.stream.write(&self.output[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::NotConnected => break,
                Err(error) => return Err(error),
            }
        }
        self.output.drain(..written);
        Ok(())
    }
}
