//! Random connects, subscribes, publishes, posts, drops and resumes against a reference that is too simple to be
//! wrong: what everybody hears and in which order, who is where, and what is kept of what was said.

#![allow(clippy::unwrap_used)]

mod node;

use std::{collections::BTreeMap, time::Duration};

use node::Node;
use proptest::prelude::*;
use visavis_hub::{Ending, HistoryBounds, Resume, history};

const ROOMS: [&str; 3] = ["observable-a", "observable-b", "plain"];
const GRACE: u64 = 20;
/// How long messages are kept.
const LIFETIME: u64 = 60;

#[derive(Clone, Debug)]
enum Step {
    Connect { resumable: bool },
    Resume { who: usize },
    Subscribe { who: usize, room: usize, history: usize },
    Unsubscribe { who: usize, room: usize },
    Publish { who: usize, room: usize, times: usize },
    Post { room: usize },
    Disconnect { who: usize, left: bool },
    Pass { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (who, room) = (0..6_usize, 0..ROOMS.len());
    prop_oneof![
        2 => any::<bool>().prop_map(|resumable| Step::Connect { resumable }),
        2 => who.clone().prop_map(|who| Step::Resume { who }),
        5 => (who.clone(), room.clone(), 0..130_usize)
            .prop_map(|(who, room, history)| Step::Subscribe { who, room, history }),
        2 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Unsubscribe { who, room }),
        4 => (who.clone(), room.clone(), 1..30_usize)
            .prop_map(|(who, room, times)| Step::Publish { who, room, times }),
        2 => room.prop_map(|room| Step::Post { room }),
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
    /// It came back and has entered nothing since: its places are kept no longer for coming back once more.
    is_only_back: bool,
}

#[derive(Default)]
struct Reference {
    now: u64,
    /// In the order in which they entered.
    rooms: [Vec<usize>; ROOMS.len()],
    people: Vec<Person>,
    heard: BTreeMap<usize, Vec<String>>,
    /// What was said and when, oldest first.
    said: [Vec<(u64, String)>; ROOMS.len()],
    count: usize,
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

    /// Somebody says something new; what it is.
    fn say(&mut self, from: &str, room: usize) -> String {
        self.count += 1;
        let what = format!("m{}", self.count);
        for listener in self.listeners(room) {
            self.hear(listener, format!("{from} says {what}"));
        }
        self.said[room].push((self.now, format!("{from} said {what}")));
        what
    }

    fn past(&self, room: usize, count: usize) -> Vec<String> {
        let kept: Vec<_> = self.said[room].iter().rev().take(history::MESSAGES).collect();
        let fresh = kept.into_iter().filter(|(at, _)| at + LIFETIME > self.now);
        let mut newest: Vec<_> = fresh.take(count).map(|(_, words)| words.clone()).collect();
        newest.reverse();
        newest
    }

    fn subscribe(&mut self, who: usize, room: usize, history: usize) {
        let name = self.people[who].name.clone();
        let new = !self.rooms[room].contains(&who);
        if new {
            self.rooms[room].push(who);
        }
        self.people[who].rooms.insert(room, Ok(()));
        self.people[who].is_only_back = false;
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
        for words in self.past(room, history) {
            self.hear(who, words);
        }
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
        let person = &mut self.people[who];
        for place in person.rooms.values_mut().filter(|_| !person.is_only_back) {
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
            Step::Subscribe { who, room, history } => {
                if let Some((who, connection)) = reference.alive(who) {
                    node.subscribe_since(connection, ROOMS[room], history).unwrap();
                    reference.subscribe(who, room, history);
                }
            }
            Step::Unsubscribe { who, room } => {
                if let Some((who, connection)) = reference.alive(who) {
                    node.unsubscribe(connection, ROOMS[room]);
                    reference.hear(who, "unsubscribed".to_owned());
                    reference.leave(who, room);
                }
            }
            Step::Publish { who, room, times } => {
                if let Some((who, connection)) = reference.alive(who) {
                    for _ in 0..times {
                        let name = reference.people[who].name.clone();
                        node.publish(connection, ROOMS[room], &reference.say(&name, room));
                    }
                }
            }
            Step::Post { room } => node.post(ROOMS[room], &reference.say("nobody", room)),
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
        reference.people[who].is_only_back = true;
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

    /// Leaves of places that were only kept may come in any order, as their time comes.
    fn compare(&mut self, ordered: bool) {
        let mut heard = std::mem::take(&mut self.reference.heard);
        for person in &self.reference.people {
            let Some(connection) = person.connection else { continue };
            let mut expected = heard.remove(&connection).unwrap_or_default();
            let mut heard = self.node.heard(connection);
            if !ordered {
                expected.sort();
                heard.sort();
            }
            assert_eq!(heard, expected, "what {} heard", person.name);
        }
        for (index, room) in ROOMS.iter().enumerate() {
            assert_eq!(self.members(room), self.reference.members(index), "who is in {room}");
            let kept = self.node.kept(room);
            assert_eq!(kept, self.reference.past(index, usize::MAX), "what is kept of {room}");
        }
        let rooms = self.reference.rooms.iter().filter(|room| !room.is_empty()).count();
        assert_eq!(self.node.hub.counts().rooms, rooms, "rooms");
        let members = self.reference.rooms.iter().map(Vec::len).sum::<usize>();
        assert_eq!(self.node.hub.counts().members, members, "members");
        assert_eq!(self.node.hub.rooms_of("one").unwrap().len(), rooms, "rooms as they are listed");
    }

    fn members(&self, room: &str) -> Vec<String> {
        let members = self.node.hub.members_of_room("one", room).unwrap();
        members.iter().map(|id| self.node.name_of(id.as_str())).collect()
    }
}

impl Reference {
    fn members(&self, room: usize) -> Vec<String> {
        self.rooms[room].iter().map(|who| self.people[*who].name.clone()).collect()
    }

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
        let mut node = Node::with_seed(1, |config| config.limits = visavis_hub::Limits::off());
        node.keep(HistoryBounds { lifetime: Duration::from_secs(LIFETIME), bytes: u64::MAX });
        let mut trial = Trial { node, reference: Reference::default() };
        for step in &steps {
            trial.act(step);
            trial.compare(!matches!(step, Step::Pass { .. }));
        }
        trial.act(&Step::Pass { seconds: 2 * GRACE });
        trial.compare(false);
    }
}
