//! The clients and peers around one server.

use std::{
    fs,
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use mio::Poll;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use visavis_lab::{ca::Authority, network::NAME as HOST};

use crate::{
    case::{Case, Mode, Transport},
    client::Client,
    contender::{Program, Running},
    flow::{Flow, Shape, Source},
    link::{Inbox, Link, Stream, Udp},
    place::Place,
};

/// The channel to the peer, and the one to the other client.
const CHANNELS: (u16, u16) = (0x4000, 0x4001);
/// How soon a server must answer after its start.
const START: Duration = Duration::from_secs(20);
/// The peers' numbers behind those of the clients.
pub(crate) const PEERS: usize = 1 << 20;

/// Everybody but the server.
pub(crate) struct Field {
    pub(crate) poll: Poll,
    pub(crate) inbox: Inbox,
    /// One with a channel to each client, one without.
    pub(crate) peers: [Udp; 2],
    pub(crate) clients: Vec<Client>,
    /// Where the peers reach the clients.
    relayed: Vec<SocketAddr>,
    place: Place,
    tls: Arc<ClientConfig>,
}

impl Field {
    pub(crate) fn new(place: &Place, authority: &Authority) -> Result<Self> {
        let mut peers = [Udp::bind(place.peer)?, Udp::bind(place.peer)?];
        let poll = Poll::new()?;
        for (number, peer) in peers.iter_mut().enumerate() {
            peer.register(poll.registry(), PEERS + number)?;
        }
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&fs::read(&authority.root)?)?)?;
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let (clients, relayed) = (Vec::new(), Vec::new());
        let (place, tls, inbox) = (place.clone(), Arc::new(tls), Inbox::new());
        Ok(Self { poll, inbox, peers, clients, relayed, place, tls })
    }

    pub(crate) fn peer(&self) -> Result<SocketAddr> {
        self.peers[0].address()
    }

    /// Waits until the server answers.
    pub(crate) fn await_server(&mut self, server: &Running) -> Result<()> {
        self.leave();
        let start = Instant::now();
        loop {
            let mut client = self.connect(server, Transport::Udp)?;
            let answered = if matches!(server.program, Program::Forward(kind) if kind != "echo") {
                client.hello(&mut self.inbox, 1).map(drop)
            } else if server.is_bare() {
                Ok(())
            } else {
                client.bind(&mut self.inbox).map(drop)
            };
            match answered {
                Ok(()) => return Ok(()),
                Err(_) if start.elapsed() < START => thread::sleep(Duration::from_millis(50)),
                Err(error) => bail!("{error:#}; the server said:\n{}", server.words()),
            }
        }
    }

    /// Ends all clients.
    pub(crate) fn leave(&mut self) {
        self.clients.clear();
        self.relayed.clear();
    }

    /// New clients in place of those that were there, each with an allocation and channels.
    pub(crate) fn enter(&mut self, server: &Running, transport: Transport, count: usize) -> Result<()> {
        self.leave();
        self.add(server, transport, count)
    }

    /// More clients.
    pub(crate) fn add(&mut self, server: &Running, transport: Transport, count: usize) -> Result<()> {
        let first = self.clients.len();
        for number in first..first + count {
            let mut client = self.connect(server, transport)?;
            client.link.register(self.poll.registry(), number)?;
            if server.program != Program::Forward("echo") {
                let relayed = if server.is_bare() {
                    SocketAddr::new(self.place.server, client.hello(&mut self.inbox, 0)?)
                } else {
                    client.allocate(&mut self.inbox)?
                };
                self.relayed.push(relayed);
            }
            self.clients.push(client);
        }
        if server.is_bare() { Ok(()) } else { self.bind_channels(server, first) }
    }

    fn connect(&self, server: &Running, transport: Transport) -> Result<Client> {
        let link = match transport {
            Transport::Udp => Link::Udp(Udp::bind(self.place.client)?, server.plain),
            Transport::Tcp => Link::Stream(Box::new(Stream::connect(server.plain, None)?)),
            Transport::Tls => {
                let name = ServerName::try_from(HOST)?;
                Link::Stream(Box::new(Stream::connect(server.tls, Some((&self.tls, name)))?))
            }
        };
        Ok(Client::new(link))
    }

    fn bind_channels(&mut self, server: &Running, first: usize) -> Result<()> {
        let [peer, silent] = [self.peers[0].address()?, self.peers[1].address()?];
        let relayed = self.relayed.clone();
        for (number, client) in self.clients.iter_mut().enumerate().skip(first) {
            if let Some(&partner) = relayed.get(number ^ 1) {
                client.bind_channel(&mut self.inbox, CHANNELS.1, partner)?;
            }
            if server.program != Program::TurnServer {
                client.bind_channel(&mut self.inbox, CHANNELS.0, peer)?;
                client.permit(&mut self.inbox, silent)?;
            }
        }
        Ok(())
    }

    /// The flows of a case.
    pub(crate) fn flows(&mut self, server: &Running, case: &Case) -> Result<Vec<Flow>> {
        ensure!(self.clients.len().is_multiple_of(2), "clients come in pairs");
        if server.is_bare() && case.mode != Mode::Binding {
            self.direct(case.mode == Mode::Pair)?;
        }
        let silent = self.peers[1].address()?;
        let flow = |number: usize| {
            let (client, relayed) = (Source::Client(number), self.relayed.get(number).copied());
            let peer = |index| relayed.map(|to| Source::Peer(index, to)).context("a relayed address");
            let on = |channel| match server.is_bare() {
                true => Shape::payload(case.size),
                false => Shape::channel_data(channel, case.size),
            };
            Ok(match case.mode {
                Mode::Up => Flow::new(client, on(CHANNELS.0)),
                Mode::Pair => Flow::new(client, on(CHANNELS.1)),
                Mode::Send => Flow::new(client, Shape::indication(silent, case.size)),
                Mode::Down => Flow::new(peer(0)?, Shape::payload(case.size)),
                Mode::Data => Flow::new(peer(1)?, Shape::payload(case.size)),
                Mode::Binding => Flow::new(client, Shape::binding()),
            })
        };
        (0..self.clients.len()).map(flow).collect()
    }

    /// Tells a bare forwarder where the clients' packets go: to each other or to the peer.
    fn direct(&mut self, to_each_other: bool) -> Result<()> {
        let ports = self
            .clients
            .iter()
            .map(|client| match &client.link {
                Link::Udp(udp, _) => Ok(udp.address()?.port()),
                Link::Stream(_) => bail!("bare forwarders know UDP only"),
            })
            .collect::<Result<Vec<_>>>()?;
        for (number, client) in self.clients.iter_mut().enumerate() {
            client.hello(&mut self.inbox, if to_each_other { ports[number ^ 1] } else { 0 })?;
        }
        Ok(())
    }
}
