//! Starting and ending.

use std::{net::UdpSocket, sync::mpsc, thread};

use visavis_relay::{ClientStream, Relay, StartError};

use crate::{
    client::Client,
    harness::{Harness, options},
    peer::{PATIENCE, peer},
};

#[test]
fn a_taken_port_is_one_clear_error() {
    let (_holder, address) = peer(false);
    let mut options = options(2);
    options.udp = vec![address];
    let error = Relay::start(options).unwrap_err();
    assert!(matches!(error, StartError::InUse { .. }));
    assert_eq!(error.to_string(), format!("bind UDP {address}: address in use"));
}

#[test]
fn a_port_held_by_another_relay_is_taken_too() {
    let first = Relay::start(options(2)).unwrap();
    let mut options = options(2);
    options.udp = first.local_addrs().to_vec();
    assert!(matches!(Relay::start(options).unwrap_err(), StartError::InUse { .. }));
}

#[test]
fn an_address_of_another_machine_is_one_clear_error() {
    let mut options = options(1);
    options.udp = vec!["192.0.2.1:3478".parse().unwrap()];
    let error = Relay::start(options).unwrap_err();
    assert!(error.to_string().starts_with("bind UDP 192.0.2.1:3478: "), "{error}");
}

#[test]
fn no_shards_is_an_error() {
    assert!(matches!(Relay::start(options(0)).unwrap_err(), StartError::Shards { shards: 0 }));
}

#[test]
fn wildcards_of_both_families_share_a_port_and_answer_from_where_they_were_asked() {
    let (free, address) = peer(false);
    drop(free);
    let mut options = options(2);
    options.udp = vec![([0, 0, 0, 0], address.port()).into(), ([0_u16; 8], address.port()).into()];
    let relay = Relay::start(options).unwrap();
    assert_eq!(relay.local_addrs().len(), 2);
    // A connected socket hears only the address that it asked.
    for server in ["127.0.0.1", "127.1.2.3", "::1"] {
        let server = (server.parse::<std::net::IpAddr>().unwrap(), address.port()).into();
        let mut client = Client::udp(server);
        let mapped = client.bind();
        assert!(mapped.ip().is_loopback());
        client.allocate(false);
    }
}

#[test]
fn stopping_ends_threads_and_frees_the_ports() {
    let harness = Harness::new(2);
    let mut client = harness.udp();
    let relayed = client.allocate(false);
    let listened = harness.relay.local_addrs().to_vec();
    let (stopped, waiting) = mpsc::channel();
    thread::spawn(move || {
        harness.relay.stop();
        stopped.send(()).unwrap();
    });
    waiting.recv_timeout(PATIENCE).expect("stop returns");
    for address in listened.into_iter().chain([relayed]) {
        UdpSocket::bind(address).unwrap();
    }
}

#[test]
fn what_is_secret_or_said_in_confidence_is_not_printed() {
    let mut options = options(1);
    options.seed = [0xa7; 32];
    assert!(!format!("{options:?}").contains("167, 167"));
    let (_client, socket) = Harness::new(1).connect();
    let address = socket.peer_addr().unwrap().to_string();
    let stream = ClientStream { socket, tls: None, read: vec![0xa7; 20] };
    let printed = format!("{stream:?}");
    assert!(!printed.contains("167, 167") && !printed.contains(&address), "{printed}");
}
