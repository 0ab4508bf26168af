//! What was said before: how much of it is kept, for how long, and who is shown what.

#![allow(clippy::unwrap_used)]

mod node;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use node::Node;
use proptest::prelude::*;
use visavis_hub::{ChannelId, History, HistoryBounds, Message, Recall, Record, RoomName, history};

const ROOM: &str = "news";
const DAY: u64 = 24 * 60 * 60;

fn bounds(bytes: u64) -> HistoryBounds {
    HistoryBounds { lifetime: Duration::from_hours(24), bytes }
}

/// A node whose channel `one` keeps a day and a megabyte.
fn keeping() -> Node {
    let mut node = Node::with_seed(1, |config| config.limits = visavis_hub::Limits::off());
    node.keep(bounds(1024 * 1024));
    node
}

fn message(timestamp: u64, text: &str) -> Arc<Message> {
    Arc::new(Message { id: text.into(), from: None, timestamp, payload: text.as_bytes().into() })
}

fn texts(messages: &[Arc<Message>]) -> Vec<&str> {
    messages.iter().map(|message| str::from_utf8(&message.payload).unwrap()).collect()
}

#[test]
fn who_asks_is_shown_the_newest_oldest_first_and_hears_the_rest_live() {
    let mut node = keeping();
    let [a, b] = node.connect_all(["A", "B"]);
    for what in ["1", "2", "3"] {
        node.publish(a, ROOM, what);
    }
    node.subscribe_since(b, ROOM, 2).unwrap();
    node.publish(a, ROOM, "4");
    assert_eq!(node.heard(b), ["entered news", "A said 2", "A said 3", "A says 4"]);
    node.subscribe_since(a, ROOM, 0).unwrap();
    assert_eq!(node.heard(a), ["entered news"], "who does not ask is not told");
}

#[test]
fn messages_from_outside_and_of_empty_rooms_count() {
    let mut node = keeping();
    let [a] = node.connect_all(["A"]);
    node.post(ROOM, "from outside");
    node.subscribe(a, ROOM);
    node.publish(a, ROOM, "inside");
    node.unsubscribe(a, ROOM);
    node.post(ROOM, "afterwards");
    node.take_heard();
    node.subscribe_since(a, ROOM, 100).unwrap();
    let heard = ["entered news", "nobody said from outside", "A said inside", "nobody said afterwards"];
    assert_eq!(node.heard(a), heard);
}

#[test]
fn other_rooms_and_other_channels_have_their_own() {
    let mut node = keeping();
    let [a] = node.connect_all(["A"]);
    let stranger = node.connect_to("two", "S");
    node.post(ROOM, "here");
    node.publish(stranger, ROOM, "elsewhere");
    node.subscribe_since(a, "other", 100).unwrap();
    node.subscribe_since(stranger, ROOM, 100).unwrap();
    assert_eq!(node.heard(a), ["entered other"]);
    assert_eq!(node.heard(stranger), ["entered news"], "its channel keeps nothing");
}

#[test]
fn the_newest_hundred_are_kept() {
    let mut node = keeping();
    let [a] = node.connect_all(["A"]);
    for number in 0..150 {
        node.post(ROOM, &number.to_string());
    }
    node.subscribe_since(a, ROOM, usize::MAX).unwrap();
    let heard = node.heard(a);
    assert_eq!(heard.len(), 1 + history::MESSAGES);
    assert_eq!((&*heard[1], &*heard[100]), ("nobody said 50", "nobody said 149"));
}

#[test]
fn what_is_too_old_is_shown_to_nobody_and_then_forgotten() {
    let mut node = keeping();
    node.post(ROOM, "old");
    node.pass(Duration::from_secs(DAY - 1));
    node.post(ROOM, "new");
    let newest = |node: &Node| node.bus.history.newest(&"one".into(), ROOM, 100, node.unix_time());
    assert_eq!(texts(&newest(&node)), ["old", "new"]);
    assert_eq!(node.bus.history.next_expiry(), Some(node.unix_time() + 1));
    let late = node.bus.history.newest(&"one".into(), ROOM, 100, node.unix_time() + 1);
    assert_eq!(texts(&late), ["new"], "whether or not it has been removed");
    node.pass(Duration::from_secs(1));
    assert_eq!((node.bus.history.size().0, node.bus.history.take_removed()), (1, vec![0]));
    node.pass(Duration::from_secs(DAY));
    assert_eq!((node.bus.history.size(), node.bus.history.next_expiry()), ((0, 0), None));
}

#[test]
fn nothing_is_kept_for_more_than_thirty_days() {
    let mut node = keeping();
    node.keep(HistoryBounds { lifetime: Duration::MAX, bytes: u64::MAX });
    node.post(ROOM, "old");
    node.pass(Duration::from_secs(30 * DAY - 1));
    assert_eq!(node.bus.history.size().0, 1);
    node.pass(Duration::from_secs(1));
    assert_eq!(node.bus.history.size().0, 0);
}

#[test]
fn a_room_keeps_a_megabyte() {
    let mut history = History::default();
    let (channel, room) = (ChannelId::from("c"), RoomName::from(ROOM));
    history.keep(&channel, Some(bounds(u64::MAX)));
    let long = "x".repeat(64 * 1024);
    for _ in 0..20 {
        history.add(&channel, &room, message(0, &long));
    }
    let (messages, bytes) = history.size();
    assert!(bytes <= history::ROOM_BYTES && messages < 20, "{messages} messages, {bytes} bytes");
    assert_eq!(
        history.add(&channel, &room, message(0, &"x".repeat(1024 * 1024))),
        None,
        "too large by itself"
    );
    assert_eq!(history.size(), (messages, bytes), "and nothing else goes for it");
}

#[test]
fn the_oldest_of_all_rooms_make_place_for_what_is_new() {
    let mut history = History::default();
    let channel = ChannelId::from("c");
    history.keep(&channel, Some(bounds(10_000)));
    let rooms: Vec<RoomName> = (0..1_000).map(|number: u32| number.to_string().as_str().into()).collect();
    for room in &rooms {
        history.add(&channel, room, message(0, "x"));
    }
    let (messages, bytes) = history.size();
    assert!(bytes <= 10_000 && messages > 30, "{messages} messages, {bytes} bytes");
    let shown = |room: &RoomName| history.newest(&channel, room.as_str(), 1, 0).len();
    assert_eq!(rooms.iter().map(shown).sum::<usize>(), messages);
    assert_eq!((shown(&rooms[0]), shown(&rooms[999])), (0, 1));
}

#[test]
fn a_channel_that_keeps_none_any_more_forgets_what_it_kept() {
    let mut history = History::default();
    let (channel, room) = (ChannelId::from("c"), RoomName::from(ROOM));
    history.keep(&channel, Some(bounds(10_000)));
    history.add(&channel, &room, message(0, "1"));
    history.keep(&channel, None);
    assert_eq!((history.take_removed(), history.size()), (vec![0], (0, 0)));
    assert_eq!(history.add(&channel, &room, message(0, "2")), None);
    history.restore(7, &channel, &room, message(0, "3"));
    assert_eq!(history.take_removed(), [7], "nor does it take back what a store still has");
    history.keep(&channel, Some(bounds(10_000)));
    assert_eq!(history.add(&channel, &room, message(0, "4")), Some(8));
}

/// What somebody hears who comes back to where it was, and whether it is told that something may be missing.
fn come_back(node: &mut Node, connection: usize, since: &str) -> (Vec<String>, bool) {
    node.take_heard();
    node.subscribe_recalling(connection, ROOM, Recall::Since(since.into(), usize::MAX)).unwrap();
    let gap = node.place(connection).gap.unwrap();
    (node.heard(connection).split_off(1), gap)
}

/// A client that has entered a room, heard "before", and gone, and the place it knows.
fn gone(node: &mut Node) -> (usize, String) {
    let [a] = node.connect_all(["A"]);
    node.post(ROOM, "before");
    node.subscribe_recalling(a, ROOM, Recall::First(1)).unwrap();
    assert_eq!(node.heard(a), ["entered news", "nobody said before"]);
    assert_eq!(node.place(a).gap, None, "who comes for the first time misses nothing");
    let place = node.place(a).id.to_string();
    node.unsubscribe(a, ROOM);
    (a, place)
}

#[test]
fn who_comes_back_hears_what_it_has_missed_and_nothing_twice() {
    let mut node = keeping();
    let (a, place) = gone(&mut node);
    assert_eq!(come_back(&mut node, a, &place), (vec![], false));
    node.unsubscribe(a, ROOM);
    node.post(ROOM, "1");
    node.post("other", "elsewhere");
    node.post(ROOM, "2");
    let missed = ["nobody said 1", "nobody said 2"].map(String::from).to_vec();
    assert_eq!(come_back(&mut node, a, &place), (missed, false));
    let place = node.place(a).id.to_string();
    assert_eq!(come_back(&mut node, a, &place), (vec![], false));
}

#[test]
fn a_gap_is_told_where_something_is_not_kept_any_more() {
    let mut node = keeping();
    let (a, place) = gone(&mut node);
    for number in 0..history::MESSAGES {
        node.post(ROOM, &number.to_string());
    }
    let (missed, gap) = come_back(&mut node, a, &place);
    assert_eq!(
        (missed.len(), gap),
        (history::MESSAGES, false),
        "of the hundred the first has pushed out \"before\""
    );
    node.post(ROOM, "one more");
    let (missed, gap) = come_back(&mut node, a, &place);
    assert_eq!((missed.len(), gap), (history::MESSAGES, true));
}

#[test]
fn a_gap_is_told_where_something_was_too_old_or_too_large() {
    let mut node = keeping();
    let (a, place) = gone(&mut node);
    node.post(ROOM, &"x".repeat(2 * 1024 * 1024));
    assert_eq!(come_back(&mut node, a, &place), (vec![], true), "too large to be kept");
    let place = node.place(a).id.to_string();
    assert_eq!(come_back(&mut node, a, &place), (vec![], false));
    node.post(ROOM, "1");
    node.pass(Duration::from_secs(DAY));
    assert_eq!(come_back(&mut node, a, &place), (vec![], true), "too old");
    let place = node.place(a).id.to_string();
    assert_eq!(come_back(&mut node, a, &place), (vec![], false));
}

#[test]
fn a_gap_is_told_where_other_rooms_have_taken_the_place() {
    let mut node = keeping();
    node.keep(bounds(2_000));
    let (a, place) = gone(&mut node);
    for _ in 0..3 {
        node.post("other", "x");
    }
    assert_eq!(come_back(&mut node, a, &place), (vec![], false), "all of them are still there");
    node.post(ROOM, "1");
    for _ in 0..20 {
        node.post("other", "x");
    }
    assert_eq!(come_back(&mut node, a, &place), (vec![], true));
}

#[test]
fn after_a_restart_a_gap_is_told_unless_the_room_keeps_something_of_before() {
    let mut node = keeping();
    let (a, place) = gone(&mut node);
    node.post(ROOM, "1");
    let records = node.bus.take_records();
    let ending = node.bus.ending();
    let restart = |seed, records: &[Record], ending| {
        let mut node = restarted(seed, records, ending);
        let [b] = node.connect_all(["B"]);
        come_back(&mut node, b, &place)
    };
    let (one, ending) = (vec!["nobody said 1".to_owned()], Some(&*ending));
    assert_eq!(restart(2, &records, ending), (one.clone(), false));
    assert_eq!(restart(2, &records[1..], ending), (one.clone(), true), "who knows what was before it");
    assert_eq!(restart(2, &[], ending), (vec![], true));
    assert_eq!(restart(2, &records, None), (one, true), "what was said last may not have been stored");
    assert!(!come_back(&mut node, a, &place).1);
}

/// The next run of a node, with what the last one has stored.
fn restarted(seed: u8, records: &[Record], ending: Option<&str>) -> Node {
    let mut node = Node::with_seed(seed, |_| {});
    node.keep(bounds(1024 * 1024));
    node.bus.restore(records.to_vec(), ending);
    node
}

#[test]
fn after_a_restart_it_is_still_known_that_something_was_too_large() {
    let mut node = keeping();
    let (_, place) = gone(&mut node);
    node.post(ROOM, &"x".repeat(2 * 1024 * 1024));
    node.post(ROOM, "1");
    let (mut records, mut ending) = (node.bus.take_records(), node.bus.ending());
    for seed in 2..4 {
        let mut node = restarted(seed, &records, Some(&ending));
        let [b] = node.connect_all(["B"]);
        assert_eq!(come_back(&mut node, b, &place), (vec!["nobody said 1".into()], true));
        let place = node.place(b).id.to_string();
        node.post(ROOM, "2");
        assert_eq!(come_back(&mut node, b, &place), (vec!["nobody said 2".into()], false));
        (records, ending) = (records[..2].to_vec(), node.bus.ending());
    }
}

#[test]
fn what_is_said_after_a_restart_comes_later_even_if_the_clock_is_earlier() {
    let mut node = Node::with_seed(9, |_| {});
    node.keep(bounds(1024 * 1024));
    let (_, place) = gone(&mut node);
    let mut later = restarted(1, &node.bus.take_records(), Some(&node.bus.ending()));
    later.post(ROOM, "1");
    let [b] = later.connect_all(["B"]);
    assert_eq!(come_back(&mut later, b, &place), (vec!["nobody said 1".into()], false));
    later.pass(Duration::from_secs(DAY));
    assert!(come_back(&mut later, b, &place).1, "both have gone");
}

#[test]
fn a_run_in_which_nothing_was_said_is_known_as_well() {
    let mut node = Node::with_seed(9, |_| {});
    node.keep(bounds(1024 * 1024));
    let (_, place) = gone(&mut node);
    let (records, ending) = (node.bus.take_records(), node.bus.ending());
    let mut later = restarted(5, &records, Some(&ending));
    later.post(ROOM, "1");
    let records = [records, later.bus.take_records()].concat();
    let [b] = later.connect_all(["B"]);
    later.subscribe_recalling(b, ROOM, Recall::First(0)).unwrap();
    let between = later.place(b).id.to_string();
    let mut last = restarted(1, &records, Some(&later.bus.ending()));
    last.post(ROOM, "2");
    let [c] = last.connect_all(["C"]);
    assert_eq!(come_back(&mut last, c, &between), (vec!["nobody said 2".into()], false));
    last.unsubscribe(c, ROOM);
    let both = vec!["nobody said 1".to_owned(), "nobody said 2".into()];
    assert_eq!(come_back(&mut last, c, &place), (both, false));
    // The end of an older run: whatever came after it is not known.
    for seed in [1, 12] {
        let mut restored = restarted(seed, &records, Some(&ending));
        let [d] = restored.connect_all(["D"]);
        assert!(come_back(&mut restored, d, &between).1 && come_back(&mut restored, d, &place).1);
        let mut restored = restarted(seed, &records[..1], Some(&ending));
        let [d] = restored.connect_all(["D"]);
        assert!(come_back(&mut restored, d, &between).1, "of a run that left no trace");
    }
}

#[test]
fn what_a_room_lacked_is_not_forgotten_with_the_last_message_that_it_kept() {
    let mut node = keeping();
    node.keep(bounds(2_000));
    let (a, _) = gone(&mut node);
    let place = node.place(a).id.to_string();
    node.post(ROOM, &"x".repeat(2_000));
    while !node.kept(ROOM).is_empty() {
        node.post("other", "x");
    }
    assert_eq!(come_back(&mut node, a, &place), (vec![], true), "the message of before has given way");
}

#[test]
fn without_history_a_gap_is_told_unless_nothing_was_said_while_somebody_was_there() {
    let mut node = Node::new();
    let [a, b] = node.connect_all(["A", "B"]);
    node.subscribe(b, ROOM);
    node.subscribe_recalling(a, ROOM, Recall::First(0)).unwrap();
    let place = node.place(a).id.to_string();
    node.unsubscribe(a, ROOM);
    assert_eq!(come_back(&mut node, a, &place), (vec![], false), "B was there all the time");
    node.unsubscribe(a, ROOM);
    node.publish(b, ROOM, "1");
    assert_eq!(come_back(&mut node, a, &place), (vec![], true));
    node.unsubscribe(a, ROOM);
    node.unsubscribe(b, ROOM);
    let place = node.place(a).id.to_string();
    assert_eq!(come_back(&mut node, a, &place), (vec![], true), "nobody knows");
}

#[test]
fn an_id_of_nobody_is_a_gap() {
    let mut node = keeping();
    let (a, _) = gone(&mut node);
    for id in ["nonsense", "0", "-1", "ffffffffffffffffffffffffffffffff", &"f".repeat(1000)] {
        assert!(come_back(&mut node, a, id).1, "{id}");
    }
}

#[test]
fn who_may_see_less_is_told_of_the_gap() {
    let mut node = keeping();
    let (a, place) = gone(&mut node);
    node.post(ROOM, "1");
    node.post(ROOM, "2");
    node.take_heard();
    node.subscribe_recalling(a, ROOM, Recall::Since(place.as_str().into(), 1)).unwrap();
    assert_eq!(
        (node.heard(a), node.place(a).gap),
        (vec!["entered news".into(), "nobody said 2".into()], Some(true))
    );
}

#[derive(Clone, Debug)]
enum Step {
    Add { room: usize, length: usize },
    Pass { seconds: u64 },
    Keep { bytes: u64 },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..4_usize, 0..3_000_usize).prop_map(|(room, length)| Step::Add { room, length }),
        3 => (0..DAY / 3).prop_map(|seconds| Step::Pass { seconds }),
        1 => (1_000..200_000_u64).prop_map(|bytes| Step::Keep { bytes }),
        2 => Just(Step::Restart),
    ]
}

proptest! {
    /// A store that does what it is told holds what is kept, and no more.
    #[test]
    fn what_is_stored_is_what_is_kept(steps in prop::collection::vec(step(), 1..400)) {
        let channel = ChannelId::from("c");
        let rooms = ["a", "b", "c", "d"].map(RoomName::from);
        let (mut history, mut kept, mut now) = (History::default(), bounds(100_000), 0);
        history.keep(&channel, Some(kept));
        let mut stored = BTreeMap::new();
        for step in steps {
            match step {
                Step::Add { room, length } => {
                    let message = message(now, &"x".repeat(length));
                    if let Some(number) = history.add(&channel, &rooms[room], Arc::clone(&message)) {
                        prop_assert!(stored.insert(number, (room, message)).is_none(), "a number of its own");
                    }
                }
                Step::Pass { seconds } => {
                    now += seconds;
                    history.expire(now);
                }
                Step::Keep { bytes } => {
                    kept.bytes = bytes;
                    history.keep(&channel, Some(kept));
                }
                Step::Restart => {
                    history = History::default();
                    history.keep(&channel, Some(kept));
                    for (number, (room, message)) in &stored {
                        history.restore(*number, &channel, &rooms[*room], Arc::clone(message));
                    }
                }
            }
            for number in history.take_removed() {
                prop_assert!(stored.remove(&number).is_some(), "removed once");
            }
            prop_assert_eq!(history.size().0, stored.len());
            prop_assert!(history.size().1 <= kept.bytes);
            for (index, room) in rooms.iter().enumerate() {
                let of_room = stored.values().filter(|(room, _)| *room == index).map(|(_, message)| message);
                let expected: Vec<_> = of_room.cloned().collect();
                prop_assert_eq!(history.newest(&channel, room.as_str(), usize::MAX, now), expected);
            }
        }
    }
}
