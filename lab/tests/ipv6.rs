//! People who have IPv6 and nothing else, and a server that has both: every way to the relay.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use visavis_lab::{
    Browser, Connection, Engine, Lab, Path,
    browser::PATIENCE,
    lab,
    network::{SERVER, SERVER_V6},
    server::Allocation,
    until,
};

use Engine::{Chromium, Firefox};

/// More bytes than checks of connectivity exchange while a call begins.
const MEDIA: u64 = 50_000;

#[test]
fn two_chromium_meet_over_udp() {
    lab::run(async |lab| relayed(lab, Chromium, Chromium, "udp").await);
}

#[test]
fn two_chromium_meet_over_tcp() {
    lab::run(async |lab| relayed(lab, Chromium, Chromium, "tcp").await);
}

#[test]
fn two_chromium_meet_over_tls() {
    lab::run(async |lab| relayed(lab, Chromium, Chromium, "tls").await);
}

#[test]
fn firefox_calls_chromium_over_udp() {
    lab::run(async |lab| relayed(lab, Chromium, Firefox, "udp").await);
}

#[test]
fn firefox_calls_chromium_over_tcp() {
    lab::run(async |lab| relayed(lab, Chromium, Firefox, "tcp").await);
}

#[test]
fn firefox_calls_chromium_over_tls() {
    lab::run(async |lab| relayed(lab, Chromium, Firefox, "tls").await);
}

#[test]
fn chromium_calls_firefox_over_udp() {
    lab::run(async |lab| relayed(lab, Firefox, Chromium, "udp").await);
}

#[test]
fn chromium_calls_firefox_over_tcp() {
    lab::run(async |lab| relayed(lab, Firefox, Chromium, "tcp").await);
}

#[test]
fn chromium_calls_firefox_over_tls() {
    lab::run(async |lab| relayed(lab, Firefox, Chromium, "tls").await);
}

#[test]
fn a_relay_that_is_named_by_its_addresses_is_reached_by_the_one_of_the_clients_family() {
    lab::run(async |lab| {
        let public = [SERVER.to_string(), SERVER_V6.to_string()];
        lab.dual_server(&["--public-ip", &public[0], "--public-ip", &public[1]]).await?;
        let alice = on_ipv6(lab, Chromium, "alice").await?;
        let bob = on_ipv6(lab, Firefox, "bob").await?;
        meet(lab, &alice, &bob, "udp").await?;
        reach_the_relay(lab, "udp", &["ipv6"]).await
    });
}

#[test]
fn who_has_only_ipv6_meets_who_has_only_ipv4() {
    lab::run(async |lab| {
        let [alice, bob] = mixed(lab, Chromium).await?;
        // They may take any way, and there is none without a relay.
        let ends = lab.call(&alice, &bob, "/").await?;
        ensure!(!ends.iter().any(Connection::is_direct), "{ends:?}");
        Ok(())
    });
}

#[test]
fn chromium_on_ipv6_and_chromium_on_ipv4_meet_in_the_relay() {
    lab::run(async |lab| {
        let [alice, bob] = mixed(lab, Chromium).await?;
        meet(lab, &alice, &bob, "udp").await?;
        reach_the_relay(lab, "udp", &["ipv4", "ipv6"]).await
    });
}

#[test]
fn firefox_on_ipv6_and_chromium_on_ipv4_meet_in_the_relay() {
    lab::run(async |lab| {
        let [alice, bob] = mixed(lab, Firefox).await?;
        meet(lab, &alice, &bob, "udp").await?;
        reach_the_relay(lab, "udp", &["ipv4", "ipv6"]).await
    });
}

/// The first one has IPv6 alone, the second one IPv4 alone.
async fn mixed(lab: &mut Lab, first: Engine) -> Result<[Browser; 2]> {
    lab.dual_server(&[]).await?;
    Ok([on_ipv6(lab, first, "alice").await?, lab.browser(Chromium, "bob").await?])
}

/// Two people on IPv6 who only take a relay, over that transport. The second one calls.
async fn relayed(lab: &mut Lab, first: Engine, second: Engine, transport: &str) -> Result<()> {
    lab.dual_server(&[]).await?;
    let alice = on_ipv6(lab, first, "alice").await?;
    let bob = on_ipv6(lab, second, "bob").await?;
    meet(lab, &alice, &bob, transport).await?;
    reach_the_relay(lab, transport, &["ipv6"]).await
}

async fn on_ipv6(lab: &mut Lab, engine: Engine, name: &str) -> Result<Browser> {
    let node = lab.machine_v6(name)?;
    lab.browser_on(node, engine, name, &[]).await
}

/// They only take a relay, and both their statistics and the page in front of them say so.
async fn meet(lab: &Lab, first: &Browser, second: &Browser, transport: &str) -> Result<()> {
    let ends = lab.call(first, second, &format!("/?relay={transport}")).await?;
    ensure!(ends.iter().all(|end| end.path() == Path::Relay(transport.into())), "{ends:?}");
    let path = format!("relay-{transport}");
    first.says_path(&[&path]).await?;
    second.says_path(&[&path]).await
}

/// The relay says by which families it is reached by those whose media it carries.
async fn reach_the_relay(lab: &mut Lab, transport: &str, expected: &[&str]) -> Result<()> {
    let server = lab.the_server();
    until("the relay carries media of both", PATIENCE, async || {
        let mut allocations = server.allocations().await?;
        allocations.retain(|one| one.bytes > MEDIA);
        let is = |one: &Allocation| one.transport == transport && expected.contains(&one.family.as_str());
        ensure!(allocations.iter().all(is), "{allocations:?}");
        let members = allocations.iter().map(|one| &one.member).collect::<BTreeSet<_>>();
        let families = allocations.iter().map(|one| one.family.as_str()).collect::<BTreeSet<_>>();
        ensure!(members.len() == 2 && families.into_iter().eq(expected.iter().copied()), "{allocations:?}");
        Ok(Some(()))
    })
    .await
}
