//! What the server has promised to each client, learnt from nothing but requests and their answers.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use visavis_clock::Now;
use visavis_turn::{
    Frame, frame,
    wire::{ChannelData, Class, Message, Method, attribute},
};

const PERMISSION: Duration = Duration::from_secs(300);
const CHANNEL: Duration = Duration::from_secs(600);

/// One client's allocation.
struct Promised {
    /// Its relayed transport addresses, each with its end.
    relayed: Vec<(SocketAddr, Now)>,
    permissions: HashMap<IpAddr, Now>,
    channels: HashMap<u16, (SocketAddr, Now)>,
}

pub(super) struct Promises {
    allocations: Vec<Option<Promised>>,
    /// Of each client, the requests without an answer.
    waiting: Vec<Vec<Vec<u8>>>,
}

impl Promises {
    pub(super) fn new(clients: usize) -> Self {
        Self { allocations: (0..clients).map(|_| None).collect(), waiting: vec![Vec::new(); clients] }
    }

    /// How many allocations live.
    pub(super) fn live(&mut self, now: Now) -> usize {
        for allocation in &mut self.allocations {
            allocation.take_if(|promised| !promised.lives(now));
        }
        self.allocations.iter().flatten().count()
    }

    pub(super) fn end(&mut self, client: usize) {
        self.allocations[client] = None;
        // What it asked for on the way that ended is not answered any more.
        self.waiting[client].clear();
    }

    /// The relayed transport address of the client: of two, the one that `which` counts to.
    pub(super) fn relayed(&self, client: usize, which: usize) -> Option<SocketAddr> {
        let relayed = &self.allocations[client].as_ref()?.relayed;
        Some(relayed[which % relayed.len()].0)
    }

    pub(super) fn owner(&self, relayed: SocketAddr) -> Option<usize> {
        self.allocations.iter().position(|promised| promised.as_ref().is_some_and(|it| it.owns(relayed)))
    }

    pub(super) fn permits(&self, now: Now, client: usize, ip: IpAddr) -> bool {
        let end = self.allocations[client]
            .as_ref()
            .and_then(|promised| promised.permissions.get(&ip.to_canonical()));
        end.is_some_and(|end| *end > now)
    }

    /// Whether the client may send to `peer`: by a permission, or by a channel, which holds longer.
    pub(super) fn reaches(&self, now: Now, client: usize, peer: SocketAddr) -> bool {
        self.permits(now, client, peer.ip()) || self.channel(now, client, peer).is_some()
    }

    fn channel(&self, now: Now, client: usize, peer: SocketAddr) -> Option<u16> {
        let channels = &self.allocations[client].as_ref()?.channels;
        channels.iter().find(|(_, (of, end))| *of == peer && *end > now).map(|(number, _)| *number)
    }

    pub(super) fn asked(&mut self, client: usize, packet: &[u8]) {
        if Message::parse(packet).is_some_and(|message| message.class() == Class::Request) {
            self.waiting[client].push(packet.to_vec());
        }
    }

    /// Takes an answer, and whether it is a success.
    pub(super) fn answered(&mut self, now: Now, client: usize, answer: &Message<'_>) -> bool {
        let waiting = &mut self.waiting[client];
        let of_answer = |packet: &Vec<u8>| {
            let request = Message::parse(packet).expect("only messages wait");
            (request.transaction_id(), request.method()) == (answer.transaction_id(), answer.method())
        };
        let index = waiting.iter().rposition(of_answer).expect("an answer has a request");
        let packet = waiting.remove(index);
        match answer.class() {
            Class::Success => self.granted(now, client, &Message::parse(&packet).unwrap(), answer),
            Class::Error => {
                assert!(answer.attribute(attribute::ERROR_CODE).is_some_and(|code| code.len() >= 4))
            }
            other => panic!("an answer is no {other:?}"),
        }
        answer.class() == Class::Success
    }

    fn granted(&mut self, now: Now, client: usize, request: &Message<'_>, answer: &Message<'_>) {
        if answer.method() == Method::BINDING {
            return;
        }
        if answer.method() == Method::ALLOCATE {
            return self.allocated(now, client, answer);
        }
        let covered = request.attributes().take_while(|seen| !attribute::is_integrity(seen.kind));
        let peers = covered.filter(|seen| seen.kind == attribute::XOR_PEER_ADDRESS);
        let peers = peers.map(|seen| attribute::xor_address(seen.value, request.transaction_id()).unwrap());
        let promised = self.allocations[client].as_mut().expect("only an allocation grants something");
        assert!(promised.lives(now), "an allocation that has ended grants something");
        match answer.method() {
            Method::REFRESH => {
                let ends = now + lifetime(answer);
                let wanted =
                    request.attribute(attribute::REQUESTED_ADDRESS_FAMILY).map(|value| value[0] == 1);
                let is_wanted = |relayed: &SocketAddr| wanted.is_none_or(|v4| relayed.is_ipv4() == v4);
                let relayed = promised.relayed.iter_mut().filter(|(relayed, _)| is_wanted(relayed));
                relayed.for_each(|(_, end)| *end = ends);
                self.live(now);
            }
            Method::CREATE_PERMISSION => {
                promised.permissions.extend(peers.map(|peer| (peer.ip(), now + PERMISSION)));
            }
            Method::CHANNEL_BIND => {
                let peer = { peers }.next().expect("a channel has a peer");
                let number = request.attribute(attribute::CHANNEL_NUMBER).expect("and a number");
                let number = u16::from_be_bytes([number[0], number[1]]);
                promised.channels.retain(|_, (_, end)| *end > now);
                let is_same = |(n, (p, _)): (&u16, &(SocketAddr, Now))| (*n == number) == (*p == peer);
                assert!(promised.channels.iter().all(is_same), "one number a peer, one peer a number");
                promised.channels.insert(number, (peer, now + CHANNEL));
                promised.permissions.insert(peer.ip(), now + PERMISSION);
            }
            other => panic!("{other:?} is granted"),
        }
    }

    fn allocated(&mut self, now: Now, client: usize, answer: &Message<'_>) {
        let ends = now + lifetime(answer);
        let relayed = answer.attributes().filter(|seen| seen.kind == attribute::XOR_RELAYED_ADDRESS);
        let relayed =
            relayed.map(|seen| attribute::xor_address(seen.value, answer.transaction_id()).unwrap());
        let relayed: Vec<_> = relayed.map(|relayed| (relayed, ends)).collect();
        assert!(matches!(relayed.len(), 1..=2), "one address, or one of each family");
        self.live(now);
        if let Some(promised) = &self.allocations[client] {
            let is_same = relayed.iter().all(|(relayed, _)| promised.owns(*relayed));
            assert!(
                is_same && promised.relayed.len() == relayed.len(),
                "a retransmission is answered the same"
            );
            return;
        }
        assert!(relayed.iter().all(|(relayed, _)| self.owner(*relayed).is_none()), "two share an address");
        let (permissions, channels) = (HashMap::new(), HashMap::new());
        self.allocations[client] = Some(Promised { relayed, permissions, channels });
    }

    /// Checks the packet that carries a peer's payload to a client.
    pub(super) fn check_data(
        &self,
        now: Now,
        client: usize,
        peer: SocketAddr,
        payload: &[u8],
        packet: &[u8],
    ) {
        match self.channel(now, client, peer) {
            Some(number) => assert_eq!(ChannelData::parse(packet), Some(ChannelData { number, payload })),
            None => {
                let message = Message::parse(packet).expect("a Data indication");
                assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
                assert_eq!(message.attribute(attribute::DATA), Some(payload));
                let from = message.attribute(attribute::XOR_PEER_ADDRESS).expect("a peer");
                assert_eq!(attribute::xor_address(from, message.transaction_id()), Some(peer));
                assert_eq!(frame(packet), Frame::Whole(packet.len()));
            }
        }
    }
}

impl Promised {
    fn owns(&self, relayed: SocketAddr) -> bool {
        self.relayed.iter().any(|(own, _)| *own == relayed)
    }

    /// Forgets the addresses that have ended, with what was permitted to them; whether one is left.
    fn lives(&mut self, now: Now) -> bool {
        self.relayed.retain(|(_, end)| *end > now);
        let reaches = |ip: &IpAddr| self.relayed.iter().any(|(own, _)| own.is_ipv4() == ip.is_ipv4());
        self.permissions.retain(|ip, _| reaches(ip));
        self.channels.retain(|_, (peer, _)| reaches(&peer.ip()));
        !self.relayed.is_empty()
    }
}

fn lifetime(answer: &Message<'_>) -> Duration {
    let value = answer.attribute(attribute::LIFETIME).expect("a lifetime");
    Duration::from_secs(u32::from_be_bytes(value.try_into().unwrap()).into())
}
