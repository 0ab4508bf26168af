//! Channels, tokens and credentials from the command line, and settings that are read anew.

#![allow(clippy::unwrap_used)]

mod client;
mod program;

use client::{Call, Client};
use program::{Folder, Program, command};
use serde_json::{Value, json};

const SECRET: &str = "the secret of a channel";

/// What a small command prints.
fn printed(words: &[&str]) -> String {
    let output = command().args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The one line with which a small command fails.
fn complaint(words: &[&str]) -> String {
    let output = command().args(words).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{words:?} succeeded");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

fn show(client: &mut Client, token: &str) -> Value {
    client.say(&json!({"type": "authenticate", "token": token.trim(), "callback": 7}));
    client.hear()
}

#[test]
fn a_new_channel_is_an_entry_that_works_as_it_is() {
    let entry = printed(&["channel", "new"]);
    assert_ne!(entry, printed(&["channel", "new"]));
    let table: toml::Table = entry.parse().unwrap();
    let (id, settings) = table["channels"].as_table().unwrap().iter().next().unwrap();
    assert!(id.len() == 16 && settings["secret"].as_str().unwrap().len() == 32, "{entry}");
    let folder = Folder::new();
    let config = folder.file("visavis.toml", &entry.replace("# require-auth", "require-auth"));
    let program = Program::start_in(folder, &["--config", &config]);
    let mut client = Client::join(program.addr("http"), id);
    let own = client.id.clone();
    let token =
        printed(&["token", "--config", &config, "--channel", id, "--client", &own, "--data", r#"{"n":1}"#]);
    assert_eq!(show(&mut client, &token), json!({"callback": 7}));
    client.subscribe_observable("observable-r");
    assert!(printed(&["channel", "new", "my-app"]).starts_with("[channels.my-app]\n"));
    assert!(complaint(&["channel", "new", "a b"]).contains("expected 1 to 64 letters"));
    assert!(complaint(&["channel", "new", "visavis", "x"]).contains('x'));
    assert!(complaint(&["channel"]).contains("channel new"));
}

#[test]
fn a_token_permits_what_was_wished_and_no_more() {
    let folder = Folder::new();
    let secret = folder.file("secret", SECRET);
    let (app, other) = (format!("app:{secret}"), format!("other:{secret}"));
    let program = Program::start_in(folder, &["--channel", &app, "--channel", &other]);
    let addr = program.addr("http");
    let mint =
        |more: &[&str]| printed(&[&["token", "--channel", "app", "--secret-file", &secret], more].concat());
    let speak = mint(&["--permissions", r#"{"^open-":{"publish":true}}"#]);
    let post = |room: &str| Call::post(&format!("/app/{room}/publish"), "x").bearer(speak.trim()).send(addr);
    assert_eq!(post("open-1").value(), json!({}));
    assert_eq!(post("closed").refusal().0, 403);
    let several =
        |rooms: &str| Call::post(&format!("/app/publish/rooms?{rooms}"), "x").bearer(speak.trim()).send(addr);
    assert_eq!(several("r=open-1&r=open-2").value(), json!({}));
    assert_eq!(several("r=open-1&r[]=closed").refusal().0, 403);
    for list in ["rooms", "members", "users", "room-members", "open-1/members"] {
        let answer = Call::get(&format!("/app/{list}")).bearer(speak.trim()).send(addr);
        assert_eq!(answer.refusal().0, 403, "{list}");
    }
    let elsewhere = Call::post("/other/open-1/publish", "x").bearer(speak.trim()).send(addr);
    assert_eq!(elsewhere.refusal(), (401, "JWT is for another channel".to_owned()));
    let of_client = mint(&["--client", "b58:somebody"]);
    let by_client = Call::post("/app/open-1/publish", "x").bearer(of_client.trim()).send(addr);
    assert_eq!(by_client.refusal(), (401, "JWT is for another client".to_owned()));
    for (words, part) in [
        (vec!["--ttl", "soon"], "--ttl \"soon\": expected a time"),
        (vec!["--permissions", "[]"], "--permissions \"[]\""),
        (vec!["--permissions", r#"{"(":{"publish":true}}"#], "--permissions"),
        (vec!["--data", "{"], "--data"),
    ] {
        let words = [&["token", "--channel", "app", "--secret-file", &secret], words.as_slice()].concat();
        assert!(complaint(&words).contains(part), "{words:?}");
    }
    assert!(complaint(&["token", "--channel", "nobody"]).contains("there is no such channel"));
    assert!(complaint(&["token", "--channel", "visavis"]).contains("has no secret"));
    assert!(complaint(&["token"]).contains("--channel"));
}

#[test]
fn a_turn_credential_is_made_of_the_servers_own_secret() {
    let program = Program::start(&[]);
    let data_dir = program.data_dir();
    let mint = |directory: &std::path::Path| {
        vec!["turn-credential".to_owned(), "--data-dir".to_owned(), directory.display().to_string()]
    };
    let words = mint(&data_dir);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let made: Value = serde_json::from_str(&printed(&words)).unwrap();
    let (expiry, name) = made["username"].as_str().unwrap().split_once(':').unwrap();
    assert!(expiry.parse::<u64>().unwrap() > 1_700_000_000 && name == "visavis", "{made}");
    let folder = Folder::new();
    let kept = std::fs::read_to_string(data_dir.join("turn-secret")).unwrap();
    let file = folder.file("secret", &kept);
    let again: Value =
        serde_json::from_str(&printed(&["turn-credential", "--turn-secret-file", &file])).unwrap();
    assert!(again["credential"].as_str().unwrap().len() == made["credential"].as_str().unwrap().len());
    let missing = folder.path().join("nowhere");
    let words = mint(&missing);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    assert!(complaint(&words).contains("there is no secret"));
    assert!(!missing.exists(), "asking for a credential made a data directory");
}

#[test]
fn channels_are_read_anew_on_sighup_and_nobody_is_dropped() {
    let folder = Folder::new();
    let write = |text: &str| folder.file("visavis.toml", text);
    let config = write("[channels.old]\n");
    let more = Folder::new();
    let mut program = Program::start_in(more, &["--config", &config]);
    let addr = program.addr("http");
    let mut inside = Client::join(addr, "old");
    inside.subscribe("r", 0);
    write(&format!(
        "[channels.new]\nsecret = \"{SECRET}\"\nrequire-auth = true\n[channels.kept]\nhistory = true\n"
    ));
    program.signal("HUP");
    let post =
        |channel: &str| Call::post(&format!("/{channel}/r/publish"), "x").basic("new", SECRET).send(addr);
    let until = |condition: &dyn Fn() -> bool| {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !condition() {
            assert!(std::time::Instant::now() < deadline, "the settings were not read anew");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    };
    until(&|| post("new").status == 200);
    assert_eq!(Call::post("/old/r/publish", "x").send(addr).status, 404);
    inside.say(&json!({"type": "publish", "room": "r", "message": "still here"}));
    assert_eq!(inside.hear()["message"], "still here");

    assert_eq!(Call::post("/kept/r/publish", "past").send(addr).status, 200);
    let mut late = Client::join(addr, "kept");
    assert_eq!(late.subscribe("r", 5)[0]["message"], "past");

    // What cannot be read changes nothing, and is reported.
    write("[channels.new]\nsecret = 1\n");
    program.signal("HUP");
    until(&|| program.log().contains("the channels stay as they were"));
    assert_eq!(post("new").status, 200);
    inside.say(&json!({"type": "publish", "room": "r", "message": "and still"}));
    assert_eq!(inside.hear()["message"], "and still");
    let log = program.log();
    let errors: Vec<_> = log.lines().filter(|line| line.contains(" ERROR ")).collect();
    assert!(errors.len() == 1 && errors[0].contains("channels.new.secret"), "{errors:?}");
    program.expect_errors();
}
