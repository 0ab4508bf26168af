//! What clients do, over and over.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

use visavis_lab::turn::{Client, Link};

use crate::{plan::Plan, server::SECRET};

/// Clients of each worker that stay to the end.
const RESIDENTS: usize = 32;
/// How long one of them says nothing: longer than a permission holds, shorter than an allocation.
const REST: Duration = Duration::from_secs(420);
/// Packets of one round, each way and each kind.
const PACKETS: usize = 8;

/// What all workers have done.
#[derive(Default)]
pub(crate) struct Tally {
    rounds: AtomicU64,
    relayed: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
    vanished: AtomicU64,
}

impl Tally {
    pub(crate) fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    pub(crate) fn relayed(&self) -> u64 {
        self.relayed.load(Ordering::Relaxed)
    }

    /// Counts a client that vanishes, if one more may.
    fn may_vanish(&self, most: u64) -> bool {
        let vanish = |vanished| (vanished < most).then_some(vanished + 1);
        self.vanished.fetch_update(Ordering::Relaxed, Ordering::Relaxed, vanish).is_ok()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |of: &AtomicU64| of.load(Ordering::Relaxed);
        write!(f, "{} allocations, {} packets there and back, ", self.rounds(), self.relayed())?;
        write!(f, "{} lost, {} left to expire, ", number(&self.lost), number(&self.vanished))?;
        write!(f, "{} wrong passwords refused", number(&self.refused))
    }
}

/// One thread of clients.
pub(crate) struct Worker {
    number: usize,
    server: SocketAddr,
    echo: SocketAddr,
    plan: Arc<Plan>,
    tally: Arc<Tally>,
    made: u64,
    residents: Vec<(Client, Instant)>,
}

impl Worker {
    pub(crate) const fn new(
        number: usize,
        server: SocketAddr,
        echo: SocketAddr,
        plan: Arc<Plan>,
        tally: Arc<Tally>,
    ) -> Self {
        Self { number, server, echo, plan, tally, made: 0, residents: Vec::new() }
    }

    pub(crate) fn run(&mut self) -> Result<()> {
        for number in 0..RESIDENTS {
            let client = self.settled(number % 4 == 0)?;
            self.residents.push((client, Instant::now()));
        }
        while !self.plan.is_over() {
            self.round()?;
            self.wake_residents()?;
        }
        for (mut client, _) in std::mem::take(&mut self.residents) {
            ensure!(client.refresh(0)? == 0, "an allocation could not be ended");
        }
        Ok(())
    }

    /// A new client, with a name of its own.
    fn client(&mut self, tcp: bool) -> Result<Client> {
        self.made += 1;
        let link = if tcp { Link::tcp(self.server)? } else { Link::udp(self.server)? };
        Ok(Client::new(link, SECRET, &format!("{}-{}", self.number, self.made)))
    }

    /// A new client that can relay.
    fn settled(&mut self, tcp: bool) -> Result<Client> {
        let mut client = loop {
            let mut client = self.client(tcp)?;
            match client.allocate()? {
                0 => break client,
                // The system has given it the port of one that vanished, whose allocation still lives.
                437 => {}
                code => bail!("an allocation was refused with {code}"),
            }
        };
        for code in [client.permit(self.echo)?, client.bind_channel(self.echo)?] {
            ensure!(code == 0, "a request was refused with {code}");
        }
        self.tally.rounds.fetch_add(1, Ordering::Relaxed);
        Ok(client)
    }

    /// One client's life; each in its own way.
    fn round(&mut self) -> Result<()> {
        let kind = self.made % 16;
        if kind == 0 {
            return self.stranger();
        }
        let is_tcp = kind % 4 == 1;
        let mut client = self.settled(is_tcp)?;
        self.relay(&mut client)?;
        ensure!(client.refresh(600)? == 0, "a refresh was refused");
        match kind {
            // Over TCP the end of the connection is the end of the allocation.
            1 | 5 => return Ok(()),
            2 | 6 if self.tally.may_vanish(self.plan.may_have_vanished()) => return Ok(()),
            _ => ensure!(client.refresh(0)? == 0, "an allocation could not be ended"),
        }
        Ok(())
    }

    /// Somebody who has no business here.
    fn stranger(&mut self) -> Result<()> {
        let mut client = self.client(false)?.with_wrong_password();
        client.bind()?;
        for length in [1, 4, 19, 20, 32, 600] {
            client.send_garbage(&vec![self.made as u8; length])?;
        }
        ensure!(client.allocate()? == 401, "a wrong password is refused, whoever had the port before");
        self.tally.refused.fetch_add(1, Ordering::Relaxed);
        let mut idle = self.client(true)?;
        idle.bind()
    }

    fn relay(&self, client: &mut Client) -> Result<()> {
        let payload = [0x5a; 172];
        for _ in 0..PACKETS {
            client.send_on_channel(&payload)?;
            client.send_to(self.echo, &payload)?;
        }
        for _ in 0..2 * PACKETS {
            let counter = if client.hear()? { &self.tally.relayed } else { &self.tally.lost };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Lets those who rested long enough do everything anew: their permission has lapsed by then.
    fn wake_residents(&mut self) -> Result<()> {
        let mut residents = std::mem::take(&mut self.residents);
        for (client, since) in &mut residents {
            if since.elapsed() < REST {
                continue;
            }
            *since = Instant::now();
            ensure!(client.refresh(600)? == 0, "a refresh was refused");
            for code in [client.permit(self.echo)?, client.bind_channel(self.echo)?] {
                ensure!(code == 0, "a request was refused with {code}");
            }
            self.relay(client)?;
        }
        self.residents = residents;
        Ok(())
    }
}
