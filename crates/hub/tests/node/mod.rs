//! A hub with a bus that answers at once, and what its connections hear, in words.

#![allow(dead_code)]

use std::{collections::HashMap, sync::Arc, time::Duration};

use visavis_hub::{
    ChannelId, ChannelSettings, Config, ConnectionId, Ending, Event, Hello, HistoryBounds, Hub, Member,
    MemoryBus, Message, Now, Place, Recall, Refusal, Resume, ResumeKey, Tag,
};

pub(crate) struct Node {
    pub(crate) hub: Hub,
    pub(crate) bus: MemoryBus,
    pub(crate) now: Now,
    next_connection: usize,
    names: HashMap<String, String>,
    clients: HashMap<usize, String>,
    heard: HashMap<usize, Vec<String>>,
    places: HashMap<usize, Place>,
}

impl Node {
    /// Channels `one` and `two`.
    pub(crate) fn new() -> Self {
        Self::with_seed(1, |_| {})
    }

    pub(crate) fn with_seed(seed: u8, configure: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(ResumeKey([7; 32]), Duration::from_secs(1_790_000_000));
        config.channels = ["one", "two"].map(|id| (ChannelId::from(id), ChannelSettings::default())).into();
        configure(&mut config);
        Self {
            hub: Hub::new(config, [seed; 32]),
            bus: MemoryBus::new(u64::from(seed)),
            now: Now::ZERO,
            next_connection: 0,
            names: HashMap::new(),
            clients: HashMap::new(),
            heard: HashMap::new(),
            places: HashMap::new(),
        }
    }

    pub(crate) fn connect_with(
        &mut self,
        channel: &str,
        name: &str,
        resume: Option<Resume<'_>>,
    ) -> Result<(usize, Option<String>), Refusal> {
        let connection = self.next_connection;
        self.next_connection += 1;
        let hello = Hello { channel, client_data: Some(name.as_bytes().into()), device_secret: None, resume };
        let welcome = self.hub.handle_connect(self.now, ConnectionId(connection), hello)?;
        self.names.insert(welcome.client.as_str().to_owned(), name.to_owned());
        self.clients.insert(connection, welcome.client.as_str().to_owned());
        self.settle();
        Ok((connection, welcome.resume))
    }

    pub(crate) fn connect_to(&mut self, channel: &str, name: &str) -> usize {
        self.connect_with(channel, name, None).unwrap().0
    }

    pub(crate) fn connect_all<const N: usize>(&mut self, names: [&str; N]) -> [usize; N] {
        names.map(|name| self.connect_to("one", name))
    }

    pub(crate) fn connect_resumable(&mut self, name: &str, resume: Resume<'_>) -> (usize, String) {
        let (connection, token) = self.connect_with("one", name, Some(resume)).unwrap();
        (connection, token.unwrap())
    }

    pub(crate) fn client(&self, connection: usize) -> String {
        self.clients[&connection].clone()
    }

    pub(crate) fn try_subscribe(&mut self, connection: usize, room: &str) -> Result<(), Refusal> {
        self.subscribe_recalling(connection, room, Recall::Newest(0))
    }

    /// Enters a room and asks for up to `history` messages of before.
    pub(crate) fn subscribe_since(
        &mut self,
        connection: usize,
        room: &str,
        history: usize,
    ) -> Result<(), Refusal> {
        self.subscribe_recalling(connection, room, Recall::Newest(history))
    }

    /// Enters a room and asks for what was said before.
    pub(crate) fn subscribe_recalling(
        &mut self,
        connection: usize,
        room: &str,
        recall: Recall,
    ) -> Result<(), Refusal> {
        let asked = self.hub.handle_subscribe(self.now, ConnectionId(connection), room, recall, Some(Tag(0)));
        self.settle();
        asked
    }

    pub(crate) fn subscribe(&mut self, connection: usize, room: &str) {
        self.try_subscribe(connection, room).unwrap();
    }

    pub(crate) fn unsubscribe(&mut self, connection: usize, room: &str) {
        self.hub.handle_unsubscribe(self.now, ConnectionId(connection), room, Some(Tag(0))).unwrap();
        self.settle();
    }

    pub(crate) fn try_publish(&mut self, connection: usize, room: &str, what: &str) -> Result<(), Refusal> {
        let payload = Arc::from(what.as_bytes());
        let asked = self.hub.handle_publish(self.now, ConnectionId(connection), room, payload);
        self.settle();
        asked
    }

    pub(crate) fn publish(&mut self, connection: usize, room: &str, what: &str) {
        self.try_publish(connection, room, what).unwrap();
    }

    /// Says something from outside.
    pub(crate) fn post(&mut self, room: &str, what: &str) {
        self.hub.handle_post("one", &[room], &what.as_bytes().into()).unwrap();
        self.settle();
    }

    /// Keeps the history of channel `one`.
    pub(crate) fn keep(&mut self, bounds: HistoryBounds) {
        self.bus.history.keep(&"one".into(), Some(bounds));
    }

    pub(crate) fn peek(&mut self, connection: usize, room: &str) -> Result<usize, Refusal> {
        self.hub.handle_peek(self.now, ConnectionId(connection), room)
    }

    pub(crate) fn count_authentication(&mut self, connection: usize) -> Result<(), Refusal> {
        self.hub.count_authentication(self.now, ConnectionId(connection))
    }

    pub(crate) fn disconnect(&mut self, connection: usize, ending: Ending) {
        self.hub.handle_disconnect(self.now, ConnectionId(connection), ending);
        self.settle();
    }

    /// Lets time pass, and wakes the hub whenever it asked for it.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(at) = self.hub.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.hub.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
        self.bus.history.expire(self.unix_time());
    }

    /// What is kept of what was said in a room of channel `one`.
    pub(crate) fn kept(&self, room: &str) -> Vec<String> {
        let kept = self.bus.history.newest(&"one".into(), room, usize::MAX, self.unix_time());
        kept.iter().map(|message| self.past(message)).collect()
    }

    /// The name of whoever has that id.
    pub(crate) fn name_of(&self, id: &str) -> String {
        self.names[id].clone()
    }

    /// What a connection has heard since it was last asked.
    pub(crate) fn heard(&mut self, connection: usize) -> Vec<String> {
        self.heard.remove(&connection).unwrap_or_default()
    }

    /// Where a connection was told that it entered a room, when it last was.
    pub(crate) fn place(&self, connection: usize) -> &Place {
        &self.places[&connection]
    }

    pub(crate) fn take_heard(&mut self) {
        self.heard.clear();
    }

    pub(crate) fn unix_time(&self) -> u64 {
        1_790_000_000 + self.now.since_start().as_secs()
    }

    /// Has the bus order what was asked for, and takes down what everybody hears.
    pub(crate) fn settle(&mut self) {
        while let Some(request) = self.hub.poll_request() {
            let delivery = self.bus.order(request, self.unix_time());
            self.hub.handle_delivery(delivery);
        }
        while let Some((channel, room)) = self.hub.poll_closed() {
            self.bus.close(channel, room);
        }
        while let Some(event) = self.hub.poll_event() {
            self.take_down(event);
        }
    }

    fn take_down(&mut self, event: Event) {
        if let Event::Entered { connection, place: Some(place), .. } = &event {
            self.places.insert(connection.0, place.clone());
        }
        let past = match &event {
            Event::Entered { past, .. } => past.iter().map(|message| self.past(message)).collect(),
            _ => Vec::new(),
        };
        let (to, words) = self.words(event);
        for connection in to {
            let heard = self.heard.entry(connection.0).or_default();
            heard.push(words.clone());
            heard.extend(past.iter().cloned());
        }
    }

    fn past(&self, message: &Message) -> String {
        let from = message.from.as_ref().map_or("nobody", |from| &self.names[from.as_str()]);
        format!("{from} said {}", str::from_utf8(&message.payload).unwrap())
    }

    fn words(&self, event: Event) -> (Vec<ConnectionId>, String) {
        match event {
            Event::Entered { connection, room, members: None, .. } => {
                (vec![connection], format!("entered {}", room.as_str()))
            }
            Event::Entered { connection, room, members: Some(members), .. } => {
                let names: Vec<_> = members.iter().map(|member| self.name(member)).collect();
                (vec![connection], format!("entered {}: {}", room.as_str(), names.join(" ")))
            }
            Event::Unsubscribed { connection, .. } => (vec![connection], "unsubscribed".to_owned()),
            Event::Joined { to, member, .. } => (to, format!("{} joined", self.name(&member))),
            Event::Left { to, member, .. } => (to, format!("{} left", self.name(&member))),
            Event::Published { to, from, payload, .. } => {
                let from = from.as_ref().map_or("nobody", |from| &self.names[from.as_str()]);
                (to, format!("{from} says {}", str::from_utf8(&payload).unwrap()))
            }
            Event::Interrupted { to } => (to, "interrupted".to_owned()),
            Event::Replaced { connection } => (vec![connection], "replaced".to_owned()),
        }
    }

    fn name(&self, member: &Member) -> String {
        let name = self.names[member.id.as_str()].clone();
        assert_eq!(member.client_data.as_deref(), Some(name.as_bytes()), "carries its client data");
        name
    }
}
