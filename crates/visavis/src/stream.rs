//! An accepted connection as HTTP sees it: TCP or TLS, with what was read of it to tell HTTP from STUN.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use crate::connections::Permit;

/// Who is at the other end of a connection, and how it reached this server.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionInfo {
    /// The client's address, never an IPv4 address mapped into IPv6.
    pub(crate) remote: SocketAddr,
    /// The address of this server that the client reached, likewise.
    pub(crate) local: SocketAddr,
    /// Whether the connection is TLS.
    pub(crate) secure: bool,
    /// The `Host` header, if it was a readable one.
    pub(crate) host: Option<String>,
    /// The `Origin` header, if it was a readable one.
    pub(crate) origin: Option<String>,
}

/// A byte stream that turned out not to be STUN. It counts as a connection for as long as it lives, an upgrade included.
pub(crate) struct Stream {
    socket: Socket,
    read_ahead: Vec<u8>,
    _permit: Permit,
}

enum Socket {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(crate) fn tcp(socket: TcpStream, permit: Permit) -> Self {
        Self { socket: Socket::Tcp(socket), read_ahead: Vec::new(), _permit: permit }
    }

    /// `read_ahead` was read from `socket` already and is delivered before anything else.
    pub(crate) fn tls(socket: TlsStream<TcpStream>, read_ahead: Vec<u8>, permit: Permit) -> Self {
        Self { socket: Socket::Tls(Box::new(socket)), read_ahead, _permit: permit }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.read_ahead.is_empty() {
            let count = self.read_ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.read_ahead[..count]);
            self.read_ahead.drain(..count);
            if self.read_ahead.is_empty() {
                self.read_ahead = Vec::new();
            }
            return Poll::Ready(Ok(()));
        }
        match &mut self.socket {
            Socket::Tcp(socket) => Pin::new(socket).poll_read(cx, buffer),
            Socket::Tls(socket) => Pin::new(socket).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.socket {
            Socket::Tcp(socket) => Pin::new(socket).poll_write(cx, bytes),
            Socket::Tls(socket) => Pin::new(socket).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.socket {
            Socket::Tcp(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Socket::Tls(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.socket {
            Socket::Tcp(socket) => socket.is_write_vectored(),
            Socket::Tls(socket) => socket.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.socket {
            Socket::Tcp(socket) => Pin::new(socket).poll_flush(cx),
            Socket::Tls(socket) => Pin::new(socket).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.socket {
            Socket::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Socket::Tls(socket) => Pin::new(socket).poll_shutdown(cx),
        }
    }
}
