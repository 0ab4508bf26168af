//! Random connects, subscribes, publishes, drops and resumes against a reference that is too simple to be wrong.

#![allow(clippy::unwrap_used)]

mod node;

use std::{collections::BTreeMap, time::Duration};

use node::Node;
use proptest::prelude::*;
use visavis_hub::{Ending, Resume};

const ROOMS: [&str; 3] = ["observable-a", "observable-b", "plain"];
const GRACE: u64 = 20;

#[derive(Clone, Debug)]
enum Step {
    Connect { resumable: bool },
    Resume { who: usize },
    Subscribe { who: usize, room: usize },
    Unsubscribe { who: usize, room: usize },
    Publish { who: usize, room: usize },
    Disconnect { who: usize, left: bool },
    Pass { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (who, room) = (0..6_usize, 0..ROOMS.len());
    prop_oneof![
        2 => any::<bool>().prop_map(|resumable| Step::Connect { resumable }),
        2 => who.clone().prop_map(|who| Step::Resume { who }),
        5 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Subscribe { who, room }),
        2 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Unsubscribe { who, room }),
        4 => (who.clone(), room).prop_map(|(who, room)| Step::Publish { who, room }),
        2 => (who, any::<bool>()).prop_map(|(who, left)| Step::Disconnect { who, left }),
        2 => (0..15_u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// A person: at most one live connection, and the rooms it is in.
#[derive(Default)]
struct Person {
    name: String,
    connection: Option<usize>,
    token: Option<String>,
    /// Room to whether this connection has subscribed to it, or else until when the place is kept.
    rooms: BTreeMap<usize, Result<(), u64>>,
}

#[derive(Default)]
struct Reference {
    now: u64,
    /// In the order in which they entered.
    rooms: [Vec<usize>; ROOMS.len()],
    people: Vec<Person>,
    heard: BTreeMap<usize, Vec<String>>,
}

impl Reference {
    fn hear(&mut self, who: usize, what: String) {
        let person = &self.people[who];
        self.heard.entry(person.connection.unwrap()).or_default().push(what);
    }

    fn listeners(&self, room: usize) -> Vec<usize> {
        let listens = |who: &usize| self.people[*who].rooms.get(&room) == Some(&Ok(()));
        self.rooms[room].iter().copied().filter(listens).collect()
    }

    fn tell(&mut self, room: usize, except: usize, what: &str) {
        for other in self.listeners(room) {
            if other != except {
                self.hear(other, what.to_owned());
            }
        }
    }

    fn subscribe(&mut self, who: usize, room: usize) {
        let name = self.people[who].name.clone();
        let new = !self.rooms[room].contains(&who);
        if new {
            self.rooms[room].push(who);
        }
        self.people[who].rooms.insert(room, Ok(()));
        let mut words = format!("entered {}", ROOMS[room]);
        if ROOMS[room].starts_with("observable-") {
            let others = self.rooms[room].iter().rev().filter(|other| **other != who);
            let names: Vec<_> = others.map(|other| self.people[*other].name.clone()).collect();
            words = [vec![format!("{words}: {name}")], names].concat().join(" ");
            if new {
                self.tell(room, who, &format!("{name} joined"));
            }
        }
        self.hear(who, words);
    }

    fn leave(&mut self, who: usize, room: usize) {
        self.people[who].rooms.remove(&room);
        let before = self.rooms[room].len();
        self.rooms[room].retain(|other| *other != who);
        if before != self.rooms[room].len() && ROOMS[room].starts_with("observable-") {
            let name = self.people[who].name.clone();
            self.tell(room, who, &format!("{name} left"));
        }
    }

    fn keep(&mut self, who: usize) {
        let until = self.now + GRACE;
        for place in self.people[who].rooms.values_mut() {
            *place = Err(until);
        }
    }

    /// One second at a time, and in it by person and room: nobody hears two leaves of one second out of order,
    /// because the test compares them as sets.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += 1;
            for who in 0..self.people.len() {
                let due =
                    |(room, place): (&usize, &Result<(), u64>)| (*place == Err(self.now)).then_some(*room);
                let rooms: Vec<_> = self.people[who].rooms.iter().filter_map(due).collect();
                for room in rooms {
                    self.leave(who, room);
                }
            }
        }
    }
}

/// Both sides of the test, step by step.
struct Trial {
    node: Node,
    reference: Reference,
}

impl Trial {
    fn act(&mut self, step: &Step) {
        let Self { node, reference } = self;
        match *step {
            Step::Connect { resumable } => {
                let name = format!("P{}", reference.people.len());
                let resume = resumable.then_some(Resume::Ask);
                let (connection, token) = node.connect_with("one", &name, resume).unwrap();
                reference.people.push(Person {
                    name,
                    connection: Some(connection),
                    token,
                    ..Person::default()
                });
            }
            Step::Resume { who } => self.resume(who),
            Step::Subscribe { who, room } => {
                if let Some((who, connection)) = reference.alive(who) {
                    node.subscribe(connection, ROOMS[room]);
                    reference.subscribe(who, room);
                }
            }
            Step::Unsubscribe { who, room } => {
                if let Some((who, connection)) = reference.alive(who) {
                    node.unsubscribe(connection, ROOMS[room]);
                    reference.hear(who, "unsubscribed".to_owned());
                    reference.leave(who, room);
                }
            }
            Step::Publish { who, room } => {
                if let Some((who, connection)) = reference.alive(who) {
                    node.publish(connection, ROOMS[room], "m");
                    let words = format!("{} says m", reference.people[who].name);
                    for listener in reference.listeners(room) {
                        reference.hear(listener, words.clone());
                    }
                }
            }
            Step::Disconnect { who, left } => self.disconnect(who, left),
            Step::Pass { seconds } => {
                node.pass(Duration::from_secs(seconds));
                reference.pass(seconds);
            }
        }
    }

    fn resume(&mut self, who: usize) {
        let Self { node, reference } = self;
        let Some(who) = reference.index(who) else { return };
        let Some(token) = reference.people[who].token.clone() else { return };
        let name = reference.people[who].name.clone();
        if reference.people[who].connection.is_some() {
            reference.hear(who, "replaced".to_owned());
        }
        let (connection, token) = node.connect_resumable(&name, Resume::Token(&token));
        reference.keep(who);
        reference.people[who].connection = Some(connection);
        reference.people[who].token = Some(token);
    }

    fn disconnect(&mut self, who: usize, left: bool) {
        let Self { node, reference } = self;
        let Some((who, connection)) = reference.alive(who) else { return };
        node.disconnect(connection, if left { Ending::Left } else { Ending::Lost });
        if !left && reference.people[who].token.is_some() {
            reference.keep(who);
        } else {
            for room in 0..ROOMS.len() {
                let listens = reference.people[who].rooms.contains_key(&room);
                if listens {
                    reference.leave(who, room);
                }
            }
        }
        reference.people[who].connection = None;
    }

    fn compare(&mut self) {
        let heard = std::mem::take(&mut self.reference.heard);
        for person in &self.reference.people {
            let Some(connection) = person.connection else { continue };
            let mut expected = heard.get(&connection).cloned().unwrap_or_default();
            let mut heard = self.node.heard(connection);
            expected.sort();
            heard.sort();
            assert_eq!(heard, expected, "what {} heard", person.name);
        }
        let rooms = self.reference.rooms.iter().filter(|room| !room.is_empty()).count();
        assert_eq!(self.node.hub.counts().rooms, rooms, "rooms");
    }
}

impl Reference {
    fn index(&self, who: usize) -> Option<usize> {
        (!self.people.is_empty()).then(|| who % self.people.len())
    }

    fn alive(&self, who: usize) -> Option<(usize, usize)> {
        let who = self.index(who)?;
        Some((who, self.people[who].connection?))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_hub_does_what_the_reference_does(steps in prop::collection::vec(step(), 1..80)) {
        let node = Node::with_seed(1, |config| config.limits = visavis_hub::Limits::off());
        let mut trial = Trial { node, reference: Reference::default() };
        for step in &steps {
            trial.act(step);
            trial.compare();
        }
        trial.act(&Step::Pass { seconds: 2 * GRACE });
        trial.compare();
    }
}
