//! The network fails and comes back.
#![allow(clippy::unwrap_used)]

mod sim;

use sim::World;
use visavis_call::{LinkState, Phase, RemoteState};

fn call(seed: u64) -> (World, usize, usize) {
    let mut world = World::new(seed);
    let (anna, bert) = (world.join("anna"), world.join("bert"));
    world.run_until(3000, |world| world.in_call(&[anna, bert]));
    world.run_for(2000);
    (world, anna, bert)
}

fn state(world: &World, page: usize) -> RemoteState {
    world.remotes(page)[0].state
}

#[test]
fn a_short_gap_is_unstable_and_passes() {
    let (mut world, anna, bert) = call(1);
    world.pages[bert].online = false;
    world.run_until(1600, |world| state(world, anna) == RemoteState::Unstable);
    world.pages[bert].online = true;
    world.run_until(1500, |world| world.in_call(&[anna, bert]));
    assert_eq!(world.pages[anna].connects.len(), 1);
}

#[test]
fn a_change_of_network_is_over_in_three_seconds() {
    for seed in 0..20 {
        let (mut world, anna, bert) = call(seed);
        let shown = world.remotes(anna)[0].connection;
        world.hand_over(bert);
        world.with(bert, |call, now| call.handle_online(now));
        world.run_for(100);
        let took = 100 + world.run_until(8000, |world| world.in_call(&[anna, bert]) && world.fresh(bert));
        assert!(took < 3000, "{took} ms");
        world.assert_paired(&[anna, bert]);
        assert_eq!(world.remotes(anna)[0].connection, shown, "a restart keeps the connection");
    }
}

#[test]
fn a_change_of_network_that_no_event_tells_of_is_over_in_five() {
    for seed in 0..20 {
        let (mut world, anna, bert) = call(seed);
        world.hand_over(bert);
        world.run_for(100);
        let took = 100 + world.run_until(8000, |world| world.in_call(&[anna, bert]) && world.fresh(bert));
        assert!(took < 5000, "{took} ms");
        world.assert_paired(&[anna, bert]);
        assert_eq!(world.pages[anna].connects.len(), 1);
    }
}

#[test]
fn both_change_their_network_and_restarts_cross() {
    for seed in 0..30 {
        let (mut world, anna, bert) = call(seed);
        world.pages[anna].epoch += 1;
        world.pages[bert].epoch += 1;
        let took = world.run_until(8000, |world| world.in_call(&[anna, bert]) && world.fresh(bert));
        assert!(took < 4000, "{took} ms");
        world.assert_paired(&[anna, bert]);
        assert_eq!(world.pages[anna].connects.len(), 1);
    }
}

#[test]
fn where_the_direct_way_is_blocked_the_relay_is_taken() {
    let mut world = World::new(4);
    world.direct_down.insert((0, 1));
    let (anna, bert) = (world.join("anna"), world.join("bert"));
    world.run_until(3000, |world| world.in_call(&[anna, bert]));
    world.assert_paired(&[anna, bert]);
}

#[test]
fn when_a_restart_does_not_help_a_second_connection_takes_over() {
    for seed in 0..20 {
        let (mut world, anna, bert) = call(seed);
        // The first connection is dead for good, the network is not.
        let shown = world.remotes(anna)[0].connection;
        let first: Vec<_> = world.peers.keys().copied().collect();
        world.doomed = first.into_iter().collect();
        world.run_until(6000, |world| state(world, anna) == RemoteState::Reconnecting);
        let took = world.run_until(20_000, |world| world.in_call(&[anna, bert]));
        assert!(took < 14_000, "{took} ms");
        world.assert_paired(&[anna, bert]);
        assert_ne!(world.remotes(anna)[0].connection, shown);
        let seconds = [anna, bert].map(|page| &world.pages[page].connects[1]);
        assert!(seconds.iter().any(|(_, relay_only, _)| *relay_only), "it went over the relay");
        world.run_for(15_000);
        assert_eq!((world.live_peers(anna), world.live_peers(bert)), (1, 1));
    }
}

#[test]
fn a_first_connection_that_never_stands_is_helped_by_a_second() {
    for seed in 0..10 {
        let mut world = World::new(seed);
        let (anna, bert) = (world.join("anna"), world.join("bert"));
        world.run_until(2000, |world| world.peers.len() >= 2);
        world.doomed = world.peers.keys().copied().collect();
        world.run_until(20_000, |world| world.in_call(&[anna, bert]));
        world.assert_paired(&[anna, bert]);
    }
}

#[test]
fn a_call_is_given_up_after_a_minute_and_can_be_retried() {
    let (mut world, anna, bert) = call(6);
    world.media_down = true;
    world.run_for(50_000);
    assert_eq!(world.phase(anna), Phase::Reconnecting);
    world.run_for(15_000);
    assert_eq!((world.phase(anna), world.phase(bert)), (Phase::Lost, Phase::Lost));
    assert_eq!(world.live_peers(anna), 0);
    world.media_down = false;
    world.run_for(5000);
    world.with(anna, |call, now| call.retry(now));
    world.run_until(10_000, |world| world.in_call(&[anna, bert]));
    world.assert_paired(&[anna, bert]);
}

#[test]
fn media_that_comes_back_within_a_minute_brings_the_call_back() {
    for seed in 0..10 {
        let (mut world, anna, bert) = call(seed);
        world.media_down = true;
        world.run_for(30_000 + seed * 2000);
        world.media_down = false;
        world.run_until(20_000, |world| world.in_call(&[anna, bert]));
        world.assert_paired(&[anna, bert]);
    }
}

#[test]
fn losing_the_server_does_not_touch_the_call() {
    for seed in 0..10 {
        let (mut world, anna, bert) = call(seed);
        let ids = world.server.members();
        world.stop_server();
        world.run_for(90_000);
        assert_eq!(world.call(anna).link(), LinkState::Away);
        assert!(world.in_call(&[anna, bert]));
        world.start_server();
        world.run_until(20_000, |world| world.server.members().len() == 2);
        world.run_for(10_000);
        assert!(world.in_call(&[anna, bert]));
        assert_eq!(world.pages[anna].connects.len(), 1, "the same connection all along");
        let mut back = world.server.members();
        back.sort();
        let mut ids = ids;
        ids.sort();
        assert_eq!(back, ids, "the same member ids");
    }
}

#[test]
fn a_link_that_comes_back_within_the_grace_is_not_noticed() {
    let (mut world, anna, bert) = call(8);
    world.cut(bert);
    world.run_for(3000);
    assert_eq!(world.call(bert).link(), LinkState::Open);
    assert!(world.in_call(&[anna, bert]));
    assert_eq!(world.pages[anna].connects.len(), 1);
}

#[test]
fn a_link_that_comes_back_after_the_grace_finds_the_call_going_on() {
    let (mut world, anna, bert) = call(9);
    world.link_down.insert(bert);
    world.cut(bert);
    world.run_for(40_000);
    assert_eq!(world.server.members().len(), 1);
    assert!(world.in_call(&[anna, bert]), "the heartbeat lives");
    world.link_down.clear();
    world.run_until(20_000, |world| world.server.members().len() == 2);
    world.run_for(5000);
    assert!(world.in_call(&[anna, bert]));
    assert_eq!(world.pages[anna].connects.len(), 1);
}

#[test]
fn one_who_is_away_from_the_room_for_a_minute_is_let_go() {
    let (mut world, anna, bert) = call(10);
    world.link_down.insert(bert);
    world.cut(bert);
    world.run_for(20_000 + 65_000);
    assert_eq!(world.phase(anna), Phase::Waiting);
}

#[test]
fn a_link_that_died_silently_is_found_out() {
    let (mut world, anna, bert) = call(11);
    world.cut_silently(bert);
    world.run_for(35_000);
    assert_eq!(world.call(bert).link(), LinkState::Open);
    world.with(anna, |call, now| call.leave(now));
    world.run_for(500);
    assert_eq!(world.phase(bert), Phase::Waiting, "a goodbye reaches it again");
}

#[test]
fn a_page_that_slept_does_not_blame_the_other() {
    let (mut world, anna, bert) = call(12);
    let shown = world.remotes(anna)[0].connection;
    world.now += 90_000;
    world.with(anna, |call, now| call.handle_timeout(now));
    assert_eq!(world.phase(anna), Phase::InCall);
    assert_eq!(world.remotes(anna)[0].connection, shown);
    world.run_until(10_000, |world| world.in_call(&[anna, bert]));
}

#[test]
fn an_offer_lost_with_the_link_is_said_again() {
    for seed in 0..30 {
        let mut world = World::new(seed);
        let anna = world.join("anna");
        world.run_for(500);
        let bert = world.join("bert");
        world.run_for(60 + seed * 10);
        world.cut(if seed % 2 == 0 { anna } else { bert });
        world.run_until(15_000, |world| world.in_call(&[anna, bert]));
        world.assert_paired(&[anna, bert]);
    }
}

#[test]
fn reconnects_pause_ever_longer_but_never_end() {
    let mut world = World::new(13);
    let anna = world.join("anna");
    world.run_for(500);
    world.stop_server();
    world.run_for(600_000);
    assert_eq!(world.call(anna).link(), LinkState::Away);
    let tries = world.sockets_opened;
    assert!((35..90).contains(&tries), "{tries} tries in ten minutes");
    world.start_server();
    world.run_until(16_000, |world| world.phase(anna) == Phase::Waiting);
}
