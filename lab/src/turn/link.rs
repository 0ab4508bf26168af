//! What carries messages to the server.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

/// How long an answer may take before it is asked for again.
const PATIENCE: Duration = Duration::from_secs(1);

/// A socket.
#[derive(Debug)]
pub enum Link {
    /// One datagram a message.
    Udp(UdpSocket),
    /// A stream of messages.
    Tcp(TcpStream),
}

impl Link {
    /// Speaks UDP with the server.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn udp(server: SocketAddr) -> io::Result<Self> {
        let unspecified: IpAddr =
            if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((unspecified, 0))?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self::Udp(socket))
    }

    /// Connects to the server over TCP.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn tcp(server: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(server)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self::Tcp(socket))
    }

    /// Sends one message.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.send(message).map(drop),
            Self::Tcp(socket) => {
                let mut padded = message.to_vec();
                padded.resize(message.len().next_multiple_of(4), 0);
                socket.write_all(&padded)
            }
        }
    }

    /// One message; none if none came in time.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        buffer.resize(2048, 0);
        let received = match self {
            Self::Udp(socket) => socket.recv(buffer),
            Self::Tcp(socket) => frame(socket, buffer),
        };
        match received {
            Ok(length) => {
                buffer.truncate(length);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn frame(socket: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    socket.read_exact(&mut buffer[..4])?;
    let length = usize::from(u16::from_be_bytes([buffer[2], buffer[3]]));
    let whole = if buffer[0] < 0x40 { 20 + length } else { 4 + length.next_multiple_of(4) };
    socket.read_exact(&mut buffer[4..whole])?;
    Ok(whole)
}
