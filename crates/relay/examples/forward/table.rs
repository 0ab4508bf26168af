//! Who is forwarded where.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    os::fd::AsRawFd,
};

/// Where a client's packets go.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// Out of that socket to the peer.
    Out(usize),
    /// To another client.
    Across(SocketAddr),
}

/// All clients and their sockets.
pub(crate) struct Table {
    ip: IpAddr,
    pub(crate) peer: SocketAddr,
    ways: HashMap<SocketAddr, Way>,
    /// Each with the client that it belongs to.
    pub(crate) sockets: Vec<(UdpSocket, SocketAddr)>,
}

impl Table {
    pub(crate) fn new(ip: IpAddr, peer: SocketAddr) -> Self {
        Self { ip, peer, ways: HashMap::new(), sockets: Vec::new() }
    }

    pub(crate) fn way(&self, client: SocketAddr) -> Option<Way> {
        self.ways.get(&client).copied()
    }

    /// Takes a hello: the answer, and whether there is one socket more.
    pub(crate) fn hello(&mut self, client: SocketAddr, port: u16) -> io::Result<(u16, bool)> {
        if port != 0 {
            self.ways.insert(client, Way::Across(SocketAddr::new(client.ip(), port)));
            return Ok((port, false));
        }
        let known = self.sockets.iter().position(|(_, of)| *of == client);
        let index = match known {
            Some(index) => index,
            None => {
                let socket = UdpSocket::bind((self.ip, 0))?;
                prepare(&socket)?;
                self.sockets.push((socket, client));
                self.sockets.len() - 1
            }
        };
        self.ways.insert(client, Way::Out(index));
        Ok((self.sockets[index].0.local_addr()?.port(), known.is_none()))
    }
}

/// What every socket needs: never to block, and as much room as a relay's.
pub(crate) fn prepare(socket: &UdpSocket) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    for (force, ask) in [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)] {
        if !set(socket, force, 4 << 20) && !set(socket, ask, 4 << 20) {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

fn set(socket: &UdpSocket, name: libc::c_int, value: libc::c_int) -> bool {
    let length = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the descriptor is open, and the kernel only reads `value`.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, (&raw const value).cast(), length)
    };
    result == 0
}

/// The port that a hello names, if a packet is one.
pub(crate) fn hello(packet: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(packet.try_into().ok()?))
}
