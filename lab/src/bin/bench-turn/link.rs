//! Sockets of clients and peers: datagrams in trains where the system offers it, streams with their frames.

use std::{
    io::{self, ErrorKind, IoSliceMut, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream, UdpSocket},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use mio::{Interest, Registry, Token};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use rustix::net::sockopt;
use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};
use visavis_turn::{Frame, frame};

/// Datagrams, or trains of them, taken in one go.
const BATCH: usize = 32;
/// Bytes that may wait to be written to a stream; more is not sent at all.
const UNWRITTEN: usize = 64 << 10;

/// Room to receive into, shared by all links.
pub(crate) struct Inbox {
    buffers: Vec<Vec<u8>>,
    metas: [RecvMeta; BATCH],
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self { buffers: vec![vec![0; 65_535]; BATCH], metas: [RecvMeta::default(); BATCH] }
    }
}

/// A UDP socket.
pub(crate) struct Udp {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
}

impl Udp {
    pub(crate) fn bind(ip: IpAddr) -> Result<Self> {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        // Without the right to more the system's limit has to do.
        let _ = sockopt::set_socket_recv_buffer_size_force(&socket, 8 << 20);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        Ok(Self { socket: mio::net::UdpSocket::from_std(socket), state })
    }

    pub(crate) fn address(&self) -> Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    /// Sends one datagram, or a train of datagrams of `segment` bytes each; whether the system took it.
    pub(crate) fn send(&self, to: SocketAddr, contents: &[u8], segment: Option<usize>) -> bool {
        let datagrams =
            Transmit { destination: to, ecn: None, contents, segment_size: segment, src_ip: None };
        self.state.try_send(UdpSockRef::from(&self.socket), &datagrams).is_ok()
    }

    /// Takes all that has arrived.
    pub(crate) fn receive(&self, inbox: &mut Inbox, take: &mut dyn FnMut(&[u8])) {
        loop {
            let mut slices: Vec<IoSliceMut<'_>> =
                inbox.buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
            let received = self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut inbox.metas);
            let Ok(count) = received else { return };
            for (buffer, meta) in inbox.buffers.iter().zip(inbox.metas).take(count) {
                buffer[..meta.len].chunks(meta.stride.max(1)).for_each(&mut *take);
            }
            if count < BATCH {
                return;
            }
        }
    }
}

/// A TCP or TLS stream of a client.
pub(crate) struct Stream {
    socket: mio::net::TcpStream,
    tls: Option<Box<ClientConnection>>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Stream {
    /// Connects, over TLS if told how.
    pub(crate) fn connect(
        server: SocketAddr,
        tls: Option<(&Arc<ClientConfig>, ServerName<'static>)>,
    ) -> Result<Self> {
        let socket = TcpStream::connect(server).with_context(|| format!("connect to {server}"))?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let tls = match tls {
            None => None,
            Some((config, name)) => Some(Box::new(ClientConnection::new(Arc::clone(config), name)?)),
        };
        let socket = mio::net::TcpStream::from_std(socket);
        Ok(Self { socket, tls, input: Vec::new(), output: Vec::new() })
    }

    /// Sends whole frames; whether there was room.
    pub(crate) fn send(&mut self, frames: &[u8]) -> bool {
        let has_room = self.output.len() < UNWRITTEN;
        if has_room {
            match &mut self.tls {
                None => self.output.extend_from_slice(frames),
                Some(tls) => drop(tls.writer().write_all(frames)),
            }
        }
        self.flush();
        has_room
    }

    fn flush(&mut self) {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() && tls.write_tls(&mut self.output).is_ok() {}
        }
        while !self.output.is_empty() {
            match self.socket.write(&self.output) {
                Ok(count) if count > 0 => drop(self.output.drain(..count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }

    /// Takes all whole frames that have arrived.
    pub(crate) fn receive(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        while self.read()? {}
        self.flush();
        let mut consumed = 0;
        while let Frame::Whole(length) = frame(&self.input[consumed..]) {
            take(&self.input[consumed..consumed + length]);
            consumed += length;
        }
        self.input.drain(..consumed);
        Ok(())
    }

    /// Reads once; whether there may be more.
    fn read(&mut self) -> Result<bool> {
        let mut buffer = [0; 16 << 10];
        let read = match &mut self.tls {
            None => self.socket.read(&mut buffer),
            Some(tls) => read_tls(tls, &mut self.socket, &mut buffer),
        };
        match read {
            Ok(0) => bail!("the server has closed a stream"),
            Ok(count) => self.input.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }
}

fn read_tls(
    tls: &mut ClientConnection,
    socket: &mut mio::net::TcpStream,
    buffer: &mut [u8],
) -> io::Result<usize> {
    loop {
        match tls.reader().read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            decided => return decided,
        }
        if tls.read_tls(socket)? == 0 {
            return Ok(0);
        }
        tls.process_new_packets().map_err(io::Error::other)?;
    }
}

/// What carries a client's messages.
pub(crate) enum Link {
    Udp(Udp, SocketAddr),
    Stream(Box<Stream>),
}

impl Link {
    pub(crate) fn register(&mut self, registry: &Registry, token: usize) -> Result<()> {
        match self {
            Self::Udp(udp, _) => udp.register(registry, token),
            Self::Stream(stream) => {
                let both = Interest::READABLE | Interest::WRITABLE;
                Ok(registry.register(&mut stream.socket, Token(token), both)?)
            }
        }
    }

    /// Sends a message, or several of `segment` bytes each.
    pub(crate) fn send(&mut self, messages: &[u8], segment: Option<usize>) -> bool {
        match self {
            Self::Udp(udp, server) => udp.send(*server, messages, segment),
            Self::Stream(stream) => stream.send(messages),
        }
    }

    pub(crate) fn receive(&mut self, inbox: &mut Inbox, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        match self {
            Self::Udp(udp, _) => {
                udp.receive(inbox, take);
                Ok(())
            }
            Self::Stream(stream) => stream.receive(take),
        }
    }
}

impl Udp {
    pub(crate) fn register(&mut self, registry: &Registry, token: usize) -> Result<()> {
        Ok(registry.register(&mut self.socket, Token(token), Interest::READABLE)?)
    }
}
