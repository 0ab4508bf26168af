//! A relay with one account, for trying it with other people's clients:
//! `cargo run -p visavis-relay --example relay -- 3478 name secret`.
//!
//! Listens on UDP and TCP of loopback and relays to loopback, which no real relay does.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use visavis_relay::{ClientStream, Options, Relay};
use visavis_turn::{Config, Limits, PeerPolicy, PortRange, RelayInterface, Secret};

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("arguments: PORT NAME PASSWORD [SHARDS]");
    let (port, name, password): (u16, _, _) = (next()?.parse()?, next()?, next()?);
    let shards = next().unwrap_or_else(|_| "1".into()).parse()?;
    let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let addresses = loopback.map(|ip| SocketAddr::new(ip, port));
    let options = Options {
        udp: addresses.to_vec(),
        shards,
        config: Config {
            realm: "visavis".into(),
            secrets: Vec::new(),
            accounts: vec![(name, Secret::new(password))],
            nonce_key: [0; 32],
            relays: loopback.map(|ip| RelayInterface { advertised: ip, local: ip }).to_vec(),
            ports: PortRange::new(49_152, 65_535),
            peers: PeerPolicy::new(&[], &["127.0.0.0/8".parse()?, "::1/128".parse()?], &[]),
            limits: Limits::off(),
            unix_time_at_zero: SystemTime::now().duration_since(UNIX_EPOCH)?,
        },
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

fn accept(listener: &TcpListener, relay: &Relay) {
    for socket in listener.incoming().flatten() {
        relay.hand_over(ClientStream { socket, tls: None, read: Vec::new() });
    }
}
