//! The streams of a shard: taking them over, cutting them into frames, ending those that hold nothing.

use std::mem;

use visavis_turn::FiveTuple;

use super::Shard;
use crate::{
    batch::{Batch, HEADROOM},
    partial::Partial,
    stream::{ClientStream, Input, InvalidFrame, Stream, WITHOUT_ALLOCATION, next_frame},
};

/// Streams taken over in one turn.
const NEW_STREAMS: usize = 16;
/// Bytes of a frame kept for a stream without an allocation: no honest request is longer.
const STRANGERS_FRAME: usize = 2048;

impl Shard {
    pub(super) fn serve_stream(&mut self, batch: &mut Batch) {
        let Some(index) = self.ready_streams.pop_front() else { return };
        let Some(stream) = self.sockets.streams.get_mut(index) else { return };
        let (buffer, _) = batch.buffer(0);
        let space = buffer.len() - HEADROOM;
        let input = stream.read(&mut buffer[HEADROOM..HEADROOM + space]);
        stream.ready = match input {
            Input::Bytes(count) => count == space || !stream.tells_of_more(),
            Input::More => true,
            Input::Blocked | Input::Closed => false,
        };
        self.served += 1;
        if stream.ready {
            self.ready_streams.push_back(index);
        }
        let result = match input {
            Input::Bytes(count) => self.stream_bytes(index, &mut buffer[..HEADROOM + count]),
            Input::More | Input::Blocked => Ok(()),
            Input::Closed => Err(InvalidFrame),
        };
        if result.is_err() {
            self.close_stream(index);
        }
    }

    /// Takes bytes of a stream, behind headroom in `bytes`.
    fn stream_bytes(&mut self, index: usize, bytes: &mut [u8]) -> Result<(), InvalidFrame> {
        let Some(stream) = self.sockets.streams.get_mut(index) else { return Ok(()) };
        let from = stream.five_tuple;
        let mut partial = mem::take(&mut stream.partial);
        let consumed = self.cut(from, &mut partial, bytes)?;
        if consumed < bytes.len() {
            partial.keep(&bytes[consumed..]);
        }
        if !self.may_keep(from, partial.as_slice()) {
            return Err(InvalidFrame);
        }
        if let Some(stream) = self.sockets.streams.get_mut(index) {
            stream.partial = partial;
        }
        Ok(())
    }

    /// Takes all whole frames, of which the first may have begun in `partial`; up to where in `bytes` that was.
    fn cut(
        &mut self,
        from: FiveTuple,
        partial: &mut Partial,
        bytes: &mut [u8],
    ) -> Result<usize, InvalidFrame> {
        self.sockets.gather = true;
        let mut consumed = HEADROOM;
        if !partial.is_empty() {
            consumed += partial.complete(&bytes[HEADROOM..])?;
            if self.frames(from, partial.with_headroom(), HEADROOM)? > HEADROOM {
                partial.clear();
            }
        }
        let consumed = self.frames(from, bytes, consumed)?;
        self.sockets.flush_trains();
        Ok(consumed)
    }

    /// Whether the beginning of a frame may wait for its rest: a stranger's if it can become a request.
    fn may_keep(&self, from: FiveTuple, partial: &[u8]) -> bool {
        let is_modest = partial.len() <= STRANGERS_FRAME && partial.first().is_none_or(|&first| first < 0x40);
        is_modest || self.server.has_allocation(&from)
    }

    /// Takes all whole frames of `bytes[consumed..]`; up to where that was.
    fn frames(
        &mut self,
        from: FiveTuple,
        bytes: &mut [u8],
        mut consumed: usize,
    ) -> Result<usize, InvalidFrame> {
        while let Some(frame) = next_frame(bytes, consumed)? {
            consumed = frame.end;
            self.client_packet(from, bytes, frame);
        }
        Ok(consumed)
    }

    pub(super) fn serve_new_streams(&mut self) {
        for taken in 1..=NEW_STREAMS {
            let Some(stream) = self.inbox.stream() else { return };
            self.open_stream(stream);
            self.inbox_waits |= taken == NEW_STREAMS;
        }
    }

    fn open_stream(&mut self, stream: ClientStream) {
        if !self.make_room() {
            self.sockets.counts.turned_away += 1;
            return;
        }
        // A client that is already gone is no news.
        let Ok((stream, read)) = Stream::new(self.now, stream) else { return };
        if let Some(former) = self.sockets.stream_of(&stream.five_tuple) {
            self.close_stream(former);
        }
        let Ok(index) = self.sockets.open_stream(stream) else { return };
        self.sockets.streams[index].ready = true;
        self.ready_streams.push_back(index);
        let mut bytes = vec![0; HEADROOM];
        bytes.extend_from_slice(&read);
        if self.stream_bytes(index, &mut bytes).is_err() {
            self.close_stream(index);
        }
    }

    /// Whether there is room for one more stream. Where there is none, one without an allocation gives way, so that
    /// streams which cost nothing keep nobody out.
    fn make_room(&mut self) -> bool {
        if self.sockets.streams.len() < self.most_streams {
            return true;
        }
        let streams = self.sockets.streams.iter();
        let idle = streams.filter(|(_, stream)| !self.server.has_allocation(&stream.five_tuple));
        let oldest = idle.min_by_key(|(_, stream)| stream.allocated).map(|(index, _)| index);
        if let Some(index) = oldest {
            self.sockets.counts.idle += 1;
            self.close_stream(index);
        }
        oldest.is_some()
    }

    pub(super) fn close_stream(&mut self, index: usize) {
        if let Some(five_tuple) = self.sockets.close_stream(index) {
            self.server.handle_closed(self.now, five_tuple);
            self.apply_actions();
        }
    }

    /// Closes streams that have been without an allocation for too long, whatever else they do: a stream costs
    /// more than a datagram. The others give back the memory that they do not need.
    pub(super) fn close_idle_streams(&mut self) {
        let mut idle = Vec::new();
        for (index, stream) in &mut self.sockets.streams {
            stream.give_back();
            if self.server.has_allocation(&stream.five_tuple) {
                stream.allocated = self.now;
            } else if self.now.since(stream.allocated) >= WITHOUT_ALLOCATION {
                idle.push(index);
            }
        }
        self.sockets.counts.idle += idle.len() as u64;
        idle.into_iter().for_each(|index| self.close_stream(index));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{ErrorKind, Read},
        net::{Ipv4Addr, TcpListener, TcpStream},
        sync::Arc,
        time::{Duration, Instant},
    };

    use md5::{Digest, Md5};
    use mio::{Poll, Waker};
    use visavis_turn::{
        Config, FromClient, Limits, PeerPolicy, PortRange, RelayInterface, Secret, Server,
        wire::{Class, Message, Method, TransactionId, Writer, attribute},
    };

    use super::*;
    use crate::{crossing::door, shard::WAKER, sockets::Sockets};

    fn shard(most_streams: usize) -> Shard {
        let here = Ipv4Addr::LOCALHOST.into();
        let config = Config {
            realm: "test".into(),
            secrets: Vec::new(),
            accounts: vec![("name".into(), Secret::new("secret"))],
            nonce_key: [7; 32],
            relays: vec![RelayInterface { advertised: here, local: here }],
            ports: PortRange::new(30_000, 31_999),
            peers: PeerPolicy::new(&[], &[], &[]),
            limits: Limits::default(),
            unix_time_at_zero: Duration::ZERO,
        };
        let poll = Poll::new().unwrap();
        let (door, inbox) = door(Arc::new(Waker::new(poll.registry(), WAKER).unwrap()), 1);
        let ports = config.ports;
        let sockets = Sockets::new(poll.registry().try_clone().unwrap(), Vec::new()).unwrap();
        let server = Server::new(config, [3; 32]);
        let mut shard = Shard::new(ports, server, sockets, vec![door], inbox, Instant::now());
        shard.most_streams = most_streams;
        shard
    }

    /// A client whose stream the shard has taken over, if it had room.
    fn open(shard: &mut Shard) -> TcpStream {
        let acceptor = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(acceptor.local_addr().unwrap()).unwrap();
        client.set_nonblocking(true).unwrap();
        shard.now += Duration::from_secs(1);
        let (socket, _) = acceptor.accept().unwrap();
        shard.open_stream(ClientStream { socket, tls: None, read: Vec::new() });
        client
    }

    fn is_open(mut client: &TcpStream) -> bool {
        client.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    fn begin(out: &mut Vec<u8>) -> Writer<'_> {
        Writer::new(out, Class::Request, Method::ALLOCATE, TransactionId::new([9; 12]))
    }

    /// Lets the newest stream have an allocation.
    fn allocate(shard: &mut Shard) {
        let (_, stream) = shard.sockets.streams.iter().max_by_key(|(_, stream)| stream.allocated).unwrap();
        let from = stream.five_tuple;
        let mut request = Vec::new();
        begin(&mut request).attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        let FromClient::Reply(challenge) = shard.server.handle_client(shard.now, from, &request) else {
            panic!("a challenge");
        };
        let nonce = Message::parse(challenge.bytes).unwrap().attribute(attribute::NONCE).unwrap().to_vec();
        begin(&mut request)
            .attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
            .attribute(attribute::USERNAME, b"name")
            .attribute(attribute::REALM, b"test")
            .attribute(attribute::NONCE, &nonce)
            .integrity(&Md5::digest("name:test:secret"));
        assert!(matches!(shard.server.handle_client(shard.now, from, &request), FromClient::Nothing));
        shard.apply_actions();
        assert!(shard.server.has_allocation(&from));
    }

    #[test]
    fn streams_without_an_allocation_keep_nobody_out() {
        let mut shard = shard(3);
        let served = open(&mut shard);
        allocate(&mut shard);
        let strangers = [(); 4].map(|()| open(&mut shard));
        assert_eq!(strangers.each_ref().map(is_open), [false, false, true, true]);
        assert!(is_open(&served));
    }

    #[test]
    fn streams_with_an_allocation_give_way_to_nobody() {
        let mut shard = shard(2);
        let served = [(); 2].map(|()| {
            let client = open(&mut shard);
            allocate(&mut shard);
            client
        });
        assert!(!is_open(&open(&mut shard)));
        assert!(served.iter().all(is_open));
        assert_eq!(shard.sockets.counts().turned_away, 1);
    }
}
