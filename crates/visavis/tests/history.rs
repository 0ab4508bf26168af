//! History across restarts of the real program.

#![allow(clippy::unwrap_used)]

mod client;
mod program;

use std::{
    fs::OpenOptions,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use client::{Call, Client};
use program::{Folder, Program};
use serde_json::{Value, json};

/// Writers, each with rooms of its own.
const WRITERS: usize = 8;
/// No more than what a room keeps.
const PER_ROOM: usize = 50;

fn start_in(folder: Folder) -> Program {
    let config = folder.file("visavis.toml", "[channels.app]\nhistory = true\nhistory-ttl = \"1d\"\n");
    Program::start_in(folder, &["--config", &config])
}

/// Posts numbers into one room after the other until the server is gone; the rooms, with what was acknowledged.
fn post_until_the_end(addr: SocketAddr, name: &str, acknowledged: &AtomicUsize) -> Vec<(String, usize)> {
    let mut rooms = Vec::new();
    loop {
        let room = format!("{name} {}", rooms.len());
        rooms.push((room.clone(), 0));
        for number in 0..PER_ROOM {
            let path = format!("/app/{}/publish", room.replace(' ', "%20"));
            let Ok(answer) = Call::post(&path, number.to_string()).json().try_send(addr) else {
                return rooms;
            };
            assert_eq!(answer.status, 200, "{answer:?}");
            rooms.last_mut().unwrap().1 = number + 1;
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn numbers(past: &[Value]) -> Vec<u64> {
    past.iter().map(|message| message["message"].as_u64().unwrap()).collect()
}

#[test]
fn what_was_acknowledged_outlives_kill_9_in_the_middle_of_publishing() {
    let mut folder = Folder::new();
    let mut rooms = Vec::new();
    for round in 0..3 {
        let program = start_in(folder);
        let addr = program.addr("http");
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let acknowledged = Arc::clone(&acknowledged);
                let name = format!("{round} {writer}");
                thread::spawn(move || post_until_the_end(addr, &name, &acknowledged))
            })
            .collect();
        while acknowledged.load(Ordering::Relaxed) < 300 {
            thread::yield_now();
        }
        folder = program.kill();
        for writer in writers {
            rooms.extend(writer.join().unwrap());
        }
    }
    let program = start_in(folder);
    let mut reader = Client::join(program.addr("http"), "app");
    let acknowledged: usize = rooms.iter().map(|(_, count)| count).sum();
    assert!(acknowledged >= 900, "{acknowledged}");
    for (room, count) in rooms {
        let past = reader.subscribe(&room, 100);
        let expected: Vec<_> = (0..past.len() as u64).collect();
        assert_eq!(numbers(&past), expected, "{room}: in order, none missing, none twice");
        assert!(past.len() == count || past.len() == count + 1, "{room}: {} of {count}", past.len());
        assert!(past.iter().enumerate().all(|(index, message)| message["index"] == index));
        reader.say(&json!({"type": "unsubscribe", "room": room, "callback": 4}));
        reader.hear();
    }
}

#[test]
fn what_connections_said_outlives_a_planned_restart() {
    let program = start_in(Folder::new());
    let mut writer = Client::join(program.addr("http"), "app");
    writer.subscribe("r", 0);
    for number in 0..120 {
        writer.say(&json!({"type": "publish", "room": "r", "message": number}));
        assert_eq!(writer.hear()["message"], number);
    }
    let (status, folder) = program.end();
    assert!(status.success());
    let program = start_in(folder);
    let mut reader = Client::join(program.addr("http"), "app");
    let past = reader.subscribe("r", 500);
    assert_eq!(numbers(&past), (20..120).collect::<Vec<_>>(), "the newest hundred");
    assert_eq!(past[0]["client_id"], json!(writer.id));
}

#[test]
fn after_a_crash_who_comes_back_is_told_that_something_may_be_missing() {
    let program = start_in(Folder::new());
    let mut writer = Client::join(program.addr("http"), "app");
    writer.say(&json!({"type": "subscribe", "room": "r", "since": "", "callback": 2}));
    let place = writer.hear();
    assert_eq!(place["past"], 0);
    writer.say(&json!({"type": "publish", "room": "r", "message": 1}));
    let id = writer.hear()["id"].clone();
    writer.say(&json!({"type": "publish", "room": "r", "message": 2}));
    writer.hear();
    let back = |program: &Program| {
        let mut reader = Client::join(program.addr("http"), "app");
        reader.say(&json!({"type": "subscribe", "room": "r", "since": id, "callback": 3}));
        let reply = reader.hear();
        (reply["past"].as_u64().unwrap(), reply["gap"].as_bool().unwrap())
    };
    let program = start_in(program.end().1);
    assert_eq!(back(&program), (1, false), "it ended in order");
    let program = start_in(program.kill());
    assert_eq!(back(&program), (1, true));
}

#[test]
fn a_file_that_is_no_history_ends_the_start_with_one_line() {
    let folder = Folder::new();
    let (_, folder) = start_in(folder).end();
    let path = folder.path().join("data/history");
    let mut file = OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, &[b'x'; 10_000]).unwrap();
    let config = folder.file("visavis.toml", "[channels.app]\nhistory = true\n");
    let output = program::command()
        .args(["--http", "127.0.0.1:0", "--https", "off", "--turn", "127.0.0.1:0", "--admin", "off"])
        .args(["--config", &config, "--data-dir"])
        .arg(folder.path().join("data"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let line = text.lines().last().unwrap();
    assert!(line.starts_with("visavis: cannot open ") && line.contains("history: "), "{text}");
    assert!(!output.status.success());
}
