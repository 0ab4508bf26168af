//! Our relay on loopback with real sockets.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use visavis_relay::{ClientStream, Options, Relay, Stats};
use visavis_turn::{Config, Limits, PeerPolicy, PortRange, RelayInterface, Secret};

use crate::peer::{PATIENCE, seed};

pub(crate) const NAME: &str = "alice";
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct Loopback {
    relay: Relay,
    acceptor: TcpListener,
}

impl Loopback {
    pub(crate) fn new() -> Self {
        let loopback =
            RelayInterface { advertised: Ipv4Addr::LOCALHOST.into(), local: Ipv4Addr::LOCALHOST.into() };
        let options = Options {
            udp: vec![(Ipv4Addr::LOCALHOST, 0).into()],
            shards: 1,
            config: Config {
                realm: "example.org".into(),
                secrets: Vec::new(),
                accounts: vec![(NAME.into(), Secret::new(PASSWORD))],
                nonce_key: [7; 32],
                relays: vec![loopback],
                ports: PortRange::new(20_000, 29_999),
                peers: PeerPolicy::new(&[], &["127.0.0.0/8".parse().unwrap()], &[]),
                limits: Limits::off(),
                unix_time_at_zero: Duration::from_secs(1_700_000_000),
            },
            seed: seed(),
            started: Instant::now(),
        };
        let acceptor = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { relay: Relay::start(options).unwrap(), acceptor }
    }

    pub(crate) fn udp(&self) -> SocketAddr {
        self.relay.local_addrs()[0]
    }

    /// A stream that the relay has taken over.
    pub(crate) fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.acceptor.local_addr().unwrap()).unwrap();
        client.set_nodelay(true).unwrap();
        let (socket, _) = self.acceptor.accept().unwrap();
        self.relay.hand_over(ClientStream { socket, tls: None, read: Vec::new() });
        client
    }

    pub(crate) fn wait_for(&self, what: &str, reached: impl Fn(&Stats) -> bool) {
        let start = Instant::now();
        while !reached(&self.relay.stats()) {
            assert!(start.elapsed() < PATIENCE, "{what}: {:?}", self.relay.stats());
            thread::sleep(Duration::from_millis(5));
        }
    }
}
