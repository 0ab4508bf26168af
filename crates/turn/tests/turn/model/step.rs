//! One operation, and how a seed chooses it.

use rand_core::Rng;

pub(super) const CLIENTS: usize = 7;
/// What peers are chosen from: public ones of both families, two ports of one address, refused ones, and in
/// the last places what the clients of that index were given.
pub(super) const PEERS: [&str; 9] = [
    "8.8.8.8:1",
    "8.8.8.8:2",
    "9.9.9.9:1",
    "1.1.1.1:1",
    "4.4.4.4:9",
    "[2a00:1450::1]:1",
    "[2a00:1450::2]:1",
    "10.0.0.1:1",
    "[fd00::1]:1",
];
/// One of the relayed addresses of this server, by its owner.
pub(super) const RELAYED: usize = PEERS.len();

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Allocate(usize, Wish),
    /// The last Allocate request of the client again.
    AllocateAgain(usize),
    Refresh(usize, u32, Option<Family>),
    /// Of so many peers, counted from the first.
    Permit(usize, [usize; 3], usize),
    Bind(usize, u16, usize),
    Send(usize, usize),
    ChannelData(usize, u16),
    Receive(usize, usize),
    /// A Refresh with somebody else's name.
    Intrude(usize),
    Close(usize),
    BindFailures(usize),
    /// So many milliseconds, and whether the server is woken when it wants to be.
    Pass(u64, bool),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) lifetime: Option<u32>,
    pub(super) family: Option<Family>,
    pub(super) even: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Step {
    pub(super) const KINDS: usize = 12;

    pub(super) fn choose(rng: &mut impl Rng) -> Self {
        let mut of = |count: usize| rng.next_u32() as usize % count;
        let client = of(CLIENTS);
        match of(64) {
            0..6 => Self::Allocate(client, wish(of)),
            6..9 => Self::AllocateAgain(client),
            9..14 => Self::Refresh(client, [0, 1, 600, 900, 3600, 100_000][of(6)], refreshed(of)),
            14..22 => Self::Permit(client, [(); 3].map(|()| peer(&mut of)), 1 + of(3)),
            22..31 => Self::Bind(client, 0x4000 + of(5) as u16, peer(&mut of)),
            31..39 => Self::Send(client, peer(&mut of)),
            39..47 => Self::ChannelData(client, 0x4000 + of(5) as u16),
            47..55 => Self::Receive(client, peer(&mut of)),
            55 => Self::Intrude(client),
            56 => Self::Close(client),
            57 => Self::BindFailures(of(10)),
            _ => Self::Pass(
                [1, 999, 1000, 20_000, 60_000, 299_999, 300_000, 300_001, 600_000][of(9)],
                of(2) == 0,
            ),
        }
    }

    pub(super) const fn kind(self) -> usize {
        match self {
            Self::Allocate(..) => 0,
            Self::AllocateAgain(..) => 1,
            Self::Refresh(..) => 2,
            Self::Permit(..) => 3,
            Self::Bind(..) => 4,
            Self::Send(..) => 5,
            Self::ChannelData(..) => 6,
            Self::Receive(..) => 7,
            Self::Intrude(..) => 8,
            Self::Close(..) => 9,
            Self::BindFailures(..) => 10,
            Self::Pass(..) => 11,
        }
    }
}

fn peer(of: &mut impl FnMut(usize) -> usize) -> usize {
    match of(8) {
        // Most often of a few, so that they meet.
        0..4 => of(3),
        4..7 => of(PEERS.len()),
        _ => RELAYED + of(CLIENTS),
    }
}

fn wish(mut of: impl FnMut(usize) -> usize) -> Wish {
    Wish {
        lifetime: [None, None, Some(0), Some(601), Some(3600), Some(7200)][of(6)],
        family: [None, None, Some(Family::V4), Some(Family::V6)][of(4)],
        even: of(4) == 0,
    }
}

fn refreshed(mut of: impl FnMut(usize) -> usize) -> Option<Family> {
    [None, None, None, None, Some(Family::V4), Some(Family::V6)][of(6)]
}
