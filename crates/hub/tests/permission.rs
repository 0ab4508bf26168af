//! Channels that require authentication, and channels that change while people are in them.

#![allow(clippy::unwrap_used)]

mod node;

use std::{collections::HashMap, time::Duration};

use node::Node;
use visavis_hub::{ChannelId, ChannelSettings, ConnectionId, Permission, Refusal, Resume};

const LIFETIME: Duration = Duration::from_secs(180);
const ROOM: &str = "observable-room";
const SPEAK: Permission = Permission { publish: true, subscribe: false, history: 0 };
const LISTEN: Permission = Permission { publish: false, subscribe: true, history: 0 };

fn settings(channels: &[(&str, bool)]) -> HashMap<ChannelId, ChannelSettings> {
    let settings = |require_auth| ChannelSettings { require_auth, ..ChannelSettings::default() };
    channels.iter().map(|(id, require_auth)| (ChannelId::from(*id), settings(*require_auth))).collect()
}

/// Channel `one` requires authentication, `two` does not.
fn node() -> Node {
    Node::with_seed(1, |config| config.channels = settings(&[("one", true), ("two", false)]))
}

fn authenticate(node: &mut Node, connection: usize) {
    let until = node.now + LIFETIME;
    node.hub.handle_authenticate(ConnectionId(connection), until, Some((*b"verified").into())).unwrap();
}

fn permit(node: &mut Node, connection: usize, room: &str, permission: Permission) {
    assert!(node.hub.is_undecided(node.now, ConnectionId(connection), room));
    node.hub.handle_permission(ConnectionId(connection), room, permission);
    assert!(!node.hub.is_undecided(node.now, ConnectionId(connection), room));
}

#[test]
fn a_stranger_may_do_nothing_but_leave() {
    let mut node = node();
    let [a] = node.connect_all(["A"]);
    assert_eq!(node.try_subscribe(a, ROOM), Err(Refusal::Unauthorized));
    assert_eq!(node.try_publish(a, ROOM, "m"), Err(Refusal::Unauthorized));
    assert_eq!(node.peek(a, ROOM), Err(Refusal::Unauthorized));
    assert_eq!(node.hub.check_authenticated(node.now, ConnectionId(a)), Err(Refusal::Unauthorized));
    assert!(!node.hub.is_undecided(node.now, ConnectionId(a), ROOM), "nobody needs to ask");
    node.unsubscribe(a, ROOM);
    assert_eq!(node.heard(a), ["unsubscribed"]);
    assert_eq!(node.hub.counts().rooms, 0);
}

#[test]
fn who_is_authenticated_may_do_what_was_decided_for_the_room() {
    let mut node = node();
    let [a, b] = node.connect_all(["A", "B"]);
    authenticate(&mut node, a);
    authenticate(&mut node, b);
    assert_eq!(node.hub.check_authenticated(node.now, ConnectionId(a)), Ok(()));
    assert_eq!(node.try_subscribe(a, ROOM), Err(Refusal::Undecided));
    permit(&mut node, a, ROOM, LISTEN);
    permit(&mut node, b, ROOM, SPEAK);
    node.subscribe(a, ROOM);
    node.take_heard();
    assert_eq!(node.try_publish(a, ROOM, "m"), Err(Refusal::Unauthorized));
    assert_eq!(node.peek(a, ROOM), Ok(1));
    assert_eq!(node.try_subscribe(b, ROOM), Err(Refusal::Unauthorized));
    assert_eq!(node.peek(b, ROOM), Err(Refusal::Unauthorized));
    node.publish(b, ROOM, "hello");
    assert_eq!(node.heard(a), ["B says hello"]);
    assert_eq!(node.try_publish(b, "other", "m"), Err(Refusal::Undecided), "each room is asked about");
    permit(&mut node, b, "other", Permission::default());
    assert_eq!(node.try_publish(b, "other", "m"), Err(Refusal::Unauthorized));
}

#[test]
fn a_new_token_decides_anew_and_lets_nobody_out() {
    let mut node = node();
    let [a] = node.connect_all(["A"]);
    authenticate(&mut node, a);
    permit(&mut node, a, ROOM, Permission::ALL);
    node.subscribe(a, ROOM);
    authenticate(&mut node, a);
    assert_eq!(node.hub.counts().rooms, 1);
    assert_eq!(node.try_publish(a, ROOM, "m"), Err(Refusal::Undecided));
}

#[test]
fn what_has_expired_permits_nothing_more_and_lets_nobody_out() {
    let mut node = node();
    let [a, b] = node.connect_all(["A", "B"]);
    for connection in [a, b] {
        authenticate(&mut node, connection);
        permit(&mut node, connection, ROOM, Permission::ALL);
        node.subscribe(connection, ROOM);
    }
    node.pass(LIFETIME - Duration::from_millis(1));
    assert_eq!(node.try_publish(a, ROOM, "m"), Ok(()));
    authenticate(&mut node, b);
    permit(&mut node, b, ROOM, Permission::ALL);
    node.pass(Duration::from_millis(1));
    node.take_heard();
    assert_eq!(node.try_publish(a, ROOM, "m"), Err(Refusal::Expired));
    assert_eq!(node.try_subscribe(a, ROOM), Err(Refusal::Expired));
    assert_eq!(node.peek(a, ROOM), Err(Refusal::Expired));
    assert_eq!(node.hub.check_authenticated(node.now, ConnectionId(a)), Err(Refusal::Expired));
    assert!(!node.hub.is_undecided(node.now, ConnectionId(a), "other"), "nobody needs to ask");
    node.publish(b, ROOM, "hello");
    assert_eq!(node.heard(a), ["B says hello"]);
    authenticate(&mut node, a);
    permit(&mut node, a, ROOM, SPEAK);
    assert_eq!(node.try_publish(a, ROOM, "m"), Ok(()));
}

#[test]
fn an_id_that_comes_back_must_show_its_token_again() {
    let mut node = node();
    let (a, token) = node.connect_resumable("A", Resume::Ask);
    authenticate(&mut node, a);
    permit(&mut node, a, ROOM, Permission::ALL);
    node.subscribe(a, ROOM);
    let (again, _) = node.connect_resumable("A", Resume::Token(&token));
    assert_eq!(node.client(again), node.client(a));
    node.take_heard();
    assert_eq!(node.try_subscribe(again, ROOM), Err(Refusal::Unauthorized));
    assert!(node.heard(again).is_empty(), "it hears nothing of the place that is kept for it");
}

#[test]
fn a_name_that_no_room_can_have_is_asked_about_nowhere() {
    let mut node = node();
    let [a] = node.connect_all(["A"]);
    authenticate(&mut node, a);
    for name in ["", &"x".repeat(257)] {
        assert!(!node.hub.is_undecided(node.now, ConnectionId(a), name));
        assert_eq!(node.try_publish(a, name, "m"), Err(Refusal::BadRoomName));
    }
}

#[test]
fn so_many_decisions_at_most_are_remembered() {
    let mut node = node();
    let [a] = node.connect_all(["A"]);
    authenticate(&mut node, a);
    for number in 0..1000 {
        permit(&mut node, a, &format!("r{number}"), SPEAK);
        assert_eq!(node.try_publish(a, &format!("r{number}"), "m"), Ok(()));
    }
    let remembered =
        (0..1000).filter(|number| !node.hub.is_undecided(node.now, ConnectionId(a), &format!("r{number}")));
    assert!(remembered.count() <= 256);
}

#[test]
fn a_channel_that_is_taken_away_takes_nobody_new_and_goes_with_its_last_client() {
    let mut node = node();
    let two = node.connect_to("two", "A");
    node.subscribe(two, ROOM);
    node.hub.handle_channels(settings(&[("one", true), ("three", false)]), false);
    assert_eq!(node.connect_with("two", "B", None).unwrap_err(), Refusal::UnknownChannel);
    node.take_heard();
    node.publish(two, ROOM, "still here");
    assert_eq!(node.heard(two), ["A says still here"]);
    assert_eq!(node.hub.counts().channels, 3);
    node.disconnect(two, visavis_hub::Ending::Left);
    assert_eq!(node.hub.counts().channels, 2);
    let three = node.connect_to("three", "C");
    node.subscribe(three, ROOM);
}

#[test]
fn what_a_channel_requires_from_now_on_is_asked_of_those_who_come_from_now_on() {
    let mut node = node();
    let before = node.connect_to("two", "A");
    node.hub.handle_channels(settings(&[("one", false), ("two", true)]), false);
    node.subscribe(before, ROOM);
    let after = node.connect_to("two", "B");
    assert_eq!(node.try_subscribe(after, ROOM), Err(Refusal::Unauthorized));
    let [freed] = node.connect_all(["C"]);
    node.subscribe(freed, ROOM);
}
