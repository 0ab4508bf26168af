//! The live view's numbers on the admin port, with the real program.

#![allow(clippy::unwrap_used)]

mod client;
mod program;

use std::net::SocketAddr;

use client::{Answer, Call, Client};
use program::Program;
use serde_json::{Value, json};

const ROOM: &str = "observable-a/b ü";

fn ask(admin: SocketAddr, path: &str) -> Answer {
    Call::get(path).header("Host", &admin.to_string()).send(admin)
}

/// The report, once it says what is awaited: it is up to a second old.
fn report(admin: SocketAddr, awaited: impl Fn(&Value) -> bool) -> Value {
    let reports = std::iter::repeat_with(|| ask(admin, "/live.json").value());
    let mut last = Value::Null;
    let found = reports.take(10_000).find(|report| {
        last = report.clone();
        awaited(report)
    });
    found.unwrap_or_else(|| panic!("{last:#}"))
}

#[test]
fn channels_rooms_members_and_messages_are_shown() {
    let program = Program::start(&["--channel", "one"]);
    let (http, admin) = (program.addr("http"), program.addr("admin"));
    let mut clients = [Client::join(http, "one"), Client::join(http, "one"), Client::join(http, "one")];
    for (client, room) in clients.iter_mut().zip(["blue", "blue", "red"]) {
        client.subscribe(room, 0);
    }
    clients[0].say(&json!({"type": "publish", "room": "blue", "message": "hello"}));
    assert_eq!(clients[1].hear()["message"], "hello");
    let report = report(admin, |report| {
        report["signaling"]["members"] == 3 && report["signaling"]["delivered_per_second"] != 0.0
    });
    assert_eq!(report["ready"], true);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["connections"]["open"].as_u64() >= Some(3), "{report:#}");
    assert_eq!(report["connections"]["websockets"], 3);
    for (name, count) in
        [("channels", 2), ("clients", 3), ("rooms", 2), ("members", 3), ("published", 1), ("delivered", 2)]
    {
        assert_eq!(report["signaling"][name], count, "{name}");
    }
    assert_eq!(
        report["channels"],
        json!([
            {"id": "one", "clients": 3, "rooms": 2, "members": 3},
            {"id": "visavis", "clients": 0, "rooms": 0, "members": 0},
        ])
    );
    assert_eq!(
        report["rooms"],
        json!([
            {"channel": "one", "name": "blue", "members": 2},
            {"channel": "one", "name": "red", "members": 1},
        ])
    );
    let published = report["series"]["published"].as_array().unwrap();
    assert!(published.iter().any(|rate| rate.as_f64() > Some(0.0)), "{published:?}");

    let metrics = ask(admin, "/metrics").body;
    for line in [
        "visavis_signaling_channels 2",
        "visavis_signaling_clients 3",
        "visavis_signaling_rooms 2",
        "visavis_signaling_members 3",
        "visavis_signaling_connections 3",
        "visavis_signaling_published_total 1",
        "visavis_signaling_delivered_total 2",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}:\n{metrics}");
    }
    assert!(!metrics.contains("blue"), "names of rooms are in the view alone");
}

#[test]
fn who_is_in_a_room_is_shown_until_they_leave() {
    let program = Program::start(&["--channel", "one"]);
    let admin = program.addr("admin");
    let mut client = Client::join(program.addr("http"), "one");
    client.subscribe_observable(ROOM);
    let path = "/members/one/observable-a%2Fb%20%C3%BC";
    let members = json!([{"id": client.id, "connected": true}]);
    assert_eq!(
        ask(admin, path).value(),
        json!({"channel": "one", "room": ROOM, "count": 1, "members": members})
    );
    drop(client);
    let gone = std::iter::repeat_with(|| ask(admin, path).status).take(10_000).any(|status| status == 404);
    assert!(gone);
    assert_eq!(ask(admin, "/members/two/room").status, 404);
}

#[test]
fn what_went_wrong_lately_is_shown_and_counted() {
    let program = Program::start(&[]);
    let (http, admin) = (program.addr("http"), program.addr("admin"));
    let mut client = Client::join(http, "visavis");
    for _ in 0..2 {
        client.say(&json!({"type": "subscribe", "room": "", "callback": 2}));
        assert_eq!(client.hear()["error"], "Room name is not valid");
    }
    let report = report(admin, |report| report["errors"][0]["count"] == 2);
    assert_eq!(report["errors"][0]["source"], "signaling");
    assert_eq!(report["errors"][0]["what"], "Room name is not valid");
    assert!(report["errors"][0]["last"].as_u64() > Some(1_700_000_000), "{report:#}");
    let metrics = ask(admin, "/metrics").body;
    let line = "visavis_signaling_refused_total{reason=\"Room name is not valid\"} 2";
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
}

#[test]
fn a_warning_of_the_log_is_shown() {
    let program = Program::start(&["--limits", "off"]);
    let report = ask(program.addr("admin"), "/live.json").value();
    assert_eq!(report["errors"][0]["source"], "warning", "{report:#}");
    assert!(report["errors"][0]["what"].as_str().unwrap().starts_with("--limits off"), "{report:#}");
}

#[test]
fn nothing_on_the_admin_port_takes_anything_but_reading() {
    let program = Program::start(&[]);
    let admin = program.addr("admin");
    for path in ["/", "/live.json", "/members/a/b", "/metrics", "/healthz", "/readyz"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let call = Call::with_method(method, path).header("Host", &admin.to_string());
            let answer = call.send(admin);
            assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
            assert!(answer.head.contains("allow: get"), "{answer:?}");
        }
    }
}

#[test]
fn pages_of_other_sites_see_nothing() {
    let program = Program::start(&[]);
    let admin = program.addr("admin");
    let own = admin.to_string();
    let status = |path: &str, headers: &[(&str, &str)]| {
        let call = headers.iter().fold(Call::get(path), |call, (name, value)| call.header(name, value));
        let answer = call.send(admin);
        assert!(!answer.head.contains("access-control-allow"), "{answer:?}");
        assert!(answer.head.contains("cross-origin-resource-policy: same-origin"), "{answer:?}");
        assert!(answer.head.contains("frame-ancestors 'none'"), "{answer:?}");
        answer.status
    };
    let localhost = format!("localhost:{}", admin.port());
    for host in [&*own, &localhost, "[::1]:9478", "127.0.0.1"] {
        assert_eq!(status("/live.json", &[("Host", host)]), 200, "{host}");
    }
    for host in ["rebound.example", "localhost.example:9478", "127.0.0.1.nip.io", "a b", ""] {
        for path in ["/", "/live.json", "/members/a/b"] {
            assert_eq!(status(path, &[("Host", host)]), 421, "{host} {path}");
        }
        assert_eq!(status("/metrics", &[("Host", host)]), 200, "scrapers come by any name");
    }
    for origin in ["https://elsewhere.example", "null", "http://localhost:1"] {
        assert_eq!(status("/live.json", &[("Host", &own), ("Origin", origin)]), 403, "{origin}");
    }
    assert_eq!(status("/live.json", &[("Host", &own), ("Origin", &format!("http://{own}"))]), 200);
    for site in ["cross-site", "same-site"] {
        let asked = [("Host", &*own), ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "no-cors")];
        assert_eq!(status("/live.json", &asked), 403, "{site}");
        let link = [
            ("Host", &*own),
            ("Sec-Fetch-Site", site),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "document"),
        ];
        assert_eq!(status("/", &link), 200, "a person may follow a link");
        let frame = [link[0], link[1], link[2], ("Sec-Fetch-Dest", "iframe")];
        assert_eq!(status("/", &frame), 403, "but no page may frame it");
    }
}

#[test]
fn the_view_is_not_on_the_public_ports() {
    let program = Program::start(&[]);
    let http = program.addr("http");
    for path in ["/live.json", "/live/", "/live/index.html", "/members/visavis/room"] {
        let answer = Call::get(path).send(http);
        assert_ne!(answer.status, 200, "{path}");
    }
    let answer = ask(program.addr("admin"), "/");
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("<title>"), "{answer:?}");
}

#[test]
fn thousands_of_rooms_make_no_longer_answer() {
    const ROOMS: usize = 3_000;
    let program = Program::start(&["--channel", "one", "--limits", "off"]);
    let admin = program.addr("admin");
    let mut client = Client::join(program.addr("http"), "one");
    for number in 0..ROOMS {
        client.say(&json!({"type": "subscribe", "room": format!("room {number}"), "callback": number}));
    }
    while client.hear()["callback"] != ROOMS - 1 {}
    let report = report(admin, |report| report["signaling"]["rooms"] == ROOMS);
    assert_eq!(report["rooms"].as_array().unwrap().len(), 50);
    assert!(report.to_string().len() < 32 * 1024, "{}", report.to_string().len());
}
