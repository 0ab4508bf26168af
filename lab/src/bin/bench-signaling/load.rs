//! What is measured of a crowd: how much a server delivers for its time, and how long one message takes.

use std::time::{Duration, Instant};

use anyhow::Result;
use mio::Events;

use crate::{crowd::Crowd, server::Server};

/// When something is said again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// By a member that has heard the other one in its room.
    Other,
    /// By the next speaker, as soon as so much was heard as everybody hears of one message: nobody hurries ahead of
    /// those who have not heard yet.
    Everybody,
}

/// What a server did in a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    deliveries: f64,
    cpu: f64,
    wall: f64,
}

impl Work {
    /// Deliveries for each second that the server's processor worked.
    pub(crate) fn per_cpu_second(&self) -> f64 {
        self.deliveries / self.cpu
    }

    /// Deliveries in a second, as far as the machine left the processor to the server.
    pub(crate) fn per_second(&self) -> f64 {
        self.deliveries / self.wall
    }
}

/// Until the programs have compiled what they run most.
const WARM: Duration = Duration::from_millis(1000);

/// The first `speakers` members say something `in_flight` times, and again whenever it is their turn.
pub(crate) fn exchange(
    crowd: &mut Crowd,
    server: &Server,
    turn: Turn,
    speakers: usize,
    in_flight: usize,
    time: Duration,
) -> Result<Work> {
    for member in crowd.members.iter_mut().take(speakers) {
        member.publish(in_flight)?;
    }
    let mut events = Events::with_capacity(1024);
    let (mut heard_of_all, mut said) = (0, 0);
    let mut round = |until: Instant| -> Result<u64> {
        let mut deliveries = 0;
        while Instant::now() < until {
            crowd.wait(&mut events, Duration::from_millis(50))?;
            for event in &events {
                let (mut copies, mut again) = (0, 0);
                crowd.handle(event.token(), |heard| {
                    copies += 1;
                    again += usize::from(!heard.own);
                })?;
                deliveries += copies;
                heard_of_all += copies;
                if turn == Turn::Other && again > 0 {
                    crowd.members[event.token().0].publish(again)?;
                }
            }
            while turn == Turn::Everybody && heard_of_all >= crowd.members.len() as u64 {
                heard_of_all -= crowd.members.len() as u64;
                said += 1;
                crowd.members[said % speakers].publish(1)?;
            }
        }
        Ok(deliveries)
    };
    round(Instant::now() + WARM)?;
    let (start, cpu) = (Instant::now(), server.cpu()?);
    let deliveries = round(start + time)?;
    let wall = start.elapsed().as_secs_f64();
    Ok(Work { deliveries: deliveries as f64, cpu: server.cpu()? - cpu, wall })
}

/// The times from when a message was due until somebody else heard it, in microseconds and in order, with so many
/// messages due in each second.
pub(crate) fn latencies(crowd: &mut Crowd, per_second: f64, time: Duration) -> Result<Vec<u32>> {
    let mut events = Events::with_capacity(1024);
    let mut times = Vec::new();
    let (start, members) = (Instant::now(), crowd.members.len());
    let mut sent = 0_usize;
    while start.elapsed() < WARM + time {
        let due = (start.elapsed().as_secs_f64() * per_second) as usize;
        while sent < due {
            let at = (sent as f64 / per_second * 1e6) as u64;
            crowd.members[sent * 7 % members].publish_at(at)?;
            sent += 1;
        }
        // Not asleep: a kernel's timer would be counted with what is measured.
        crowd.wait(&mut events, Duration::ZERO)?;
        for event in &events {
            crowd.handle(event.token(), |heard| {
                if !heard.own && heard.time() > WARM.as_micros() as u64 {
                    let now = start.elapsed().as_micros() as u64;
                    times.push(u32::try_from(now.saturating_sub(heard.time())).unwrap_or(u32::MAX));
                }
            })?;
        }
    }
    times.sort_unstable();
    Ok(times)
}
