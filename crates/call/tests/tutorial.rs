//! A page of the tutorial on the other side.
#![allow(clippy::unwrap_used)]

mod sim;

use serde_json::json;
use sim::World;
use visavis_call::Phase;

#[test]
fn a_tutorial_page_that_comes_second_makes_the_offer() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        let anna = world.join("anna");
        world.run_until(1000, |world| world.phase(anna) == Phase::Waiting);
        let page = world.tutorial();
        world.run_until(3000, |world| world.in_call_with_foreign(anna, page));
        assert_eq!(world.pages[anna].connects, [(world.remotes(anna)[0].member.clone(), false, false)]);
        assert!(world.remotes(anna)[0].foreign);
        assert_eq!(world.shown(anna).unwrap().media(), 2, "nothing that it would take for its picture");
        world.run_for(60_000);
        assert!(world.in_call_with_foreign(anna, page));
        world.assert_clean();
    }
}

#[test]
fn a_tutorial_page_that_came_first_gets_our_offer() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        let page = world.tutorial();
        world.run_for(1000);
        let anna = world.join("anna");
        world.run_until(3000, |world| world.in_call_with_foreign(anna, page));
        assert!(world.pages[anna].connects[0].2);
        assert_eq!(world.shown(anna).unwrap().media(), 2);
        world.run_for(20_000);
        assert!(world.in_call_with_foreign(anna, page));
    }
}

#[test]
fn a_tutorial_page_that_is_loaded_again_is_called_again() {
    let mut world = World::new(3);
    let anna = world.join("anna");
    world.run_for(1000);
    let page = world.tutorial();
    world.run_until(3000, |world| world.in_call_with_foreign(anna, page));
    world.kill(page);
    world.run_for(300);
    let again = world.tutorial();
    world.run_until(5000, |world| world.in_call_with_foreign(anna, again));
    assert_eq!(world.remotes(anna).len(), 1);
}

#[test]
fn a_tutorial_page_that_closes_is_gone_soon() {
    let mut world = World::new(4);
    let anna = world.join("anna");
    world.run_for(1000);
    let page = world.tutorial();
    world.run_until(3000, |world| world.in_call_with_foreign(anna, page));
    world.kill(page);
    world.run_until(10_000, |world| world.phase(anna) == Phase::Waiting);
}

#[test]
fn a_change_of_network_is_mended_toward_a_tutorial_page() {
    let mut world = World::new(5);
    let anna = world.join("anna");
    world.run_for(1000);
    let page = world.tutorial();
    world.run_until(3000, |world| world.in_call_with_foreign(anna, page));
    world.pages[anna].epoch += 1;
    world.run_for(3000);
    world.run_until(20_000, |world| world.in_call_with_foreign(anna, page));
    assert_eq!(world.pages[anna].connects.len(), 1);
}

#[test]
fn with_a_third_inside_signals_to_nobody_count_for_nobody() {
    let mut world = World::new(6);
    let (anna, bert) = (world.join("anna"), world.join("bert"));
    world.run_until(3000, |world| world.in_call(&[anna, bert]));
    let page = world.tutorial();
    world.run_for(10_000);
    assert!(world.in_call(&[anna, bert]));
    let id = world.server.members()[0].clone();
    world.server.inject(&id, &json!({"sdp": {"type": "offer", "sdp": "v=0"}}));
    world.run_for(10_000);
    assert!(world.in_call(&[anna, bert]));
    // When the room holds two, they call each other.
    world.with(bert, |call, now| call.leave(now));
    world.run_until(20_000, |world| world.in_call_with_foreign(anna, page));
}

fn offer() -> serde_json::Value {
    let sdp = "v=0\r\na=ice-ufrag:other\r\na=fingerprint:999\r\nm=audio\r\nm=video\r\n";
    json!({"sdp": {"type": "offer", "sdp": sdp}})
}

#[test]
fn what_a_tutorial_page_says_after_a_third_came_may_be_meant_for_another() {
    let mut world = World::new(7);
    let anna = world.join("anna");
    world.run_for(1000);
    let page = world.tutorial();
    world.run_until(3000, |world| world.in_call_with_foreign(anna, page));
    let id = world.remotes(anna)[0].member.clone();
    world.join("bert");
    world.run_for(3000);
    world.server.inject(&id, &offer());
    world.run_for(3000);
    let to_it = world.pages[anna].connects.iter().filter(|(member, ..)| *member == id).count();
    assert_eq!(to_it, 1, "the offer was not taken up");
}

#[test]
fn when_offers_cross_with_a_tutorial_page_we_begin_anew_with_its_own() {
    let mut world = World::new(8);
    let page = world.tutorial();
    world.run_for(1000);
    let anna = world.join("anna");
    world.run_until(3000, |world| !world.pages[anna].connects.is_empty());
    world.kill_media(page);
    let id = world.remotes(anna)[0].member.clone();
    world.run_for(50);
    world.server.inject(&id, &offer());
    world.run_for(500);
    let offerers: Vec<_> = world.pages[anna].connects.iter().map(|(_, _, offerer)| *offerer).collect();
    assert_eq!(offerers, [true, false]);
    assert_eq!(world.shown(anna).unwrap().media(), 2, "its media is not doubled");
}
