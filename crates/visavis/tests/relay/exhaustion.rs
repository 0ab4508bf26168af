//! What the system no longer gives: ports and descriptors. Each time everything works again afterwards.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::{
    client::Call,
    program::{PATIENCE, Program},
    turn::Turn,
};

/// Processor time that may pass in a second in which nothing can be done, in hundredths of a second.
const IDLE: u64 = 20;

fn program(flags: &[&str]) -> Program {
    let folder = crate::program::Folder::new();
    let account = format!("name:{}", folder.file("password", "secret\n"));
    let own = ["--public-ip", "127.0.0.1", "--threads", "1", "--turn-user", &account];
    Program::start_in(folder, &[&own, flags].concat())
}

fn client(program: &Program) -> Turn {
    Turn::new(program.addr("turn"), "name", "secret")
}

/// The first of two ports that nobody has, below those that the system gives out.
fn free_pair() -> u16 {
    let start = 2000 + (std::process::id() % 10_000) as u16 * 2;
    let is_free = |port: u16| UdpSocket::bind(("127.0.0.1", port)).is_ok();
    (start..).step_by(2).find(|&port| is_free(port) && is_free(port + 1)).unwrap()
}

fn descriptors(program: &Program) -> u64 {
    fs::read_dir(format!("/proc/{}/fd", program.id())).unwrap().count() as u64
}

/// From now on the program may have so many descriptors.
fn allow_descriptors(program: &Program, count: u64) {
    let pid = Pid::from_raw(program.id().cast_signed());
    let maximum = getrlimit(Resource::Nofile).maximum;
    prlimit(pid, Resource::Nofile, Rlimit { current: Some(count), maximum }).unwrap();
}

/// Processor time that the program has used, in hundredths of a second.
fn cpu(program: &Program) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn metric(program: &Program, name: &str) -> u64 {
    let text = Call::get("/metrics").send(program.addr("admin")).body;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

/// Whether a page comes within a moment.
fn is_served(addr: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

#[test]
fn without_ports_an_allocation_is_refused_with_508_until_one_is_free() {
    let first = free_pair();
    let program = program(&["--relay-ports", &format!("{first}-{}", first + 1)]);
    let mut clients = [client(&program), client(&program), client(&program)];
    let codes = clients.each_mut().map(Turn::allocate);
    assert_eq!(codes, [0, 0, 508]);
    assert_eq!(clients[0].refresh(0), 0);
    assert_eq!(clients[2].allocate(), 0);
}

#[test]
fn beyond_its_quota_a_credential_is_refused_with_486_until_it_ends_something() {
    let program = program(&[]);
    // Strangers at one address are answered fifty times at once; so these are at two.
    let at = |number| if number < 32 { "127.0.0.1" } else { "127.0.0.2" };
    let turn = program.addr("turn");
    let mut clients: Vec<_> = (0..65).map(|number| Turn::at(at(number), turn, "name", "secret")).collect();
    let codes: Vec<_> = clients.iter_mut().map(Turn::allocate).collect();
    assert_eq!(codes[..64], [0; 64]);
    assert_eq!(codes[64], 486);
    assert_eq!(clients[0].refresh(0), 0);
    assert_eq!(clients[64].allocate(), 0);
}

#[test]
fn without_descriptors_allocations_are_refused_accepting_pauses_and_all_works_again() {
    let program = program(&[]);
    let http = program.addr("http");
    let mut before = client(&program);
    assert_eq!(before.allocate(), 0);
    let most = descriptors(&program) + 3;
    allow_descriptors(&program, most);
    // Three are accepted, and the rest waits in the kernel.
    let held: Vec<_> = (0..10).map(|_| TcpStream::connect(http).unwrap()).collect();
    let start = Instant::now();
    while descriptors(&program) < most {
        assert!(start.elapsed() < PATIENCE, "the descriptors do not run out");
    }
    let mut refused = client(&program);
    assert_eq!(refused.allocate(), 508);
    let used = cpu(&program);
    thread::sleep(Duration::from_secs(1));
    let used = cpu(&program) - used;
    assert!(used <= IDLE, "{used} hundredths of a second of processor time in one second");
    // What was there before goes on meanwhile.
    assert_eq!(before.refresh(600), 0);
    drop(held);
    let start = Instant::now();
    while !is_served(http) {
        assert!(start.elapsed() < PATIENCE, "nothing is accepted any more");
    }
    assert_eq!(refused.allocate(), 0);
    assert!(metric(&program, "visavis_turn_bind_failures_total") >= 8);
    assert!(metric(&program, "visavis_accept_failures_total") > 0);
}
