//! Trains of packets as the system gathers them, received and sent whole.

use std::{
    array,
    io::{self, IoSliceMut},
    net::{SocketAddr, UdpSocket},
};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};

use crate::{
    epoll::{Epoll, LISTENER},
    plain::greet,
    table::{Table, Way, hello},
};

const BUFFERS: usize = 16;

/// Forwards trains. The sockets of the table are set up for it as they come.
pub(crate) fn forward(listener: &UdpSocket, mut table: Table) -> io::Result<()> {
    let of_listener = UdpSocketState::new(UdpSockRef::from(listener))?;
    let mut states: Vec<UdpSocketState> = Vec::new();
    let mut epoll = Epoll::new(listener)?;
    let mut buffers: [Vec<u8>; BUFFERS] = array::from_fn(|_| vec![0; 65_535]);
    let mut metas = [RecvMeta::default(); BUFFERS];
    loop {
        for ready in epoll.wait()? {
            let (socket, state) = match ready {
                LISTENER => (listener, &of_listener),
                index => (&table.sockets[index].0, &states[index]),
            };
            let mut slices = buffers.each_mut().map(|buffer| IoSliceMut::new(buffer));
            let Ok(count) = state.recv(UdpSockRef::from(socket), &mut slices, &mut metas) else { continue };
            for (buffer, meta) in buffers.iter().zip(metas).take(count) {
                let packets = &buffer[..meta.len];
                if ready != LISTENER {
                    send(listener, &of_listener, table.sockets[ready].1, packets, meta.stride);
                } else if let Some(port) = hello(packets) {
                    greet(listener, &mut table, &epoll, meta.addr, port)?;
                    for (socket, _) in &table.sockets[states.len()..] {
                        states.push(UdpSocketState::new(UdpSockRef::from(socket))?);
                    }
                } else {
                    match table.way(meta.addr) {
                        Some(Way::Out(index)) => {
                            send(&table.sockets[index].0, &states[index], table.peer, packets, meta.stride);
                        }
                        Some(Way::Across(other)) => send(listener, &of_listener, other, packets, meta.stride),
                        None => {}
                    }
                }
            }
        }
    }
}

fn send(socket: &UdpSocket, state: &UdpSocketState, to: SocketAddr, packets: &[u8], stride: usize) {
    let segment_size = (packets.len() > stride).then_some(stride);
    let train = Transmit { destination: to, ecn: None, contents: packets, segment_size, src_ip: None };
    let _ = state.try_send(UdpSockRef::from(socket), &train);
}
