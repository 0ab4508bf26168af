//! What our SDK does beyond the original: in Node, in both browsers, and for the compiler of TypeScript.
#![allow(clippy::unwrap_used)]

use std::{fs, process::Command, time::Duration};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use visavis_lab::{
    Engine, Lab, lab,
    need::{self, conclude},
    network::{CONTROL, Node},
    process::run,
    script::{self, Language, Script},
    server, until,
    until::throughout,
};

const CHANNEL: &str = "demo";
const SECRET: &str = "PH3tYvBnZ0gkLmrXw5dVQu8JcE1sAf7R";
const ROOM: &str = "observable-blue";
const SOON: Duration = Duration::from_secs(5);
/// What Debian's Node needs to start beside everything else that runs.
const STARTS: Duration = Duration::from_secs(15);
/// A connection is made again: the kernel tries ever more seldom.
const BACK: Duration = Duration::from_secs(40);

#[test]
fn what_was_missed_comes_late_in_order_and_once() {
    in_node("what_was_missed_comes_late_in_order_and_once", "history = true", async |lab| {
        let machine = lab.machine("alice")?;
        let (mut alice, id) = enter(&machine, "alice", &json!({})).await?;
        let (mut bob, _) = enter(&lab.machine("bob")?, "bob", &json!({})).await?;
        alice.hears("member_join", SOON).await?;
        say(&mut bob, &mut alice, "before").await?;
        bob.hears("message", SOON).await?;
        let (mut carol, _) = enter(&lab.machine("carol")?, "carol", &json!({})).await?;
        alice.hears("member_join", SOON).await?;
        // The server sends the next ones to a connection that is dead already, and nobody knows.
        machine.vanish()?;
        carol.command(&json!(["publish", 0]))?;
        let by_carol = bob.hears("message", SOON).await?["member"].clone();
        carol.command(&json!(["close"]))?;
        bob.hears("member_leave", SOON).await?;
        for number in 1..=3 {
            bob.command(&json!(["publish", number]))?;
            bob.hears("message", SOON).await?;
        }
        alice.command(&json!(["cut"]))?;
        alice.hears("disconnect", SOON).await?;
        machine.restore()?;
        let again = alice.hears("reconnect", BACK).await?;
        ensure!(again == id, "{again} was {id}");
        let message = alice.hears("message", SOON).await?;
        ensure!(message["data"] == 0 && message["member"] == by_carol, "who has left has a name: {message}");
        ensure!(by_carol["clientData"]["name"] == "carol", "{by_carol}");
        bob.command(&json!(["publish", "now"]))?;
        for expected in [json!(1), json!(2), json!(3), json!("now")] {
            let message = alice.hears("message", SOON).await?;
            ensure!(message["data"] == expected, "{message} came instead of {expected}");
            ensure!(message["member"]["clientData"]["name"] == "bob", "{message}");
        }
        throughout("nothing comes twice", Duration::from_secs(1), async || {
            Ok(alice.meanwhile().iter().all(|event| event[0] != "message"))
        })
        .await?;
        ensure!(alice.seen.iter().all(|event| event[0] != "gap"), "nothing is missing: {:?}", alice.seen);
        Ok(())
    });
}

#[test]
fn a_break_in_the_midst_of_the_history_loses_nothing_of_it() {
    in_node("a_break_in_the_midst_of_the_history_loses_nothing_of_it", "history = true", async |lab| {
        let (mut bob, _) = enter(&lab.machine("bob")?, "bob", &json!({})).await?;
        for number in 1..=5 {
            bob.command(&json!(["publish", number]))?;
            bob.hears("message", SOON).await?;
        }
        let machine = lab.machine("alice")?;
        let (mut alice, _) = enter(&machine, "alice", &json!({ "history": 5, "cut": 2 })).await?;
        alice.hears("disconnect", SOON).await?;
        bob.command(&json!(["publish", 6]))?;
        alice.hears("reconnect", BACK).await?;
        bob.command(&json!(["publish", 7]))?;
        until("alice hears the last", SOON, async || {
            alice.meanwhile();
            let heard = alice.seen.iter().filter(|event| event[0] == "message").count();
            Ok((heard == 2).then_some(()))
        })
        .await?;
        let heard = |name: &str| -> Vec<Value> {
            alice.seen.iter().filter(|event| event[0] == name).map(|event| event[1]["data"].clone()).collect()
        };
        ensure!(heard("history_message") == [1, 2, 3, 4, 5], "{:?}", alice.seen);
        ensure!(heard("message") == [6, 7], "{:?}", alice.seen);
        ensure!(heard("gap").is_empty() && heard("room_open").len() == 1, "{:?}", alice.seen);
        Ok(())
    });
}

#[test]
fn what_waited_comes_in_order_and_no_faster_than_a_server_takes_it() {
    in_node("what_waited_comes_in_order_and_no_faster_than_a_server_takes_it", "", async |lab| {
        const MOST: u64 = 1000;
        let (mut alice, id) = enter(&lab.machine("alice")?, "alice", &json!({})).await?;
        alice.hears("room_open", SOON).await?;
        lab.the_server().kill();
        alice.hears("disconnect", SOON).await?;
        alice.command(&json!(["count", 0, MOST + 1]))?;
        ensure!(alice.hears("refused", SOON).await? == "Too many messages are waiting", "{:?}", alice.seen);
        // Behind what waits, however late that is said. Questions wait for nothing.
        alice.command(&json!(["interject", "last"]))?;
        lab.the_server().restart().await?;
        alice.hears("reconnect", BACK).await?;
        for expected in 0..MOST {
            let message = alice.hears("message", SOON).await?;
            ensure!(message["data"] == expected && message["clientId"] == id, "{message} is not {expected}");
        }
        ensure!(alice.seen.iter().any(|event| event[0] == "ice"), "it has waited behind them");
        ensure!(alice.hears("message", SOON).await?["data"] == "last", "{:?}", alice.seen.last());
        // Whatever was sent before counts.
        alice.command(&json!(["count", 0, 300]))?;
        for expected in 0..300 {
            ensure!(alice.hears("message", SOON).await?["data"] == expected, "{:?}", alice.seen.last());
        }
        ensure!(alice.seen.iter().all(|event| event[0] != "close"), "it is still connected");
        lab.the_server().kill();
        alice.hears("disconnect", SOON).await?;
        alice.command(&json!(["count", 0, MOST]))?;
        lab.the_server().restart().await?;
        alice.hears("reconnect", BACK).await?;
        alice.command(&json!(["close"]))?;
        for expected in 0..MOST {
            ensure!(alice.hears("message", SOON).await?["data"] == expected, "who closes is served before");
        }
        ensure!(alice.hears("close", SOON).await? == 1000, "{:?}", alice.seen.last());
        Ok(())
    });
}

#[test]
fn a_message_is_what_it_was_when_it_was_said() {
    in_node("a_message_is_what_it_was_when_it_was_said", "", async |lab| {
        let (mut alice, _) = enter(&lab.machine("alice")?, "alice", &json!({})).await?;
        alice.hears("room_open", SOON).await?;
        lab.the_server().kill();
        alice.hears("disconnect", SOON).await?;
        alice.command(&json!(["change"]))?;
        lab.the_server().restart().await?;
        alice.hears("reconnect", BACK).await?;
        for number in 1..=3 {
            ensure!(
                alice.hears("message", SOON).await?["data"] == json!({ "number": number }),
                "{:?}",
                alice.seen
            );
        }
        Ok(())
    });
}

#[test]
fn a_connection_that_breaks_at_once_is_made_again_ever_later() {
    in_node("a_connection_that_breaks_at_once_is_made_again_ever_later", "", async |lab| {
        let (mut alice, _) = enter(&lab.machine("alice")?, "alice", &json!({ "flaps": true })).await?;
        for _ in 0..2 {
            alice.hears("disconnect", BACK).await?;
            alice.hears("reconnect", BACK).await?;
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        let count = alice.meanwhile().iter().filter(|event| event[0] == "reconnect").count();
        ensure!(count <= 3, "{count} times in 4 s");
        Ok(())
    });
}

#[test]
fn a_server_that_goes_away_is_waited_for() {
    in_node("a_server_that_goes_away_is_waited_for", "", async |lab| {
        let (mut alice, id) = enter(&lab.machine("alice")?, "alice", &json!({})).await?;
        alice.hears("room_open", SOON).await?;
        alice.command(&json!(["go_away"]))?;
        alice.hears("disconnect", SOON).await?;
        alice.hears("reconnect", BACK).await?;
        alice.command(&json!(["publish", 1]))?;
        alice.hears("message", SOON).await?;
        ensure!(alice.seen.iter().all(|event| event[0] != "close"), "{:?} of {id}", alice.seen);
        Ok(())
    });
}

#[test]
fn others_are_told_what_a_token_says_where_none_is_required_and_who_has_left() {
    let name = "others_are_told_what_a_token_says_where_none_is_required_and_who_has_left";
    in_node(name, "", async |lab| {
        let (mut bob, _) = enter(&lab.machine("bob")?, "bob", &json!({})).await?;
        bob.hears("room_open", SOON).await?;
        let (mut alice, id) = enter(&lab.machine("alice")?, "alice", &json!({ "secret": SECRET })).await?;
        let member = bob.hears("member_join", SOON).await?;
        ensure!(member["authData"] == json!({ "from": "a token" }), "{member}");
        alice.hears("room_open", SOON).await?;
        alice.command(&json!(["leave"]))?;
        bob.hears("member_leave", SOON).await?;
        alice.command(&json!(["publish", "from outside"]))?;
        let message = bob.hears("message", SOON).await?;
        ensure!(message["clientId"] == id && message["member"] == member, "{message}");
        Ok(())
    });
}

#[test]
fn who_leaves_a_room_leaves_none_that_has_taken_its_place() {
    in_node("who_leaves_a_room_leaves_none_that_has_taken_its_place", "", async |lab| {
        let (mut alice, _) = enter(&lab.machine("alice")?, "alice", &json!({})).await?;
        alice.hears("room_open", SOON).await?;
        alice.command(&json!(["enter"]))?;
        alice.hears("room_open", SOON).await?;
        alice.command(&json!(["leave_older"]))?;
        alice.command(&json!(["publish", 1]))?;
        alice.hears("message", SOON).await?;
        let before = alice.seen.len();
        alice.command(&json!(["reenter"]))?;
        alice.hears("room_open", SOON).await?;
        alice.command(&json!(["publish", 2]))?;
        alice.hears("message", SOON).await?;
        let told = |name: &str| alice.seen[before..].iter().filter(|event| event[0] == name).count();
        ensure!(
            (told("members"), told("room_open"), told("message")) == (1, 1, 1),
            "{:?}",
            &alice.seen[before..]
        );
        Ok(())
    });
}

#[test]
fn who_subscribes_once_more_hears_nothing_twice() {
    in_node("who_subscribes_once_more_hears_nothing_twice", "history = true", async |lab| {
        let (mut bob, _) = enter(&lab.machine("bob")?, "bob", &json!({})).await?;
        bob.command(&json!(["count", 0, 3]))?;
        for _ in 0..3 {
            bob.hears("message", SOON).await?;
        }
        let (mut alice, _) = enter(&lab.machine("alice")?, "alice", &json!({ "history": 9 })).await?;
        for _ in 0..3 {
            alice.hears("history_message", SOON).await?;
        }
        alice.command(&json!(["publish", 3]))?;
        alice.command(&json!(["enter"]))?;
        for expected in 0..4 {
            ensure!(alice.hears("history_message", SOON).await?["data"] == expected, "{:?}", alice.seen);
        }
        say(&mut bob, &mut alice, "now").await?;
        let live = alice.seen.iter().filter(|event| event[0] == "message").count();
        ensure!(live <= 2, "the last, and perhaps the own one on the former subscription: {:?}", alice.seen);
        Ok(())
    });
}

#[test]
fn a_room_that_was_refused_opens_with_another_token() {
    in_node("a_room_that_was_refused_opens_with_another_token", "require-auth = true", async |lab| {
        let (mut alice, _) = enter(&lab.machine("alice")?, "alice", &json!({})).await?;
        alice.command(&json!(["show", SECRET, 1]))?;
        ensure!(alice.hears("authenticate", SOON).await?.is_null(), "{:?}", alice.seen);
        ensure!(alice.hears("room_open", SOON).await?.is_null(), "{:?}", alice.seen);
        tokio::time::sleep(Duration::from_millis(2100)).await;
        alice.command(&json!(["enter"]))?;
        ensure!(alice.hears("room_open", SOON).await? == "JWT has expired", "{:?}", alice.seen);
        alice.command(&json!(["show", SECRET, 60]))?;
        ensure!(alice.hears("room_open", SOON).await?.is_null(), "{:?}", alice.seen);
        alice.command(&json!(["publish", 1]))?;
        alice.hears("message", SOON).await.map(drop)
    });
}

#[test]
fn who_closes_has_left_at_once() {
    in_node("who_closes_has_left_at_once", "", async |lab| {
        let (mut alice, _) = enter(&lab.machine("alice")?, "alice", &json!({})).await?;
        let (mut bob, id) = enter(&lab.machine("bob")?, "bob", &json!({})).await?;
        alice.hears("member_join", SOON).await?;
        bob.command(&json!(["close"]))?;
        ensure!(alice.hears("member_leave", SOON).await?["id"] == id, "{:?}", alice.seen);
        ensure!(bob.hears("close", SOON).await? == 1000, "{:?}", bob.seen);
        Ok(())
    });
}

#[test]
fn an_older_function_that_answers_late_changes_nothing() {
    in_node("an_older_function_that_answers_late_changes_nothing", "require-auth = true", async |lab| {
        let (mut alice, _) = enter(&lab.machine("alice")?, "alice", &json!({})).await?;
        alice.command(&json!(["authenticate", "a secret of somebody else", 1000]))?;
        alice.command(&json!(["authenticate", SECRET, 10]))?;
        ensure!(alice.hears("authenticate", SOON).await?.is_null(), "{:?}", alice.seen);
        alice.hears("room_open", SOON).await?;
        throughout("nothing is refused", Duration::from_secs(2), async || {
            Ok(alice.meanwhile().iter().all(|event| event[0] != "authenticate" && event[0] != "error"))
        })
        .await
    });
}

#[test]
fn a_gap_is_told_where_nothing_is_kept() {
    in_node("a_gap_is_told_where_nothing_is_kept", "", async |lab| {
        let machine = lab.machine("alice")?;
        let (mut alice, _) = enter(&machine, "alice", &json!({})).await?;
        let (mut bob, _) = enter(&lab.machine("bob")?, "bob", &json!({})).await?;
        alice.hears("member_join", SOON).await?;
        alice.command(&json!(["cut"]))?;
        alice.hears("reconnect", BACK).await?;
        alice.hears("members", SOON).await?;
        say(&mut bob, &mut alice, "nothing was said").await?;
        ensure!(alice.seen.iter().all(|event| event[0] != "gap"), "{:?}", alice.seen);
        machine.vanish()?;
        bob.command(&json!(["publish", "lost"]))?;
        bob.hears("message", SOON).await?;
        alice.command(&json!(["cut"]))?;
        machine.restore()?;
        alice.hears("gap", BACK).await?;
        say(&mut bob, &mut alice, "now").await
    });
}

#[test]
fn a_function_that_gives_tokens_is_asked_before_they_end_and_on_each_connection() {
    let name = "a_function_that_gives_tokens_is_asked_before_they_end_and_on_each_connection";
    in_node(name, "require-auth = true\nhistory = true", async |lab| {
        // Its own clock is no matter.
        let with = json!({ "secret": SECRET, "ttl": 4, "skew": -3600 });
        let (mut alice, id) = enter(&lab.machine("alice")?, "alice", &with).await?;
        ensure!(alice.hears("authenticate", SOON).await?.is_null(), "{:?}", alice.seen);
        alice.hears("room_open", SOON).await?;
        for _ in 0..3 {
            let whose = alice.hears("token", STARTS).await?;
            ensure!(whose == id, "a token for {whose}");
            alice.command(&json!(["publish", "still here"]))?;
            alice.hears("message", SOON).await?;
        }
        lab.the_server().kill();
        alice.hears("disconnect", SOON).await?;
        alice.command(&json!(["publish", "while away"]))?;
        lab.the_server().restart().await?;
        alice.hears("reconnect", BACK).await?;
        let message = alice.hears("message", SOON).await?;
        ensure!(message["data"] == "while away" && message["clientId"] == id, "{message}");
        let told = alice.seen.iter().filter(|event| event[0] == "authenticate").collect::<Vec<_>>();
        ensure!(told.len() == 1, "pages hear once that they are authenticated: {told:?}");
        Ok(())
    });
}

#[test]
fn a_function_that_gives_a_bad_token_is_asked_again() {
    in_node("a_function_that_gives_a_bad_token_is_asked_again", "require-auth = true", async |lab| {
        let with = json!({ "secret": "a secret of somebody else" });
        let (mut alice, _) = enter(&lab.machine("alice")?, "alice", &with).await?;
        for _ in 0..2 {
            alice.hears("token", STARTS).await?;
            let refusal = alice.hears("authenticate", SOON).await?;
            ensure!(refusal == "JWT signature does not match", "{refusal}");
        }
        Ok(())
    });
}

#[test]
fn promises_stand_beside_events() {
    in_node("promises_stand_beside_events", "", async |lab| {
        let machine = lab.machine("alice")?;
        let (mut alice, id) = enter(&machine, "alice", &json!({})).await?;
        ensure!(alice.hears("ready", SOON).await? == id, "{:?}", alice.seen);
        ensure!(alice.hears("room_ready", SOON).await? == ROOM, "{:?}", alice.seen);
        let mut nobody = Script::member(&machine, "nobody", "visavis", ("unknown", ROOM), &json!({}))?;
        ensure!(nobody.hears("not_ready", STARTS).await? == "Channel not found", "{:?}", nobody.seen);
        nobody.command(&json!(["close"]))?;
        nobody.hears("room_not_ready", SOON).await?;
        nobody.command(&json!(["enter"]))?;
        nobody.hears("room_not_ready", SOON).await?;
        lab.the_server().kill();
        let lonely = |name| Script::member(&machine, name, "visavis", (CHANNEL, ROOM), &json!({}));
        let (mut again, mut away) = (lonely("again")?, lonely("away")?);
        again.command(&json!(["enter"]))?;
        ensure!(again.hears("room_not_ready", STARTS).await? == "Subscribed once more", "{:?}", again.seen);
        away.command(&json!(["leave"]))?;
        ensure!(away.hears("room_not_ready", STARTS).await? == "Unsubscribed", "{:?}", away.seen);
        lab.the_server().restart().await?;
        again.hears("room_ready", BACK).await?;
        Ok(())
    });
}

#[test]
fn a_page_written_for_sockjs_gets_the_websocket() {
    in_node("a_page_written_for_sockjs_gets_the_websocket", "", async |lab| {
        let machine = lab.machine("alice")?;
        let url = format!("{}/v3/socket", server::insecure_origin());
        let words = ["visavis", &url, CHANNEL, ROOM, "alice", r#"{"type":"sockjs"}"#];
        let mut alice = Script::start(&machine, "alice", (Language::Node, "member.js"), &words)?;
        alice.hears("room_open", STARTS).await.map(drop)
    });
}

#[test]
fn a_server_that_forgot_us_gives_another_id_and_the_old_one_still_means_us() {
    let name = "a_server_that_forgot_us_gives_another_id_and_the_old_one_still_means_us";
    in_node(name, "history = true", async |lab| {
        let (mut alice, old) = enter(&lab.machine("alice")?, "alice", &json!({ "history": 9 })).await?;
        let (mut bob, _) = enter(&lab.machine("bob")?, "bob", &json!({})).await?;
        alice.hears("member_join", SOON).await?;
        lab.the_server().kill();
        alice.hears("disconnect", SOON).await?;
        // What resume tokens are made with goes; what was said stays.
        let data = lab.folder().join("data");
        for file in fs::read_dir(&data)?.map_while(Result::ok).filter(|file| file.file_name() != "history") {
            fs::remove_file(file.path())?;
        }
        lab.the_server().restart().await?;
        let new = alice.hears("reconnect", BACK).await?;
        ensure!(new != old, "{new} is a new one");
        alice.command(&json!(["current", old]))?;
        ensure!(alice.hears("current", SOON).await? == new, "{:?}", alice.seen);
        bob.hears("reconnect", BACK).await?;
        say(&mut bob, &mut alice, "hello again").await
    });
}

#[test]
fn a_page_of_another_origin_comes_back_in_chromium() {
    lab::run(async |lab| in_a_page(lab, Engine::Chromium).await);
}

#[test]
fn a_page_of_another_origin_comes_back_in_firefox() {
    lab::run(async |lab| in_a_page(lab, Engine::Firefox).await);
}

#[test]
fn its_types_are_those_of_what_it_does() {
    let check = || -> Result<()> {
        let folder = script::installed("node")?;
        let mut compiler = Command::new(need::program("node")?);
        compiler.arg(folder.join("node_modules/typescript/bin/tsc")).args(["--noEmit", "--strict"]);
        compiler.args(["--lib", "es2022,dom", "--module", "commonjs", "--target", "es2022"]);
        run(compiler.arg(script::sources("node").join("types.ts"))).map(drop)
    };
    conclude("its_types_are_those_of_what_it_does", check());
}

/// What an application's page does, told in `window.heard`.
const PAGE: &str = r#"<!doctype html>
<meta charset="utf-8">
<title>An application</title>
<script src="https://meet.test:8443/scaledrone.min.js"></script>
<script>
  window.heard = [];
  window.drone = new Scaledrone('demo', { data: { name: 'page' } });
  window.room = drone.subscribe('observable-blue');
  for (const event of ['open', 'disconnect', 'reconnect']) drone.on(event, () => heard.push([event, drone.clientId]));
  room.on('members', (members) => heard.push(['members', members.map((member) => member.id)]));
  room.on('message', ({ data, clientId }) => heard.push(['message', data, clientId]));
  room.on('gap', () => heard.push(['gap']));
</script>
"#;

/// A page that the application's own server gives, with our script in it and nothing else of ours.
async fn in_a_page(lab: &mut Lab, engine: Engine) -> Result<()> {
    start(lab, "history = true").await?;
    let listener = TcpListener::bind((CONTROL, 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(serve(listener));
    let browser = lab.browser(engine, "alice").await?;
    browser.open(&url).await?;
    let heard = async |what: &str, event: Value| {
        until(&format!("the page hears {what}"), BACK, async || {
            let heard = browser.ask::<Vec<Value>>("return window.heard").await?;
            ensure!(heard.contains(&event), "it heard {heard:?}");
            Ok(Some(()))
        })
        .await
    };
    let id = until("the page is in", STARTS, async || {
        browser.ask::<Option<String>>("await room.ready; return drone.clientId").await
    })
    .await?;
    heard("who is there", json!(["members", [id]])).await?;
    browser.ask::<()>("drone.publish({ room: 'observable-blue', message: { before: [1, null] } })").await?;
    heard("itself", json!(["message", { "before": [1, null] }, id])).await?;
    let servers = browser.ask::<Value>("return drone.iceServers()").await?;
    ensure!(servers.to_string().contains("turns:meet.test"), "{servers}");
    lab.the_server().terminate();
    heard("that it is away", json!(["disconnect", id])).await?;
    browser.ask::<()>("drone.publish({ room: 'observable-blue', message: 'while away' })").await?;
    until("the server has ended", SOON, async || Ok(lab.the_server().has_ended().then_some(()))).await?;
    lab.the_server().restart().await?;
    heard("that it is back", json!(["reconnect", id])).await?;
    heard("what waited", json!(["message", "while away", id])).await?;
    let heard = browser.ask::<Vec<Value>>("return window.heard").await?;
    ensure!(!heard.contains(&json!(["gap"])), "{heard:?}");
    Ok(())
}

/// Answers every request with the page.
async fn serve(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
            let answer = format!("{head}Content-Length: {}\r\n\r\n{PAGE}", PAGE.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        });
    }
}

/// Installs the packages where the machine's network is, then runs the test with a server and a channel.
fn in_node<F>(name: &str, settings: &'static str, test: F)
where
    F: AsyncFnOnce(&mut Lab) -> Result<()> + Send + 'static,
{
    if let Err(error) = script::install(Language::Node) {
        return conclude(name, Err(error));
    }
    lab::run(async move |lab| {
        start(lab, settings).await?;
        test(lab).await
    });
}

async fn start(lab: &mut Lab, settings: &str) -> Result<()> {
    let file = lab.folder().join("visavis.toml");
    fs::write(&file, format!("[channels.{CHANNEL}]\nsecret = \"{SECRET}\"\n{settings}\n"))?;
    lab.server(&["--config", &file.display().to_string()]).await.map(drop)
}

/// A member on our SDK, and its id.
async fn enter(machine: &Node, name: &str, options: &Value) -> Result<(Script, String)> {
    let mut member = Script::member(machine, name, "visavis", (CHANNEL, ROOM), options)?;
    let id = member.hears("open", STARTS).await?;
    Ok((member, id.as_str().unwrap_or_default().to_owned()))
}

async fn say(speaker: &mut Script, listener: &mut Script, what: &str) -> Result<()> {
    speaker.command(&json!(["publish", what]))?;
    let message = listener.hears("message", SOON).await?;
    ensure!(message["data"] == what, "{message}");
    Ok(())
}
