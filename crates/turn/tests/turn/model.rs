//! The server beside a naive reference: lists and a clock, nothing else.

use std::collections::HashMap;

use proptest::prelude::*;

use crate::harness::{Client, Got, World, channel_data, seconds};

const CLIENTS: usize = 3;
const PEERS: [&str; 4] = ["8.8.8.8:1", "8.8.8.8:2", "9.9.9.9:1", "10.0.0.1:1"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Allocate(usize),
    Refresh(usize, u32),
    Permit(usize, usize),
    Bind(usize, u16, usize),
    Send(usize, usize),
    ChannelData(usize, u16),
    Receive(usize, usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (client, peer, number) = (0..CLIENTS, 0..PEERS.len(), 0x4000..0x4003u16);
    prop_oneof![
        2 => client.clone().prop_map(Step::Allocate),
        1 => (client.clone(), prop::sample::select(vec![0, 600, 900])).prop_map(|(c, l)| Step::Refresh(c, l)),
        3 => (client.clone(), peer.clone()).prop_map(|(c, p)| Step::Permit(c, p)),
        3 => (client.clone(), number.clone(), peer.clone()).prop_map(|(c, n, p)| Step::Bind(c, n, p)),
        3 => (client.clone(), peer.clone()).prop_map(|(c, p)| Step::Send(c, p)),
        3 => (client.clone(), number).prop_map(|(c, n)| Step::ChannelData(c, n)),
        3 => (client, peer).prop_map(|(c, p)| Step::Receive(c, p)),
        3 => prop::sample::select(vec![1, 60, 299, 300, 301, 600]).prop_map(Step::Pass),
    ]
}

/// What the reference keeps of one allocation: when everything ends.
#[derive(Default)]
struct Naive {
    ends: u64,
    permissions: HashMap<&'static str, u64>,
    channels: HashMap<u16, (usize, u64)>,
}

fn host(peer: usize) -> &'static str {
    PEERS[peer].split(':').next().unwrap()
}

#[derive(Default)]
struct Reference {
    now: u64,
    allocations: HashMap<usize, Naive>,
}

impl Reference {
    fn live(&mut self, client: usize) -> Option<&mut Naive> {
        let now = self.now;
        self.allocations.retain(|_, naive| naive.ends > now);
        self.allocations.get_mut(&client)
    }

    fn permitted(&mut self, client: usize, peer: usize) -> bool {
        let now = self.now;
        self.live(client).is_some_and(|naive| naive.permissions.get(host(peer)).is_some_and(|end| *end > now))
    }

    fn channel(&mut self, client: usize, number: u16) -> Option<usize> {
        let now = self.now;
        self.live(client)?.channels.get(&number).filter(|(_, end)| *end > now).map(|(peer, _)| *peer)
    }

    fn permit(&mut self, client: usize, peer: usize) -> u16 {
        let now = self.now;
        let Some(naive) = self.live(client) else { return 437 };
        if peer == 3 {
            return 403;
        }
        naive.permissions.insert(host(peer), now + 300);
        0
    }

    fn bind(&mut self, client: usize, number: u16, peer: usize) -> u16 {
        let now = self.now;
        let Some(naive) = self.live(client) else { return 437 };
        if peer == 3 {
            return 403;
        }
        naive.channels.retain(|_, (_, end)| *end > now);
        if naive.channels.iter().any(|(n, (p, _))| (*n == number) != (*p == peer)) {
            return 400;
        }
        naive.channels.insert(number, (peer, now + 600));
        naive.permissions.insert(host(peer), now + 300);
        0
    }
}

fn play(steps: Vec<Step>) {
    let mut world = World::with(|config| config.limits.unauthenticated = None);
    let mut clients: Vec<Client> = (1..=CLIENTS as u8).map(Client::new).collect();
    let mut relayed = [None; CLIENTS];
    let mut reference = Reference::default();
    let mut fresh_nonces_wanted = true;
    for step in steps {
        if fresh_nonces_wanted {
            clients.iter_mut().for_each(|client| drop(client.challenge(&mut world)));
        }
        fresh_nonces_wanted = matches!(step, Step::Pass(_));
        match step {
            Step::Allocate(c) => {
                let response = clients[c].ask_allocate(&mut world, |_| {});
                let expected = if reference.live(c).is_some() { 437 } else { 0 };
                assert_eq!(response.code(), expected);
                if expected == 0 {
                    let address = response.address(visavis_turn::wire::attribute::XOR_RELAYED_ADDRESS);
                    relayed[c] = Some(world.relay(address));
                    let ends = reference.now + 600;
                    reference.allocations.insert(c, Naive { ends, ..Naive::default() });
                }
            }
            Step::Refresh(c, lifetime) => {
                let now = reference.now;
                let expected = reference.live(c).map(|naive| naive.ends = now + u64::from(lifetime));
                assert_eq!(
                    clients[c].refresh(&mut world, lifetime).code(),
                    if expected.is_some() { 0 } else { 437 }
                );
            }
            Step::Permit(c, p) => {
                assert_eq!(clients[c].permit(&mut world, &[PEERS[p]]), reference.permit(c, p));
            }
            Step::Bind(c, n, p) => {
                assert_eq!(clients[c].bind(&mut world, n, PEERS[p]), reference.bind(c, n, p));
            }
            Step::Send(c, p) => {
                let passed = clients[c].send(&mut world, PEERS[p], b"x") != Got::Nothing;
                assert_eq!(passed, reference.permitted(c, p));
            }
            Step::ChannelData(c, n) => {
                let got = world.send(clients[c].tuple, &channel_data(n, b"x"));
                let peer = match got {
                    Got::ToPeer { peer, .. } => Some(peer.to_string()),
                    _ => None,
                };
                assert_eq!(peer.as_deref(), reference.channel(c, n).map(|peer| PEERS[peer]));
            }
            Step::Receive(c, p) => {
                let live = reference.live(c).is_some();
                let relay = relayed[c].filter(|_| live);
                let Some(relay) = relay else { continue };
                let received = world.receive(relay, PEERS[p], b"x");
                assert_eq!(received.is_some(), reference.permitted(c, p));
                let channel = (0x4000..0x4003).find(|n| reference.channel(c, *n) == Some(p));
                if let Some((to, packet)) = received {
                    assert_eq!(to, clients[c].tuple);
                    assert_eq!(packet[0] == 0x40, channel.is_some());
                }
            }
            Step::Pass(time) => {
                world.pass(seconds(time));
                reference.now += time;
            }
        }
        let live = (0..CLIENTS).filter(|c| reference.live(*c).is_some()).count();
        assert_eq!((world.bound.len(), world.server.counters().allocations), (live, live as u64));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_server_does_what_the_reference_does(steps in prop::collection::vec(step(), 1..60)) {
        play(steps);
    }
}
