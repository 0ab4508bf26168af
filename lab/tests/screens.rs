//! A picture of each state of the page, for people to look at: `target/screens/STATE-LANGUAGE-SIZE-SCHEME.png`.
//!
//! What a machine can see is checked on the way: nothing is wider than the screen, and no text is cut off.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use visavis_lab::{
    Browser,
    Engine::{Chromium, Firefox},
    Lab,
    browser::PATIENCE,
    lab,
    need::target_dir,
    server, until,
};

const LANGUAGES: [&str; 2] = ["en", "zh"];
const SIZES: [(&str, u32, u32); 2] = [("desktop", 1280, 800), ("phone", 390, 844)];
const SCHEMES: [&str; 2] = ["light", "dark"];
const FEW_PICTURES: &str = "--use-fake-device-for-media-stream=fps=5";

#[test]
fn before_a_call() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let alice = lab.browser(Chromium, "alice").await?;
        for language in LANGUAGES {
            alice.open(&format!("{}/?lang={language}", server::origin())).await?;
            pictures(&alice, "landing", language).await?;
            alice.open(&format!("{}/?lang={language}#blue", server::insecure_origin())).await?;
            pictures(&alice, "insecure", language).await?;
            alice.open(&link(lab, language, "&name=Alice")).await?;
            pictures(&alice, "lobby", language).await?;
            alice.click("join").await?;
            pictures(&alice, "waiting", language).await?;
        }
        Ok(())
    });
}

#[test]
fn without_permission() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let alice = lab.browser_with(Chromium, "alice", &["--use-fake-ui-for-media-stream=deny"]).await?;
        for language in LANGUAGES {
            alice.open(&link(lab, language, "")).await?;
            pictures(&alice, "denied", language).await?;
        }
        Ok(())
    });
}

#[test]
fn from_connecting_to_left() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let alice = lab.browser_with(Chromium, "alice", &[FEW_PICTURES]).await?;
        let bob = lab.browser_with(Chromium, "bob", &[FEW_PICTURES]).await?;
        for language in LANGUAGES {
            bob.node.block_udp()?;
            bob.join(&link(lab, language, "&name=Bob&relay=udp")).await?;
            alice.join(&link(lab, language, "&name=Alice")).await?;
            pictures(&alice, "connecting", language).await?;
            bob.node.restore()?;
            bob.join(&link(lab, language, "&name=Bob")).await?;
            alice.sees_and_hears().await?;
            pictures(&alice, "in-call", language).await?;
            bob.node.vanish()?;
            pictures(&alice, "reconnecting", language).await?;
            bob.node.restore()?;
            alice.reaches(&["in-call"]).await?;
            bob.click("leave").await?;
            pictures(&bob, "left", language).await?;
        }
        Ok(())
    });
}

#[test]
fn the_call_is_lost() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let alice = lab.browser_with(Chromium, "alice", &[FEW_PICTURES]).await?;
        let bob = lab.browser_with(Chromium, "bob", &[FEW_PICTURES]).await?;
        let mut tabs = Vec::new();
        for language in LANGUAGES {
            let room = lab.link(&format!("/?lang={language}"), language);
            for browser in [&alice, &bob] {
                browser.tab().await?;
                browser.join(&room).await?;
            }
            bob.sees_and_hears().await?;
            tabs.push(bob.chosen().await?);
        }
        bob.node.vanish()?;
        for (language, tab) in LANGUAGES.into_iter().zip(tabs) {
            bob.choose(&tab).await?;
            bob.reaches_within(Duration::from_secs(90), &["lost"]).await?;
            pictures(&bob, "lost", language).await?;
        }
        Ok(())
    });
}

#[test]
fn a_relay_that_the_server_lacks() {
    lab::run(async |lab| {
        lab.server(&["--turn", "off"]).await?;
        let alice = lab.browser(Chromium, "alice").await?;
        for language in LANGUAGES {
            alice.join(&link(lab, language, "&relay=udp")).await?;
            pictures(&alice, "error", language).await?;
        }
        Ok(())
    });
}

#[test]
fn elsewhere_and_full() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let alice = lab.browser_with(Chromium, "alice", &[FEW_PICTURES]).await?;
        let first = alice.chosen().await?;
        for language in LANGUAGES {
            alice.join(&link(lab, language, "")).await?;
            alice.reaches(&["waiting"]).await?;
            // A tab that another one opened starts with a copy of its device.
            let copy = alice.copy().await?;
            alice.click("join").await?;
            alice.reaches(&["waiting"]).await?;
            alice.choose(&first).await?;
            pictures(&alice, "ended", language).await?;
            alice.choose(&copy).await?;
            alice.close().await?;
            alice.choose(&first).await?;
        }
        let bob = lab.browser_with(Chromium, "bob", &[FEW_PICTURES]).await?;
        for _ in 0..4 {
            bob.tab().await?;
            bob.join(&link(lab, "en", "&camera=0&mic=0")).await?;
            bob.reaches(&["waiting", "connecting", "in-call"]).await?;
        }
        for language in LANGUAGES {
            alice.open(&link(lab, language, "")).await?;
            until("alice is told that the room is full", PATIENCE, async || {
                match alice.state().await?.as_str() {
                    "full" => Ok(Some(())),
                    _ => alice.click("join").await.map(|()| None),
                }
            })
            .await?;
            pictures(&alice, "full", language).await?;
        }
        Ok(())
    });
}

#[test]
fn the_live_view() {
    lab::run(async |lab| {
        lab.server(&["--channel", "shop"]).await?;
        let alice = lab.browser(Chromium, "alice").await?;
        let view = alice.chosen().await?;
        alice.open(&live("en")).await?;
        alice.reaches(&["serving"]).await?;
        ensure!(alice.count("room").await? == 0 && alice.text("clients").await? == "0", "nobody is there");
        pictures(&alice, "serving", "live-quiet-en").await?;
        alice.tab().await?;
        alice.open(&server::origin()).await?;
        alice.ask::<()>(CROWD).await?;
        alice.choose(&view).await?;
        for language in LANGUAGES {
            alice.open(&live(language)).await?;
            until("all are counted, and the largest rooms shown", PATIENCE, async || {
                let counted =
                    alice.text("clients").await? == "14" && alice.text("rooms-count").await? == "65";
                Ok((counted && alice.count("room").await? == 50 && alice.text("messages").await? != "0")
                    .then_some(()))
            })
            .await?;
            alice.ask::<()>("document.querySelector('[data-testid=room] button').click()").await?;
            until("the members of the largest room are shown", PATIENCE, async || {
                let members = alice.text("members").await?;
                Ok((members.contains("Zoë") && members.lines().count() == 8).then_some(()))
            })
            .await?;
            ensure!(alice.text("errors").await?.contains("Room name is not valid"), "what was refused");
            pictures(&alice, "serving", &format!("live-{language}")).await?;
        }
        lab.the_server().kill();
        pictures(&alice, "lost", "live-zh").await
    });
}

#[test]
fn the_live_view_in_firefox() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let bob = lab.browser(Firefox, "bob").await?;
        bob.open(&live("en")).await?;
        bob.reaches(&["serving"]).await?;
        lab.the_server().kill();
        bob.reaches(&["lost"]).await?;
        lab.the_server().restart().await?;
        bob.reaches(&["serving"]).await
    });
}

fn live(language: &str) -> String {
    format!("{}/?lang={language}", server::admin_origin())
}

/// Fourteen clients in 65 rooms: calls of four and of two people, a shop with messages, and requests that are refused.
const CROWD: &str = "
    const join = (channel, name, rooms) => new Promise((done, fail) => {
        const socket = new WebSocket(location.origin.replace('https', 'wss') + '/v3/websocket');
        const say = words => socket.send(JSON.stringify(words));
        socket.onopen = () => {
            say({ type: 'handshake', channel, client_data: { name }, callback: 1 });
            rooms.forEach((room, index) => say({ type: 'subscribe', room, callback: index + 2 }));
        };
        socket.onmessage = ({ data }) => JSON.parse(data).callback === rooms.length + 1 && done({ socket, say });
        socket.onerror = fail;
    });
    const calls = ['k4x7q2mzt5nqb3wd6vhr8yfa', 'p9d2c7tq4mxw3zkb6nvh5rje', 'weekly', 't3m8v5xk2qzr7wdn4bhy6cfp'];
    const people = ['Ada', 'Zoë', '王小明', 'Grace'];
    const tables = Array.from({ length: 60 }, (_, index) => `table ${index + 1}`);
    window.crowd = await Promise.all([
        ...people.map(name => join('visavis', name, ['observable-' + calls[0]])),
        ...calls.slice(1).flatMap(call => ['Ada', 'Grace'].map(name => join('visavis', name, ['observable-' + call]))),
        ...people.slice(1).map(name => join('shop', name, ['orders'])),
        join('shop', 'kitchen', tables),
    ]);
    const { socket, say } = window.crowd[13];
    for (let index = 0; index < 3; index++) say({ type: 'subscribe', room: '', callback: 100 });
    socket.send('{');
    let turn = 0;
    setInterval(() => {
        const many = 1 + Math.round(3 + 3 * Math.sin(turn++ / 9));
        for (let index = 0; index < many; index++) say({ type: 'publish', room: 'orders', message: index });
    }, 100);";

fn link(lab: &Lab, language: &str, rest: &str) -> String {
    lab.link(&format!("/?lang={language}{rest}"), "blue")
}

/// Waits for the state and takes its picture on each screen and in each scheme.
async fn pictures(browser: &Browser, state: &str, language: &str) -> Result<()> {
    browser.reaches(&[state]).await?;
    for (size, width, height) in SIZES {
        for scheme in SCHEMES {
            let phone = size == "phone";
            let metrics =
                json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
            browser.chromium("Emulation.setDeviceMetricsOverride", metrics).await?;
            let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            browser.chromium("Emulation.setEmulatedMedia", media).await?;
            let picture = format!("{state}-{language}-{size}-{scheme}.png");
            browser.stir().await?;
            let wide = browser.ask::<u32>(WIDTH).await?;
            browser.picture(&target_dir().join("screens").join(&picture)).await?;
            ensure!(wide <= width, "{picture}: {wide} pixels wide");
            let cut = browser.ask::<Vec<String>>(CUT).await?;
            ensure!(cut.is_empty(), "{picture}: cut off: {cut:?}");
        }
    }
    browser.chromium("Emulation.clearDeviceMetricsOverride", json!({})).await?;
    Ok(())
}

/// The width that the page takes, once it has been drawn anew and its transitions are over.
const WIDTH: &str = "
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    const finite = document.getAnimations().filter(one => one.effect.getTiming().iterations !== Infinity);
    await Promise.all(finite.map(one => one.finished.catch(() => {})));
    return document.scrollingElement.scrollWidth;";

/// The text of buttons and headings that do not have the room they need.
const CUT: &str = "
    return [...document.querySelectorAll('button, h1, h2, label')]
        .filter(one => one.offsetWidth > 1 && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflow !== 'visible')
        .map(one => one.textContent.trim());";
