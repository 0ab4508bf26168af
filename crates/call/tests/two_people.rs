//! Two people come together, part, and come again.
#![allow(clippy::unwrap_used)]

mod sim;

use sim::World;
use visavis_call::{Phase, RemoteState};

#[test]
fn two_people_connect_and_the_later_one_offers() {
    let mut world = World::new(1);
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
    assert_eq!(world.live_peers(anna), 1);
    assert_eq!(world.remotes(anna)[0].state, RemoteState::Connected);
}
