//! What a hub makes of the order that its bus gives, whatever the bus.

#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use visavis_hub::{
    Config, ConnectionId, Delivery, Event, Hello, Hub, MemoryBus, Now, Position, Recall, Request, ResumeKey,
};

const ROOM: &str = "room";

fn connected<const N: usize>() -> (Hub, [ConnectionId; N]) {
    let mut config = Config::new(ResumeKey([7; 32]), Duration::ZERO);
    config.open_channels = true;
    let mut hub = Hub::new(config, [1; 32]);
    let connections = std::array::from_fn(ConnectionId);
    for connection in connections {
        let hello = Hello { channel: "c", client_data: None, device_secret: None, resume: None };
        hub.handle_connect(Now::ZERO, connection, hello).unwrap();
    }
    (hub, connections)
}

fn subscribe(hub: &mut Hub, connection: ConnectionId) -> Request {
    hub.handle_subscribe(Now::ZERO, connection, ROOM, Recall::Newest(0), None).unwrap();
    hub.poll_request().unwrap()
}

fn publish(hub: &mut Hub, what: &str) -> Request {
    hub.handle_post("c", &[ROOM], &what.as_bytes().into()).unwrap();
    hub.poll_request().unwrap()
}

fn deliver(hub: &mut Hub, request: Request, epoch: u64, offset: u64) {
    let position = Position { epoch, offset };
    let id = Arc::from("id");
    hub.handle_delivery(Delivery { request, position, past: Vec::new(), place: None, id, timestamp: 0 });
}

/// What is heard, in words.
fn heard(hub: &mut Hub) -> Vec<String> {
    let words = |event| match event {
        Event::Entered { connection, .. } => format!("{} entered", connection.0),
        Event::Published { to, payload, .. } => {
            format!("{} hear {}", to.len(), String::from_utf8_lossy(&payload))
        }
        Event::Interrupted { to } => format!("{} interrupted", to.len()),
        other => format!("{other:?}"),
    };
    std::iter::from_fn(|| hub.poll_event()).map(words).collect()
}

#[test]
fn a_position_is_applied_once() {
    let (mut hub, [a]) = connected();
    let enter = subscribe(&mut hub, a);
    deliver(&mut hub, enter, 1, 10);
    for (what, offset) in [("x", 11), ("x", 11), ("y", 12), ("x", 11), ("z", 13)] {
        let request = publish(&mut hub, what);
        deliver(&mut hub, request, 1, offset);
    }
    assert_eq!(heard(&mut hub), ["0 entered", "1 hear x", "1 hear y", "1 hear z"]);
}

#[test]
fn behind_something_that_was_missed_nobody_hears_anything_until_it_enters_again() {
    let (mut hub, [a, b]) = connected();
    for (connection, offset) in [(a, 10), (b, 11)] {
        let enter = subscribe(&mut hub, connection);
        deliver(&mut hub, enter, 1, offset);
    }
    let third = publish(&mut hub, "third");
    deliver(&mut hub, third, 1, 13);
    assert_eq!(heard(&mut hub), ["0 entered", "1 entered", "2 interrupted"]);
    let again = subscribe(&mut hub, b);
    deliver(&mut hub, again, 1, 14);
    let next = publish(&mut hub, "next");
    deliver(&mut hub, next, 1, 15);
    assert_eq!(heard(&mut hub), ["1 entered", "1 hear next"]);
}

#[test]
fn another_epoch_interrupts_wherever_it_begins() {
    for offset in [1, 11, 99] {
        let (mut hub, [a]) = connected();
        let enter = subscribe(&mut hub, a);
        deliver(&mut hub, enter, 1, 10);
        let other = publish(&mut hub, "other");
        deliver(&mut hub, other, 2, offset);
        assert_eq!(heard(&mut hub), ["0 entered", "1 interrupted"], "{offset}");
    }
}

#[test]
fn a_room_that_was_closed_may_begin_anywhere() {
    let (mut hub, [a]) = connected();
    let enter = subscribe(&mut hub, a);
    deliver(&mut hub, enter, 1, 10);
    hub.handle_unsubscribe(Now::ZERO, a, ROOM, None).unwrap();
    let leave = hub.poll_request().unwrap();
    deliver(&mut hub, leave, 1, 11);
    assert_eq!(hub.poll_closed(), Some(("c".into(), ROOM.into())));
    let again = subscribe(&mut hub, a);
    deliver(&mut hub, again, 1, 50);
    assert_eq!(heard(&mut hub), ["0 entered", "0 entered"]);
}

#[test]
fn the_memory_bus_counts_each_room_by_ones_and_never_backwards() {
    let (mut hub, [a, b]) = connected();
    let mut bus = MemoryBus::new(7);
    let mut offsets = Vec::new();
    let mut order = |hub: &mut Hub, request: Request| {
        let ours = request.room.as_str() == ROOM;
        let delivery = bus.order(request, 0);
        assert_eq!(delivery.position.epoch, 7);
        if ours {
            offsets.push(delivery.position.offset);
        }
        hub.handle_delivery(delivery);
        while let Some((channel, room)) = hub.poll_closed() {
            bus.close(channel, room);
        }
    };
    for round in 0..3 {
        for connection in [a, b] {
            let enter = subscribe(&mut hub, connection);
            order(&mut hub, enter);
            hub.handle_post("c", &[&format!("other{round}")], &Arc::from(*b"x")).unwrap();
            let elsewhere = hub.poll_request().unwrap();
            order(&mut hub, elsewhere);
        }
        let said = publish(&mut hub, "x");
        order(&mut hub, said);
        for connection in [a, b] {
            hub.handle_unsubscribe(Now::ZERO, connection, ROOM, None).unwrap();
            let leave = hub.poll_request().unwrap();
            order(&mut hub, leave);
        }
        let into_the_void = publish(&mut hub, "x");
        order(&mut hub, into_the_void);
    }
    assert!(heard(&mut hub).iter().all(|words| !words.contains("interrupted")));
    for round in offsets.chunks(6) {
        let while_open = &round[..5];
        assert!(while_open.windows(2).all(|pair| pair[1] == pair[0] + 1), "{offsets:?}");
    }
    assert!(offsets.is_sorted_by(|before, after| before < after), "{offsets:?}");
}
