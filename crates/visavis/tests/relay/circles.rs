//! Call members' credentials: whom they reach, and when what they opened ends.

use std::{
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    client::{Call, Client},
    program::{Folder, PATIENCE, Program},
    turn::Turn,
};

const ROOM: &str = "observable-blue";

/// The relay stands on one loopback address, and may reach the others as if they were the internet.
fn program() -> Program {
    Program::start(&["--public-ip", "127.0.0.1", "--allow-peer", "127.0.0.0/8", "--channel", "app"])
}

/// A member of the room, and a TURN client with the credential that it was given.
fn member(program: &Program, channel: &str) -> (Client, Turn) {
    let mut client = Client::join(program.addr("http"), channel);
    client.say(&json!({"type": "subscribe", "room": ROOM, "callback": 2}));
    while client.hear() != json!({"callback": 2}) {}
    let turn = turn(program, &mut client);
    (client, turn)
}

fn turn(program: &Program, client: &mut Client) -> Turn {
    client.say(&json!({"type": "ice_servers", "callback": 3}));
    turn_with(program, &answer(client, 3))
}

/// A TURN client with the credential in that answer.
fn turn_with(program: &Program, reply: &Value) -> Turn {
    let servers = reply["ice_servers"].as_array().unwrap();
    let server = servers.iter().find(|server| server.get("username").is_some()).unwrap();
    let text = |name: &str| server[name].as_str().unwrap().to_owned();
    Turn::new(program.addr("turn"), &text("username"), &text("credential"))
}

fn answer(client: &mut Client, callback: i64) -> Value {
    loop {
        let message = client.hear();
        if message["callback"] == callback {
            return message;
        }
    }
}

/// Says something in the room, and waits until that is done.
fn publish(client: &mut Client, message: &Value) {
    client.say(&json!({"type": "publish", "room": ROOM, "message": message, "callback": 4}));
    assert_eq!(answer(client, 4).get("error"), None);
}

fn candidate(address: SocketAddr) -> Value {
    let (ip, port) = (address.ip(), address.port());
    json!({"candidate": {"candidate": format!("candidate:1 1 udp 2122252543 {ip} {port} typ host"), "sdpMid": "0"}})
}

/// Somebody at another address of this machine.
fn peer(ip: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((ip, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn metrics(program: &Program) -> String {
    Call::get("/metrics").send(program.addr("admin")).body
}

fn allocations(program: &Program) -> Value {
    let admin = program.addr("admin");
    Call::get("/allocations.json").header("Host", &admin.to_string()).send(admin).value()
}

/// Waits until so many allocations live; how long that took.
fn until_there_are(program: &Program, count: u64) -> Duration {
    let start = Instant::now();
    while allocations(program)["allocations"].as_array().unwrap().len() as u64 != count {
        assert!(start.elapsed() < PATIENCE, "{}", allocations(program));
    }
    start.elapsed()
}

#[test]
fn a_members_credential_reaches_only_addresses_of_its_room() {
    let program = program();
    let ((_alice, mut turn), (mut bob, _)) = (member(&program, "visavis"), member(&program, "visavis"));
    let ((inside, named), (outside, unnamed)) = (peer("127.0.0.5"), peer("127.0.0.6"));
    assert_eq!(turn.allocate(), 0);
    for peer in [named, unnamed] {
        assert_eq!((turn.permit(peer), turn.bind_channel(peer)), (403, 403), "{peer}");
    }
    publish(&mut bob, &candidate(named));
    assert_eq!((turn.permit(named), turn.bind_channel(named)), (0, 0));
    assert_eq!((turn.permit(unnamed), turn.bind_channel(unnamed)), (403, 403));
    for (peer, payload) in [(unnamed, b"outside"), (named, b"inside.")] {
        turn.send_to(peer, payload);
    }
    let mut buffer = [0; 100];
    let (length, _) = inside.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"inside.");
    // The first was sent before the second, which has arrived.
    outside.set_nonblocking(true).unwrap();
    assert!(outside.recv_from(&mut buffer).is_err());
    let start = Instant::now();
    while !metrics(&program).contains("\nvisavis_turn_outside_circle_total 6\n") {
        assert!(start.elapsed() < PATIENCE, "{}", metrics(&program));
    }
}

#[test]
fn clients_of_other_channels_are_not_bound() {
    let program = program();
    let (_client, mut turn) = member(&program, "app");
    let (_peer, address) = peer("127.0.0.5");
    assert_eq!((turn.allocate(), turn.permit(address)), (0, 0));
}

#[test]
fn a_back_ends_guests_are_not_bound() {
    let folder = Folder::new();
    let secret = folder.file("secret", "a secret of sixteen characters\n");
    let flags =
        ["--public-ip", "127.0.0.1", "--allow-peer", "127.0.0.0/8", "--channel", &format!("app:{secret}")];
    let program = Program::start_in(folder, &flags);
    let call = Call::get("/app/ice-servers").basic("app", "a secret of sixteen characters");
    let mut turn = turn_with(&program, &call.send(program.addr("http")).value());
    let (_peer, address) = peer("127.0.0.5");
    assert_eq!((turn.allocate(), turn.permit(address)), (0, 0));
}

#[test]
fn the_admin_port_lists_what_lives_by_member_and_names_no_client_address() {
    let program = program();
    let (alice, mut turn) = member(&program, "visavis");
    assert_eq!(turn.allocate(), 0);
    let listed = allocations(&program);
    assert_eq!(listed["allocations"][0]["member"], alice.id.as_str(), "{listed}");
    assert_eq!(listed["allocations"][0]["transport"], "udp");
    assert_eq!(listed["allocations"][0]["family"], "ipv4");
    let shown = listed["allocations"][0].as_object().unwrap();
    let mut names: Vec<_> = shown.keys().map(String::as_str).collect();
    names.sort_unstable();
    let known =
        ["age", "bytes", "channels", "family", "left", "member", "permissions", "relayed", "transport"];
    assert_eq!(names, known, "{listed}");
}

/// A way to leave, and what it is called.
type Goodbye = (&'static str, fn(&mut Client));

#[test]
fn allocations_end_within_seconds_of_a_goodbye_of_any_kind() {
    let goodbyes: [Goodbye; 3] = [
        ("bye", |client| publish(client, &json!({"bye": true}))),
        ("unsubscribe", |client| {
            client.say(&json!({"type": "unsubscribe", "room": ROOM, "callback": 5}));
            answer(client, 5);
        }),
        ("close", Client::close),
    ];
    let program = program();
    let (_stays, mut stays) = member(&program, "visavis");
    assert_eq!(stays.allocate(), 0);
    let mut leaving = goodbyes.map(|(name, goodbye)| (name, goodbye, member(&program, "visavis")));
    for (name, _, (_, turn)) in &mut leaving {
        assert_eq!(turn.allocate(), 0, "{name}");
    }
    until_there_are(&program, 4);
    for (_, goodbye, (client, _)) in &mut leaving {
        goodbye(client);
    }
    let took = until_there_are(&program, 1);
    assert!(took < Duration::from_secs(5), "{took:?}");
    for (name, _, (_, turn)) in &mut leaving {
        assert_eq!(turn.refresh(600), 437, "{name}");
        // Who left for good opens nothing more; the others may be back in a moment.
        assert_eq!(turn.allocate(), if *name == "close" { 403 } else { 0 }, "{name}");
    }
    assert_eq!(stays.refresh(600), 0);
}

#[test]
fn a_lost_connection_ends_nothing_yet() {
    let program = program();
    let ((alice, mut turn), (mut bob, mut other)) =
        (member(&program, "visavis"), member(&program, "visavis"));
    assert_eq!((turn.allocate(), other.allocate()), (0, 0));
    drop(alice);
    publish(&mut bob, &json!({"bye": true}));
    // Bob's ended, so that Alice's would have as well.
    until_there_are(&program, 1);
    assert_eq!(turn.refresh(600), 0);
}
