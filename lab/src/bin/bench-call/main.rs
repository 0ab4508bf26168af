//! What the page weighs until its lobby can be used, and how soon after Join the other person is seen:
//! `cargo xtask bench call`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a benchmark speaks to the person who called it")]

use anyhow::Result;
use serde::Deserialize;
use visavis_lab::{Browser, Engine, Lab, browser::PATIENCE, lab, until};

/// Rounds that count; one more comes before them.
const ROUNDS: usize = 15;

/// Notes when Join is clicked and when the first picture of the other person is presented.
const WATCH: &str = "
    window.__click = window.__seen = 0;
    const watch = () => {
        const video = document.querySelector('[data-testid=remote-video]');
        if (video) video.requestVideoFrameCallback(() => { window.__seen = performance.now(); });
        else requestAnimationFrame(watch);
    };
    document.querySelector('[data-testid=join]').addEventListener('click', () => {
        window.__click = performance.now();
        watch();
    }, { capture: true, once: true });";

/// Everything that was asked of the server until now, the page itself included.
const LOADED: &str = "
    const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return { requests: all.length, bytes: all.reduce((sum, entry) => sum + entry.encodedBodySize, 0) };";

/// What the page asked for.
#[derive(Debug, Deserialize)]
struct Loaded {
    requests: usize,
    bytes: usize,
}

/// A page of some forty lines that does nothing but call.
const MINIMAL: &str = include_str!("minimal.js");

fn main() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let alice = lab.browser(Engine::Chromium, "alice").await?;
        let bob = lab.browser(Engine::Chromium, "bob").await?;
        bob.open(&lab.room("weight")).await?;
        bob.reaches(&["lobby"]).await?;
        let loaded: Loaded = bob.ask(LOADED).await?;
        println!("until the lobby can be used: {} B compressed, {} requests", loaded.bytes, loaded.requests);

        let [ours, minimal] = beside_minimal(lab, &alice, &bob).await?;
        report("direct", &ours);
        report("direct, minimal page", &minimal);
        println!("ratio of the medians: {:.2}", median(&ours) / median(&minimal));
        report("over the relay", &relayed(lab, &alice, &bob).await?);
        Ok(())
    });
}

/// Bob joins Alice again and again, with our page and with the minimal one in turn.
async fn beside_minimal(lab: &Lab, alice: &Browser, bob: &Browser) -> Result<[Vec<f64>; 2]> {
    let link = lab.room("bench");
    wait_inside(alice, &link).await?;
    let (mut ours, mut minimal) = (Vec::new(), Vec::new());
    for _ in 0..=ROUNDS {
        ours.push(join(alice, bob, &link).await?);
        minimal.push(join_minimal(lab, alice, bob).await?);
    }
    leave(alice).await?;
    Ok([counted(ours), counted(minimal)])
}

/// Bob joins Alice again and again; both take nothing but the relay.
async fn relayed(lab: &Lab, alice: &Browser, bob: &Browser) -> Result<Vec<f64>> {
    let link = lab.link("/?relay=udp", "bench");
    wait_inside(alice, &link).await?;
    let mut times = Vec::new();
    for _ in 0..=ROUNDS {
        times.push(join(alice, bob, &link).await?);
    }
    leave(alice).await?;
    Ok(counted(times))
}

async fn wait_inside(alice: &Browser, link: &str) -> Result<()> {
    alice.join(link).await?;
    alice.reaches(&["waiting"]).await
}

async fn leave(browser: &Browser) -> Result<()> {
    browser.stir().await?;
    browser.click("leave").await
}

/// From Bob's click on Join, with a live preview, to the first picture of Alice, in milliseconds.
async fn join(alice: &Browser, bob: &Browser, link: &str) -> Result<f64> {
    bob.open(link).await?;
    bob.reaches(&["lobby"]).await?;
    bob.ask::<()>(WATCH).await?;
    bob.click("join").await?;
    let time = seen(bob).await?;
    leave(bob).await?;
    alice.reaches(&["waiting"]).await?;
    Ok(time)
}

/// The same with the minimal page.
async fn join_minimal(lab: &Lab, alice: &Browser, bob: &Browser) -> Result<f64> {
    bob.open(&lab.link("/examples/call.css", "")).await?;
    bob.ask::<()>(MINIMAL).await?;
    bob.ask::<()>("window.__join()").await?;
    let time = seen(bob).await?;
    bob.ask::<()>("window.__leave()").await?;
    alice.reaches(&["waiting"]).await?;
    Ok(time)
}

async fn seen(bob: &Browser) -> Result<f64> {
    until("Bob sees Alice", PATIENCE, async || {
        let time: f64 = bob.ask("return window.__seen && window.__seen - window.__click").await?;
        Ok((time > 0.0).then_some(time))
    })
    .await
}

/// All but the first, in order.
fn counted(mut times: Vec<f64>) -> Vec<f64> {
    times.remove(0);
    times.sort_by(f64::total_cmp);
    times
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

fn report(way: &str, sorted: &[f64]) {
    println!(
        "Join to first remote frame, {way}: median {:.0} ms, {:.0} to {:.0} ms, {ROUNDS} rounds",
        median(sorted),
        sorted[0],
        sorted[sorted.len() - 1]
    );
}
