//! A relay with one account, for trying it with other people's clients:
//! `cargo run -p visavis-relay --example relay -- 127.0.0.1:3478,[::1]:3478 name secret 2`.
//!
//! Listens on UDP and TCP of these addresses and relays from them, with as many shards as said last. Public
//! and private peers are allowed, the machine's own addresses too: no relay for others.

use std::{
    error::Error,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use visavis_relay::{ClientStream, Options, Relay};
use visavis_turn::{Config, Limits, PeerPolicy, PortRange, RelayInterface, Secret};

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("arguments: ADDRESS,… NAME PASSWORD [SHARDS]");
    let addresses = next()?.split(',').map(str::parse).collect::<Result<Vec<SocketAddr>, _>>()?;
    let account = (next()?, Secret::new(next()?));
    let shards = next().unwrap_or_else(|_| "1".into()).parse()?;
    let options = Options {
        udp: addresses.clone(),
        shards,
        config: config(&addresses, account)?,
        seed: [0; 32],
        started: Instant::now(),
    };
    let relay = Arc::new(Relay::start(options)?);
    for address in addresses {
        let listener = TcpListener::bind(address)?;
        let relay = Arc::clone(&relay);
        thread::spawn(move || accept(&listener, &relay));
    }
    loop {
        thread::sleep(Duration::from_secs(5));
        println!("{:?}", relay.stats());
    }
}

fn config(addresses: &[SocketAddr], account: (String, Secret)) -> Result<Config, Box<dyn Error>> {
    let own = |address: &SocketAddr| RelayInterface { advertised: address.ip(), local: address.ip() };
    Ok(Config {
        realm: "visavis".into(),
        secrets: Vec::new(),
        accounts: vec![account],
        nonce_key: [0; 32],
        relays: addresses.iter().map(own).collect(),
        ports: PortRange::new(49_152, 65_535),
        peers: PeerPolicy::new(&[], &everything()?, &[]),
        limits: Limits::off(),
        unix_time_at_zero: SystemTime::now().duration_since(UNIX_EPOCH)?,
    })
}

/// Every address, and private networks, since the most specific rule wins.
fn everything() -> Result<Vec<visavis_turn::IpNet>, Box<dyn Error>> {
    let nets = [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::/0",
        "::1/128",
        "fd00::/8",
    ];
    Ok(nets.iter().map(|net| net.parse()).collect::<Result<_, _>>()?)
}

fn accept(listener: &TcpListener, relay: &Relay) {
    for socket in listener.incoming().flatten() {
        relay.hand_over(ClientStream { socket, tls: None, read: Vec::new() });
    }
}
