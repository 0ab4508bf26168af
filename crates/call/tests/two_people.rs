//! Two people come together, part, and come again.
#![allow(clippy::unwrap_used)]

mod sim;

use sim::World;
use visavis_call::{ConnectionId, Effect, LinkState, Phase, Problem, RelayOnly, RemoteState};

/// Two people in a call, the later one being the second.
fn call(seed: u64) -> (World, usize, usize) {
    let mut world = World::new(seed);
    let anna = world.join("anna");
    world.run_until(1000, |world| world.phase(anna) == Phase::Waiting);
    let bert = world.join("bert");
    world.run_until(2000, |world| world.in_call(&[anna, bert]));
    (world, anna, bert)
}

#[test]
fn two_people_connect_and_the_later_one_offers() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        let anna = world.join("anna");
        world.run_until(1000, |world| world.phase(anna) == Phase::Waiting);
        let bert = world.join("bert");
        let took = world.run_until(2000, |world| world.in_call(&[anna, bert]));
        assert!(took < 1000, "{took} ms");
        world.assert_paired(&[anna, bert]);
        assert!(!world.pages[anna].connects[0].2);
        assert!(world.pages[bert].connects[0].2);
        assert_eq!(world.remotes(anna)[0].name.as_deref(), Some("Name of bert"));
        assert_eq!(world.remotes(bert)[0].name.as_deref(), Some("Name of anna"));
        world.run_for(20_000);
        world.assert_paired(&[anna, bert]);
        assert!(world.in_call(&[anna, bert]));
        assert_eq!((world.pages[anna].connects.len(), world.pages[bert].connects.len()), (1, 1));
    }
}

#[test]
fn two_who_join_in_the_same_moment_connect_once() {
    for seed in 0..50 {
        let mut world = World::new(seed);
        let (anna, bert) = (world.join("anna"), world.join("bert"));
        world.run_until(2000, |world| world.in_call(&[anna, bert]));
        world.assert_paired(&[anna, bert]);
        assert_eq!(world.live_peers(anna), 1);
    }
}

#[test]
fn offers_that_cross_leave_one_connection_without_doubled_media() {
    for seed in 0..50 {
        let (mut world, anna, bert) = call(seed);
        // Both lose their connection and begin anew at the same time.
        for page in [anna, bert] {
            let connection = world.remotes(page)[0].connection.unwrap();
            world.break_connection(page, connection);
        }
        world.run_until(15_000, |world| world.in_call(&[anna, bert]));
        world.assert_paired(&[anna, bert]);
    }
}

#[test]
fn muting_and_names_reach_the_other_without_negotiation() {
    let (mut world, anna, bert) = call(3);
    let published = world.server.published;
    world.with(anna, |call, now| call.set_microphone(now, false));
    world.with(anna, |call, now| call.set_camera(now, false));
    world.with(anna, |call, now| call.set_name(now, "Änne\u{7}"));
    world.run_for(100);
    let remote = world.remotes(bert).remove(0);
    assert_eq!((remote.muted, remote.camera, remote.name.as_deref()), (true, false, Some("Änne")));
    world.with(anna, |call, now| call.set_name(now, ""));
    world.run_for(100);
    assert_eq!(world.remotes(bert)[0].name, None);
    assert_eq!(world.server.published, published, "all of it went over the data channel");
}

#[test]
fn one_joins_with_camera_and_microphone_off() {
    let mut world = World::new(4);
    let anna = world.join("anna");
    let mut config = world.config("bert");
    config.wishes = Default::default();
    let bert = world.lobby_with(config);
    world.with(bert, |call, now| call.join(now));
    world.run_until(2000, |world| world.in_call(&[anna, bert]));
    let remote = world.remotes(anna).remove(0);
    assert!(remote.muted && !remote.camera);
}

#[test]
fn the_lobby_says_how_many_are_inside_and_disturbs_nobody() {
    let (mut world, anna, bert) = call(5);
    let carl = world.lobby("carl");
    assert_eq!(world.call(carl).link(), LinkState::Idle);
    world.with(carl, |call, now| call.peek(now));
    assert_eq!(world.call(carl).link(), LinkState::Opening);
    world.run_for(500);
    assert_eq!(world.call(carl).inside(), Some(2));
    assert_eq!(world.phase(carl), Phase::Lobby);
    world.with(bert, |call, now| call.leave(now));
    world.run_for(6000);
    assert_eq!(world.call(carl).inside(), Some(1));
    assert_eq!(world.remotes(anna).len(), 0);
    world.with(carl, |call, now| call.join(now));
    world.run_until(1000, |world| world.in_call(&[anna, carl]));
}

#[test]
fn leaving_takes_the_tile_away_at_once_and_rejoining_brings_it_back() {
    let (mut world, anna, bert) = call(6);
    for _ in 0..3 {
        world.with(bert, |call, now| call.leave(now));
        assert_eq!(world.phase(bert), Phase::Left);
        assert_eq!(world.call(bert).link(), LinkState::Idle);
        let took = world.run_until(1000, |world| world.phase(anna) == Phase::Waiting);
        assert!(took < 200, "{took} ms");
        assert_eq!((world.live_peers(anna), world.live_peers(bert)), (0, 0));
        world.run_for(300);
        world.with(bert, |call, now| call.retry(now));
        world.run_until(2000, |world| world.in_call(&[anna, bert]));
        world.assert_paired(&[anna, bert]);
    }
}

#[test]
fn a_reload_replaces_the_old_page_at_once() {
    for seed in 0..20 {
        let (mut world, anna, bert) = call(seed);
        let again = world.reload(bert);
        let took = world.run_until(2000, |world| world.in_call(&[anna, again]));
        assert!(took < 1000, "{took} ms");
        assert_eq!(world.remotes(anna).len(), 1, "the ghost has no tile");
        // The other one too, while the first one's ghost may still be there.
        let anew = world.reload(anna);
        world.run_until(2000, |world| world.in_call(&[anew, again]));
        world.assert_paired(&[anew, again]);
        world.run_for(30_000);
        assert!(world.in_call(&[anew, again]), "the ghosts leave without taking anybody along");
    }
}

#[test]
fn a_second_tab_of_a_device_takes_the_call_over() {
    let (mut world, anna, bert) = call(8);
    let tab = world.join("bert");
    world.run_until(2000, |world| world.in_call(&[anna, tab]));
    assert_eq!(world.phase(bert), Phase::Replaced);
    assert_eq!(world.live_peers(bert), 0);
    assert_eq!(world.remotes(anna).len(), 1);
    world.run_for(30_000);
    assert!(world.in_call(&[anna, tab]));
    assert_eq!(world.phase(bert), Phase::Replaced);
}

#[test]
fn a_killed_page_goes_when_its_membership_does() {
    let (mut world, anna, bert) = call(9);
    world.kill(bert);
    world.run_until(3000, |world| world.phase(anna) == Phase::Reconnecting);
    let took = world.run_until(60_000, |world| world.phase(anna) == Phase::Waiting);
    assert!((15_000..25_000).contains(&took), "{took} ms");
    world.run_for(10_000);
    assert_eq!(world.live_peers(anna), 0);
}

#[test]
fn a_description_that_cannot_be_set_leads_to_a_fresh_connection() {
    for victim in [0, 1] {
        let mut world = World::new(10);
        let anna = world.join("anna");
        world.run_for(500);
        let bert = world.join("bert");
        let page = [anna, bert][victim];
        world.run_until(1000, |world| world.live_peers(page) == 1);
        world.peers.values_mut().filter(|peer| peer.page == page).for_each(|peer| peer.fail_next = true);
        world.run_until(20_000, |world| world.in_call(&[anna, bert]));
        world.assert_paired(&[anna, bert]);
    }
}

#[test]
fn relay_only_keeps_to_the_wished_transport() {
    let mut world = World::new(11);
    let mut config = world.config("anna");
    config.relay = Some(RelayOnly::Udp);
    let anna = world.lobby_with(config);
    world.with(anna, |call, now| call.join(now));
    let bert = world.join("bert");
    world.run_until(2000, |world| world.in_call(&[anna, bert]));
    assert!(world.pages[anna].connects[0].1);
    assert!(!world.pages[bert].connects[0].1);
}

#[test]
fn the_one_candidate_of_a_relay_is_never_lost() {
    for seed in 0..100 {
        let mut world = World::new(seed);
        let pages = ["anna", "bert"].map(|name| {
            let mut config = world.config(name);
            config.relay = Some(RelayOnly::Any);
            let page = world.lobby_with(config);
            world.with(page, |call, now| call.join(now));
            world.run_until(1000, |world| {
                world.phase(page) != Phase::Connecting || !world.remotes(page).is_empty()
            });
            page
        });
        world.run_until(3000, |world| world.in_call(&pages));
    }
}

#[test]
fn a_relay_that_the_server_does_not_offer_is_an_error_that_can_be_retried() {
    let mut world = World::new(17);
    let mut config = world.config("anna");
    config.relay = Some(RelayOnly::Tls);
    let anna = world.lobby_with(config);
    world.with(anna, |call, now| call.join(now));
    world.run_for(1000);
    assert_eq!(world.phase(anna), Phase::Error(Problem::Relay));
    world.server.turns = true;
    world.with(anna, |call, now| call.retry(now));
    world.run_for(1000);
    assert_eq!(world.phase(anna), Phase::Waiting);
}

#[test]
fn credentials_are_renewed_before_they_end() {
    let mut world = World::new(12);
    world.server.ttl = 100;
    let (anna, bert) = (world.join("anna"), world.join("bert"));
    world.run_for(1000);
    let asked = world.server.ice_asked;
    world.run_for(80_000);
    assert_eq!(world.server.ice_asked, asked + 2);
    assert!(world.in_call(&[anna, bert]));
}

#[test]
fn a_refusal_at_the_door_is_an_error_that_can_be_retried() {
    let mut world = World::new(13);
    world.server.refuse_room = true;
    let anna = world.join("anna");
    world.run_for(1000);
    assert_eq!(world.phase(anna), Phase::Error(Problem::Room));
    world.server.refuse_room = false;
    world.with(anna, |call, now| call.retry(now));
    world.run_for(1000);
    assert_eq!(world.phase(anna), Phase::Waiting);
}

#[test]
fn events_of_connections_that_are_gone_are_ignored() {
    let (mut world, anna, _) = call(14);
    world.with(anna, |call, now| {
        call.handle_connection(now, ConnectionId(99), visavis_call::ConnectionEvent::NegotiationNeeded);
        assert_eq!(call.poll_effect(), None::<Effect>);
    });
    assert_eq!(world.remotes(anna)[0].state, RemoteState::Connected);
}

#[test]
fn a_page_that_comes_into_view_restarts_nothing_that_lives() {
    let (mut world, anna, bert) = call(15);
    let published = world.server.published;
    for _ in 0..5 {
        world.with(anna, |call, now| call.handle_online(now));
        world.run_for(2000);
    }
    assert!(world.in_call(&[anna, bert]));
    assert_eq!(world.server.published, published);
}

#[test]
fn a_tab_that_was_away_when_another_took_over_learns_of_it_when_it_returns() {
    let (mut world, anna, bert) = call(16);
    world.link_down.insert(bert);
    world.cut(bert);
    world.run_for(100);
    let tab = world.join("bert");
    world.run_until(3000, |world| world.in_call(&[anna, tab]));
    assert_ne!(world.phase(bert), Phase::Replaced);
    world.link_down.clear();
    world.run_until(20_000, |world| world.phase(bert) == Phase::Replaced);
    world.run_for(3000);
    assert!(world.in_call(&[anna, tab]));
}
