//! What the page weighs until its lobby can be used, and how soon after Join the other person is seen:
//! `cargo xtask bench call`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a benchmark speaks to the person who called it")]

use anyhow::Result;
use serde::Deserialize;
use visavis_lab::{Browser, Engine, Lab, browser::PATIENCE, lab, until};

/// Rounds that count; one more comes before them.
const ROUNDS: usize = 9;

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

fn main() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let alice = lab.browser(Engine::Chromium, "alice").await?;
        let bob = lab.browser(Engine::Chromium, "bob").await?;
        bob.open(&lab.room("weight")).await?;
        bob.reaches(&["lobby"]).await?;
        let loaded: Loaded = bob.ask(LOADED).await?;
        println!("until the lobby can be used: {} B compressed, {} requests", loaded.bytes, loaded.requests);
        for (way, page) in [("direct", "/"), ("over the relay", "/?relay=udp")] {
            report(way, rounds(lab, &alice, &bob, page).await?);
        }
        Ok(())
    });
}

/// Alice waits; Bob joins again and again, each time with a live preview.
async fn rounds(lab: &Lab, alice: &Browser, bob: &Browser, page: &str) -> Result<Vec<f64>> {
    let link = lab.link(page, "bench");
    alice.join(&link).await?;
    alice.reaches(&["waiting"]).await?;
    let mut times = Vec::new();
    for _ in 0..=ROUNDS {
        bob.open(&link).await?;
        bob.reaches(&["lobby"]).await?;
        bob.ask::<()>(WATCH).await?;
        bob.click("join").await?;
        let seen = until("Bob sees Alice", PATIENCE, async || {
            let time: f64 = bob.ask("return window.__seen && window.__seen - window.__click").await?;
            Ok((time > 0.0).then_some(time))
        });
        times.push(seen.await?);
        bob.stir().await?;
        bob.click("leave").await?;
        alice.reaches(&["waiting"]).await?;
    }
    alice.stir().await?;
    alice.click("leave").await?;
    times.remove(0);
    Ok(times)
}

fn report(way: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let (least, median, most) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    println!(
        "Join to first remote frame, {way}: median {median:.0} ms, {least:.0} to {most:.0} ms, {ROUNDS} rounds"
    );
}
