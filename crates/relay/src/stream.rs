//! TCP and TLS streams of clients.

use std::{
    fmt,
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
    time::Duration,
};

use rustls::ServerConnection;
use socket2::SockRef;
use visavis_clock::Now;
use visavis_turn::{FiveTuple, Frame, Transport, frame};

use crate::{
    partial::Partial,
    send_queue::{Kind, SendQueue},
};

/// How long a stream may live without an allocation.
pub(crate) const WITHOUT_ALLOCATION: Duration = Duration::from_secs(60);
/// Unsent bytes that the system holds; what waits beyond that waits here, where the oldest is dropped.
const UNSENT_IN_KERNEL: u32 = 64 << 10;
/// Bytes encrypted ahead of their writing: as many as one record takes.
const TLS_AHEAD: usize = 16 << 10;
/// Reads of one TLS stream that bring no data, before others have their turn.
const TLS_READS: usize = 16;

/// A TCP or TLS stream of a TURN client.
pub struct ClientStream {
    /// The socket, blocking or not.
    pub socket: std::net::TcpStream,
    /// The TLS connection on it, its handshake done or under way; none for plain TCP.
    pub tls: Option<Box<ServerConnection>>,
    /// What was already read, decrypted.
    pub read: Vec<u8>,
}

impl fmt::Debug for ClientStream {
    /// Neither whose stream it is nor what was said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientStream").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

/// What reading brought.
pub(crate) enum Input {
    /// So many bytes.
    Bytes(usize),
    /// Nothing yet, but more can be read.
    More,
    /// Nothing until the system tells of more.
    Blocked,
    /// The end, by the client or by an error.
    Closed,
}

/// A stream that a shard owns.
pub(crate) struct Stream {
    pub(crate) socket: mio::net::TcpStream,
    tls: Option<Box<ServerConnection>>,
    pub(crate) five_tuple: FiveTuple,
    /// The beginning of a frame whose rest is still to come.
    pub(crate) partial: Partial,
    queue: SendQueue,
    /// When it was last seen with an allocation, else when it was taken over.
    pub(crate) allocated: Now,
    /// Whether the system has told of the end or of an error, which it does once.
    pub(crate) has_ended: bool,
    /// Whether it waits in the list of streams to read.
    pub(crate) ready: bool,
    /// Whether it waits in the list of streams to write.
    pub(crate) dirty: bool,
}

impl Stream {
    /// Takes a stream over; what was already read of it is given back.
    pub(crate) fn new(now: Now, stream: ClientStream) -> io::Result<(Self, Vec<u8>)> {
        let ClientStream { socket, mut tls, read } = stream;
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT_IN_KERNEL)?;
        let transport = if tls.is_some() { Transport::Tls } else { Transport::Tcp };
        let five_tuple = FiveTuple {
            client: canonical(socket.peer_addr()?),
            server: canonical(socket.local_addr()?),
            transport,
        };
        if let Some(tls) = &mut tls {
            // The queue here keeps what waits bounded.
            tls.set_buffer_limit(None);
        }
        let stream = Self {
            socket: mio::net::TcpStream::from_std(socket),
            tls,
            five_tuple,
            partial: Partial::default(),
            queue: SendQueue::default(),
            allocated: now,
            has_ended: false,
            ready: false,
            dirty: false,
        };
        Ok((stream, read))
    }

    /// Reads what there is, decrypted, into `buffer`.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Input {
        match &mut self.tls {
            None => outcome(self.socket.read(buffer)),
            Some(tls) => read_tls(tls, &mut self.socket, buffer),
        }
    }

    /// Whether the system tells of all that comes after a read that did not fill its buffer, so that none is needed
    /// to find nothing. Not of what rustls holds, and not again of the end.
    pub(crate) const fn tells_of_more(&self) -> bool {
        self.tls.is_none() && !self.has_ended
    }

    /// Queues a frame; how many frames were dropped instead.
    pub(crate) fn push(&mut self, now: Now, frame: &[u8], kind: Kind) -> u64 {
        self.queue.push(now, frame, kind)
    }

    /// Writes as much of the queue as the system takes; how many frames were dropped as too old.
    pub(crate) fn write(&mut self, now: Now) -> io::Result<u64> {
        let dropped = self.queue.expire(now);
        let written = match &mut self.tls {
            None => write_plain(&mut self.queue, &mut self.socket),
            Some(tls) => write_tls(tls, &mut self.queue, &mut self.socket),
        };
        match written {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(dropped),
        }
    }

    /// Gives back memory that was not needed since the last time.
    pub(crate) fn give_back(&mut self) {
        self.partial.give_back();
        self.queue.give_back();
    }

    /// Ends both directions; a TLS client is told.
    pub(crate) fn close(mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            // Whether the client still listens does not matter.
            let _ = tls.write_tls(&mut self.socket);
        }
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// Finds the frame at the beginning of `bytes[from..]`: where it is, nothing if it is not whole.
pub(crate) fn next_frame(bytes: &[u8], from: usize) -> Result<Option<std::ops::Range<usize>>, InvalidFrame> {
    match frame(&bytes[from..]) {
        Frame::Whole(length) => Ok(Some(from..from + length)),
        Frame::Incomplete(_) => Ok(None),
        Frame::Invalid => Err(InvalidFrame),
    }
}

/// The stream holds neither STUN nor ChannelData and cannot be read on.
#[derive(Debug)]
pub(crate) struct InvalidFrame;

fn outcome(read: io::Result<usize>) -> Input {
    match read {
        Ok(0) => Input::Closed,
        Ok(count) => Input::Bytes(count),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock => Input::Blocked,
            ErrorKind::Interrupted => Input::More,
            _ => Input::Closed,
        },
    }
}

fn read_tls(tls: &mut ServerConnection, socket: &mut mio::net::TcpStream, buffer: &mut [u8]) -> Input {
    for _ in 0..TLS_READS {
        match outcome(tls.reader().read(buffer)) {
            Input::Blocked => {}
            decided => return decided,
        }
        match outcome(tls.read_tls(socket)) {
            Input::Bytes(_) => {}
            decided => return decided,
        }
        let processed = tls.process_new_packets();
        // Handshake messages, key updates, or an alert that tells why this ends.
        let answered = if tls.wants_write() { tls.write_tls(socket).map(drop) } else { Ok(()) };
        if processed.is_err() || answered.is_err_and(|error| error.kind() != ErrorKind::WouldBlock) {
            return Input::Closed;
        }
    }
    Input::More
}

fn write_plain(queue: &mut SendQueue, socket: &mut mio::net::TcpStream) -> io::Result<()> {
    while !queue.is_empty() {
        let (slices, filled) = queue.slices(usize::MAX);
        let written = retry(|| socket.write_vectored(&slices[..filled]))?;
        queue.advance(written);
    }
    Ok(())
}

/// Frames are encrypted only when all before them is written, so that whole frames can be dropped till then: all but one that
/// did not fit into a record.
fn write_tls(
    tls: &mut ServerConnection,
    queue: &mut SendQueue,
    socket: &mut mio::net::TcpStream,
) -> io::Result<()> {
    loop {
        while tls.wants_write() {
            retry(|| tls.write_tls(socket))?;
        }
        if queue.is_empty() || tls.is_handshaking() {
            return Ok(());
        }
        // Together, so that they share a record: each costs as much as a small frame.
        let (slices, filled) = queue.slices(TLS_AHEAD);
        let encrypted = retry(|| tls.writer().write_vectored(&slices[..filled]))?;
        queue.advance(encrypted);
    }
}

fn retry(mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// An IPv4 client of a dual-stack socket is an IPv4 client.
fn canonical(address: std::net::SocketAddr) -> std::net::SocketAddr {
    std::net::SocketAddr::new(address.ip().to_canonical(), address.port())
}
