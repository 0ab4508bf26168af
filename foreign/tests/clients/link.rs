//! The way between a client and the relay, on which everything that passes is noted.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use visavis_turn::{
    Frame, frame,
    wire::{Class, Message, Method, attribute},
};

use crate::relay::Loopback;

/// How long to listen before the client is asked what else it wants.
const PAUSE: Duration = Duration::from_millis(10);

/// The client's transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Udp,
    Tcp,
}

/// What passed: `code` of a response is 200 for a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    Request { method: Method, sha256: bool, lifetime: Option<u32> },
    Response { method: Method, code: u16, sha256: bool },
    Indication(Method),
    ChannelData,
}

pub(crate) struct Link {
    socket: Socket,
    pub(crate) local: SocketAddr,
    pub(crate) server: SocketAddr,
    pub(crate) passed: Vec<Passed>,
    /// How long the last message of the client was.
    pub(crate) last_length: usize,
}

enum Socket {
    Udp(UdpSocket),
    Tcp { stream: TcpStream, read: Vec<u8> },
}

impl Link {
    pub(crate) fn new(relay: &Loopback, over: Over) -> Self {
        let (socket, local, server) = match over {
            Over::Udp => {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                socket.connect(relay.udp()).unwrap();
                socket.set_read_timeout(Some(PAUSE)).unwrap();
                let local = socket.local_addr().unwrap();
                (Socket::Udp(socket), local, relay.udp())
            }
            Over::Tcp => {
                let stream = relay.connect();
                stream.set_read_timeout(Some(PAUSE)).unwrap();
                let (local, server) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
                (Socket::Tcp { stream, read: Vec::new() }, local, server)
            }
        };
        Self { socket, local, server, passed: Vec::new(), last_length: 0 }
    }

    pub(crate) fn send(&mut self, packet: &[u8]) {
        self.passed.push(passed(packet));
        self.last_length = packet.len();
        match &mut self.socket {
            Socket::Udp(socket) => assert_eq!(socket.send(packet).unwrap(), packet.len()),
            Socket::Tcp { stream, .. } => stream.write_all(packet).unwrap(),
        }
    }

    /// The next message, if one comes soon.
    pub(crate) fn receive(&mut self) -> Option<Vec<u8>> {
        let packet = match &mut self.socket {
            Socket::Udp(socket) => {
                let mut buffer = vec![0; 65_536];
                let length = soon(socket.recv(&mut buffer))?;
                buffer.truncate(length);
                buffer
            }
            Socket::Tcp { stream, read } => loop {
                match frame(read) {
                    Frame::Whole(length) => break read.drain(..length).collect(),
                    Frame::Incomplete(_) => {}
                    Frame::Invalid => panic!("the relay writes what is no frame"),
                }
                let mut buffer = vec![0; 65_536];
                let length = soon(stream.read(&mut buffer))?;
                assert_ne!(length, 0, "the relay has closed the stream");
                read.extend_from_slice(&buffer[..length]);
            },
        };
        self.passed.push(passed(&packet));
        Some(packet)
    }

    /// Whether a request of that method was granted so many times.
    pub(crate) fn granted(&self, method: Method) -> usize {
        let granted = |passed: &&Passed| matches!(passed, Passed::Response { method: of, code: 200, .. } if *of == method);
        self.passed.iter().filter(granted).count()
    }

    pub(crate) fn refused(&self, method: Method, code: u16) -> usize {
        let refused = |passed: &&Passed| matches!(passed, Passed::Response { method: of, code: with, .. } if (*of, *with) == (method, code));
        self.passed.iter().filter(refused).count()
    }
}

fn soon<T>(result: std::io::Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
        Err(error) => panic!("receive from the relay: {error}"),
    }
}

fn passed(packet: &[u8]) -> Passed {
    if packet[0] >= 0x40 {
        return Passed::ChannelData;
    }
    let message = Message::parse(packet).expect("a STUN message");
    assert_ne!(message.fingerprint_holds(), Some(false));
    let method = message.method();
    let sha256 = message.attribute(attribute::MESSAGE_INTEGRITY_SHA256).is_some();
    match (message.class(), message.attribute(attribute::ERROR_CODE)) {
        (Class::Request, _) => {
            let lifetime = message.attribute(attribute::LIFETIME).and_then(|value| value.try_into().ok());
            Passed::Request { method, sha256, lifetime: lifetime.map(u32::from_be_bytes) }
        }
        (Class::Indication, _) => Passed::Indication(method),
        (Class::Error, Some(&[_, _, class, number, ..])) => {
            Passed::Response { method, code: u16::from(class) * 100 + u16::from(number), sha256 }
        }
        _ => Passed::Response { method, code: 200, sha256 },
    }
}
