//! All sockets of one shard, and the way out through them.

use std::{collections::HashMap, io, net::SocketAddr};

use mio::{Interest, Registry, Token};
use slab::Slab;
use visavis_clock::Now;
use visavis_turn::{FiveTuple, PeerAddr, RelayKey, Reply};

use crate::{
    send_queue::Kind,
    stats::{SocketDrops, StreamCounts},
    stream::Stream,
    sys,
    train::{Route, Train, Trains},
    udp::{Listener, Udp},
};

/// What a token of the event queue stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Waker,
    Listener(usize),
    Relay(RelayKey),
    Stream(usize),
}

impl Source {
    /// The kind in the low bits, the index above.
    pub(crate) const fn token(self) -> Token {
        match self {
            Self::Waker => Token(0),
            Self::Listener(index) => Token(index << 2 | 1),
            Self::Relay(RelayKey(index)) => Token((index as usize) << 2 | 2),
            Self::Stream(index) => Token(index << 2 | 3),
        }
    }

    pub(crate) const fn of(token: Token) -> Self {
        let index = token.0 >> 2;
        match token.0 & 3 {
            0 => Self::Waker,
            1 => Self::Listener(index),
            2 => Self::Relay(RelayKey(index as u32)),
            _ => Self::Stream(index),
        }
    }
}

/// The socket of a relayed address.
pub(crate) struct Relayed {
    pub(crate) udp: Udp,
    /// Whether it waits in the list of sockets to receive from.
    pub(crate) ready: bool,
    /// Whether an error of an earlier datagram may wait to be read.
    pub(crate) failed: bool,
}

/// The sockets of one shard.
pub(crate) struct Sockets {
    registry: Registry,
    pub(crate) listeners: Vec<Listener>,
    relays: Vec<Option<Relayed>>,
    pub(crate) streams: Slab<Stream>,
    by_five_tuple: HashMap<FiveTuple, usize>,
    /// Streams with something to write.
    dirty: Vec<usize>,
    trains: Trains,
    /// Whether more datagrams are about to follow, so that gathering them pays.
    pub(crate) gather: bool,
    pub(crate) drops: SocketDrops,
    pub(crate) counts: StreamCounts,
}

impl Sockets {
    pub(crate) fn new(registry: Registry, mut listeners: Vec<Listener>) -> io::Result<Self> {
        for (index, listener) in listeners.iter_mut().enumerate() {
            registry.register(
                &mut listener.udp.socket,
                Source::Listener(index).token(),
                Interest::READABLE,
            )?;
        }
        Ok(Self {
            registry,
            listeners,
            relays: Vec::new(),
            streams: Slab::new(),
            by_five_tuple: HashMap::new(),
            dirty: Vec::new(),
            trains: Trains::new(),
            gather: false,
            drops: SocketDrops::default(),
            counts: StreamCounts::default(),
        })
    }

    /// Binds the socket of a relayed address; whether that succeeded.
    pub(crate) fn bind_relay(&mut self, RelayKey(index): RelayKey, local: SocketAddr) -> bool {
        let bind = || {
            let mut udp = Udp::relay(local)?;
            let token = Source::Relay(RelayKey(index)).token();
            self.registry.register(&mut udp.socket, token, Interest::READABLE)?;
            io::Result::Ok(udp)
        };
        let udp = match bind() {
            Ok(udp) => udp,
            Err(error) => {
                tracing::debug!(%local, %error, "bind relay socket");
                return false;
            }
        };
        let index = index as usize;
        if self.relays.len() <= index {
            self.relays.resize_with(index + 1, || None);
        }
        self.relays[index] = Some(Relayed { udp, ready: false, failed: false });
        true
    }

    /// Closes the socket of a relayed address, after what is still to leave through it.
    pub(crate) fn close_relay(&mut self, RelayKey(index): RelayKey) {
        self.flush_trains();
        if let Some(relayed) = self.relays.get_mut(index as usize) {
            *relayed = None;
        }
    }

    pub(crate) fn relay(&mut self, RelayKey(index): RelayKey) -> Option<&mut Relayed> {
        self.relays.get_mut(index as usize)?.as_mut()
    }

    /// Registers a stream; which one it is.
    pub(crate) fn open_stream(&mut self, stream: Stream) -> io::Result<usize> {
        let five_tuple = stream.five_tuple;
        let index = self.streams.insert(stream);
        let token = Source::Stream(index).token();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.registry.register(&mut self.streams[index].socket, token, interest) {
            self.streams.remove(index);
            return Err(error);
        }
        self.by_five_tuple.insert(five_tuple, index);
        self.counts.opened += 1;
        Ok(index)
    }

    /// Which stream has that five-tuple.
    pub(crate) fn stream_of(&self, five_tuple: &FiveTuple) -> Option<usize> {
        self.by_five_tuple.get(five_tuple).copied()
    }

    /// Closes a stream; its five-tuple, if it was there.
    pub(crate) fn close_stream(&mut self, index: usize) -> Option<FiveTuple> {
        let mut stream = self.streams.try_remove(index)?;
        let five_tuple = stream.five_tuple;
        self.by_five_tuple.remove(&five_tuple);
        // Closing ends the registration as well; an error here has nothing to say.
        let _ = self.registry.deregister(&mut stream.socket);
        stream.close();
        Some(five_tuple)
    }

    /// Sends a payload from a relayed address to a peer.
    pub(crate) fn send_to_peer(&mut self, relay: RelayKey, PeerAddr(peer): PeerAddr, payload: &[u8]) {
        self.datagram(Route::Peer { relay, peer }, payload);
    }

    /// Sends a payload from a relayed address to a peer, in a datagram that no router may fragment.
    pub(crate) fn send_unfragmented(&mut self, relay: RelayKey, PeerAddr(peer): PeerAddr, payload: &[u8]) {
        self.flush_trains();
        let Some(relayed) = self.relay(relay) else { return };
        if let Err(error) = relayed.udp.send_unfragmented(payload, peer) {
            self.drops.count(&error, 1);
        }
    }

    /// Sends data to a client.
    pub(crate) fn send_to_client(&mut self, now: Now, to: FiveTuple, packet: &[u8]) {
        if to.transport.is_stream() {
            self.frame(now, to, packet, Kind::Data);
        } else if let Some(route) = self.route_to(to) {
            self.datagram(route, packet);
        }
    }

    /// Sends a response to a client. Never gathered: the client waits for it.
    pub(crate) fn reply(&mut self, now: Now, Reply { to, bytes }: Reply<'_>) {
        if to.transport.is_stream() {
            self.frame(now, to, bytes, Kind::Response);
        } else if let Some(route) = self.route_to(to) {
            self.send(route, bytes);
        }
    }

    /// Sends what was gathered, and writes to all streams that have something to write. Streams that broke
    /// are put into `broken`.
    pub(crate) fn flush(&mut self, now: Now, broken: &mut Vec<usize>) {
        self.flush_trains();
        let mut dirty = std::mem::take(&mut self.dirty);
        for index in dirty.drain(..) {
            let Some(stream) = self.streams.get_mut(index) else { continue };
            stream.dirty = false;
            match stream.write(now) {
                Ok(dropped) => self.counts.frames_dropped += dropped,
                Err(_) => broken.push(index),
            }
        }
        self.dirty = dirty;
    }

    /// Notes that a stream may be written to.
    pub(crate) fn mark_dirty(&mut self, index: usize) {
        if let Some(stream) = self.streams.get_mut(index)
            && !stream.dirty
        {
            stream.dirty = true;
            self.dirty.push(index);
        }
    }

    /// The counters of this shard's sockets.
    pub(crate) fn drops(&self) -> SocketDrops {
        let of_listener = |listener: &Listener| sys::receive_drops(&listener.udp.socket).map_or(0, u64::from);
        SocketDrops { not_received: self.listeners.iter().map(of_listener).sum(), ..self.drops }
    }

    /// The counters of this shard's streams.
    pub(crate) fn counts(&self) -> StreamCounts {
        StreamCounts { live: self.streams.len() as u64, ..self.counts }
    }

    fn route_to(&self, to: FiveTuple) -> Option<Route> {
        let listener = self.listeners.iter().position(|listener| listener.serves(to.server))?;
        Some(Route::Client { listener, server: to.server, client: to.client })
    }

    fn frame(&mut self, now: Now, to: FiveTuple, frame: &[u8], kind: Kind) {
        let Some(&index) = self.by_five_tuple.get(&to) else { return };
        self.counts.frames_dropped += self.streams[index].push(now, frame, kind);
        self.mark_dirty(index);
    }

    fn datagram(&mut self, route: Route, datagram: &[u8]) {
        if !self.gather {
            return self.send(route, datagram);
        }
        if self.trains.push(route, datagram) {
            return;
        }
        let taken = self.trains.take(&route);
        self.leave(taken);
        if !self.trains.push(route, datagram) {
            self.send(route, datagram);
        }
    }

    /// Sends what was gathered.
    pub(crate) fn flush_trains(&mut self) {
        while let Some(taken) = self.trains.take_any() {
            self.leave(taken);
        }
    }

    fn leave(&mut self, (place, train): (usize, Train)) {
        if let Some((route, bytes, segment)) = train.gathered() {
            self.send_train(route, bytes, segment);
        }
        self.trains.put_back((place, train));
    }

    fn send_train(&mut self, route: Route, bytes: &[u8], segment: usize) {
        let sent = match self.way(route) {
            Some((udp, to, source)) if bytes.len() <= segment => udp.send(bytes, to, source),
            Some((udp, to, source)) if udp.takes_trains() => {
                udp.send_train(bytes, segment as u16, to, source)
            }
            // The system takes no trains on this way.
            _ => return bytes.chunks(segment).for_each(|datagram| self.send(route, datagram)),
        };
        let packets = bytes.len().div_ceil(segment) as u64;
        match sent {
            Ok(()) => {}
            Err(error) if packets == 1 || is_full(&error) => self.drops.count(&error, packets),
            Err(_) => bytes.chunks(segment).for_each(|datagram| self.send(route, datagram)),
        }
    }

    fn send(&mut self, route: Route, datagram: &[u8]) {
        let Some((udp, to, source)) = self.way(route) else { return };
        if let Err(error) = udp.send(datagram, to, source) {
            self.drops.count(&error, 1);
        }
    }

    fn way(&self, route: Route) -> Option<(&Udp, SocketAddr, Option<std::net::IpAddr>)> {
        match route {
            Route::Peer { relay: RelayKey(index), peer } => {
                let relayed = self.relays.get(index as usize)?.as_ref()?;
                Some((&relayed.udp, peer, None))
            }
            Route::Client { listener, server, client } => {
                let listener = self.listeners.get(listener)?;
                Some((&listener.udp, client, listener.source(server)))
            }
        }
    }
}

impl SocketDrops {
    /// An error of one destination harms nobody: it is counted and forgotten.
    fn count(&mut self, error: &io::Error, packets: u64) {
        if is_full(error) {
            self.buffer_full += packets;
        } else {
            self.refused += packets;
        }
    }
}

/// Whether the system has no room now: to try again would only make it worse.
fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_room_is_no_destination_that_refuses() {
        let mut drops = SocketDrops::default();
        for code in [libc::EAGAIN, libc::ENOBUFS, libc::ENETUNREACH] {
            drops.count(&io::Error::from_raw_os_error(code), 8);
        }
        assert_eq!((drops.buffer_full, drops.refused), (16, 8));
    }
}
