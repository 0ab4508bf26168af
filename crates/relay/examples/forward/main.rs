//! Bare forwarders: the least that any relay must do, to measure the relay against.
//!
//! `forward KIND LISTEN PEER` forwards what clients send to LISTEN, each client from a socket of its own, to PEER,
//! and back. A datagram of two bytes is a hello: zero gives the client such a socket, whose port is the answer;
//! any other number is the port of another client on the same address, which gets all that follows.
//! What a packet says is neither read nor changed, nobody is asked who he is, and nothing ever ends.
//!
//! KIND is `plain` (recv and send), `trains` (receive and send in trains: GRO and GSO), `ring` (io_uring)
//! or `echo` (back to the sender).

mod epoll;
mod plain;
mod ring;
mod table;
mod trains;

use std::{error::Error, net::UdpSocket};

use table::Table;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, listen, peer] = &arguments[..] else { return Err("arguments: KIND LISTEN PEER".into()) };
    let listener = UdpSocket::bind(listen.as_str())?;
    table::prepare(&listener)?;
    let table = Table::new(listener.local_addr()?.ip(), peer.parse()?);
    match kind.as_str() {
        "plain" => plain::forward(&listener, table)?,
        "trains" => trains::forward(&listener, table)?,
        "ring" => ring::forward(&listener, table)?,
        "echo" => plain::echo(&listener)?,
        _ => return Err("KIND is plain, trains, ring or echo".into()),
    }
    Ok(())
}
