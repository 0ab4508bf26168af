//! One receive and one send for each packet.

use std::{io, net::UdpSocket};

use crate::{
    epoll::{Epoll, LISTENER},
    table::{Table, Way, hello},
};

/// Packets of the listening socket in one turn.
const MOST: usize = 64;

pub(crate) fn forward(listener: &UdpSocket, mut table: Table) -> io::Result<()> {
    let mut epoll = Epoll::new(listener)?;
    let mut buffer = [0; 65_536];
    loop {
        for ready in epoll.wait()? {
            if ready == LISTENER {
                for _ in 0..MOST {
                    let Ok((length, client)) = listener.recv_from(&mut buffer) else { break };
                    let packet = &buffer[..length];
                    if let Some(port) = hello(packet) {
                        greet(listener, &mut table, &epoll, client, port)?;
                        continue;
                    }
                    // A full buffer loses packets, here as anywhere.
                    let _ = match table.way(client) {
                        Some(Way::Out(index)) => table.sockets[index].0.send_to(packet, table.peer),
                        Some(Way::Across(other)) => listener.send_to(packet, other),
                        None => continue,
                    };
                }
            } else {
                let (socket, client) = &table.sockets[ready];
                if let Ok((length, _)) = socket.recv_from(&mut buffer) {
                    let _ = listener.send_to(&buffer[..length], client);
                }
            }
        }
    }
}

/// Answers a hello, and listens to the socket that it may have made.
pub(crate) fn greet(
    listener: &UdpSocket,
    table: &mut Table,
    epoll: &Epoll,
    client: std::net::SocketAddr,
    port: u16,
) -> io::Result<()> {
    let (answer, is_new) = table.hello(client, port)?;
    if is_new {
        let number = table.sockets.len() - 1;
        epoll.add(&table.sockets[number].0, number)?;
    }
    listener.send_to(&answer.to_be_bytes(), client).map(drop)
}

pub(crate) fn echo(listener: &UdpSocket) -> io::Result<()> {
    let mut epoll = Epoll::new(listener)?;
    let mut buffer = [0; 65_536];
    loop {
        for _ in epoll.wait()? {
            for _ in 0..MOST {
                let Ok((length, client)) = listener.recv_from(&mut buffer) else { break };
                let _ = listener.send_to(&buffer[..length], client);
            }
        }
    }
}
