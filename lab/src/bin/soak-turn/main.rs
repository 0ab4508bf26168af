//! The relay under everything that wears it out, for as long as one likes: `cargo xtask soak turn [minutes]`.
//!
//! Clients allocate, relay, refresh, end, expire and vanish at full speed. In the end every table must be empty, and memory and
//! descriptors what they were once everything had been used.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a soak speaks to the person who called it")]

mod plan;
mod sample;
mod server;
mod work;

use std::{
    env,
    net::{Ipv4Addr, UdpSocket},
    sync::Arc,
    thread::{self, sleep},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Resource, getrlimit, setrlimit};

use plan::Plan;
use sample::{Sample, verdict};
use server::Server;
use work::{Tally, Worker};

const WORKERS: usize = 4;
/// How long what is over may take to be forgotten, beside the lifetime of allocations that nobody ends.
const GRACE: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    let minutes = env::args().nth(1).map_or(Ok(60), |word| word.parse()).context("how many minutes?")?;
    ensure!(minutes > 0, "at least a minute");
    allow_many_files();
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path())?;
    let plan = Arc::new(Plan::new(minutes));
    let tally = Arc::new(Tally::default());
    let echo = echo()?;
    let first = Sample::take(&server, &plan, &tally)?;
    println!("{}", Sample::HEAD);
    println!("{first}");
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let mut worker = Worker::new(number, server.turn, echo, Arc::clone(&plan), Arc::clone(&tally));
            thread::spawn(move || worker.run())
        })
        .collect();
    let mut samples = vec![first];
    while !plan.is_over() {
        sleep(plan.until_next_minute());
        let sample = Sample::take(&server, &plan, &tally)?;
        println!("{sample}");
        samples.push(sample);
        if workers.iter().all(thread::JoinHandle::is_finished) && !plan.is_over() {
            break;
        }
    }
    for worker in workers {
        worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
    }
    let last = at_rest(&server, &plan, &tally)?;
    println!("{last}");
    let complaints = verdict(&samples, &last);
    if complaints.is_empty() {
        println!("flat: {minutes} minutes, {tally}");
        return Ok(());
    }
    bail!("{}", complaints.join("; "));
}

/// The numbers when nothing is left, or when everything has had time enough to go.
fn at_rest(server: &Server, plan: &Plan, tally: &Tally) -> Result<Sample> {
    let patience = plan.longest_left() + GRACE;
    let start = std::time::Instant::now();
    loop {
        let sample = Sample::take(server, plan, tally)?;
        if sample.is_empty() || start.elapsed() > patience {
            return Ok(sample);
        }
        sleep(Duration::from_secs(1));
    }
}

/// A peer that sends everything back.
fn echo() -> Result<std::net::SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_addr()?;
    thread::spawn(move || {
        let mut buffer = vec![0; 2048];
        loop {
            // A relayed address that is gone answers with an ICMP error, which is nobody's loss.
            if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(&buffer[..length], from);
            }
        }
    });
    Ok(address)
}

/// Every client takes a descriptor; shells allow 1,024 at first.
fn allow_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // What there is may do.
    let _ = setrlimit(Resource::Nofile, limit);
}
