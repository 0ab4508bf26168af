//! An `RTCPeerConnection` that negotiates as JSEP says, without a network of its own.

use std::collections::VecDeque;

use visavis_call::{Candidate, ConnectionEvent, ConnectionState, Description, Step};

/// What a chained operation does.
#[derive(Clone, Debug)]
pub enum Operation {
    SetLocal,
    SetRemote(Description),
    Add(Candidate),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signaling {
    Stable,
    HaveLocalOffer,
    HaveRemoteOffer,
}

/// What a description of this model says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    pub owner: u32,
    pub ufrag: String,
    pub media: Vec<String>,
}

pub fn parse(sdp: &str) -> Option<Parsed> {
    let mut parsed = Parsed::default();
    sdp.strip_prefix("v=0\r\n")?;
    for line in sdp.lines() {
        if let Some(ufrag) = line.strip_prefix("a=ice-ufrag:") {
            parsed.ufrag = ufrag.to_owned();
        } else if let Some(owner) = line.strip_prefix("a=fingerprint:") {
            parsed.owner = owner.parse().ok()?;
        } else if let Some(media) = line.strip_prefix("m=") {
            parsed.media.push(media.to_owned());
        }
    }
    Some(parsed)
}

#[derive(Clone, Debug)]
struct Transceiver {
    kind: &'static str,
    /// Made by `addTrack`, so that a remote offer may take it over.
    by_track: bool,
    associated: bool,
}

/// One connection of the model. `id` is its DTLS fingerprint.
#[derive(Debug)]
pub struct Peer {
    pub id: u32,
    pub page: usize,
    pub relay_only: bool,
    pub closed: bool,
    pub signaling: Signaling,
    pub local: Option<Parsed>,
    pub remote: Option<Parsed>,
    before_offer: Option<Parsed>,
    /// Kinds of candidates of the remote's present ufrag that were added.
    pub heard: Vec<String>,
    transceivers: Vec<Transceiver>,
    data: bool,
    foreign: bool,
    pub adopts: bool,
    chain: VecDeque<(u64, Operation)>,
    needed: bool,
    restart: bool,
    ufrags: u32,
    ufrag: String,
    /// Candidates still to be reported.
    gathering: VecDeque<(u64, Candidate)>,
    /// Which network of its page the present candidates are of.
    pub epoch: u32,
    pub state: ConnectionState,
    pub since: u64,
    pub usable_since: Option<u64>,
    pub data_open: bool,
    pub framed: bool,
    pub outbox: VecDeque<String>,
    /// Candidates that were refused: our side must never cause one.
    pub refused: u32,
    /// Injected: the next remote description fails.
    pub fail_next: bool,
}

impl Peer {
    pub fn new(id: u32, page: usize, relay_only: bool, foreign: bool, now: u64) -> Self {
        Self {
            id,
            page,
            relay_only,
            closed: false,
            signaling: Signaling::Stable,
            local: None,
            remote: None,
            before_offer: None,
            heard: Vec::new(),
            transceivers: Vec::new(),
            data: false,
            foreign,
            adopts: false,
            chain: VecDeque::new(),
            needed: false,
            restart: false,
            ufrags: 0,
            ufrag: format!("u{id}n0"),
            gathering: VecDeque::new(),
            epoch: 0,
            state: ConnectionState::New,
            since: now,
            usable_since: None,
            data_open: false,
            framed: false,
            outbox: VecDeque::new(),
            refused: 0,
            fail_next: false,
        }
    }

    pub fn make_media(&mut self, by_track: bool) {
        let kinds: &[_] =
            if self.foreign { &["audio", "video"] } else { &["audio", "video", "video", "audio"] };
        let made = kinds.iter().map(|&kind| Transceiver { kind, by_track, associated: false });
        self.transceivers.extend(made);
        self.data = !self.foreign;
    }

    pub fn media(&self) -> usize {
        self.local.as_ref().map_or(0, |local| local.media.len())
    }

    pub fn has_data(&self) -> bool {
        self.data
    }

    pub fn restart_ice(&mut self) {
        self.restart = true;
    }

    pub fn chain(&mut self, due: u64, operation: Operation) {
        let due = self.chain.back().map_or(due, |(last, _)| due.max(last + 1));
        self.chain.push_back((due, operation));
    }

    /// Runs what is due and returns the events that fire, in order.
    pub fn step(&mut self, now: u64, epoch: u32) -> Vec<ConnectionEvent> {
        let mut events = Vec::new();
        if self.closed {
            return events;
        }
        while self.chain.front().is_some_and(|(due, _)| *due <= now) {
            let (_, operation) = self.chain.pop_front().unwrap();
            self.run(now, epoch, operation, &mut events);
        }
        while self.gathering.front().is_some_and(|(due, _)| *due <= now) {
            let (_, candidate) = self.gathering.pop_front().unwrap();
            events.push(ConnectionEvent::Candidate(candidate));
        }
        if self.chain.is_empty() && self.signaling == Signaling::Stable && !self.needed && self.is_needed() {
            self.needed = true;
            events.push(ConnectionEvent::NegotiationNeeded);
        }
        events
    }

    fn is_needed(&self) -> bool {
        let application = |parsed: &Parsed| parsed.media.iter().any(|media| media == "application");
        self.restart
            || self.transceivers.iter().any(|transceiver| !transceiver.associated)
            || self.data && !self.local.as_ref().is_some_and(application)
    }

    fn run(&mut self, now: u64, epoch: u32, operation: Operation, events: &mut Vec<ConnectionEvent>) {
        match operation {
            Operation::SetLocal => {
                let event = self.set_local(now, epoch, events);
                events.push(event);
            }
            Operation::SetRemote(description) => {
                let done = !std::mem::take(&mut self.fail_next) && self.set_remote(&description).is_some();
                events.push(if done {
                    ConnectionEvent::RemoteDescriptionSet
                } else {
                    ConnectionEvent::Failed { what: Step::RemoteDescription }
                });
            }
            Operation::Add(candidate) => {
                if self.add(&candidate).is_none() {
                    self.refused += 1;
                    events.push(ConnectionEvent::Failed { what: Step::Candidate });
                }
            }
        }
    }

    fn set_local(&mut self, now: u64, epoch: u32, events: &mut Vec<ConnectionEvent>) -> ConnectionEvent {
        let answers = self.signaling == Signaling::HaveRemoteOffer;
        let (kind, media) = if answers {
            ("answer", self.remote.as_ref().unwrap().media.clone())
        } else {
            if self.signaling == Signaling::Stable {
                self.before_offer = self.local.clone();
            }
            ("offer", self.offered())
        };
        if std::mem::take(&mut self.restart) || self.local.is_none() {
            self.ufrags += 1;
            self.ufrag = format!("u{}n{}", self.id, self.ufrags);
        }
        let parsed = Parsed { owner: self.id, ufrag: self.ufrag.clone(), media };
        let sdp = write(&parsed);
        if self.local.as_ref().is_none_or(|local| local.ufrag != parsed.ufrag) {
            self.gather(now, epoch);
            // Browsers may report a candidate before the promise is resolved.
            let (_, first) = self.gathering.pop_front().unwrap();
            events.push(ConnectionEvent::Candidate(first));
        }
        self.local = Some(parsed);
        self.transceivers.iter_mut().for_each(|transceiver| transceiver.associated = true);
        self.signaling = if answers { Signaling::Stable } else { Signaling::HaveLocalOffer };
        if answers {
            self.needed = false;
        }
        ConnectionEvent::LocalDescription(Description { kind: kind.into(), sdp })
    }

    fn offered(&self) -> Vec<String> {
        let mut media: Vec<_> =
            self.transceivers.iter().map(|transceiver| transceiver.kind.to_owned()).collect();
        if self.data {
            media.push("application".to_owned());
        }
        media
    }

    fn gather(&mut self, now: u64, epoch: u32) {
        self.epoch = epoch;
        self.gathering.clear();
        let kinds: &[_] = if self.relay_only { &["relay"] } else { &["host", "relay"] };
        for (nth, kind) in kinds.iter().enumerate() {
            let candidate = Candidate {
                candidate: format!("candidate:{nth} {kind}"),
                sdp_mid: Some("0".to_owned()),
                sdp_m_line_index: Some(0),
                username_fragment: Some(self.ufrag.clone()),
            };
            self.gathering.push_back((now + 20 * nth as u64, candidate));
        }
    }

    fn set_remote(&mut self, description: &Description) -> Option<()> {
        let parsed = parse(&description.sdp)?;
        if self.remote.as_ref().is_some_and(|remote| remote.owner != parsed.owner) {
            return None;
        }
        let offer = crate::sim::is_offer(description);
        if offer {
            self.set_remote_offer(&parsed)?;
        } else {
            let fits = self.local.as_ref().is_some_and(|local| local.media == parsed.media);
            if self.signaling != Signaling::HaveLocalOffer || !fits {
                return None;
            }
            self.signaling = Signaling::Stable;
            self.needed = false;
        }
        if self.remote.as_ref().is_none_or(|remote| remote.ufrag != parsed.ufrag) {
            self.heard.clear();
            if offer && self.remote.is_some() {
                // A remote restart makes this side restart too.
                self.restart = true;
            }
        }
        self.remote = Some(parsed);
        Some(())
    }

    fn set_remote_offer(&mut self, parsed: &Parsed) -> Option<()> {
        match self.signaling {
            Signaling::HaveRemoteOffer => return None,
            Signaling::HaveLocalOffer => self.roll_back(),
            Signaling::Stable => {}
        }
        let mut own = self.transceivers.iter_mut();
        for media in parsed.media.iter().filter(|media| *media != "application") {
            let taken = own.find(|own| own.kind == media && (own.associated || own.by_track));
            if let Some(taken) = taken {
                taken.associated = true;
            }
        }
        let missing = parsed.media.iter().filter(|media| *media != "application").count();
        let associated = self.transceivers.iter().filter(|own| own.associated).count();
        for media in
            parsed.media.iter().filter(|media| *media != "application").skip(associated).take(missing)
        {
            let kind = if media == "audio" { "audio" } else { "video" };
            self.transceivers.push(Transceiver { kind, by_track: false, associated: true });
        }
        if self.adopts && !self.foreign {
            self.data = true;
        }
        self.signaling = Signaling::HaveRemoteOffer;
        Some(())
    }

    fn roll_back(&mut self) {
        self.local = self.before_offer.take();
        if self.local.is_none() {
            self.transceivers.iter_mut().for_each(|transceiver| transceiver.associated = false);
        }
        if let Some(local) = &self.local {
            self.ufrag.clone_from(&local.ufrag);
        }
        self.signaling = Signaling::Stable;
        self.needed = false;
    }

    fn add(&mut self, candidate: &Candidate) -> Option<()> {
        let remote = self.remote.as_ref()?;
        let ufrag = candidate.username_fragment.as_deref().unwrap_or(&remote.ufrag);
        if ufrag != remote.ufrag {
            return None;
        }
        if let Some(kind) = candidate.candidate.split(' ').nth(1) {
            self.heard.push(kind.to_owned());
        }
        Some(())
    }
}

fn write(parsed: &Parsed) -> String {
    let media: String = parsed.media.iter().map(|media| format!("m={media}\r\n")).collect();
    format!("v=0\r\na=ice-ufrag:{}\r\na=fingerprint:{}\r\n{media}", parsed.ufrag, parsed.owner)
}
