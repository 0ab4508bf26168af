//! A relay on loopback, and somebody who accepts its streams.

use std::{
    net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use visavis_relay::{ClientStream, Options, Relay, Stats};
use visavis_turn::{Config, IpNet, Limits, PeerPolicy, PortRange, RelayInterface, Secret};

use crate::{
    client::{Client, NAME, PASSWORD},
    peer::{PATIENCE, seed},
};

pub(crate) fn options(shards: usize) -> Options {
    let allow: [IpNet; 3] = ["127.0.0.0/8", "192.0.2.0/24", "::1/128"].map(|net| net.parse().unwrap());
    let loopback = |ip| RelayInterface { advertised: ip, local: ip };
    Options {
        udp: vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()],
        shards,
        config: Config {
            realm: "test".into(),
            secrets: Vec::new(),
            accounts: vec![(NAME.into(), Secret::new(PASSWORD))],
            nonce_key: [7; 32],
            relays: vec![loopback(Ipv4Addr::LOCALHOST.into()), loopback(Ipv6Addr::LOCALHOST.into())],
            ports: PortRange::new(20_000, 29_999),
            peers: PeerPolicy::new(&[], &allow, &[]),
            limits: Limits::off(),
            unix_time_at_zero: Duration::from_secs(1_700_000_000),
        },
        seed: seed(),
        started: Instant::now(),
    }
}

pub(crate) struct Harness {
    pub(crate) relay: Relay,
    acceptor: TcpListener,
    tls: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
}

/// How far the TLS handshake is when the relay gets the stream.
#[derive(Clone, Copy)]
pub(crate) enum HandOver {
    BeforeHandshake,
    AfterFirstBytes,
}

impl Harness {
    pub(crate) fn new(shards: usize) -> Self {
        let relay = Relay::start(options(shards)).unwrap();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = certified.cert.der().clone();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let acceptor = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { relay, acceptor, tls: Arc::new(tls), certificate }
    }

    pub(crate) fn udp(&self) -> Client {
        Client::udp(self.relay.local_addrs()[0])
    }

    pub(crate) fn udp_v6(&self) -> Client {
        Client::udp(self.relay.local_addrs()[1])
    }

    /// A client over TCP. Streams go to the shards in turn.
    pub(crate) fn tcp(&self) -> Client {
        let (client, server) = self.connect();
        self.relay.hand_over(ClientStream { socket: server, tls: None, read: Vec::new() });
        Client::tcp(client)
    }

    pub(crate) fn tls(&self, when: HandOver) -> Client {
        let (client, socket) = self.connect();
        let tls = ServerConnection::new(Arc::clone(&self.tls)).unwrap();
        let stream = ClientStream { socket, tls: Some(Box::new(tls)), read: Vec::new() };
        match when {
            HandOver::BeforeHandshake => self.relay.hand_over(stream),
            HandOver::AfterFirstBytes => {
                let relay = &self.relay;
                return std::thread::scope(|scope| {
                    scope.spawn(move || relay.hand_over(read_first_bytes(stream)));
                    let mut client = Client::tls(client, self.certificate.clone());
                    client.bind();
                    client
                });
            }
        }
        Client::tls(client, self.certificate.clone())
    }

    /// Both ends of a connection.
    pub(crate) fn connect(&self) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(self.acceptor.local_addr().unwrap()).unwrap();
        client.set_nodelay(true).unwrap();
        (client, self.acceptor.accept().unwrap().0)
    }

    /// Waits until the numbers are as they should be.
    pub(crate) fn wait_for(&self, what: &str, reached: impl Fn(&Stats) -> bool) -> Stats {
        let start = Instant::now();
        loop {
            let stats = self.relay.stats();
            if reached(&stats) {
                return stats;
            }
            assert!(start.elapsed() < PATIENCE, "{what}: {stats:?}");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

/// What the binary does to tell STUN from HTTP: shakes hands and reads the first byte, perhaps more.
fn read_first_bytes(mut stream: ClientStream) -> ClientStream {
    use std::io::Read;
    let tls = stream.tls.as_deref_mut().unwrap();
    let mut first = [0; 5];
    rustls::Stream::new(tls, &mut stream.socket).read_exact(&mut first).unwrap();
    stream.read = first.to_vec();
    stream
}
