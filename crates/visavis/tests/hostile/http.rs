//! HTTP, TLS and TCP as nobody honest speaks them.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::{
    program::{PATIENCE, Program},
    raw::{Raw, TEXT, frame},
};

/// Sockets that say nothing, half a TLS handshake, or half a head.
const SILENT: usize = 9_000;
const HALF_TLS: usize = 500;
const HALF_HEAD: usize = 500;
/// Memory that one of them may cost.
const EACH: u64 = 24 * 1024;
/// How long joining may take an honest client meanwhile.
const SOON: Duration = Duration::from_secs(2);

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The first line of the answer; empty where the connection just ends.
fn status(addr: SocketAddr, request: &[u8]) -> String {
    let mut stream = connect(addr);
    // The answer may come before everything is sent. Who ends the stream here may get none: that looks like going.
    let _ = stream.write_all(request);
    let mut line = String::new();
    let _ = BufReader::new(stream).read_line(&mut line);
    line.trim_end().to_owned()
}

#[test]
fn what_is_no_sound_request_is_refused() {
    let program = Program::start(&[]);
    let head = |lines: &str| format!("GET / HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n");
    let many: String = (0..200).map(|number| format!("X-{number}: 1\r\n")).collect();
    let websocket = |method: &str, lines: &str| {
        format!(
            "{method} /v3/websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{lines}\r\n"
        )
    };
    let (key, version) = ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Sec-WebSocket-Version: 13\r\n");
    for (case, request, expected) in [
        ("nonsense", "\x16nonsense\r\n\r\n".to_owned(), "400"),
        ("no version", "GET /\r\n\r\n".to_owned(), "400"),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), ""),
        ("a target with a space", "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), "400"),
        ("200 headers", head(&many), "431"),
        ("one long header", head(&format!("X: {}\r\n", "x".repeat(17_000))), "431"),
        ("a long target", format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000)), "4"),
        ("a name with a space", head("X y: 1\r\n"), "400"),
        ("two lengths", head("Content-Length: 1\r\nContent-Length: 2\r\n"), "400"),
        ("a length that is no number", head("Content-Length: -1\r\n"), "400"),
        ("an encoding of a transfer that nobody knows", head("Transfer-Encoding: what\r\n"), "400"),
        (
            "another version of WebSocket",
            websocket("GET", &format!("{key}Sec-WebSocket-Version: 8\r\n")),
            "426",
        ),
        ("a WebSocket without a key", websocket("GET", version), "400"),
        ("a WebSocket by POST", websocket("POST", &format!("{key}{version}Content-Length: 0\r\n")), "426"),
    ] {
        let status = status(program.addr("http"), request.as_bytes());
        let code = status.split(' ').nth(1).unwrap_or_default();
        assert!(code.starts_with(expected) && !code.starts_with('2'), "{case}: {status:?}");
    }
    assert!(
        status(program.addr("http"), head("").as_bytes()).contains(" 200 "),
        "an honest one still passes"
    );
}

#[test]
fn ten_thousand_idle_sockets_keep_nobody_honest_waiting() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let program = Program::start(&[]);
    let (http, https) = (program.addr("http"), program.addr("https"));
    join(http);
    let before = program.memory();
    let mut strangers: Vec<TcpStream> = (0..SILENT).map(|_| connect(http)).collect();
    for _ in 0..HALF_TLS {
        let mut stream = connect(https);
        // The head of a record of 512 bytes that never comes, as of a ClientHello.
        stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03").unwrap();
        strangers.push(stream);
    }
    for _ in 0..HALF_HEAD {
        let mut stream = connect(http);
        stream.write_all(b"GET / HTTP/1.1\r\nHost: local").unwrap();
        strangers.push(stream);
    }
    let start = Instant::now();
    join(http);
    assert!(start.elapsed() < SOON, "an honest join took {:?}", start.elapsed());
    let grown = program.memory().saturating_sub(before);
    assert!(grown < strangers.len() as u64 * EACH, "{grown} bytes for {} strangers", strangers.len());
    // The last to come among them are let go too, and with them everybody.
    for stranger in &mut strangers {
        let mut rest = Vec::new();
        let _ = stranger.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&rest));
    }
    join(http);
}

fn join(addr: SocketAddr) {
    let mut raw = Raw::join(addr);
    raw.send(&frame(TEXT, br#"{"type":"subscribe","room":"honest","callback":2}"#));
    assert_eq!(raw.receive(), Some((TEXT, br#"{"callback":2}"#.to_vec())));
}

impl Program {
    /// The memory that it holds, in bytes.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}
