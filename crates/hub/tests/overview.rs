//! What the person who runs a node is shown of it.

#![allow(clippy::unwrap_used)]

mod node;

use std::time::Duration;

use node::Node;
use visavis_hub::{Ending, Limits, Overview, Resume};

fn rooms(overview: &Overview) -> Vec<(&str, &str, usize)> {
    overview.rooms.iter().map(|room| (room.channel.as_str(), room.name.as_str(), room.members)).collect()
}

#[test]
fn the_largest_come_first_and_equal_ones_by_name() {
    let mut node = Node::new();
    let [a, b] = node.connect_all(["A", "B"]);
    let c = node.connect_to("two", "C");
    for (connection, room) in [(a, "blue"), (b, "blue"), (a, "red"), (b, "green"), (c, "amber")] {
        node.subscribe(connection, room);
    }
    let overview = node.hub.overview(3);
    assert_eq!(rooms(&overview), [("one", "blue", 2), ("one", "green", 1), ("one", "red", 1)]);
    let channels = overview.channels.iter();
    let channels: Vec<_> =
        channels.map(|one| (one.id.as_str(), one.clients, one.rooms, one.members)).collect();
    assert_eq!(channels, [("one", 2, 3, 4), ("two", 1, 1, 1)]);
    assert_eq!(node.hub.counts().members, 5);
}

#[test]
fn members_are_counted_as_they_come_and_go() {
    let mut node = Node::new();
    let (a, token) = node.connect_resumable("A", Resume::Ask);
    let [b] = node.connect_all(["B"]);
    node.subscribe(a, "room");
    node.subscribe(a, "room");
    node.subscribe(b, "room");
    assert_eq!(node.hub.counts().members, 2, "who enters twice is there once");
    node.disconnect(a, Ending::Lost);
    assert_eq!(node.hub.counts().members, 2, "a place that is kept counts");
    let (a, _) = node.connect_resumable("A", Resume::Token(&token));
    node.subscribe(a, "room");
    assert_eq!(node.hub.counts().members, 2);
    node.disconnect(a, Ending::Lost);
    node.pass(Duration::from_secs(20));
    assert_eq!(node.hub.counts().members, 1, "until it is given up");
    node.disconnect(b, Ending::Left);
    assert_eq!(node.hub.counts().members, 0);
}

#[test]
fn a_glimpse_of_a_room_shows_its_first_members_and_how_many_there_are() {
    let mut node = Node::new();
    let (a, _) = node.connect_resumable("A", Resume::Ask);
    let [b, c] = node.connect_all(["B", "C"]);
    for connection in [a, b, c] {
        node.subscribe(connection, "room");
    }
    node.disconnect(a, Ending::Lost);
    let glimpse = node.hub.glimpse("one", "room", 2).unwrap();
    assert_eq!(glimpse.members, 3);
    let first = glimpse.first.iter();
    let first: Vec<_> = first.map(|one| (one.client_data.as_deref().unwrap(), one.connected)).collect();
    assert_eq!(first, [(&b"A"[..], false), (b"B", true)]);
    assert_eq!(node.hub.glimpse("one", "other", 2), None);
    assert_eq!(node.hub.glimpse("three", "room", 2), None);
}

#[test]
fn many_rooms_make_no_longer_answer() {
    let mut node = Node::with_seed(1, |config| config.limits = Limits::off());
    let [a, b] = node.connect_all(["A", "B"]);
    for number in 0..5_000 {
        node.subscribe(a, &format!("room {number:05}"));
    }
    node.subscribe(b, "room 01234");
    let overview = node.hub.overview(50);
    assert_eq!(overview.rooms.len(), 50);
    assert_eq!(rooms(&overview)[..2], [("one", "room 01234", 2), ("one", "room 00000", 1)]);
    assert_eq!(node.hub.counts().rooms, 5_000);
}
