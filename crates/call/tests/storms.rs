//! Random trouble: when it ends, everyone is connected to everyone, once.
#![allow(clippy::unwrap_used)]

mod sim;

use sim::World;

fn storm(seed: u64) {
    let mut world = World::new(seed);
    let size = 2 + world.random(3) as usize;
    let devices = ["anna", "bert", "carl", "dora"];
    let mut pages: Vec<_> = devices[..size].iter().map(|device| world.join(device)).collect();
    for _ in 0..12 {
        let pause = world.random(4000);
        world.run_for(10 + pause);
        let at = world.random(size as u64) as usize;
        trouble(&mut world, &mut pages, at);
    }
    heal(&mut world);
    for &page in &pages {
        world.with(page, |call, now| call.handle_online(now));
    }
    world.run_until(75_000, |world| world.in_call(&pages));
    world.run_for(30_000);
    assert!(world.in_call(&pages), "seed {seed}: it lasts\n{}", world.describe());
    world.assert_paired(&pages);
    assert!(
        pages.iter().all(|&page| world.live_peers(page) == size - 1),
        "seed {seed}\n{}",
        world.describe()
    );
}

fn trouble(world: &mut World, pages: &mut [usize], at: usize) {
    let page = pages[at];
    match world.random(11) {
        0 => world.cut(page),
        1 => world.cut_silently(page),
        2 => world.hand_over(page),
        3 => world.stop_server(),
        4 => world.start_server(),
        5 => pages[at] = world.reload(page),
        6 => world.media_down = !world.media_down,
        7 => world.pages[page].online = !world.pages[page].online,
        8 => {
            world.with(page, |call, now| call.leave(now));
            world.with(page, |call, now| call.retry(now));
        }
        9 => world.doomed = world.peers.keys().copied().collect(),
        _ => world.with(page, |call, now| call.handle_online(now)),
    }
}

fn heal(world: &mut World) {
    world.start_server();
    world.media_down = false;
    world.pages.iter_mut().for_each(|page| page.online = true);
}

#[test]
fn whatever_happened_the_call_comes_together() {
    for seed in 0..40 {
        storm(seed);
    }
}
