//! Sending and receiving for a while, and what that cost the server.

use std::time::{Duration, Instant};

use anyhow::Result;
use mio::Events;

use crate::{
    case::Case,
    contender::Running,
    field::{Field, PEERS},
    flow::{Flow, Source},
    stamp::Stamp,
    usage,
};

/// How long packets may be under way before they count as lost.
const LOST: Duration = Duration::from_millis(30);
/// What comes before a measurement, and what may come late after it.
const AROUND: Duration = Duration::from_millis(150);

/// What came of one measurement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) delivered: u64,
    pub(crate) sent: u64,
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    /// How long packets were under way, sorted; only at a fixed rate.
    pub(crate) latencies: Vec<u32>,
}

impl Sample {
    /// CPU-seconds for each million delivered packets, which is microseconds for each packet.
    pub(crate) fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.delivered.max(1) as f64
    }

    /// The share of the time that the server was busy.
    pub(crate) fn busy(&self) -> f64 {
        self.cpu.as_secs_f64() / self.wall.as_secs_f64().max(1e-9)
    }

    /// Nanoseconds that a share of the packets took at most.
    pub(crate) fn latency(&self, share: f64) -> Option<f64> {
        let last = self.latencies.len().checked_sub(1)?;
        Some(f64::from(self.latencies[(last as f64 * share) as usize]))
    }
}

struct Drive<'a> {
    field: &'a mut Field,
    flows: &'a mut [Flow],
    case: &'a Case,
    events: Events,
    start: Instant,
    generation: u16,
    out: Vec<u8>,
    sample: Sample,
}

/// Lets all flows go for `time`.
pub(crate) fn drive(
    field: &mut Field,
    flows: &mut [Flow],
    case: &Case,
    server: &Running,
    generation: u16,
    time: Duration,
) -> Result<Sample> {
    let mut drive = Drive {
        field,
        flows,
        case,
        events: Events::with_capacity(1024),
        start: Instant::now(),
        generation,
        out: Vec::new(),
        sample: Sample::default(),
    };
    drive.run(AROUND)?;
    drive.sample = Sample::default();
    let (cpu, wall) = (usage::cpu(server.id())?, drive.start.elapsed());
    drive.run(time)?;
    drive.sample.cpu = usage::cpu(server.id())? - cpu;
    drive.sample.wall = drive.start.elapsed() - wall;
    let mut sample = std::mem::take(&mut drive.sample);
    drive.drain()?;
    sample.latencies.sort_unstable();
    Ok(sample)
}

impl Drive<'_> {
    fn run(&mut self, time: Duration) -> Result<()> {
        let end = self.start.elapsed() + time;
        let mut looked = self.start.elapsed();
        let (mut due, mut next) = (self.start.elapsed(), 0);
        loop {
            let now = self.start.elapsed();
            if now >= end {
                return Ok(());
            }
            self.receive()?;
            match self.case.gap() {
                None => (0..self.flows.len()).for_each(|flow| self.send_if_open(flow)),
                Some(gap) => {
                    if due <= now {
                        // After an interruption no burst makes up for it.
                        due = (due + gap).max(now.saturating_sub(gap * 4));
                        self.send(next);
                        next = (next + 1) % self.flows.len();
                    }
                }
            }
            if now - looked > Duration::from_millis(1) {
                looked = now;
                self.give_up(now);
            }
        }
    }

    fn send_if_open(&mut self, flow: usize) {
        if self.flows[flow].under_way + self.case.train <= self.case.window() {
            self.send(flow);
        }
    }

    fn send(&mut self, number: usize) {
        let sent = self.start.elapsed().as_nanos() as u64;
        let stamp = Stamp { generation: self.generation, flow: number as u16, sent };
        let flow = &mut self.flows[number];
        self.out.clear();
        for _ in 0..self.case.train {
            flow.shape.write(stamp, &mut self.out);
        }
        let segment = (self.case.train > 1).then_some(self.out.len() / self.case.train);
        let went = match flow.source {
            Source::Client(client) => self.field.clients[client].link.send(&self.out, segment),
            Source::Peer(peer, to) => self.field.peers[peer].send(to, &self.out, segment),
        };
        if went {
            flow.under_way += self.case.train;
            self.sample.sent += self.case.train as u64;
        }
    }

    fn receive(&mut self) -> Result<()> {
        self.field.poll.poll(&mut self.events, Some(Duration::ZERO))?;
        let (start, flows, sample) = (self.start, &mut *self.flows, &mut self.sample);
        let (generation, has_rate) = (self.generation, self.case.rate.is_some());
        let mut take = |packet: &[u8]| {
            let Some(stamp) = Stamp::of(packet).filter(|stamp| stamp.generation == generation) else {
                return;
            };
            let Some(flow) = flows.get_mut(usize::from(stamp.flow)) else { return };
            let now = start.elapsed().as_nanos() as u64;
            flow.under_way = flow.under_way.saturating_sub(1);
            flow.moved = now;
            sample.delivered += 1;
            if has_rate {
                sample.latencies.push(now.saturating_sub(stamp.sent).min(u64::from(u32::MAX)) as u32);
            }
        };
        for event in &self.events {
            match event.token().0 {
                number @ PEERS.. => {
                    self.field.peers[number - PEERS].receive(&mut self.field.inbox, &mut take)
                }
                number => {
                    let Some(client) = self.field.clients.get_mut(number) else { continue };
                    client.link.receive(&mut self.field.inbox, &mut take)?;
                }
            }
        }
        Ok(())
    }

    /// Flows that have stood still for too long have lost what was under way.
    fn give_up(&mut self, now: Duration) {
        let now = now.as_nanos() as u64;
        for flow in self.flows.iter_mut() {
            if flow.under_way > 0 && now.saturating_sub(flow.moved) > LOST.as_nanos() as u64 {
                flow.under_way = 0;
                flow.moved = now;
            }
        }
    }

    /// Receives what is late, so that it disturbs nothing that follows.
    fn drain(&mut self) -> Result<()> {
        let end = self.start.elapsed() + AROUND / 3;
        while self.start.elapsed() < end {
            self.receive()?;
        }
        Ok(())
    }
}
