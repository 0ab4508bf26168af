//! The server beside a naive reference: lists and a clock, nothing else. A million operations in virtual time, chosen by
//! seeds that a failure names.

mod play;
mod reference;
mod step;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use play::Play;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use step::Step;

const SEEDS: u64 = 512;
const STEPS: usize = 2000;
/// How many of the last steps a failure names.
const NAMED: usize = 16;

#[test]
fn the_server_does_what_the_reference_does() {
    let next = AtomicU64::new(0);
    let work = || {
        let mut kinds = [0; Step::KINDS];
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= SEEDS {
                return kinds;
            }
            kinds.iter_mut().zip(play(seed)).for_each(|(sum, more)| *sum += more);
        }
    };
    let kinds = thread::scope(|scope| {
        let threads = [(); 2].map(|()| scope.spawn(work));
        threads.map(|thread| thread.join().expect("a seed failed, as said above"))
    });
    let [mut sums, others] = kinds;
    sums.iter_mut().zip(others).for_each(|(sum, more)| *sum += more);
    assert_eq!(sums.iter().sum::<usize>() as u64, SEEDS * STEPS as u64);
    assert!(SEEDS * STEPS as u64 >= 1_000_000 && sums.iter().all(|of_kind| *of_kind > 10_000), "{sums:?}");
}

/// Plays one seed; how many steps of each kind there were.
fn play(seed: u64) -> [usize; Step::KINDS] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut play = Play::new(seed);
    let mut kinds = [0; Step::KINDS];
    let mut steps = Vec::with_capacity(STEPS);
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..STEPS {
            let step = Step::choose(&mut rng);
            steps.push(step);
            kinds[step.kind()] += 1;
            play.step(step);
        }
    }));
    if result.is_err() {
        let last = &steps[steps.len().saturating_sub(NAMED)..];
        panic!("seed {seed} fails at step {}, the last of {last:#?}", steps.len() - 1);
    }
    kinds
}
