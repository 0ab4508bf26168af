//! A million strangers, in a process of their own so that its memory can be seen.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use visavis_clock::Now;
use visavis_turn::{
    Config, FiveTuple, FromClient, Limits, PeerPolicy, PortRange, RelayInterface, Secret, Server, Transport,
    wire::{Class, Method, TransactionId, Writer, attribute},
};

const STRANGERS: u32 = 1_000_000;
/// Bytes that the process may hold more in the end.
const GROWTH: u64 = 1 << 20;

fn server() -> Server {
    let here = IpAddr::from(Ipv4Addr::new(5, 6, 7, 8));
    let config = Config {
        realm: "r".into(),
        secrets: vec![Secret::new("north")],
        accounts: Vec::new(),
        nonce_key: [7; 32],
        relays: vec![RelayInterface { advertised: here, local: here }],
        ports: PortRange::new(49_152, 65_535),
        peers: PeerPolicy::new(&[], &[], &[]),
        limits: Limits::default(),
        unix_time_at_zero: Duration::from_secs(1_700_000_000),
    };
    Server::new(config, [3; 32])
}

/// What strangers say: nothing of it comes from one who holds a credential. Most ask where they are.
fn packet(number: u32, out: &mut Vec<u8>) {
    let id = TransactionId::new([number as u8; 12]);
    let challenged = [Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND];
    match number % 64 {
        kind @ 0..=3 => drop(Writer::new(out, Class::Request, challenged[kind as usize], id)),
        4 => {
            Writer::new(out, Class::Request, Method::ALLOCATE, id)
                .attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
                .attribute(attribute::USERNAME, format!("1800000000:{number}").as_bytes())
                .attribute(attribute::REALM, b"r")
                .attribute(attribute::NONCE, b"invented")
                .attribute(attribute::MESSAGE_INTEGRITY, &[0; 20]);
        }
        5..=9 => {
            Writer::new(out, Class::Indication, Method::SEND, id)
                .xor_address(attribute::XOR_PEER_ADDRESS, "8.8.8.8:53".parse().unwrap())
                .attribute(attribute::DATA, b"data");
        }
        10..=14 => {
            out.clear();
            out.extend_from_slice(&[0x40, 0, 0, 4, 1, 2, 3, 4]);
        }
        _ => drop(Writer::new(out, Class::Request, Method::BINDING, id)),
    }
}

fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn a_million_strangers_leave_no_memory_behind() {
    let mut server = server();
    let mut out = Vec::new();
    let mut answers = 0;
    let mut before = 0;
    for number in 0..STRANGERS {
        // All have been somewhere by now: the table of rates, the buffers, the allocator.
        if number == STRANGERS / 50 {
            before = resident();
        }
        let client =
            SocketAddr::from((Ipv4Addr::from_bits(0x0b00_0000 + number), 1024 + (number % 60_000) as u16));
        let server_address = "5.6.7.8:3478".parse().unwrap();
        let from = FiveTuple { client, server: server_address, transport: Transport::Udp };
        packet(number, &mut out);
        let now = Now::after(Duration::from_micros(10) * number);
        answers += u32::from(matches!(server.handle_client(now, from, &out), FromClient::Reply(_)));
        assert_eq!(server.poll_action(), None);
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < GROWTH, "{grown} bytes more than before");
    assert_eq!(answers, STRANGERS / 64 * 54, "each was answered, for each is another");
    assert_eq!(server.counters().allocations, 0);
    assert_eq!(server.poll_timeout(), None, "nothing is waited for");
}
