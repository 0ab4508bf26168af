//! Datagrams gathered into trains, each sent in one go.

use std::{mem, net::SocketAddr};

use visavis_turn::RelayKey;

/// Between which two addresses datagrams go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// From a relayed address to a peer.
    Peer { relay: RelayKey, peer: SocketAddr },
    /// From a listening socket, as `server`, to a client.
    Client { listener: usize, server: SocketAddr, client: SocketAddr },
}

impl Route {
    /// Spreads routes over places.
    fn place(&self) -> usize {
        match self {
            Self::Peer { relay: RelayKey(relay), peer } => *relay as usize + usize::from(peer.port()),
            Self::Client { listener, client, .. } => *listener + usize::from(client.port()),
        }
    }
}

/// Datagrams of one route and one size, the last perhaps shorter, gathered to be sent in one go.
pub(crate) struct Train {
    route: Option<Route>,
    bytes: Vec<u8>,
    segment: usize,
}

impl Train {
    /// The most datagrams that the system takes in one go.
    const DATAGRAMS: usize = 64;
    /// Bytes of a train: beyond these one more costs little, and that many places must not take much memory.
    const BYTES: usize = 32 << 10;
    /// Longer datagrams go alone: the system refuses a train of datagrams that need fragmenting, and every path
    /// carries those that fit into the smallest MTU of IPv6.
    const SEGMENT: usize = 1280 - 40 - 8;

    pub(crate) const fn new() -> Self {
        Self { route: None, bytes: Vec::new(), segment: 0 }
    }

    /// Adds a datagram; false if it does not fit to what is there.
    #[must_use]
    pub(crate) fn push(&mut self, route: Route, datagram: &[u8]) -> bool {
        if datagram.is_empty() || datagram.len() > Self::SEGMENT {
            return false;
        }
        match self.route {
            None => (self.route, self.segment) = (Some(route), datagram.len()),
            Some(own) if own != route || !self.has_room(datagram.len()) => return false,
            Some(_) => {}
        }
        self.bytes.extend_from_slice(datagram);
        true
    }

    fn has_room(&self, length: usize) -> bool {
        let whole = self.bytes.len().is_multiple_of(self.segment);
        whole
            && length <= self.segment
            && self.bytes.len() < Self::DATAGRAMS * self.segment
            && self.bytes.len() + length <= Self::BYTES
    }

    /// What was gathered, if anything.
    pub(crate) fn gathered(&self) -> Option<(Route, &[u8], usize)> {
        self.route.map(|route| (route, self.bytes.as_slice(), self.segment))
    }

    pub(crate) fn clear(&mut self) {
        self.route = None;
        self.bytes.clear();
    }
}

/// Trains of many routes: what one receive brings may be of many clients in turn. Each route has its place; two that
/// have the same take it from each other.
pub(crate) struct Trains {
    places: Box<[Place]>,
    /// The places that may hold something, in the order in which they came to.
    used: Vec<usize>,
}

struct Place {
    train: Train,
    is_used: bool,
}

impl Trains {
    const PLACES: usize = 128;

    pub(crate) fn new() -> Self {
        let place = || Place { train: Train::new(), is_used: false };
        Self { places: (0..Self::PLACES).map(|_| place()).collect(), used: Vec::new() }
    }

    /// Adds a datagram to the train in the place of its route; false if it does not fit to what is there.
    #[must_use]
    pub(crate) fn push(&mut self, route: Route, datagram: &[u8]) -> bool {
        let index = route.place() % Self::PLACES;
        let place = &mut self.places[index];
        let is_added = place.train.push(route, datagram);
        if is_added && !mem::replace(&mut place.is_used, true) {
            self.used.push(index);
        }
        is_added
    }

    /// What is in the place of a route, to be sent and [put back](Trains::put_back).
    pub(crate) fn take(&mut self, route: &Route) -> (usize, Train) {
        self.take_place(route.place() % Self::PLACES)
    }

    /// What is in some place.
    pub(crate) fn take_any(&mut self) -> Option<(usize, Train)> {
        let index = self.used.pop()?;
        self.places[index].is_used = false;
        Some(self.take_place(index))
    }

    /// Makes a place ready for the next train.
    pub(crate) fn put_back(&mut self, (index, mut train): (usize, Train)) {
        train.clear();
        self.places[index].train = train;
    }

    fn take_place(&mut self, index: usize) -> (usize, Train) {
        (index, mem::replace(&mut self.places[index].train, Train::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(relay: u32) -> Route {
        Route::Peer { relay: RelayKey(relay), peer: ([192, 0, 2, 1], 9).into() }
    }

    /// The lengths of the trains that datagrams of these lengths make, in the order of their leaving.
    fn trains(lengths: &[usize]) -> Vec<Vec<usize>> {
        let (mut trains, mut left) = (Trains::new(), Vec::new());
        let mut leave = |(place, train): (usize, Train)| {
            if let Some((_, bytes, segment)) = train.gathered() {
                left.push(bytes.chunks(segment).map(<[u8]>::len).collect());
            }
            (place, train)
        };
        for &length in lengths {
            let datagram = vec![7; length];
            if !trains.push(route(1), &datagram) {
                let train = leave(trains.take(&route(1)));
                trains.put_back(train);
                assert!(trains.push(route(1), &datagram), "{length}");
            }
        }
        while let Some(train) = trains.take_any() {
            let train = leave(train);
            trains.put_back(train);
        }
        left
    }

    #[test]
    fn a_train_is_of_one_size_and_only_its_last_datagram_may_be_shorter() {
        assert_eq!(trains(&[100, 100, 60]), [[100, 100, 60]]);
        assert_eq!(trains(&[100, 60, 100]), [vec![100, 60], vec![100]]);
        assert_eq!(trains(&[100, 60, 60]), [vec![100, 60], vec![60]]);
        assert_eq!(trains(&[60, 100]), [[60], [100]]);
    }

    #[test]
    fn a_train_is_no_longer_than_the_system_takes() {
        assert_eq!(trains(&[10; 130]), [vec![10; 64], vec![10; 64], vec![10; 2]]);
        let lengths: Vec<usize> = trains(&[1200; 54]).iter().map(Vec::len).collect();
        assert_eq!(lengths, [27, 27]);
    }

    #[test]
    fn what_cannot_be_part_of_a_train_goes_alone() {
        let mut trains = Trains::new();
        for length in [0, 1233, 9000] {
            assert!(!trains.push(route(1), &vec![7; length]));
        }
        assert!(trains.take_any().is_none());
    }

    #[test]
    fn routes_do_not_mix_even_in_one_place() {
        let mut trains = Trains::new();
        let (first, second) = (route(1), route(1 + Trains::PLACES as u32));
        assert!(trains.push(first, b"first"));
        assert!(!trains.push(second, b"other"));
        assert!(trains.push(route(2), b"third"));
        let taken = trains.take(&second);
        assert_eq!(taken.1.gathered(), Some((first, &b"first"[..], 5)));
        trains.put_back(taken);
        assert!(trains.push(second, b"other"));
        let mut left = Vec::new();
        while let Some(taken) = trains.take_any() {
            left.extend(taken.1.gathered().map(|(route, bytes, _)| (route, bytes.to_vec())));
            trains.put_back(taken);
        }
        assert_eq!(left, [(route(2), b"third".to_vec()), (second, b"other".to_vec())]);
    }
}
