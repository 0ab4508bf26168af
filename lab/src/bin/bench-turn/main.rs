//! What relaying costs, beside other servers and bare forwarders: `cargo xtask bench turn`.
//!
//! Every program runs alone on one core while this one sends and receives on another. Rounds are interleaved, so that
//! what else the machine does meets all of them; what counts is the CPU time of the server, not the clock.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark speaks to the person who called it"
)]

mod case;
mod client;
mod contender;
mod cores;
mod drive;
mod field;
mod flow;
mod goal;
mod link;
mod place;
mod report;
mod stamp;
mod usage;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use visavis_lab::{ca::Authority, need, network::NAME as HOST};

use crate::{
    case::{CASES, Case, Transport},
    contender::{Contender, Program, Running},
    field::Field,
    place::Place,
    report::{Figures, MEMORY},
};

/// Clients of each measurement.
const CLIENTS: usize = 64;
/// Allocations before and after which memory is measured.
const ALLOCATIONS: (usize, usize) = (200, 2200);

#[derive(Parser)]
struct Arguments {
    /// The release binary
    #[arg(long, value_name = "PATH")]
    visavis: Option<PathBuf>,
    /// The bare forwarders
    #[arg(long, value_name = "PATH")]
    forward: Option<PathBuf>,
    /// turn-server from the crate registry
    #[arg(long, value_name = "PATH")]
    turn_server: Option<PathBuf>,
    /// One more coturn, beside the one in the path, with a name of its own (repeatable)
    #[arg(long, value_name = "NAME=PATH")]
    coturn: Vec<String>,
    /// Only these cases; `memory` is one too
    #[arg(long, value_delimiter = ',', value_name = "CASE")]
    cases: Vec<String>,
    /// Only these programs
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    of: Vec<String>,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement takes
    #[arg(long, default_value_t = 1000, value_name = "MS")]
    time: u64,
    /// Over virtual Ethernet without segmentation offload instead of loopback, which flatters trains
    #[arg(long)]
    ethernet: bool,
    /// The core of the server; this program takes core 0
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    core: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let contenders = contenders(&arguments)?;
    let cases = wanted(&arguments)?;
    open_files()?;
    cores::pin(0)?;
    let folder = tempfile::tempdir()?;
    let authority = Authority::new(HOST, folder.path())?;
    // Lives as long as this: its end is the network's.
    let (_network, place) = if arguments.ethernet {
        let (network, place) = Place::behind_ethernet(folder.path())?;
        (Some(network), place)
    } else {
        (None, Place::loopback())
    };
    let field = Field::new(&place, &authority)?;
    let time = Duration::from_millis(arguments.time);
    let with_memory = is_wanted(&arguments.cases, MEMORY);
    let (core, folder) = (arguments.core, folder.path());
    let figures = Figures::default();
    let mut run = Run { place, authority, folder, core, time, field, figures, generation: 0 };
    for round in 0..arguments.rounds {
        for turn in 0..contenders.len() {
            let contender = &contenders[(turn + round) % contenders.len()];
            eprintln!("round {} of {}: {}", round + 1, arguments.rounds, contender.name);
            run.speed(contender, &cases).with_context(|| contender.name.clone())?;
            if with_memory && contender.allocates() {
                run.memory(contender).with_context(|| contender.name.clone())?;
            }
        }
    }
    run.figures.print();
    goal::print(&run.figures);
    Ok(())
}

/// All rounds: who is measured where, and what came of it.
struct Run<'a> {
    place: Place,
    authority: Authority,
    folder: &'a Path,
    core: usize,
    time: Duration,
    field: Field,
    figures: Figures,
    /// The number of the last measurement.
    generation: u16,
}

impl Run<'_> {
    fn start(&mut self, contender: &Contender) -> Result<Running> {
        let peer = self.field.peer()?;
        let server = contender.start(&self.place, peer, self.folder, &self.authority, self.core)?;
        self.field.await_server(&server)?;
        Ok(server)
    }

    /// All cases that say anything of a program, in one life of it.
    fn speed(&mut self, contender: &Contender, cases: &[Case]) -> Result<()> {
        let takes: Vec<&Case> = cases.iter().filter(|case| contender.takes(case)).collect();
        if takes.is_empty() {
            return Ok(());
        }
        let server = self.start(contender)?;
        for of_transport in takes.chunk_by(|one, next| one.transport == next.transport) {
            let transport = of_transport[0].transport;
            let entered = self.field.enter(&server, transport, CLIENTS);
            entered.with_context(|| format!("{transport:?}; {}", server.words()))?;
            for case in of_transport {
                self.generation += 1;
                let mut flows = self.field.flows(&server, case)?;
                let sample =
                    drive::drive(&mut self.field, &mut flows, case, &server, self.generation, self.time)
                        .context(case.name)?;
                self.figures.add(&contender.name, case.name, sample);
            }
        }
        self.field.leave();
        Ok(())
    }

    /// Bytes that each of many allocations adds.
    fn memory(&mut self, contender: &Contender) -> Result<()> {
        let server = self.start(contender)?;
        self.field.enter(&server, Transport::Udp, ALLOCATIONS.0)?;
        let before = usage::resident(server.id())?;
        let added = ALLOCATIONS.1 - ALLOCATIONS.0;
        self.field.add(&server, Transport::Udp, added)?;
        let after = usage::resident(server.id())?;
        self.figures.add_memory(&contender.name, after.saturating_sub(before) as f64 / added as f64);
        self.field.leave();
        Ok(())
    }
}

/// The cases that were asked for. That of memory is not among them.
fn wanted(arguments: &Arguments) -> Result<Vec<Case>> {
    let cases: Vec<Case> =
        CASES.iter().filter(|case| is_wanted(&arguments.cases, case.name)).copied().collect();
    if cases.is_empty() && !is_wanted(&arguments.cases, MEMORY) {
        let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        bail!("no such case; there are {}, {MEMORY}", names.join(", "));
    }
    Ok(cases)
}

fn is_wanted(wanted: &[String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|of| of == name)
}

/// Every program that was found and is wanted.
fn contenders(arguments: &Arguments) -> Result<Vec<Contender>> {
    let of = |name: &str, program, path: &Path| Contender { name: name.into(), program, path: path.into() };
    let mut all = Vec::new();
    if let Some(path) = &arguments.visavis {
        all.push(of("visavis", Program::Visavis { shards: 1 }, path));
        all.push(of("visavis, 2 shards", Program::Visavis { shards: 2 }, path));
    }
    if is_wanted(&arguments.of, "coturn") {
        all.push(of("coturn", Program::Coturn, &need::program("turnserver")?));
    }
    for named in &arguments.coturn {
        let (name, path) = named.split_once('=').context("--coturn takes NAME=PATH")?;
        all.push(of(name, Program::Coturn, Path::new(path)));
    }
    if let Some(path) = &arguments.turn_server {
        all.push(of("turn-server", Program::TurnServer, path));
    }
    if let Some(path) = &arguments.forward {
        for kind in ["plain", "trains", "ring", "echo"] {
            all.push(of(kind, Program::Forward(kind), path));
        }
    }
    all.retain(|contender| is_wanted(&arguments.of, &contender.name));
    if all.is_empty() {
        bail!("nothing to measure: name the programs with --visavis, --forward, --turn-server and --coturn");
    }
    Ok(all)
}

/// Thousands of sockets are open at once.
fn open_files() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("open many files")
}
