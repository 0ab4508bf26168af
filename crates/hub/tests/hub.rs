//! One node's channels, rooms and members, in virtual time.

#![allow(clippy::unwrap_used)]

mod node;

use std::time::Duration;

use node::Node;
use visavis_hub::{Ending, Limits, Rate, Refusal, Resume};

const ROOM: &str = "observable-room";

#[test]
fn who_enters_an_observable_room_sees_itself_first_and_then_who_came_last() {
    let mut node = Node::new();
    let [a, b, c] = node.connect_all(["A", "B", "C"]);
    node.subscribe(a, ROOM);
    node.subscribe(b, ROOM);
    node.take_heard();
    node.subscribe(c, ROOM);
    assert_eq!(node.heard(c), ["entered observable-room: C B A"]);
    assert_eq!(node.heard(a), ["C joined"]);
    assert_eq!(node.heard(b), ["C joined"]);
}

#[test]
fn subscribing_again_shows_the_members_again_and_nobody_hears_of_it() {
    let mut node = Node::new();
    let [a, b] = node.connect_all(["A", "B"]);
    node.subscribe(a, ROOM);
    node.subscribe(b, ROOM);
    node.take_heard();
    node.subscribe(a, ROOM);
    assert_eq!(node.heard(a), ["entered observable-room: A B"]);
    assert!(node.heard(b).is_empty());
    node.publish(b, ROOM, "once");
    assert_eq!(node.heard(a), ["B says once"]);
}

#[test]
fn the_publisher_hears_itself_and_need_not_be_inside() {
    let mut node = Node::new();
    let [a, b, c] = node.connect_all(["A", "B", "C"]);
    node.subscribe(a, "news");
    node.subscribe(b, "news");
    node.take_heard();
    node.publish(a, "news", "1");
    node.publish(c, "news", "2");
    assert_eq!(node.heard(a), ["A says 1", "C says 2"]);
    assert_eq!(node.heard(b), ["A says 1", "C says 2"]);
    assert!(node.heard(c).is_empty());
}

#[test]
fn members_of_other_rooms_are_not_told_about_each_other() {
    let mut node = Node::new();
    let [a, b] = node.connect_all(["A", "B"]);
    node.subscribe(a, "news");
    node.subscribe(b, "news");
    node.unsubscribe(b, "news");
    assert_eq!(node.heard(a), ["entered news"]);
    assert_eq!(node.heard(b), ["entered news", "unsubscribed"]);
}

#[test]
fn channels_do_not_hear_of_each_other() {
    let mut node = Node::new();
    let a = node.connect_to("one", "A");
    let b = node.connect_to("two", "B");
    node.subscribe(a, ROOM);
    node.subscribe(b, ROOM);
    node.publish(b, ROOM, "hello");
    assert_eq!(node.heard(a), ["entered observable-room: A"]);
}

#[test]
fn who_unsubscribes_or_goes_leaves_at_once() {
    let mut node = Node::new();
    let [a, b, c] = node.connect_all(["A", "B", "C"]);
    for member in [a, b, c] {
        node.subscribe(member, ROOM);
    }
    node.take_heard();
    node.unsubscribe(b, ROOM);
    node.disconnect(c, Ending::Lost);
    assert_eq!(node.heard(a), ["B left", "C left"]);
    assert_eq!(node.heard(b), ["unsubscribed", "C left"][..1]);
    node.publish(a, ROOM, "alone");
    assert!(node.heard(b).is_empty());
}

#[test]
fn an_unsubscribe_from_a_room_one_is_not_in_is_answered() {
    let mut node = Node::new();
    let [a] = node.connect_all(["A"]);
    node.unsubscribe(a, "nowhere");
    assert_eq!(node.heard(a), ["unsubscribed"]);
}

#[test]
fn who_comes_back_within_the_grace_never_left() {
    let mut node = Node::new();
    let [a] = node.connect_all(["A"]);
    let (b, token) = node.connect_resumable("B", Resume::Ask);
    node.subscribe(a, ROOM);
    node.subscribe(b, ROOM);
    node.take_heard();
    node.disconnect(b, Ending::Lost);
    node.pass(Duration::from_secs(19));
    let (again, _) = node.connect_resumable("B", Resume::Token(&token));
    assert_eq!(node.client(again), node.client(b), "the same id");
    node.subscribe(again, ROOM);
    assert_eq!(node.heard(again), ["entered observable-room: B A"]);
    node.pass(Duration::from_secs(60));
    assert!(node.heard(a).is_empty(), "no leave, no join");
    node.publish(a, ROOM, "still here?");
    assert_eq!(node.heard(again), ["A says still here?"]);
}

#[test]
fn who_does_not_come_back_leaves_when_the_grace_is_over() {
    let mut node = Node::new();
    let [a] = node.connect_all(["A"]);
    let (b, _) = node.connect_resumable("B", Resume::Ask);
    node.subscribe(a, ROOM);
    node.subscribe(b, ROOM);
    node.take_heard();
    node.disconnect(b, Ending::Lost);
    node.pass(Duration::from_secs(19));
    assert_eq!(node.peek(a, ROOM), Ok(2), "its place is kept");
    node.pass(Duration::from_secs(1));
    assert_eq!(node.heard(a), ["B left"]);
    assert_eq!(node.peek(a, ROOM), Ok(1));
}

#[test]
fn who_comes_back_but_not_into_the_room_leaves_it_when_the_grace_is_over() {
    let mut node = Node::new();
    let [a] = node.connect_all(["A"]);
    let (b, token) = node.connect_resumable("B", Resume::Ask);
    for room in [ROOM, "observable-other"] {
        node.subscribe(a, room);
        node.subscribe(b, room);
    }
    node.take_heard();
    node.disconnect(b, Ending::Lost);
    let (again, _) = node.connect_resumable("B", Resume::Token(&token));
    node.subscribe(again, "observable-other");
    node.pass(Duration::from_secs(20));
    assert_eq!(node.heard(a), ["B left"]);
    assert_eq!((node.peek(a, ROOM), node.peek(a, "observable-other")), (Ok(1), Ok(2)));
}

#[test]
fn who_comes_back_again_and_again_but_into_no_room_leaves_all_the_same() {
    let mut node = Node::new();
    let [a] = node.connect_all(["A"]);
    let (mut b, mut token) = node.connect_resumable("B", Resume::Ask);
    node.subscribe(a, ROOM);
    node.subscribe(b, ROOM);
    node.take_heard();
    for _ in 0..3 {
        node.disconnect(b, Ending::Lost);
        node.pass(Duration::from_secs(15));
        (b, token) = node.connect_resumable("B", Resume::Token(&token));
    }
    assert_eq!(node.heard(a), ["B left"]);
}

#[test]
fn who_enters_once_more_too_often_is_told_so() {
    let mut node = Node::with_seed(1, |config| config.limits.peeks = Rate::new(2, 1));
    let [a] = node.connect_all(["A"]);
    node.subscribe(a, ROOM);
    for _ in 0..2 {
        assert_eq!(node.try_subscribe(a, ROOM), Ok(()));
    }
    assert_eq!(node.try_subscribe(a, ROOM), Err(Refusal::TooManyRequests));
    assert_eq!(node.try_subscribe(a, "another"), Ok(()));
}

#[test]
fn who_says_that_it_goes_gets_no_grace() {
    let mut node = Node::new();
    let [a] = node.connect_all(["A"]);
    let (b, _) = node.connect_resumable("B", Resume::Ask);
    node.subscribe(a, ROOM);
    node.subscribe(b, ROOM);
    node.take_heard();
    node.disconnect(b, Ending::Left);
    assert_eq!(node.heard(a), ["B left"]);
}

#[test]
fn the_older_connection_of_a_client_that_resumes_is_to_end() {
    let mut node = Node::new();
    let (a, token) = node.connect_resumable("A", Resume::Ask);
    let [b] = node.connect_all(["B"]);
    node.subscribe(a, ROOM);
    node.subscribe(b, ROOM);
    node.take_heard();
    let (again, _) = node.connect_resumable("A", Resume::Token(&token));
    assert_eq!(node.heard(a), ["replaced"]);
    assert_eq!(node.try_publish(a, ROOM, "ghost"), Err(Refusal::NotConnected));
    node.subscribe(again, ROOM);
    node.disconnect(a, Ending::Lost);
    node.pass(Duration::from_secs(60));
    assert!(node.heard(b).is_empty());
    assert_eq!(node.peek(b, ROOM), Ok(2));
}

#[test]
fn a_token_outlives_a_restart_with_the_same_key() {
    let mut node = Node::new();
    let (a, token) = node.connect_resumable("A", Resume::Ask);
    let mut restarted = Node::with_seed(9, |_| {});
    let (again, _) = restarted.connect_resumable("A", Resume::Token(&token));
    assert_eq!(restarted.client(again), node.client(a));
}

#[test]
fn a_token_that_is_not_good_gives_a_new_id_and_a_new_token() {
    let mut node = Node::new();
    let (a, token) = node.connect_resumable("A", Resume::Ask);
    let mac = token.rfind('.').unwrap() + 1;
    let mut forged = token.clone();
    let flipped = if forged.ends_with('0') { "1" } else { "0" };
    forged.replace_range(forged.len() - 1.., flipped);
    let stretched = token.replacen('.', ".9", 1);
    for bad in ["", "..", "b58:x.1.", &forged, &stretched, &token[..mac], &token[..token.len() - 2]] {
        let (other, new) = node.connect_resumable("B", Resume::Token(bad));
        assert_ne!(node.client(other), node.client(a), "{bad}");
        assert_ne!(new, token);
    }
    let other_channel = node.connect_with("two", "B", Some(Resume::Token(&token))).unwrap();
    assert_ne!(node.client(other_channel.0), node.client(a), "made for another channel");
    node.pass(Duration::from_hours(24));
    let (late, _) = node.connect_resumable("A", Resume::Token(&token));
    assert_ne!(node.client(late), node.client(a), "expired");
}

#[test]
fn an_id_can_be_put_into_a_path_or_a_pattern_as_it_is() {
    let mut node = Node::new();
    for _ in 0..100 {
        let [a] = node.connect_all(["A"]);
        let id = node.client(a);
        assert!(id.starts_with("b58:"), "{id}");
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':'), "{id}");
    }
}

#[test]
fn a_channel_that_is_not_there_is_refused_unless_channels_are_open() {
    let mut closed = Node::new();
    assert_eq!(closed.connect_with("three", "A", None).unwrap_err(), Refusal::UnknownChannel);
    let mut open = Node::with_seed(1, |config| config.open_channels = true);
    let (a, _) = open.connect_with("three", "A", None).unwrap();
    open.subscribe(a, ROOM);
    assert_eq!(open.hub.counts().channels, 3);
    open.disconnect(a, Ending::Lost);
    assert_eq!(open.hub.counts().channels, 2, "it goes with its last client");
    assert_eq!(open.connect_with("", "A", None).unwrap_err(), Refusal::UnknownChannel);
    assert_eq!(open.connect_with(&"x".repeat(257), "A", None).unwrap_err(), Refusal::UnknownChannel);
}

#[test]
fn every_number_has_its_limit() {
    let limits = Limits {
        clients_per_channel: 3,
        rooms_per_client: 2,
        members_per_room: 2,
        name_length: 20,
        messages: Rate::new(100, 1),
        peeks: Rate::new(2, 1),
        authentications: Rate::new(2, 1),
    };
    let mut node = Node::with_seed(1, |config| config.limits = limits);
    let [a, b, c] = node.connect_all(["A", "B", "C"]);
    assert_eq!(node.connect_with("one", "D", None).unwrap_err(), Refusal::ChannelFull);
    node.subscribe(a, "r1");
    node.subscribe(a, "r2");
    assert_eq!(node.try_subscribe(a, "r3"), Err(Refusal::TooManyRooms));
    assert_eq!(node.try_subscribe(a, "r2"), Ok(()), "once more is no further room");
    node.subscribe(b, "r1");
    assert_eq!(node.try_subscribe(c, "r1"), Err(Refusal::RoomFull));
    assert_eq!(node.try_subscribe(c, ""), Err(Refusal::BadRoomName));
    assert_eq!(node.try_subscribe(c, &"x".repeat(21)), Err(Refusal::BadRoomName));
    assert_eq!((node.peek(b, "r1"), node.peek(b, "r2")), (Ok(2), Ok(1)));
    assert_eq!(node.peek(b, "r1"), Err(Refusal::TooManyRequests));
    for asked in [Ok(()), Ok(()), Err(Refusal::TooManyRequests)] {
        assert_eq!(node.count_authentication(b), asked);
    }
    node.pass(Duration::from_secs(1));
    assert_eq!((node.peek(b, "r3"), node.count_authentication(b)), (Ok(0), Ok(())));
}

#[test]
fn who_sends_more_than_any_honest_client_is_told_so() {
    let mut node = Node::with_seed(1, |config| config.limits.messages = Rate::new(5, 1));
    let [a] = node.connect_all(["A"]);
    for _ in 0..5 {
        assert_eq!(node.try_publish(a, "r", "m"), Ok(()));
    }
    assert_eq!(node.try_publish(a, "r", "m"), Err(Refusal::RateExceeded));
    node.pass(Duration::from_secs(1));
    assert_eq!(node.try_publish(a, "r", "m"), Ok(()));
}

#[test]
fn nothing_is_kept_of_those_who_are_gone() {
    let mut node = Node::new();
    let before = node.hub.counts();
    let (a, _) = node.connect_resumable("A", Resume::Ask);
    let [b] = node.connect_all(["B"]);
    for room in ["one", "two", ROOM] {
        node.subscribe(a, room);
        node.subscribe(b, room);
    }
    node.disconnect(a, Ending::Lost);
    node.disconnect(b, Ending::Lost);
    assert_eq!((node.hub.counts().clients, node.hub.counts().rooms), (1, 3));
    node.pass(Duration::from_secs(20));
    assert_eq!(node.hub.counts(), before);
    assert_eq!(node.hub.poll_timeout(), None);
}
