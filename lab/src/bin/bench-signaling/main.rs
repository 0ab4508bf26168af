//! This server's signaling beside others', on one core: `cargo xtask bench signaling`.
//!
//! Words choose what is measured: names of servers, names of cases, and the number of rounds.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a benchmark speaks to the person who called it")]

mod crowd;
mod dialect;
mod frame;
mod load;
mod machine;
mod report;
mod secure;
mod server;

use std::{env, path::Path, thread::sleep, time::Duration};

use anyhow::{Context, Result, bail};
use rustix::{
    process::{Resource, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use visavis_lab::{ca::Authority, need::say, script};

use crowd::{Crowd, Entered, enter};
use load::{Turn, exchange, latencies};
use report::Report;
use server::{Kind, Server};

const ROUNDS: usize = 3;
/// How long each load is measured, once the server is warm.
const TIME: Duration = Duration::from_secs(3);
const MEMBERS: usize = 1_000;
const IN_FLIGHT: usize = 16;
/// How many speak in the room of 1,000.
const SPEAKERS: usize = 4;
const IDLE: usize = 10_000;
const IDLE_TLS: usize = 4_000;
const STORM: usize = 10_000;
/// How many enter at once where nobody is in a hurry.
const UNHURRIED: usize = 100;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    Pairs,
    Flight,
    Room,
    Latency,
    Tail,
    Joins,
    Lost,
    Idle,
    IdleTls,
}

impl Case {
    pub(crate) const ALL: [Self; 9] = [
        Self::Pairs,
        Self::Flight,
        Self::Room,
        Self::Latency,
        Self::Tail,
        Self::Joins,
        Self::Lost,
        Self::Idle,
        Self::IdleTls,
    ];

    /// What chooses it on the command line.
    fn word(self) -> &'static str {
        match self {
            Self::Pairs | Self::Latency | Self::Tail => "pairs",
            Self::Flight => "flight",
            Self::Room => "room",
            Self::Joins | Self::Lost => "joins",
            Self::Idle => "idle",
            Self::IdleTls => "tls",
        }
    }

    /// Memory does not change from round to round.
    fn is_measured_again(self) -> bool {
        !matches!(self, Self::Idle | Self::IdleTls)
    }

    /// What stands above its column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Pairs => "rooms of two, deliveries per CPU-s",
            Self::Flight => "the same, 16 in flight",
            Self::Room => "room of 1,000",
            Self::Latency => "half load, p50 in µs",
            Self::Tail => "half load, p99 in µs",
            Self::Joins => "joins per CPU-s",
            Self::Lost => "lost of 10,000",
            Self::Idle => "idle, bytes each",
            Self::IdleTls => "idle over TLS, bytes each",
        }
    }

    pub(crate) fn shown(self, figure: f64) -> String {
        match self {
            Self::Pairs | Self::Flight | Self::Room if figure >= 10_000.0 => {
                format!("{:.0} k", figure / 1000.0)
            }
            _ => format!("{figure:.0}"),
        }
    }
}

/// What was asked for.
struct Plan {
    kinds: Vec<Kind>,
    cases: Vec<&'static str>,
    rounds: usize,
    /// The server's core.
    core: usize,
}

fn main() -> Result<()> {
    let mut plan = Plan::read(env::args().skip(1))?;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("allow 10,000 open connections")?;
    plan.kinds.retain(|kind| is_there(*kind));
    let folder = tempfile::Builder::new().prefix("visavis-bench-").tempdir()?;
    let place = Place { authority: Authority::new("localhost", folder.path())?, folder: folder.path() };
    let mut report = Report::default();
    for round in 0..plan.rounds {
        for &kind in &plan.kinds {
            say(&format!("round {} of {}: {}", round + 1, plan.rounds, kind.name()));
            for task in &TASKS {
                if plan.wants(task.case) && (task.case.is_measured_again() || round == 0) {
                    plan.measure(task, kind, &place, &mut report);
                }
            }
        }
    }
    println!("\n{}", machine::described());
    report.print();
    if report.has_failed(Kind::Visavis) { bail!("some of it could not be measured") } else { Ok(()) }
}

/// Where the servers keep what they write, and who vouches for them.
struct Place<'a> {
    folder: &'a Path,
    authority: Authority,
}

/// What is done for the figures of one word on the command line.
struct Task {
    case: Case,
    work: fn(&Plan, Kind, &Place<'_>, &mut Report) -> Result<()>,
}

const TASKS: [Task; 6] = [
    Task { case: Case::Pairs, work: Plan::pairs },
    Task { case: Case::Flight, work: Plan::flight },
    Task { case: Case::Room, work: Plan::room },
    Task { case: Case::Joins, work: Plan::joins },
    Task { case: Case::Idle, work: Plan::idle },
    Task { case: Case::IdleTls, work: Plan::idle_tls },
];

/// Whether a server can be measured here; says so where it cannot.
fn is_there(kind: Kind) -> bool {
    let found = match kind {
        Kind::Visavis => visavis_lab::server::binary().map(drop),
        Kind::Nats => server::nats().map(drop),
        _ => script::installed("peers").map(drop),
    };
    if let Err(error) = &found {
        say(&format!("not measured: {}, which needs {error:#}", kind.name()));
    }
    found.is_ok()
}

impl Plan {
    fn read(words: impl Iterator<Item = String>) -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        let (Some(&first), Some(&core)) = (cores.first(), cores.last()) else { bail!("there is no core") };
        let mut own = CpuSet::new();
        own.set(first);
        sched_setaffinity(None, &own)?;
        let mut plan = Self { kinds: Vec::new(), cases: Vec::new(), rounds: ROUNDS, core };
        for word in words {
            if let Ok(rounds) = word.parse() {
                plan.rounds = rounds;
            } else if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == word) {
                plan.kinds.push(kind);
            } else if let Some(case) = Case::ALL.into_iter().find(|case| case.word() == word) {
                plan.cases.push(case.word());
            } else {
                bail!("{word:?} is no server, no case and no number of rounds");
            }
        }
        if plan.kinds.is_empty() {
            plan.kinds = Kind::ALL.to_vec();
        }
        Ok(plan)
    }

    fn wants(&self, case: Case) -> bool {
        self.cases.is_empty() || self.cases.contains(&case.word())
    }

    /// One server that fails does not keep the others from being measured.
    fn measure(&self, task: &Task, kind: Kind, place: &Place<'_>, report: &mut Report) {
        if let Err(error) = (task.work)(self, kind, place, report) {
            say(&format!("  failed at {}: {error:#}", task.case.word()));
            report.fail(task.case, kind);
        }
    }

    fn start(&self, kind: Kind, place: &Place<'_>) -> Result<Server> {
        Server::start(kind, self.core, place.folder, None)
    }

    fn pairs(&self, kind: Kind, place: &Place<'_>, report: &mut Report) -> Result<()> {
        let server = self.start(kind, place)?;
        let work = exchange(&mut everybody(&server, kind, 2)?, &server, Turn::Other, MEMBERS, 1, TIME)?;
        report.add(Case::Pairs, kind, work.per_cpu_second());
        // Each message is delivered to both, where it comes back to who said it.
        let copies = if kind.dialect().echoes() { 2.0 } else { 1.0 };
        let times = latencies(&mut everybody(&server, kind, 2)?, work.per_second() / copies / 2.0, TIME)?;
        report.add(Case::Latency, kind, f64::from(percentile(&times, 0.5)));
        report.add(Case::Tail, kind, f64::from(percentile(&times, 0.99)));
        Ok(())
    }

    fn flight(&self, kind: Kind, place: &Place<'_>, report: &mut Report) -> Result<()> {
        let server = self.start(kind, place)?;
        let mut crowd = everybody(&server, kind, 2)?;
        let work = exchange(&mut crowd, &server, Turn::Other, MEMBERS, IN_FLIGHT, TIME)?;
        report.add(Case::Flight, kind, work.per_cpu_second());
        Ok(())
    }

    fn room(&self, kind: Kind, place: &Place<'_>, report: &mut Report) -> Result<()> {
        if !kind.dialect().echoes() {
            return Ok(());
        }
        let server = self.start(kind, place)?;
        let mut crowd = everybody(&server, kind, MEMBERS)?;
        let work = exchange(&mut crowd, &server, Turn::Everybody, SPEAKERS, 1, TIME)?;
        report.add(Case::Room, kind, work.per_cpu_second());
        Ok(())
    }

    fn joins(&self, kind: Kind, place: &Place<'_>, report: &mut Report) -> Result<()> {
        let server = self.start(kind, place)?;
        let before = server.cpu()?;
        let Entered { lost, took, .. } = enter(server.address, kind.dialect(), STORM, 2, STORM)?;
        let cpu = server.cpu()? - before;
        say(&format!("  {} of {STORM} entered within {:.1} s", STORM - lost, took.as_secs_f64()));
        report.add(Case::Joins, kind, (STORM - lost) as f64 / cpu);
        report.add(Case::Lost, kind, lost as f64);
        Ok(())
    }

    fn idle(&self, kind: Kind, place: &Place<'_>, report: &mut Report) -> Result<()> {
        let server = self.start(kind, place)?;
        let before = server.memory()?;
        let entered = enter(server.address, kind.dialect(), IDLE, 2, UNHURRIED)?;
        sleep(Duration::from_secs(1));
        let each = server.memory()?.saturating_sub(before) as f64 / (IDLE - entered.lost) as f64;
        report.add(Case::Idle, kind, each);
        Ok(())
    }

    fn idle_tls(&self, kind: Kind, place: &Place<'_>, report: &mut Report) -> Result<()> {
        if !kind.speaks_tls() {
            return Ok(());
        }
        let server = Server::start(kind, self.core, place.folder, Some(&place.authority))?;
        let before = server.memory()?;
        let members = secure::enter(&server, kind, &place.authority, IDLE_TLS)?;
        sleep(Duration::from_secs(1));
        let each = server.memory()?.saturating_sub(before) as f64 / members.len() as f64;
        report.add(Case::IdleTls, kind, each);
        Ok(())
    }
}

fn everybody(server: &Server, kind: Kind, per_room: usize) -> Result<Crowd> {
    let Entered { crowd, lost, .. } = enter(server.address, kind.dialect(), MEMBERS, per_room, UNHURRIED)?;
    if lost > 0 { bail!("{lost} members could not enter") } else { Ok(crowd) }
}

fn percentile(times: &[u32], part: f64) -> u32 {
    times.get((times.len() as f64 * part) as usize).copied().unwrap_or_default()
}
