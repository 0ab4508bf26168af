//! The program as a whole, on loopback.

#![allow(clippy::unwrap_used)]

mod program;

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
    sync::Arc,
};

use program::{Folder, PATIENCE, Program, command, wait};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

/// A STUN binding request (RFC 8489 section 5).
const BINDING: [u8; 20] = *b"\0\x01\0\0\x21\x12\xa4\x42transaction!";

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// TLS with the server's own certificate as the only one trusted.
fn connect_tls(program: &Program) -> StreamOwned<ClientConnection, TcpStream> {
    let pem = fs::read(program.data_dir().join("self-signed.pem")).unwrap();
    connect_trusting(program.addr("https"), &pem, "localhost")
}

fn connect_trusting(addr: SocketAddr, pem: &[u8], name: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), connect(addr))
}

/// Head and body of the answer to one request.
fn ask(mut stream: impl Read + Write, request: &str) -> (String, Vec<u8>) {
    stream.write_all(format!("{request}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A TLS connection that is closed without a word is closed all the same.
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
    }
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no head: {answer:?}"));
    (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
}

fn get(addr: SocketAddr, path: &str) -> (String, String) {
    let (head, body) = ask(connect(addr), &format!("GET {path} HTTP/1.1\r\nHost: localhost:{}", addr.port()));
    (head, String::from_utf8(body).unwrap())
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let of_name = |line: &'h str| line.split_once(": ").filter(|(found, _)| found.eq_ignore_ascii_case(name));
    head.lines().find_map(of_name).map(|(_, value)| value)
}

fn assert_binds(mut stream: impl Read + Write) {
    stream.write_all(&BINDING).unwrap();
    let mut answer = [0; 20];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer[..2], [1, 1], "a binding success");
    assert_eq!(answer[4..], BINDING[4..], "magic cookie and transaction id");
}

#[test]
fn the_page_is_there_and_says_what_browsers_may_do() {
    let program = Program::start(&[]);
    let (head, body) = get(program.addr("http"), "/");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(body.contains("<title>"), "{body}");
    let policy = header(&head, "content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe-inline"), "{policy}");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-cache"),
    ] {
        assert_eq!(header(&head, name), Some(value), "{name}");
    }
    assert!(header(&head, "permissions-policy").unwrap().contains("camera=(self)"));
}

#[test]
fn a_file_that_has_not_changed_is_not_sent_again() {
    let program = Program::start(&[]);
    let addr = program.addr("http");
    let (head, _) = get(addr, "/");
    let tag = header(&head, "etag").unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}");
    let (head, body) = ask(connect(addr), &request);
    assert!(head.starts_with("HTTP/1.1 304") && body.is_empty(), "{head}");
    let (head, body) = ask(connect(addr), "HEAD / HTTP/1.1\r\nHost: localhost");
    assert!(head.starts_with("HTTP/1.1 200") && body.is_empty(), "{head}");
}

#[test]
fn the_sdk_may_be_loaded_from_elsewhere_under_each_of_its_names() {
    let program = Program::start(&[]);
    for path in
        ["/scaledrone.min.js", "/scaledrone-lite.min.js", "/assets/scaledrone.min.js", "/sdk/visavis.js"]
    {
        let (head, body) = get(program.addr("http"), path);
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert_eq!(header(&head, "cross-origin-resource-policy"), Some("cross-origin"), "{path}");
        assert_eq!(header(&head, "content-type"), Some("text/javascript; charset=utf-8"), "{path}");
        assert_eq!(
            header(&head, "cache-control"),
            Some("no-cache"),
            "{path}: its name does not change with it"
        );
        assert!(body.contains("Scaledrone"), "{path}");
    }
    let (head, _) = get(program.addr("http"), "/examples");
    assert_eq!(header(&head, "location"), Some("/examples/"));
    assert!(get(program.addr("http"), "/examples/").1.contains("<script"));
}

#[test]
fn an_unknown_path_is_answered_in_plain_words() {
    let program = Program::start(&[]);
    for path in ["/nowhere", "/assets/", "/../etc/passwd", "/%00"] {
        let (head, body) = get(program.addr("http"), path);
        assert!(head.starts_with("HTTP/1.1 404"), "{path}: {head}");
        assert!(body.starts_with("There is nothing"), "{body}");
        assert_eq!(header(&head, "x-content-type-options"), Some("nosniff"));
    }
    let (head, _) =
        ask(connect(program.addr("http")), "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0");
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
}

#[test]
fn the_page_learns_what_the_server_was_told() {
    let program = Program::start(&["--auto-join"]);
    let (head, body) = get(program.addr("http"), "/settings.json");
    assert_eq!(header(&head, "content-type"), Some("application/json"));
    let settings: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(settings["auto_join"], true);
    assert_eq!(settings["https"], format!("https://localhost:{}", program.addr("https").port()));
    assert_eq!(settings["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn http_and_turn_share_the_plain_port() {
    let program = Program::start(&[]);
    assert_binds(connect(program.addr("http")));
    assert!(get(program.addr("http"), "/healthz").0.starts_with("HTTP/1.1 200"));
}

#[test]
fn http_and_turn_share_the_tls_port() {
    let program = Program::start(&[]);
    assert_binds(connect_tls(&program));
    let (head, _) = ask(connect_tls(&program), "GET / HTTP/1.1\r\nHost: localhost");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}

#[test]
fn the_turn_port_speaks_udp_and_tcp() {
    let program = Program::start(&[]);
    assert_binds(connect(program.addr("turn")));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(&BINDING, program.addr("turn")).unwrap();
    let mut answer = [0; 64];
    let (length, from) = socket.recv_from(&mut answer).unwrap();
    assert_eq!((from, &answer[..2]), (program.addr("turn"), &[1, 1][..]), "{:?}", &answer[..length]);
}

#[test]
fn a_client_that_says_nothing_is_let_go() {
    let program = Program::start(&[]);
    let silent = ["http", "https"].map(|kind| connect(program.addr(kind)));
    let mut slow = connect(program.addr("http"));
    slow.write_all(b"GET / HT").unwrap();
    for mut stream in silent {
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    }
    let mut answer = String::new();
    let _ = slow.read_to_string(&mut answer);
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[test]
fn a_head_beyond_16_kib_is_refused() {
    let program = Program::start(&[]);
    let long = "x".repeat(20 * 1024);
    let (head, _) =
        ask(connect(program.addr("http")), &format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}"));
    assert!(head.starts_with("HTTP/1.1 431"), "{head}");
}

#[test]
fn the_admin_port_shows_health_and_numbers() {
    let program = Program::start(&[]);
    let admin = program.addr("admin");
    for path in ["/healthz", "/readyz"] {
        assert!(get(admin, path).0.starts_with("HTTP/1.1 200"), "{path}");
    }
    assert_binds(connect(program.addr("turn")));
    let bindings = |text: &str| {
        text.lines().find_map(|line| line.strip_prefix("visavis_turn_bindings_total ")?.parse().ok())
    };
    let counted = std::iter::repeat_with(|| get(admin, "/metrics").1)
        .take(1000)
        .any(|text| bindings(&text) == Some(1_u64));
    assert!(counted, "{}", get(admin, "/metrics").1);
    assert!(get(program.addr("http"), "/metrics").0.starts_with("HTTP/1.1 404"), "not on the public port");
}

#[test]
fn sigterm_and_sigint_end_it_cleanly() {
    let (status, _) = Program::start(&[]).end();
    assert_eq!(status.code(), Some(0));
    let program = Program::start(&[]);
    let mut open = connect(program.addr("http"));
    program.signal("INT");
    assert_eq!(open.read(&mut [0]).unwrap_or(0), 0, "connections end with it");
}

/// A WebSocket, as little of one as a test needs.
struct WebSocket<S>(S);

impl<S: Read + Write> WebSocket<S> {
    fn open(mut stream: S, host: &str) -> Self {
        let request = format!(
            "GET /v3/websocket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self(stream)
    }

    /// Sends a text below 126 bytes, masked with zeros.
    fn send(&mut self, text: &str) {
        let length = 0x80 | u8::try_from(text.len()).unwrap();
        self.0.write_all(&[&[0x81, length, 0, 0, 0, 0], text.as_bytes()].concat()).unwrap();
    }

    /// The next text.
    fn receive(&mut self) -> serde_json::Value {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        let mut length = usize::from(head[1]);
        if length == 126 {
            let mut long = [0; 2];
            self.0.read_exact(&mut long).unwrap();
            length = u16::from_be_bytes(long).into();
        }
        let mut text = vec![0; length];
        self.0.read_exact(&mut text).unwrap();
        assert_eq!(head[0], 0x81, "a text");
        serde_json::from_slice(&text).unwrap()
    }

    fn shake_hands(&mut self) {
        self.send(r#"{"type":"handshake","channel":"visavis","callback":1}"#);
        assert!(self.receive()["client_id"].is_string());
    }
}

#[test]
fn signaling_hands_out_every_way_to_relay_that_a_browser_can_take() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(["meet.example.org".to_owned()]).unwrap();
    let certificate = folder.file("cert.pem", &made.cert.pem());
    let key = folder.file("key.pem", &made.signing_key.serialize_pem());
    let program = Program::start(&["--tls-cert", &certificate, "--tls-key", &key]);
    let (https, turn) = (program.addr("https"), program.addr("turn").port());
    let stream = connect_trusting(https, made.cert.pem().as_bytes(), "meet.example.org");
    let mut socket = WebSocket::open(stream, &format!("meet.example.org:{}", https.port()));
    socket.shake_hands();
    socket.send(r#"{"type":"ice_servers","callback":2}"#);
    let answer = socket.receive();
    let servers = &answer["ice_servers"];
    assert_eq!(servers[0]["urls"], serde_json::json!([format!("stun:meet.example.org:{turn}")]));
    let urls = [
        format!("turn:meet.example.org:{turn}?transport=udp"),
        format!("turn:meet.example.org:{turn}?transport=tcp"),
        format!("turns:meet.example.org:{}?transport=tcp", https.port()),
    ];
    assert_eq!(servers[1]["urls"], serde_json::json!(urls));
    assert!(servers[1]["credential"].is_string() && answer["ttl"] == 3600, "{answer}");
}

#[test]
fn sigterm_drops_signaling_without_a_close_frame() {
    let program = Program::start(&[]);
    let mut socket = WebSocket::open(connect(program.addr("http")), "localhost");
    socket.shake_hands();
    program.signal("TERM");
    let mut rest = Vec::new();
    let _ = socket.0.read_to_end(&mut rest);
    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
fn nothing_follows_a_close_frame() {
    let program = Program::start(&[]);
    let mut socket = WebSocket::open(connect(program.addr("http")), "localhost");
    socket.shake_hands();
    let question = br#"{"type":"ice_servers","callback":2}"#;
    let text = [&[0x81, 0x80 | 35, 0, 0, 0, 0], &question[..]].concat();
    let close = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8];
    socket.0.write_all(&[&text[..], &close[..]].concat()).unwrap();
    let mut rest = Vec::new();
    socket.0.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(&[0x88, 0x02, 0x03, 0xe8]), "{rest:?}");
}

#[test]
fn secrets_are_made_once_and_kept_from_others() {
    let program = Program::start(&[]);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&program.data_dir()), 0o700);
    let read = |program: &Program| {
        let mut files: Vec<_> =
            fs::read_dir(program.data_dir()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (mode(&path), fs::read(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    let made = read(&program);
    assert!(made.iter().all(|(mode, ..)| *mode == 0o600), "{made:?}");
    for name in ["turn-secret", "nonce-key", "resume-key", "self-signed.pem"] {
        assert!(made.iter().any(|(.., path)| path.ends_with(name)), "{name}");
    }
    let (_, folder) = program.end();
    assert_eq!(read(&Program::start_in(folder, &[])), made);
}

#[test]
fn the_self_signed_certificate_follows_the_addresses_of_the_machine() {
    let program = Program::start(&[]);
    let pem = |program: &Program| fs::read(program.data_dir().join("self-signed.pem")).unwrap();
    let first = pem(&program);
    // The machine moves to where others see it under another address.
    let moved = ["--public-ip", "198.51.100.7/127.0.0.1"];
    let program = Program::start_in(program.end().1, &moved);
    let second = pem(&program);
    assert!(second != first);
    let mut stream = connect_trusting(program.addr("https"), &second, "198.51.100.7");
    stream.conn.complete_io(&mut stream.sock).unwrap();
    let program = Program::start_in(program.end().1, &moved);
    assert!(pem(&program) == second, "where nothing has changed, it is kept");
}

#[test]
fn the_operators_certificate_is_used_and_read_anew_on_sighup() {
    let folder = Folder::new();
    let make = || {
        let made = rcgen::generate_simple_self_signed(["meet.example.org".to_owned()]).unwrap();
        folder.file("key.pem", &made.signing_key.serialize_pem());
        folder.file("cert.pem", &made.cert.pem());
        made.cert.pem()
    };
    let first = make();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let program = Program::start(&["--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem")]);
    assert!(program.start_up.contains("https://meet.example.org:"), "{}", program.start_up);
    let https = program.addr("https");
    assert_binds(connect_trusting(https, first.as_bytes(), "meet.example.org"));
    let second = make();
    program.signal("HUP");
    let trusted = || {
        let mut stream = connect_trusting(https, second.as_bytes(), "meet.example.org");
        stream.conn.complete_io(&mut stream.sock).is_ok()
    };
    assert!(std::iter::repeat_with(trusted).take(1000).any(|trusted| trusted));
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    let folder = Folder::new();
    let file = folder.file(
        "visavis.toml",
        "realm = \"file\"\nrelay-ports = \"2000-2999\"\nthreads = 3\nauto-join = true\n",
    );
    let output = command()
        .args(["--config", &file, "--print-config", "--realm", "flag"])
        .envs([
            ("VISAVIS_REALM", "variable"),
            ("VISAVIS_RELAY_PORTS", "3000-3999"),
            ("VISAVIS_TURN_USER", "ann:=hunter2"),
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["realm"].as_str(), Some("flag"));
    assert_eq!(table["relay-ports"].as_str(), Some("3000-3999"));
    assert_eq!(table["threads"].as_str(), Some("3"));
    assert_eq!(table["auto-join"].as_bool(), Some(true));
    assert_eq!(table["log"].as_str(), Some("info"));
    assert!(text.contains("ann:=***") && !text.contains("hunter2"), "{text}");
}

#[test]
fn channels_of_the_file_are_printed_without_their_secrets() {
    let folder = Folder::new();
    let file = folder.file(
        "visavis.toml",
        "[channels.chat]\nsecrets = [\"hunter2hunter2hunter2\", \"hunter3hunter3hunter3\"]\nrequire_auth = true\n\
         history-ttl = \"12h\"\n[channels.visavis]\nmax-message = \"128 KiB\"\n",
    );
    let output = command().args(["--config", &file, "--print-config"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let channels = &text.parse::<toml::Table>().unwrap()["channels"];
    assert_eq!(channels["chat"]["require-auth"].as_bool(), Some(true));
    assert_eq!(channels["chat"]["history-ttl"].as_str(), Some("12h"));
    assert_eq!(channels["visavis"]["max-message"].as_str(), Some("128 KiB"));
    assert!(text.contains("***") && !text.contains("hunter"), "{text}");
}

/// What is wrong, and the words that the complaint must have.
struct Wrong<'a> {
    arguments: &'a [&'a str],
    environment: &'a [(&'a str, &'a str)],
    complaint: &'a [&'a str],
}

fn flags<'a>(arguments: &'a [&'a str], complaint: &'a [&'a str]) -> Wrong<'a> {
    Wrong { arguments, environment: &[], complaint }
}

fn variable<'a>(environment: &'a [(&'a str, &'a str)], complaint: &'a [&'a str]) -> Wrong<'a> {
    Wrong { arguments: &[], environment, complaint }
}

fn assert_refused(data_dir: &str, wrong: &Wrong<'_>) {
    let mut child = command()
        .args(["--data-dir", data_dir])
        .args(wrong.arguments)
        .envs(wrong.environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = wait(&mut child);
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    let what = format!("{:?} {:?}: {complaint}", wrong.arguments, wrong.environment);
    assert!(!status.success(), "{what}");
    assert_eq!(complaint.lines().count(), 1, "{what}");
    assert!(complaint.starts_with("visavis: "), "{what}");
    for words in wrong.complaint {
        assert!(complaint.contains(words), "{words:?} is missing in {what}");
    }
    assert!(output.stdout.is_empty(), "{what}");
}

#[test]
fn every_wrong_flag_ends_in_one_clear_line() {
    let folder = Folder::new();
    let empty = folder.file("empty", "\n");
    let absent = folder.path().join("absent").to_str().unwrap().to_owned();
    let user = format!("ann:{absent}");
    let calls = format!("calls:{absent}");
    let short = format!("calls:{}", folder.file("short", "hunter2\n"));
    let secrets = folder.file("three", &format!("{0}1\n{0}2\n{0}3\n", "0123456789abcdef"));
    let (three, page) = (format!("calls:{secrets}"), format!("visavis:{secrets}"));
    for wrong in [
        flags(&["--htpp", "x"], &["--htpp", "--http"]),
        flags(&["start"], &["start", "serve"]),
        flags(&["serve", "serve"], &["\"serve\"", "one word too many"]),
        flags(&["serve", "now"], &["\"now\"", "one word too many"]),
        flags(&["--http"], &["--http", "value"]),
        flags(&["--realm", "a", "--realm", "b"], &["--realm", "more than once"]),
        flags(&["--http", "8080"], &["--http \"8080\"", "127.0.0.1:8080"]),
        flags(&["--https", "localhost:99999"], &["--https", "99999", "[::]:8080"]),
        flags(&["--turn", "off", "--turn", "127.0.0.1:0"], &["--turn \"off\"", "alone"]),
        flags(&["--http", "127.0.0.1:1", "--http", "127.0.0.1:1"], &["--http", "listed twice"]),
        flags(&["--http", "off", "--https", "off", "--turn", "off"], &["nothing is left"]),
        flags(&["--http", "198.51.100.1:0"], &["--http \"198.51.100.1:0\"", "does not have that address"]),
        flags(&["--admin", "nowhere"], &["--admin \"nowhere\"", "127.0.0.1:8080"]),
        flags(&["--public-ip", "example.org"], &["--public-ip \"example.org\"", "198.51.100.7/10.0.0.2"]),
        flags(&["--public-ip", "198.51.100.7/2001:db8::1"], &["--public-ip", "both"]),
        flags(&["--public-ip", "198.51.100.7/198.51.100.8"], &["--public-ip", "198.51.100.8", "127.0.0.1"]),
        flags(&["--http", "[fe80::1]:0"], &["--http \"[fe80::1]:0\"", "interface", "[fe80::1%2]:0"]),
        flags(&["--turn", "224.0.0.1:0"], &["--turn \"224.0.0.1:0\"", "no single machine"]),
        flags(&["--http", "255.255.255.255:0"], &["--http \"255.255.255.255:0\"", "no single machine"]),
        flags(&["--public-ip", "0.0.0.0"], &["--public-ip \"0.0.0.0\"", "reached"]),
        flags(&["--public-ip", "::ffff:0.0.0.0"], &["--public-ip \"::ffff:0.0.0.0\"", "reached"]),
        flags(&["--public-ip", "255.255.255.255"], &["--public-ip", "reached"]),
        flags(
            &["--public-ip", "198.51.100.7", "--public-ip", "::ffff:198.51.100.8"],
            &["--public-ip \"::ffff:198.51.100.8\"", "only one IPv4"],
        ),
        flags(&["--relay-ports", "5000"], &["--relay-ports \"5000\"", "49152-65535"]),
        flags(&["--relay-ports", "1023-5000"], &["--relay-ports", "from 1024"]),
        flags(&["--relay-ports", "6000-5000"], &["--relay-ports", "lower one first"]),
        flags(
            &[
                "--relay-ports",
                "5000-5003",
                "--threads",
                "9",
                "--turn",
                "127.0.0.1:0",
                "--http",
                "off",
                "--https",
                "off",
                "--admin",
                "off",
            ],
            &["--threads \"9\"", "at most 2"],
        ),
        flags(&["--realm", ""], &["--realm \"\"", "127"]),
        flags(&["--turn-secret-file", &absent], &["--turn-secret-file", &absent, "No such file"]),
        flags(&["--turn-secret-file", &empty], &["--turn-secret-file", "empty"]),
        flags(&["--turn-user", "ann"], &["--turn-user \"ann\"", "NAME:PASSWORD-FILE"]),
        flags(&["--turn-user", "ann:=hunter2"], &["--turn-user \"ann:=***\"", "command line"]),
        flags(&["--turn-user", &user], &["--turn-user", &absent]),
        flags(&["--allow-peer", "192.168.0.0/33"], &["--allow-peer \"192.168.0.0/33\"", "192.168.0.0/16"]),
        flags(&["--deny-peer", "lan"], &["--deny-peer \"lan\"", "fd00::/8"]),
        flags(&["--channel", "calls:=hunter2hunter2"], &["--channel \"calls:=***\"", "ID:SECRET-FILE"]),
        flags(&["--channel", "calls:"], &["--channel \"calls:\"", "ID:SECRET-FILE"]),
        flags(&["--channel", &calls], &["--channel", &absent, "No such file"]),
        flags(&["--channel", &short], &["--channel", "16 to 1024 bytes"]),
        flags(&["--channel", &three], &["--channel", "at most two"]),
        flags(&["--channel", &page], &["--channel", "page's own channel cannot have a secret"]),
        flags(&["--channel", "assets"], &["--channel \"assets\"", "reserved"]),
        flags(&["--channel", "a b"], &["--channel \"a b\"", "letters, digits"]),
        flags(&["--open-channels=maybe"], &["--open-channels \"maybe\"", "true or false"]),
        flags(&["--data-dir", &empty], &["--data-dir", "more than once"]),
        flags(&["--limits", "none"], &["--limits \"none\"", "on or off"]),
        flags(&["--threads", "0"], &["--threads \"0\"", "1 to 256"]),
        flags(&["--log", "verbose"], &["--log \"verbose\"", "debug"]),
        flags(&["--config", &absent], &["--config", &absent, "No such file"]),
    ] {
        assert_refused(folder.path().join("data").to_str().unwrap(), &wrong);
    }
}

#[test]
fn every_wrong_variable_ends_in_one_clear_line() {
    let folder = Folder::new();
    for wrong in [
        variable(&[("VISAVIS_HTTP", "127.0.0.1:0 oops")], &["VISAVIS_HTTP \"oops\"", "127.0.0.1:8080"]),
        variable(&[("VISAVIS_HTTP", "")], &["VISAVIS_HTTP \"\"", "127.0.0.1:8080", "`off`"]),
        variable(&[("VISAVIS_HTTPS", " , ")], &["VISAVIS_HTTPS \"\"", "`off`"]),
        variable(&[("VISAVIS_AUTO_JOIN", "perhaps")], &["VISAVIS_AUTO_JOIN \"perhaps\"", "true or false"]),
        variable(&[("VISAVIS_TURN_USER", "ann:=")], &["VISAVIS_TURN_USER", "empty"]),
        variable(&[("VISAVIS_TURN_USER", "ann:=a ann:=b")], &["VISAVIS_TURN_USER", "taken"]),
        variable(&[("VISAVIS_REALM", "a\nb")], &["VISAVIS_REALM \"a\\nb\"", "control"]),
        variable(&[("VISAVIS_CONFIG", "/nonexistent/file")], &["/nonexistent/file", "No such file"]),
    ] {
        assert_refused(folder.path().join("data").to_str().unwrap(), &wrong);
    }
}

#[test]
fn every_wrong_key_of_the_file_ends_in_one_clear_line() {
    let folder = Folder::new();
    for (text, complaint) in [
        ("htpp = \"x\"", &["\"htpp\"", "no such key", "http"][..]),
        ("channels = [\"calls\"]", &["channels in", "[channels.chat]"]),
        ("channels.calls = true", &["channels.calls in", "[channels.chat]"]),
        ("[channels.v3]", &["[channels.v3] in", "reserved"]),
        ("[channels.\"a b\"]", &["[channels.a b] in", "letters, digits"]),
        ("[channels.visavis]\nsecret = \"0123456789abcdef\"", &["channels.visavis.secret in", "page's own"]),
        ("[channels.visavis]\norigins = []", &["channels.visavis.origins in", "max-message"]),
        ("[channels.calls]\nsecert = \"x\"", &["channels.calls.secert in", "no such key", "secret-file"]),
        ("[channels.calls]\nsecret = \"hunter2\"", &["channels.calls.secret in", "16 to 1024 bytes"]),
        ("[channels.calls]\nsecret = 7", &["channels.calls.secret in", "one text"]),
        ("[channels.calls]\nsecrets = [7]", &["channels.calls.secrets in", "list of texts"]),
        (
            "[channels.calls]\nsecrets = [\"0123456789abcdef\", \"1123456789abcdef\", \"2123456789abcdef\"]",
            &["channels.calls.secrets in", "at most two"],
        ),
        (
            "[channels.calls]\nsecret-file = \"/nonexistent/file\"",
            &["channels.calls.secret-file in", "No such file"],
        ),
        ("[channels.calls]\nrequire-auth = true", &["channels.calls.require-auth in", "secret"]),
        ("[channels.calls]\nhistory = 100", &["channels.calls.history in", "true or false"]),
        ("[channels.calls]\nhistory-ttl = \"31d\"", &["channels.calls.history-ttl in", "31d", "30 days"]),
        ("[channels.calls]\nhistory-bytes = 0", &["channels.calls.history-bytes in", "0", "64 MiB"]),
        (
            "[channels.calls]\norigins = [\"app.example\"]",
            &["channels.calls.origins in", "app.example", "https://app.example"],
        ),
        ("[channels.calls]\npublic-listing = 1", &["channels.calls.public-listing in", "true or false"]),
        ("[channels.calls]\nmax-message = \"2 MiB\"", &["channels.calls.max-message in", "2 MiB", "1 MiB"]),
        ("[channels.calls]\nmax-connections = -1", &["channels.calls.max-connections in", "-1", "1000000"]),
        ("[channels.calls]\nmax_message = 2048\nmax-message = 2048", &["channels.calls.max", "two ways"]),
        ("turn = []", &["turn in", "`off`"]),
        ("http = 8080", &["http in", "8080", "127.0.0.1:8080"]),
        ("http = { a = 1 }", &["http in", "list of texts"]),
        ("auto-join = \"yes\"", &["auto-join in", "true or false"]),
        ("realm = [\"a\"]", &["realm in", "one text"]),
        ("\n\nrealm = ", &["visavis.toml, line 3"]),
    ] {
        let file = folder.file("visavis.toml", text);
        assert_refused(folder.path().join("data").to_str().unwrap(), &flags(&["--config", &file], complaint));
    }
}

#[test]
fn every_wrong_certificate_ends_in_one_clear_line() {
    let folder = Folder::new();
    let make = || rcgen::generate_simple_self_signed(["meet.example.org".to_owned()]).unwrap();
    let (one, other) = (make(), make());
    let certificate = folder.file("cert.pem", &one.cert.pem());
    let key = folder.file("key.pem", &one.signing_key.serialize_pem());
    let foreign = folder.file("foreign.pem", &other.signing_key.serialize_pem());
    let nonsense = folder.file("nonsense.pem", "-----BEGIN NONSENSE-----\n");
    let broken = folder.file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for wrong in [
        flags(&["--tls-cert", &certificate], &["--tls-cert", "--tls-key"]),
        flags(&["--tls-key", &key], &["--tls-key", "--tls-cert"]),
        flags(
            &["--tls-cert", "/nonexistent", "--tls-key", &key],
            &["--tls-cert \"/nonexistent\"", "No such file"],
        ),
        flags(&["--tls-cert", &nonsense, "--tls-key", &key], &["--tls-cert", "PEM"]),
        flags(&["--tls-cert", &broken, "--tls-key", &key], &["--tls-cert", &broken]),
        flags(&["--tls-cert", &certificate, "--tls-key", &nonsense], &["--tls-key", "private key"]),
        flags(&["--tls-cert", &certificate, "--tls-key", &foreign], &["--tls-key", "does not belong"]),
    ] {
        assert_refused(folder.path().join("data").to_str().unwrap(), &wrong);
    }
}

#[test]
fn a_certificate_without_https_is_a_warning() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(["meet.example.org".to_owned()]).unwrap();
    let certificate = folder.file("cert.pem", &made.cert.pem());
    let key = folder.file("key.pem", &made.signing_key.serialize_pem());
    let listen = ["--http", "127.0.0.1:0", "--https", "off", "--turn", "off", "--admin", "off"];
    let tls = ["--tls-cert", &certificate, "--tls-key", &key];
    let program = Program::start_listening(folder, &listen, &tls);
    let warning = "Warning: --tls-cert means nothing where --https is `off`";
    assert!(program.start_up.contains(warning), "{}", program.start_up);
}

#[test]
fn every_taken_port_ends_in_one_clear_line() {
    let folder = Folder::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = listener.local_addr().unwrap().to_string();
    // Whatever else this machine does, TCP must have the same port free.
    let free_for_tcp = |socket: &UdpSocket| TcpListener::bind(socket.local_addr().unwrap()).is_ok();
    let mut sockets = std::iter::repeat_with(|| UdpSocket::bind("127.0.0.1:0").unwrap());
    let socket = sockets.find(free_for_tcp).unwrap();
    let udp = socket.local_addr().unwrap().to_string();
    let off = ["--http", "--https", "--turn", "--admin"];
    for flag in off {
        let mut arguments: Vec<&str> = off
            .iter()
            .filter(|&&other| other != flag && other != "--http")
            .flat_map(|&other| [other, "off"])
            .collect();
        if flag != "--http" {
            arguments.extend(["--http", "127.0.0.1:0"]);
        }
        arguments.extend([flag, &tcp]);
        assert_refused(
            folder.path().join("data").to_str().unwrap(),
            &flags(&arguments, &[flag, &tcp, "already"]),
        );
    }
    let arguments = ["--http", "off", "--https", "off", "--admin", "off", "--turn", &udp];
    assert_refused(
        folder.path().join("data").to_str().unwrap(),
        &flags(&arguments, &["--turn", &udp, "UDP", "already"]),
    );
}

#[test]
fn a_data_directory_that_cannot_be_used_ends_in_one_clear_line() {
    let folder = Folder::new();
    let file = folder.file("file", "");
    let quiet = ["--http", "127.0.0.1:0", "--https", "off", "--turn", "off", "--admin", "off"];
    assert_refused(&file, &flags(&quiet, &["--data-dir", &file, "not a directory"]));
    let spoilt = Folder::new();
    spoilt.file("nonce-key", "short");
    assert_refused(spoilt.path().to_str().unwrap(), &flags(&quiet, &["nonce-key", "remove the file"]));
}
