//! A peer on loopback, and what every test of a real relay needs. `foreign` takes this file too.

use std::{
    hash::{BuildHasher, RandomState},
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

/// How long to wait for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Different in each process and each relay, so that tests side by side rarely meet at a port.
pub(crate) fn seed() -> [u8; 32] {
    let bytes: Vec<u8> = (0..4u64).flat_map(|salt| RandomState::new().hash_one(salt).to_be_bytes()).collect();
    bytes.try_into().unwrap()
}

/// A peer and its address.
pub(crate) fn peer(v6: bool) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(if v6 { "[::1]:0" } else { "127.0.0.1:0" }).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// What the peer receives next, and from where.
pub(crate) fn next(peer: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (length, from) = peer.recv_from(&mut buffer).expect("a packet in time");
    buffer.truncate(length);
    (buffer, from)
}
