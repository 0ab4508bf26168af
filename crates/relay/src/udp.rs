//! UDP sockets: those that clients talk to and those that relayed addresses are.

use std::{
    cell::Cell,
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr, UdpSocket},
};

use quinn_udp::{UdpSockRef, UdpSocketState};
use socket2::{Domain, MsgHdr, Protocol, SockAddr, SockRef, Socket, Type};

use crate::{StartError, batch::Batch, sys, sys::Control};

/// Receive and send buffers of a listening socket: all clients of a shard share it.
const LISTENER_BUFFERS: (i32, i32) = (8 << 20, 4 << 20);
/// Receive and send buffers of a relay socket: half a second at the bandwidth of one allocation.
const RELAY_BUFFERS: (i32, i32) = (512 << 10, 512 << 10);

/// A non-blocking UDP socket with what the system offers for batches.
pub(crate) struct Udp {
    pub(crate) socket: mio::net::UdpSocket,
    state: UdpSocketState,
    takes_trains: Cell<bool>,
    /// Whether the system keeps ICMP errors for this socket, and tells of each once in place of some later result.
    hears_errors: bool,
}

impl Udp {
    fn new(socket: UdpSocket, local: SocketAddr, (receive, send): (i32, i32)) -> io::Result<Self> {
        let v6 = local.is_ipv6();
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        sys::allow_fragments(&socket, v6)?;
        sys::tell_less(&socket, v6, local.ip().is_unspecified())?;
        sys::size_buffers(&socket, receive, send)?;
        let takes_trains = Cell::new(state.max_gso_segments() > 1);
        Ok(Self { socket: mio::net::UdpSocket::from_std(socket), state, takes_trains, hears_errors: false })
    }

    /// A socket of its own for a relayed transport address.
    pub(crate) fn relay(local: SocketAddr) -> io::Result<Self> {
        let udp = Self::new(bind(local, false)?, local, RELAY_BUFFERS)?;
        sys::hear_errors(&udp.socket, local.is_ipv6())?;
        Ok(Self { hears_errors: true, ..udp })
    }

    /// Fills `batch` with what has arrived; how many of its buffers were needed. Fewer than there are means that
    /// nothing is left, unless the system has told of an error: one that comes in between cuts the batch short.
    pub(crate) fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        let (mut buffers, metas) = batch.parts();
        self.state.recv(UdpSockRef::from(&self.socket), &mut buffers, metas)
    }

    /// Sends one datagram, from the address `source` if the socket has more than one.
    pub(crate) fn send(&self, bytes: &[u8], to: SocketAddr, source: Option<IpAddr>) -> io::Result<()> {
        self.in_spite_of_errors(|| match source {
            None => self.socket.send_to(bytes, to).map(drop),
            Some(_) => self.transmit(bytes, None, to, source),
        })
    }

    /// Sends one datagram that no router may fragment.
    pub(crate) fn send_unfragmented(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        sys::forbid_fragments(&self.socket, to.is_ipv6())?;
        let sent = self.send(bytes, to, None);
        sys::allow_fragments(&self.socket, to.is_ipv6())?;
        sent
    }

    /// Sends `bytes` as datagrams of `segment` bytes each, the last perhaps shorter, in one go.
    pub(crate) fn send_train(
        &self,
        bytes: &[u8],
        segment: u16,
        to: SocketAddr,
        source: Option<IpAddr>,
    ) -> io::Result<()> {
        let sent = self.in_spite_of_errors(|| self.transmit(bytes, Some(segment), to, source));
        // The way out cannot cut trains. Any other error may be the fault of one destination, which ends
        // nobody else's trains.
        if sent.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EIO)) {
            self.takes_trains.set(false);
        }
        sent
    }

    /// Whether [`Udp::send_train`] works here.
    pub(crate) fn takes_trains(&self) -> bool {
        self.takes_trains.get()
    }

    /// Sends once more where an error of an earlier datagram may have stood in the way. Each stands there once.
    fn in_spite_of_errors(&self, send: impl Fn() -> io::Result<()>) -> io::Result<()> {
        match send() {
            Err(error) if self.hears_errors && error.kind() != io::ErrorKind::WouldBlock => send(),
            sent => sent,
        }
    }

    fn transmit(
        &self,
        bytes: &[u8],
        segment: Option<u16>,
        to: SocketAddr,
        source: Option<IpAddr>,
    ) -> io::Result<()> {
        let mut control = Control::default();
        if let Some(ip) = source {
            control.source(ip);
        }
        if let Some(segment) = segment {
            control.segment(segment);
        }
        let (to, buffers) = (SockAddr::from(to), [IoSlice::new(bytes)]);
        let message = MsgHdr::new().with_addr(&to).with_buffers(&buffers).with_control(control.as_bytes());
        SockRef::from(&self.socket).sendmsg(&message, 0).map(drop)
    }
}

/// One shard's socket on a listening address.
pub(crate) struct Listener {
    pub(crate) udp: Udp,
    /// Where it is bound, with the real port.
    pub(crate) address: SocketAddr,
    /// Whether the system has told of something to receive that is not yet received.
    pub(crate) ready: bool,
}

impl Listener {
    fn new(address: SocketAddr) -> io::Result<Self> {
        let udp = Udp::new(bind(address, true)?, address, LISTENER_BUFFERS)?;
        Ok(Self { udp, address, ready: false })
    }

    /// Whether a client that talks to `server` talks to this socket.
    pub(crate) fn serves(&self, server: SocketAddr) -> bool {
        self.address == server
            || self.is_wildcard()
                && self.address.port() == server.port()
                && self.address.is_ipv4() == server.is_ipv4()
    }

    /// Where a packet was sent to that arrived with destination `ip`.
    pub(crate) fn server_address(&self, ip: Option<IpAddr>) -> SocketAddr {
        match ip {
            Some(ip) if self.is_wildcard() => SocketAddr::new(ip, self.address.port()),
            _ => self.address,
        }
    }

    /// What to name as the source when answering as `server`.
    pub(crate) fn source(&self, server: SocketAddr) -> Option<IpAddr> {
        self.is_wildcard().then(|| server.ip())
    }

    fn is_wildcard(&self) -> bool {
        self.address.ip().is_unspecified()
    }
}

/// Binds every address once for each of `shards` shards: the real addresses, and each shard's sockets.
pub(crate) fn listen(
    addresses: &[SocketAddr],
    shards: usize,
) -> Result<(Vec<SocketAddr>, Vec<Vec<Listener>>), StartError> {
    let real = addresses
        .iter()
        .map(|&address| free(address).map_err(|source| StartError::bind(address, source)))
        .collect::<Result<Vec<_>, _>>()?;
    let of_one_shard = || {
        real.iter()
            .map(|&address| Listener::new(address).map_err(|source| StartError::bind(address, source)))
            .collect::<Result<Vec<_>, _>>()
    };
    let listeners = (0..shards).map(|_| of_one_shard()).collect::<Result<Vec<_>, _>>()?;
    Ok((real, listeners))
}

/// The address itself, with a free port for port 0. Bound for a moment without sharing the port: the only
/// way to hear that another process holds it, even one that shares its own.
fn free(address: SocketAddr) -> io::Result<SocketAddr> {
    bind(address, false)?.local_addr()
}

fn bind(address: SocketAddr, share_port: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if share_port {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_train_leaves_from_the_address_that_it_is_given() {
        for (any, source) in [("0.0.0.0:0", "127.1.2.3"), ("[::]:0", "::1")] {
            let source: IpAddr = source.parse().unwrap();
            let udp = Udp::relay(any.parse().unwrap()).unwrap();
            let receiver = UdpSocket::bind((source, 0)).unwrap();
            receiver.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
            udp.send_train(b"abcdefgh", 3, receiver.local_addr().unwrap(), Some(source)).unwrap();
            for part in [&b"abc"[..], b"def", b"gh"] {
                let mut buffer = [0; 10];
                let (length, from) = receiver.recv_from(&mut buffer).unwrap();
                assert_eq!((&buffer[..length], from.ip()), (part, source));
            }
        }
    }

    /// Whoever forges source addresses can send from port 0, where no answer can go.
    #[test]
    fn a_client_that_cannot_be_answered_ends_nobodys_trains() {
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let udp = Udp::relay((here, 0).into()).unwrap();
        assert!(udp.takes_trains(), "this kernel sends no trains");
        let error = udp.send(b"answer", (here, 0).into(), Some(here)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
        assert!(udp.takes_trains());
    }
}
