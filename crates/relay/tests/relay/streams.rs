//! What only streams can do.

use std::io::{Read, Write};

use visavis_relay::ClientStream;

use crate::{
    client::{Client, Heard, channel_data},
    harness::{HandOver, Harness},
    peer::{PATIENCE, next, peer},
};

const CHANNEL: u16 = 0x4001;

#[test]
fn frames_torn_anywhere_are_put_together() {
    let harness = Harness::new(1);
    let (socket, server) = harness.connect();
    harness.relay.hand_over(ClientStream { socket: server, tls: None, read: Vec::new() });
    let mut raw = socket.try_clone().unwrap();
    let mut client = Client::tcp(socket);
    let relayed = client.allocate(false);
    let (peer, address) = peer(false);
    client.bind_channel(CHANNEL, address);
    let frames = [channel_data(CHANNEL, b"first..."), channel_data(CHANNEL, b"second..")].concat();
    for at in 1..frames.len() {
        let (head, tail) = frames.split_at(at);
        raw.write_all(head).unwrap();
        raw.write_all(tail).unwrap();
        assert_eq!(next(&peer), (b"first...".to_vec(), relayed));
        assert_eq!(next(&peer), (b"second..".to_vec(), relayed));
    }
}

#[test]
fn bytes_already_read_come_first() {
    let harness = Harness::new(1);
    let (mut socket, mut server) = harness.connect();
    // A binding request, of which the acceptor has read the half.
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[9; 12]].concat();
    socket.write_all(&request).unwrap();
    let mut read = vec![0; 10];
    server.read_exact(&mut read).unwrap();
    harness.relay.hand_over(ClientStream { socket: server, tls: None, read });
    let mut answer = [0; 20];
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(answer[..2], [1, 1]);
    assert_eq!(answer[8..], [9; 12]);
}

#[test]
fn a_closed_stream_ends_its_allocation() {
    let harness = Harness::new(1);
    for is_tls in [false, true] {
        let mut client = if is_tls { harness.tls(HandOver::BeforeHandshake) } else { harness.tcp() };
        client.allocate(false);
        harness.wait_for("one allocation", |stats| stats.turn.allocations == 1 && stats.streams.live == 1);
        drop(client);
        harness.wait_for("none", |stats| stats.turn.allocations == 0 && stats.streams.live == 0);
    }
}

/// What was said last is heard, and the end that came with it.
#[test]
fn a_stream_that_ends_with_its_last_words_is_heard_and_closed() {
    let harness = Harness::new(1);
    for is_said_before in [false, true] {
        let (socket, server) = harness.connect();
        let mut raw = socket.try_clone().unwrap();
        let stream = ClientStream { socket: server, tls: None, read: Vec::new() };
        let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[9; 12]].concat();
        let say = || {
            (&socket).write_all(&request).unwrap();
            socket.shutdown(std::net::Shutdown::Write).unwrap();
        };
        if is_said_before {
            say();
            harness.relay.hand_over(stream);
        } else {
            harness.relay.hand_over(stream);
            say();
        }
        raw.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut heard = Vec::new();
        raw.read_to_end(&mut heard).expect("an answer perhaps, and the end");
        harness.wait_for("no stream", |stats| stats.streams.live == 0);
    }
    harness.wait_for("both requests", |stats| stats.turn.bindings == 2);
}

#[test]
fn a_stream_of_something_else_is_closed() {
    let harness = Harness::new(1);
    let tls_hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"SSH-2.0-x\r\n", &tls_hello] {
        let mut client = harness.tcp();
        client.send_raw(bytes);
        assert_eq!(client.hear(), None);
    }
}

#[test]
fn a_client_that_does_not_read_loses_the_oldest_data_and_keeps_its_frames_whole() {
    let harness = Harness::new(1);
    let mut client = harness.tcp();
    let relayed = client.allocate(false);
    let (peer, address) = peer(false);
    client.bind_channel(CHANNEL, address);
    let mut sent = 0_u32;
    let mut stats = harness.relay.stats();
    while stats.streams.frames_dropped == 0 {
        for _ in 0..50 {
            let payload = [&sent.to_be_bytes()[..], &[0; 1100]].concat();
            peer.send_to(&payload, relayed).unwrap();
            sent += 1;
        }
        stats = harness.wait_for("all relayed", |stats| stats.turn.to_clients.packets == u64::from(sent));
    }
    peer.send_to(b"last", relayed).unwrap();
    let mut heard = Vec::new();
    while let Some(Heard::Channel(CHANNEL, payload)) = client.hear()
        && payload != b"last"
    {
        heard.push(u32::from_be_bytes(*payload.first_chunk().unwrap()));
    }
    assert!(heard.is_sorted());
    assert!(heard.len() < sent as usize);
    client.refresh(600);
}
