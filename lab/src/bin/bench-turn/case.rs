//! What is measured.

use std::time::Duration;

/// What carries the clients' messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// Which way packets take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// From each client on a channel to a peer outside.
    Up,
    /// From a peer outside on a channel to each client.
    Down,
    /// From each client to the relayed address of another.
    Pair,
    /// Like up, in Send indications with FINGERPRINT, as Firefox does.
    Send,
    /// Like down, in Data indications.
    Data,
    /// Binding requests and their answers.
    Binding,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) transport: Transport,
    pub(crate) mode: Mode,
    /// Bytes of each payload, a multiple of 4.
    pub(crate) size: usize,
    /// Packets that each flow sends in one go.
    pub(crate) train: usize,
    /// Packets a second in all; without it as fast as they arrive.
    pub(crate) rate: Option<u64>,
}

impl Case {
    const fn udp(name: &'static str, mode: Mode, size: usize) -> Self {
        Self { name, transport: Transport::Udp, mode, size, train: 1, rate: None }
    }

    const fn over(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    const fn in_trains(self) -> Self {
        Self { train: 8, ..self }
    }

    const fn slowly(self) -> Self {
        Self { rate: Some(20_000), ..self }
    }

    /// How many packets of one flow may be under way.
    pub(crate) const fn window(&self) -> usize {
        match self.train {
            1 => 4,
            train => train,
        }
    }

    /// The gap between two sendings.
    pub(crate) fn gap(&self) -> Option<Duration> {
        self.rate.map(|rate| Duration::from_secs(self.train as u64) / rate as u32)
    }
}

/// All cases.
pub(crate) const CASES: [Case; 22] = [
    Case::udp("up-172", Mode::Up, 172),
    Case::udp("down-172", Mode::Down, 172),
    Case::udp("up-1200", Mode::Up, 1200),
    Case::udp("down-1200", Mode::Down, 1200),
    Case::udp("up-1200x8", Mode::Up, 1200).in_trains(),
    Case::udp("down-1200x8", Mode::Down, 1200).in_trains(),
    Case::udp("pair-172", Mode::Pair, 172),
    Case::udp("pair-1200", Mode::Pair, 1200),
    Case::udp("pair-1200x8", Mode::Pair, 1200).in_trains(),
    Case::udp("send-172", Mode::Send, 172),
    Case::udp("data-172", Mode::Data, 172),
    Case::udp("low-up-172", Mode::Up, 172).slowly(),
    Case::udp("low-down-172", Mode::Down, 172).slowly(),
    Case::udp("binding", Mode::Binding, 0),
    Case::udp("tcp-up-172", Mode::Up, 172).over(Transport::Tcp),
    Case::udp("tcp-down-172", Mode::Down, 172).over(Transport::Tcp),
    Case::udp("tcp-up-1200", Mode::Up, 1200).over(Transport::Tcp),
    Case::udp("tcp-down-1200", Mode::Down, 1200).over(Transport::Tcp),
    Case::udp("tls-up-172", Mode::Up, 172).over(Transport::Tls),
    Case::udp("tls-down-172", Mode::Down, 172).over(Transport::Tls),
    Case::udp("tls-up-1200", Mode::Up, 1200).over(Transport::Tls),
    Case::udp("tls-down-1200", Mode::Down, 1200).over(Transport::Tls),
];

/// Where there are two shards: what crosses between them and what does not.
pub(crate) const OF_SHARDS: [&str; 3] = ["up-172", "down-172", "pair-172"];
