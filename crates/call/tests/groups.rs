//! A third, a fourth, a fifth.
#![allow(clippy::unwrap_used)]

mod sim;

use sim::World;
use visavis_call::Phase;

fn group(seed: u64, size: usize) -> (World, Vec<usize>) {
    let mut world = World::new(seed);
    let mut pages = Vec::new();
    for device in ["anna", "bert", "carl", "dora"].iter().take(size) {
        pages.push(world.join(device));
        world.run_until(3000, |world| pages.len() == 1 || world.in_call(&pages));
    }
    (world, pages)
}

#[test]
fn a_third_and_a_fourth_join_the_mesh() {
    for seed in 0..10 {
        let (mut world, pages) = group(seed, 4);
        world.assert_paired(&pages);
        world.run_for(10_000);
        assert!(pages.iter().all(|&page| world.live_peers(page) == 3));
    }
}

#[test]
fn four_who_join_in_the_same_moment_form_one_mesh() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        let pages: Vec<_> = ["a", "b", "c", "d"].iter().map(|device| world.join(device)).collect();
        world.run_until(3000, |world| world.in_call(&pages));
        world.assert_paired(&pages);
    }
}

#[test]
fn a_fifth_sees_a_full_room_and_disturbs_nobody() {
    let (mut world, pages) = group(3, 4);
    let published = world.server.published;
    let fifth = world.join("emil");
    world.run_until(1000, |world| world.phase(fifth) == Phase::Full);
    world.run_for(10_000);
    assert!(world.in_call(&pages));
    assert!(pages.iter().all(|&page| world.pages[page].connects.len() == 3));
    assert_eq!(world.server.published, published, "nothing was said about it");
    assert_eq!(world.server.members().len(), 4);
    // A place becomes free.
    world.with(pages[0], |call, now| call.leave(now));
    world.run_for(500);
    world.with(fifth, |call, now| call.retry(now));
    world.run_until(3000, |world| world.in_call(&[pages[1], pages[2], pages[3], fifth]));
}

#[test]
fn two_who_race_for_the_last_place_do_not_both_get_it() {
    for seed in 0..20 {
        let (mut world, mut pages) = group(seed, 3);
        let late = [world.join("dora"), world.join("emil")];
        world.run_for(3000);
        let full: Vec<_> = late.iter().filter(|&&page| world.phase(page) == Phase::Full).collect();
        assert_eq!(full.len(), 1);
        pages.extend(late.iter().filter(|page| !full.contains(page)));
        world.run_until(3000, |world| world.in_call(&pages));
    }
}

#[test]
fn a_reload_finds_its_place_in_a_full_room() {
    for seed in 0..10 {
        let (mut world, mut pages) = group(seed, 4);
        pages[1] = world.reload(pages[1]);
        world.run_until(3000, |world| world.in_call(&pages));
        pages[1] = world.reload(pages[1]);
        pages[3] = world.reload(pages[3]);
        world.run_until(3000, |world| world.in_call(&pages));
        world.assert_paired(&pages);
    }
}

#[test]
fn a_group_outlives_a_server_restart_whatever_the_order_of_return() {
    for seed in 0..10 {
        let (mut world, pages) = group(seed, 4);
        world.stop_server();
        world.run_for(7000);
        assert!(world.in_call(&pages));
        world.start_server();
        world.run_until(20_000, |world| world.server.members().len() == 4);
        world.run_for(8000);
        assert!(world.in_call(&pages), "{}", world.describe());
        assert!(pages.iter().all(|&page| world.pages[page].connects.len() == 3));
    }
}
