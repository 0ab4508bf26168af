//! The REST interface of the real program.

#![allow(clippy::unwrap_used)]

mod client;
mod program;

use std::net::SocketAddr;

use client::{Call, Client};
use program::{Folder, Program};
use serde_json::{Value, json};

const SECRET: &str = "the secret of a channel";

/// Channels: `app` is open and has a secret, `listed` may be listed, `closed` wants a token, `bare` has no secret.
fn start() -> (Program, SocketAddr) {
    let folder = Folder::new();
    let text = format!(
        "channel = [\"bare\"]\n\
         [channels.app]\nsecret = \"{SECRET}\"\n\
         [channels.listed]\npublic-listing = true\n\
         [channels.closed]\nsecret = \"{SECRET}\"\nrequire-auth = true\n\
         [channels.mine]\norigins = [\"https://mine.example\"]\n"
    );
    let config = folder.file("visavis.toml", &text);
    let program = Program::start_in(folder, &["--config", &config]);
    let addr = program.addr("http");
    (program, addr)
}

fn post_and_hear(client: &mut Client, call: Call) -> Value {
    assert_eq!(call.basic("app", SECRET).send(client.addr).value(), json!({}));
    client.hear()
}

#[test]
fn what_is_posted_is_heard_as_json_or_as_text() {
    let (_program, addr) = start();
    let mut client = Client::join(addr, "app");
    for room in ["r", "a b/c", "ä"] {
        client.subscribe(room, 0);
    }
    let heard = post_and_hear(&mut client, Call::post("/app/r/publish", "{\"a\":  1.0}").json());
    assert_eq!((&heard["type"], &heard["room"]), (&json!("publish"), &json!("r")));
    assert_eq!((&heard["message"], heard.get("client_id")), (&json!({"a": 1.0}), None));
    assert!(heard["id"].is_string() && heard["timestamp"].is_u64(), "{heard}");
    assert_eq!(
        post_and_hear(&mut client, Call::post("/app/r/publish", "{\"a\": 1}"))["message"],
        "{\"a\": 1}"
    );
    let form = Call::post("/app/r/publish", "a=1&b=2");
    assert_eq!(
        post_and_hear(&mut client, form.header("Content-Type", "application/x-www-form-urlencoded"))["message"],
        "a=1&b=2"
    );
    assert_eq!(post_and_hear(&mut client, Call::post("/app/r/publish", ""))["message"], "");
    assert_eq!(post_and_hear(&mut client, Call::post("/app/a%20b%2Fc/publish", "x"))["room"], "a b/c");
    assert_eq!(post_and_hear(&mut client, Call::post("/app/%C3%A4/publish", "x"))["room"], "ä");
    for path in ["/app/publish/rooms?r=r&r=a+b%2Fc", "/app/publish/rooms?r[]=r&r%5B%5D=a%20b/c"] {
        assert_eq!(post_and_hear(&mut client, Call::post(path, "x"))["room"], "r", "{path}");
        assert_eq!(client.hear()["room"], "a b/c", "{path}");
    }
}

#[test]
fn no_authorization_is_needed_where_the_channel_needs_none() {
    let (_program, addr) = start();
    for channel in ["app", "bare", "listed", "visavis"] {
        let path = format!("/{channel}/r/publish");
        assert_eq!(Call::post(&path, "x").send(addr).status, 200, "{channel}");
    }
    for channel in ["app", "bare", "listed"] {
        let stats = Call::get(&format!("/{channel}/stats")).send(addr);
        assert_eq!(stats.value(), json!({"users_count": 0}), "{channel}");
    }
    let ignored = Call::post("/bare/r/publish", "x").basic("bare", "whatever").send(addr);
    assert_eq!(ignored.status, 200, "a channel without a secret does not look");
}

#[test]
fn wrong_secrets_open_nothing_not_even_what_is_open() {
    let (_program, addr) = start();
    let unauthorized = (401, "Unauthorized".to_owned());
    for channel in ["app", "closed"] {
        let post = || Call::post(&format!("/{channel}/r/publish"), "x");
        for wrong in [
            post().basic(channel, "another secret of it"),
            post().basic(channel, ""),
            post().basic("other", SECRET),
            post().header("Authorization", "Basic ???"),
            post().header("Authorization", "Basic"),
            post().header("Authorization", "Digest x"),
        ] {
            let answer = wrong.send(addr);
            assert_eq!(answer.refusal(), unauthorized);
            assert!(answer.head.contains("www-authenticate: bearer"), "{answer:?}");
        }
        assert_eq!(post().basic(channel, SECRET).send(addr).status, 200);
        let answer = post().bearer("a.b.c").send(addr);
        assert_eq!(answer.refusal(), (401, "JWT is not valid".to_owned()));
        assert!(answer.head.contains("www-authenticate: bearer"), "{answer:?}");
    }
    for path in ["/closed/stats", "/closed/rooms", "/closed/r/members"] {
        assert_eq!(Call::get(path).send(addr).refusal(), unauthorized, "{path}");
    }
    assert_eq!(Call::post("/closed/r/publish", "x").send(addr).refusal(), unauthorized);
}

#[test]
fn lists_show_who_is_there() {
    let (_program, addr) = start();
    let get = |path: &str| Call::get(&format!("/app/{path}")).basic("app", SECRET).send(addr).value();
    for path in ["members", "rooms", "users", "r/members"] {
        assert_eq!(get(path), json!([]), "{path}");
    }
    assert_eq!((get("stats"), get("room-members")), (json!({"users_count": 0}), json!({})));
    let mut clients = [(); 3].map(|()| Client::join(addr, "app"));
    let _elsewhere = Client::join(addr, "bare");
    let ids: Vec<_> = clients.iter().map(|client| client.id.clone()).collect();
    clients[0].subscribe("b room", 0);
    clients[0].subscribe("a", 0);
    clients[1].subscribe("a", 0);
    let sorted = |ids: &[String]| {
        let mut ids = ids.to_vec();
        ids.sort();
        json!(ids)
    };
    assert_eq!(get("stats"), json!({"users_count": 3}));
    assert_eq!(get("users"), sorted(&ids));
    assert_eq!(get("members"), sorted(&ids[..2]));
    assert_eq!(get("rooms"), json!(["a", "b room"]));
    assert_eq!(get("a/members"), json!(ids[..2]), "as they came");
    assert_eq!(get("b%20room/members"), json!(ids[..1]));
    assert_eq!(get("room-members"), json!({"a": ids[..2], "b room": ids[..1]}));
}

#[test]
fn lists_are_for_who_knows_the_secret_and_those_of_the_page_for_nobody() {
    let (_program, addr) = start();
    for list in ["members", "rooms", "room-members", "users", "r/members"] {
        let get = |channel: &str| Call::get(&format!("/{channel}/{list}"));
        for channel in ["app", "bare", "visavis"] {
            let refused = (403, "Channel is not listed".to_owned());
            assert_eq!(get(channel).send(addr).refusal(), refused, "{channel} {list}");
        }
        assert_eq!(get("listed").send(addr).status, 200, "{list}");
        assert_eq!(get("visavis").basic("visavis", SECRET).send(addr).status, 403, "{list}");
    }
    assert_eq!(Call::get("/visavis/stats").send(addr).status, 403);
}

#[test]
fn every_refusal_has_its_status_and_says_why() {
    let (_program, addr) = start();
    let large = "x".repeat(64 * 1024 + 1);
    let quoted = "\"".repeat(40 * 1024);
    let many = format!("/app/publish/rooms?{}", "r=a&".repeat(101));
    let cases = [
        (Call::post("/nowhere/r/publish", "x"), 404, "Channel not found"),
        (Call::get("/v3/stats"), 404, "Channel not found"),
        (Call::get("/app/r/publish"), 405, "Method not allowed"),
        (Call::post("/app/stats", "x"), 405, "Method not allowed"),
        (Call::with_method("DELETE", "/app/rooms"), 405, "Method not allowed"),
        (Call::post("/app/%zz/publish", "x"), 400, "Path or query is not valid"),
        (Call::post("/app//publish", "x"), 400, "Room name is not valid"),
        (Call::post(&format!("/app/{}/publish", "x".repeat(257)), "x"), 400, "Room name is not valid"),
        (Call::post("/app/publish/rooms?r=a&r=", "x"), 400, "Room name is not valid"),
        (Call::post("/app/publish/rooms", "x"), 400, "No room given"),
        (Call::post(&many, "x"), 400, "Too many rooms"),
        (Call::post("/app/r/publish", "{").json(), 400, "Message is not valid JSON"),
        (Call::post("/app/r/publish", "").json(), 400, "Message is not valid JSON"),
        (Call::post("/app/r/publish", b"\"\xff\"".to_vec()).json(), 400, "Message is not valid JSON"),
        (Call::post("/app/r/publish", b"\xff".to_vec()), 400, "Message is not valid UTF-8"),
        (Call::post("/app/r/publish", large), 413, "Message is too large"),
        (Call::post("/app/r/publish", vec![b'x'; 8 * 1024 * 1024]), 413, "Message is too large"),
        (Call::post("/app/r/publish", quoted), 413, "Message is too large"),
        (
            Call::post("/mine/r/publish", "x").header("Origin", "https://other.example"),
            403,
            "Origin not allowed",
        ),
        (
            Call::post("/visavis/r/publish", "x").header("Origin", "https://other.example"),
            403,
            "Origin not allowed",
        ),
    ];
    for (call, status, message) in cases {
        let answer = call.send(addr);
        assert_eq!(answer.refusal(), (status, message.to_owned()));
        assert!(answer.head.contains("access-control-allow-origin: *"), "{answer:?}");
        assert!(answer.head.contains("x-content-type-options: nosniff"), "{answer:?}");
    }
    for path in ["/app/r", "/app/r/other", "/app/stats/", "/nowhere"] {
        assert!(Call::get(path).send(addr).body.starts_with("There is nothing"), "{path}");
    }
}

#[test]
fn pages_of_other_origins_may_call_where_the_channel_takes_them() {
    let (_program, addr) = start();
    let ask = |channel: &str, origin: &str| {
        Call::with_method("OPTIONS", &format!("/{channel}/r/publish"))
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization,content-type")
            .send(addr)
    };
    for (channel, origin) in [("app", "https://any.example"), ("mine", "https://mine.example")] {
        let answer = ask(channel, origin);
        assert_eq!((answer.status, &*answer.body), (204, ""), "{answer:?}");
        for header in [
            "access-control-allow-origin: *",
            "access-control-allow-methods: get, post",
            "access-control-allow-headers: authorization, content-type",
        ] {
            assert!(answer.head.contains(header), "{header}: {answer:?}");
        }
        let call = Call::post(&format!("/{channel}/r/publish"), "x").header("Origin", origin).send(addr);
        assert!(call.status == 200 && call.head.contains("access-control-allow-origin: *"), "{call:?}");
    }
    for channel in ["mine", "visavis"] {
        assert_eq!(ask(channel, "https://any.example").status, 403, "{channel}");
    }
}

#[test]
fn a_call_counts_once_for_each_room_that_it_says_something_in() {
    let program = Program::start(&["--channel", "app", "--limit", "requests=1"]);
    let publish = |rooms: usize| {
        let query: Vec<_> = (0..rooms).map(|room| format!("r=r{room}")).collect();
        Call::post(&format!("/app/publish/rooms?{}", query.join("&")), "x").send(program.addr("http")).status
    };
    // Ten seconds' worth at once.
    assert_eq!([publish(6), publish(6), publish(1)], [200, 429, 200]);
}

#[test]
fn a_back_end_gets_ice_servers_and_nobody_else_does() {
    let (_program, addr) = start();
    let get = |channel: &str| Call::get(&format!("/{channel}/ice-servers")).header("Host", "call.example");
    for channel in ["app", "bare", "visavis", "closed"] {
        assert_eq!(get(channel).send(addr).refusal(), (401, "Unauthorized".to_owned()), "{channel}");
    }
    let answer = get("app").basic("app", SECRET).send(addr).value();
    let turn = answer["ice_servers"].as_array().unwrap().iter().find(|server| server["username"].is_string());
    let turn = turn.unwrap_or_else(|| panic!("{answer}"));
    assert!(
        turn["credential"].is_string() && turn["urls"][0].as_str().unwrap().starts_with("turn:call.example")
    );
    assert!(answer["ttl"].as_u64().unwrap() > 0);
    assert_eq!(get("nowhere").send(addr).status, 404);
}
