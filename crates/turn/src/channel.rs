//! Channels: short names for peers (RFC 8656 section 12).

use std::{net::SocketAddr, time::Duration};

use visavis_clock::Now;

use crate::{family::Family, route::Destination, wire::CHANNEL_NUMBERS};

/// How long a binding holds (RFC 8656 section 12).
pub(crate) const LIFETIME: Duration = Duration::from_secs(600);

/// A number that may be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChannelNumber(u16);

impl ChannelNumber {
    pub(crate) fn new(number: u16) -> Option<Self> {
        CHANNEL_NUMBERS.contains(&number).then_some(Self(number))
    }

    pub(crate) const fn get(self) -> u16 {
        self.0
    }
}

struct Channel {
    number: ChannelNumber,
    peer: SocketAddr,
    destination: Destination,
    expires: Now,
}

/// Why a channel cannot be bound.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unbindable {
    /// The number has another peer, or the peer another number.
    Taken,
    /// No place is left.
    Full,
}

/// The channels of one allocation: a few, so a row is the fastest table.
#[derive(Default)]
pub(crate) struct Channels {
    rows: Vec<Channel>,
}

impl Channels {
    pub(crate) fn destination(&self, now: Now, number: ChannelNumber) -> Option<Destination> {
        let row = self.rows.iter().find(|row| row.number == number && row.expires > now)?;
        Some(row.destination)
    }

    pub(crate) fn number(&self, now: Now, peer: SocketAddr) -> Option<ChannelNumber> {
        let row = self.rows.iter().find(|row| row.peer == peer && row.expires > now)?;
        Some(row.number)
    }

    /// How many there are, those included that have lapsed.
    pub(crate) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether [`Channels::bind`] may be called.
    pub(crate) fn check(
        &mut self,
        now: Now,
        limit: usize,
        number: ChannelNumber,
        peer: SocketAddr,
    ) -> Result<(), Unbindable> {
        self.rows.retain(|row| row.expires > now);
        match self.rows.iter().find(|row| row.number == number || row.peer == peer) {
            Some(row) if row.number == number && row.peer == peer => Ok(()),
            Some(_) => Err(Unbindable::Taken),
            None if self.rows.len() >= limit => Err(Unbindable::Full),
            None => Ok(()),
        }
    }

    pub(crate) fn forget(&mut self, family: Family) {
        self.rows.retain(|row| row.destination.family() != family);
    }

    pub(crate) fn bind(
        &mut self,
        now: Now,
        number: ChannelNumber,
        peer: SocketAddr,
        destination: Destination,
    ) {
        let expires = now + LIFETIME;
        match self.rows.iter_mut().find(|row| row.number == number) {
            Some(row) => row.expires = expires,
            None => self.rows.push(Channel { number, peer, destination, expires }),
        }
    }
}
