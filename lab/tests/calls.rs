//! Two people see and hear each other, on every way that media can take.
#![allow(clippy::unwrap_used)]

use anyhow::{Result, ensure};
use visavis_lab::{Browser, Connection, Engine, Lab, Path, browser::PATIENCE, lab, until};

use Engine::{Chromium, Firefox};

#[test]
fn two_people_are_connected_directly() {
    lab::run(async |lab| {
        let [alice, bob] = pair(lab, Chromium, Chromium).await?;
        let ends = lab.call(&alice, &bob, "/").await?;
        ensure!(ends.iter().all(Connection::is_direct), "{ends:?}");
        alice.says_path(&["direct"]).await?;
        bob.says_path(&["direct"]).await
    });
}

#[test]
fn a_relay_is_reached_over_udp() {
    lab::run(async |lab| relayed(lab, Chromium, "udp").await);
}

#[test]
fn a_relay_is_reached_over_tcp() {
    lab::run(async |lab| relayed(lab, Chromium, "tcp").await);
}

#[test]
fn a_relay_is_reached_over_tls_on_the_port_of_the_page() {
    lab::run(async |lab| relayed(lab, Chromium, "tls").await);
}

#[test]
fn firefox_reaches_a_relay_over_tls() {
    lab::run(async |lab| relayed(lab, Firefox, "tls").await);
}

#[test]
fn a_call_stands_where_udp_is_blocked_altogether() {
    lab::run(async |lab| {
        let [alice, bob] = pair(lab, Chromium, Chromium).await?;
        alice.node.block_udp()?;
        bob.node.block_udp()?;
        let ends = lab.call(&alice, &bob, "/").await?;
        let streams = [Path::Relay("tcp".into()), Path::Relay("tls".into())];
        ensure!(ends.iter().all(|end| streams.contains(&end.path())), "{ends:?}");
        alice.says_path(&["relay-tcp", "relay-tls"]).await?;
        bob.says_path(&["relay-tcp", "relay-tls"]).await
    });
}

#[test]
fn firefox_calls_chromium() {
    lab::run(async |lab| {
        let [alice, bob] = pair(lab, Chromium, Firefox).await?;
        lab.call(&alice, &bob, "/").await.map(drop)
    });
}

#[test]
fn chromium_calls_firefox() {
    lab::run(async |lab| {
        let [alice, bob] = pair(lab, Firefox, Chromium).await?;
        lab.call(&alice, &bob, "/").await.map(drop)
    });
}

#[test]
fn who_has_no_camera_is_heard() {
    lab::run(async |lab| {
        let [alice, bob] = pair(lab, Chromium, Chromium).await?;
        alice.join(&lab.link("/?camera=0", "blue")).await?;
        bob.join(&lab.link("/?camera=0", "blue")).await?;
        alice.hears(1).await?;
        bob.hears(1).await.map(drop)
    });
}

#[test]
fn the_log_names_neither_people_nor_rooms_nor_addresses() {
    lab::run(async |lab| {
        let [alice, bob] = pair(lab, Chromium, Chromium).await?;
        lab.call(&alice, &bob, "/?relay=udp&name=Alice").await?;
        bob.stir().await?;
        bob.click("leave").await?;
        alice.reaches(&["waiting"]).await?;
        let server = lab.the_server();
        server.terminate();
        let ended = until("the server ends", PATIENCE, async || Ok(server.has_ended().then_some(())));
        ended.await?;
        let words = server.words();
        ensure!(words.contains("INFO"), "it logs: {words}");
        for private in ["203.0.113.11", "203.0.113.12", "blue", "Alice", "ice-ufrag", "b58:"] {
            ensure!(!words.contains(private), "the log says {private}:\n{words}");
        }
        Ok(())
    });
}

/// Two people who only take a relay, over that transport.
async fn relayed(lab: &mut Lab, engine: Engine, transport: &str) -> Result<()> {
    let [alice, bob] = pair(lab, Chromium, engine).await?;
    let ends = lab.call(&alice, &bob, &format!("/?relay={transport}")).await?;
    ensure!(ends.iter().all(|end| end.path() == Path::Relay(transport.into())), "{ends:?}");
    let path = format!("relay-{transport}");
    alice.says_path(&[&path]).await?;
    bob.says_path(&[&path]).await
}

async fn pair(lab: &mut Lab, first: Engine, second: Engine) -> Result<[Browser; 2]> {
    lab.server(&[]).await?;
    Ok([lab.browser(first, "alice").await?, lab.browser(second, "bob").await?])
}
