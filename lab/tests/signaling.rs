//! Members of rooms: Scaledrone's own client, and those that vanish, die or come back.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use visavis_lab::{
    Lab, lab,
    need::conclude,
    network::Node,
    script::{self, Language, Script},
    until::throughout,
};

const ROOM: &str = "observable-blue";
const SOON: Duration = Duration::from_secs(5);
/// What Debian's Node needs to start beside everything else that runs.
const STARTS: Duration = Duration::from_secs(15);

#[test]
fn scaledrones_own_client_comes_back_after_its_connection_was_dropped() {
    run("scaledrones_own_client_comes_back_after_its_connection_was_dropped", async |lab| {
        let (mut alice, _) = enter(&lab.machine("alice")?, "alice", "scaledrone-node").await?;
        alice.hears("room_open", SOON).await?;
        lab.the_server().kill();
        alice.hears("disconnect", SOON).await?;
        lab.the_server().restart().await?;
        alice.hears("reconnect", Duration::from_secs(20)).await?;
        let members = alice.hears("members", SOON).await?;
        ensure!(members.as_array().is_some_and(|members| members.len() == 1), "{members}");
        alice.command(&json!(["publish", "again"]))?;
        let message = alice.hears("message", SOON).await?;
        ensure!(message["data"] == "again", "{message}");
        Ok(())
    });
}

#[test]
fn our_sdk_keeps_its_id_when_the_server_starts_again() {
    run("our_sdk_keeps_its_id_when_the_server_starts_again", async |lab| {
        let (mut alice, id) = enter(&lab.machine("alice")?, "alice", "visavis").await?;
        alice.hears("room_open", SOON).await?;
        lab.the_server().kill();
        alice.hears("disconnect", SOON).await?;
        alice.command(&json!(["publish", "while away"]))?;
        lab.the_server().restart().await?;
        let again = alice.hears("reconnect", Duration::from_secs(20)).await?;
        ensure!(again == id, "{again} was {id}");
        let message = alice.hears("message", SOON).await?;
        ensure!(message["data"] == "while away" && message["clientId"] == id, "{message}");
        alice.command(&json!(["ice"]))?;
        let servers = alice.hears("ice", SOON).await?;
        ensure!(servers.to_string().contains("turns:"), "{servers}");
        Ok(())
    });
}

#[test]
fn a_member_whose_process_is_killed_leaves_at_once() {
    run("a_member_whose_process_is_killed_leaves_at_once", async |lab| {
        let [mut alice, mut bob] = both(lab, "scaledrone-node").await?;
        bob.kill();
        alice.hears("member_leave", Duration::from_secs(2)).await.map(drop)
    });
}

#[test]
fn a_member_whose_packets_vanish_leaves_within_a_minute() {
    run("a_member_whose_packets_vanish_leaves_within_a_minute", async |lab| {
        let machine = lab.machine("bob")?;
        let (mut alice, _) = enter(&lab.machine("alice")?, "alice", "scaledrone-node").await?;
        let (_bob, id) = enter(&machine, "bob", "scaledrone-node").await?;
        alice.hears("member_join", SOON).await?;
        let start = Instant::now();
        machine.vanish()?;
        let left = alice.hears("member_leave", Duration::from_secs(60)).await?;
        ensure!(left["id"] == id, "{left} left");
        ensure!(start.elapsed() > Duration::from_secs(10), "one lost ping is no departure");
        Ok(())
    });
}

#[test]
fn a_member_that_resumes_within_the_grace_never_leaves() {
    run("a_member_that_resumes_within_the_grace_never_leaves", async |lab| {
        let [mut alice, mut bob] = both(lab, "visavis").await?;
        bob.command(&json!(["cut"]))?;
        bob.hears("reconnect", SOON).await?;
        throughout("nobody leaves and nobody joins", Duration::from_secs(25), async || {
            let events = alice.meanwhile();
            let moves = |event: &Value| event[0] == "member_leave" || event[0] == "member_join";
            Ok(!events.iter().any(moves))
        })
        .await
    });
}

/// Installs the packages where the machine's network is, then runs the test with a server and a channel.
fn run<F>(name: &str, test: F)
where
    F: AsyncFnOnce(&mut Lab) -> Result<()> + Send + 'static,
{
    if let Err(error) = script::install(Language::Node) {
        return conclude(name, Err(error));
    }
    lab::run(async move |lab| {
        lab.server(&["--channel", "demo"]).await?;
        test(lab).await
    });
}

/// Alice on Scaledrone's client, and Bob on the one that is named.
async fn both(lab: &mut Lab, sdk: &str) -> Result<[Script; 2]> {
    let (mut alice, _) = enter(&lab.machine("alice")?, "alice", "scaledrone-node").await?;
    let (bob, _) = enter(&lab.machine("bob")?, "bob", sdk).await?;
    alice.hears("member_join", SOON).await?;
    Ok([alice, bob])
}

/// A member whose connection is open, and its id.
async fn enter(machine: &Node, name: &str, sdk: &str) -> Result<(Script, String)> {
    let mut member = Script::member(machine, name, sdk, ("demo", ROOM), &json!({}))?;
    let id = member.hears("open", STARTS).await?;
    Ok((member, id.as_str().unwrap_or_default().to_owned()))
}
