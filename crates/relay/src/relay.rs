//! Starting, feeding and ending the shards.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::sync_channel,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use mio::{Poll, Waker};
use visavis_turn::{Config, Listed, Server};

use crate::{
    StartError,
    crossing::{self, Door, Errand, Inbox, IsRevoked},
    shard::{Shard, WAKER},
    sockets::Sockets,
    stats::{Board, Stats},
    stream::ClientStream,
    udp::{self, Listener},
};

/// How long a shard may take to say what lives in it.
const LISTING: Duration = Duration::from_secs(1);

/// What a relay is started with.
pub struct Options {
    /// UDP addresses to listen on, port 0 for any. An IPv6 wildcard leaves IPv4 alone.
    pub udp: Vec<SocketAddr>,
    /// How many shards, each a thread; one per core is right. From 1 to 1024.
    pub shards: usize,
    /// For every shard; `ports.shard` and `ports.count` are overwritten.
    pub config: Config,
    /// Unpredictable; every shard derives its own from it.
    pub seed: [u8; 32],
    /// The start of time for all shards: `config.unix_time_at_zero` is the Unix time of this moment.
    pub started: Instant,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("udp", &self.udp)
            .field("shards", &self.shards)
            .field("config", &self.config)
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

/// Running shards. Dropping it ends them like [`Relay::stop`].
pub struct Relay {
    shards: Vec<Running>,
    local_addrs: Vec<SocketAddr>,
    next: AtomicUsize,
    turned_away: AtomicUsize,
}

struct Running {
    door: Door,
    board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Binds all addresses, once for each shard, then starts the shards.
    ///
    /// # Errors
    /// If an address is taken (by another process too that shares its ports), is not of this machine or
    /// needs privileges; if the system gives no event queue or thread. Then nothing is left behind.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let count = shard_count(options.shards)?;
        let (local_addrs, mut listeners) = udp::listen(&options.udp, options.shards)?;
        let parts = (0..count).map(|index| Part::new(index, count)).collect::<Result<Vec<_>, _>>()?;
        let doors: Vec<Door> = parts.iter().map(|part| part.door.clone()).collect();
        let mut relay = Self {
            shards: Vec::new(),
            local_addrs,
            next: AtomicUsize::new(0),
            turned_away: AtomicUsize::new(0),
        };
        for part in parts {
            let index = part.index;
            let listeners = listeners.pop().expect("listen gives a set of sockets for each shard");
            let running = part
                .start(listeners, doors.clone(), &options)
                .map_err(|source| StartError::Shard { shard: index, source })?;
            relay.shards.push(running);
        }
        Ok(relay)
    }

    /// The addresses listened on, in the order of [`Options::udp`], with real ports.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.local_addrs
    }

    /// Gives a stream to one of the shards in turn, which owns it from then on. Closed at once and counted if too
    /// many wait for each of them.
    pub fn hand_over(&self, mut stream: ClientStream) {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for turn in 0..self.shards.len() {
            let shard = &self.shards[first.wrapping_add(turn) % self.shards.len()];
            match shard.door.hand_over(stream) {
                Ok(()) => return,
                Err(back) => stream = back,
            }
        }
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends all allocations of revoked credentials, soon. False if a shard has too much to do to take note of it: then it is
    /// to be said again.
    #[must_use]
    pub fn revoke(&self, is_revoked: &Arc<IsRevoked>) -> bool {
        let send = |shard: &Running| shard.door.send(Errand::Revoke(Arc::clone(is_revoked)));
        // Every shard hears of it, whatever the others say.
        self.shards.iter().filter(|shard| !send(shard)).count() == 0
    }

    /// At most `most` live allocations of each shard. Waits for the shards, up to a second.
    #[must_use]
    pub fn listed(&self, most: usize) -> Vec<Listed> {
        let (answer, answers) = sync_channel(self.shards.len());
        let asked =
            self.shards.iter().filter(|shard| shard.door.send(Errand::List(most, answer.clone()))).count();
        let deadline = Instant::now() + LISTING;
        let next = |_| answers.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok();
        (0..asked).map_while(next).flatten().collect()
    }

    /// What all shards have done, at most 100 ms ago.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        for shard in &self.shards {
            stats += shard.board.read();
        }
        stats.streams.turned_away += self.turned_away.load(Ordering::Relaxed) as u64;
        stats
    }

    /// Ends the shards and waits for their threads. All allocations and streams end.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        for shard in &self.shards {
            shard.door.stop();
        }
        for thread in self.shards.iter_mut().filter_map(|shard| shard.thread.take()) {
            if thread.join().is_err() {
                tracing::error!("a relay shard had panicked");
            }
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("shards", &self.shards.len())
            .field("local_addrs", &self.local_addrs)
            .finish_non_exhaustive()
    }
}

/// A shard before its thread starts.
struct Part {
    index: u16,
    poll: Poll,
    door: Door,
    inbox: Inbox,
}

impl Part {
    fn new(index: u16, count: u16) -> Result<Self, StartError> {
        let make = || -> io::Result<Self> {
            let poll = Poll::new()?;
            let waker = Waker::new(poll.registry(), WAKER)?;
            let (door, inbox) = crossing::door(Arc::new(waker), count);
            Ok(Self { index, poll, door, inbox })
        };
        make().map_err(|source| StartError::Shard { shard: index, source })
    }

    fn start(self, listeners: Vec<Listener>, doors: Vec<Door>, options: &Options) -> io::Result<Running> {
        let board = Arc::new(Board::default());
        let config = config(self.index, doors.len(), options);
        let (ports, server) = (config.ports, Server::new(config, seed(self.index, options)));
        let sockets = Sockets::new(self.poll.registry().try_clone()?, listeners)?;
        let mut shard = Shard::new(ports, server, sockets, doors, self.inbox, options.started);
        let (poll, published) = (self.poll, Arc::clone(&board));
        let thread = std::thread::Builder::new()
            .name(format!("relay-{}", self.index))
            .spawn(move || shard.run(poll, &published))?;
        Ok(Running { door: self.door, board, thread: Some(thread) })
    }
}

fn config(index: u16, count: usize, options: &Options) -> Config {
    let mut config = options.config.clone();
    config.ports.shard = index;
    config.ports.count = u16::try_from(count).expect("shard_count has checked it");
    config
}

fn seed(index: u16, options: &Options) -> [u8; 32] {
    let mut seed = options.seed;
    for (byte, part) in seed.iter_mut().zip(index.to_be_bytes()) {
        *byte ^= part;
    }
    seed
}

fn shard_count(shards: usize) -> Result<u16, StartError> {
    match u16::try_from(shards) {
        Ok(count @ 1..=1024) => Ok(count),
        _ => Err(StartError::Shards { shards }),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_shard_that_ended_costs_no_stream() {
        let (_poll, parts) = {
            let poll = Poll::new().unwrap();
            let waker = Arc::new(Waker::new(poll.registry(), WAKER).unwrap());
            (poll, [(); 2].map(|()| crossing::door(Arc::clone(&waker), 2)))
        };
        let [(ended, inbox_of_ended), (living, inbox)] = parts;
        drop(inbox_of_ended);
        let running = |door| Running { door, board: Arc::default(), thread: None };
        let relay = Relay {
            shards: vec![running(ended), running(living)],
            local_addrs: Vec::new(),
            next: AtomicUsize::new(0),
            turned_away: AtomicUsize::new(0),
        };
        let acceptor = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        for _ in 0..4 {
            let _client = TcpStream::connect(acceptor.local_addr().unwrap()).unwrap();
            let (socket, _) = acceptor.accept().unwrap();
            relay.hand_over(ClientStream { socket, tls: None, read: Vec::new() });
            assert!(inbox.stream().is_some());
        }
        assert_eq!(relay.stats().streams.turned_away, 0);
    }
}
