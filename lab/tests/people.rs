//! People come, go, come back, and meet pages that are not ours.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use anyhow::{Result, ensure};
use visavis_lab::{
    Browser,
    Engine::{Chromium, Firefox},
    Lab,
    browser::PATIENCE,
    lab, until,
    until::throughout,
};

#[test]
fn who_leaves_is_gone_and_may_come_back() {
    lab::run(async |lab| {
        let [alice, bob] = call(lab).await?;
        bob.click("leave").await?;
        bob.reaches(&["left"]).await?;
        alice.reaches(&["waiting"]).await?;
        shows(&alice, 0).await?;
        bob.join(&lab.room("blue")).await?;
        alice.sees_and_hears().await?;
        bob.sees_and_hears().await?;
        shows(&alice, 1).await
    });
}

#[test]
fn who_reloads_replaces_what_was_there_before() {
    lab::run(async |lab| {
        let [alice, bob] = call(lab).await?;
        bob.reload().await?;
        bob.reaches(&["lobby"]).await?;
        bob.click("join").await?;
        bob.sees_and_hears().await?;
        alice.sees_and_hears().await?;
        shows(&alice, 1).await?;
        shows(&bob, 1).await
    });
}

#[test]
fn four_make_a_mesh_and_a_fifth_disturbs_nobody() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        // Sound alone: five people's pictures are too much for two cores.
        let room = lab.link("/?camera=0", "blue");
        let alice = lab.browser(Chromium, "alice").await?;
        let bob = lab.browser(Chromium, "bob").await?;
        let tabs = [alice.chosen().await?, bob.chosen().await?];
        alice.join(&room).await?;
        alice.reaches(&["waiting"]).await?;
        bob.join(&room).await?;
        bob.reaches(&["in-call"]).await?;
        for (browser, others) in [(&alice, 2), (&bob, 3)] {
            browser.tab().await?;
            browser.join(&room).await?;
            browser.hears(others).await?;
        }
        alice.choose(&tabs[0]).await?;
        alice.hears(3).await?;

        let eve = lab.browser(Chromium, "eve").await?;
        eve.open(&room).await?;
        until("eve is told that the room is full", PATIENCE, async || match eve.state().await?.as_str() {
            "full" => Ok(Some(())),
            _ => eve.click("join").await.map(|()| None),
        })
        .await?;
        for (browser, tab) in [(&alice, &tabs[0]), (&bob, &tabs[1])] {
            browser.choose(tab).await?;
            browser.hears(3).await?;
            shows(browser, 3).await?;
        }
        Ok(())
    });
}

#[test]
fn the_tutorials_page_calls_ours() {
    lab::run(async |lab| meets_tutorial(lab, "/", "/examples/").await);
}

#[test]
fn our_page_calls_the_tutorials() {
    lab::run(async |lab| meets_tutorial(lab, "/examples/", "/").await);
}

#[test]
fn two_of_the_tutorials_pages_call_each_other() {
    lab::run(async |lab| meets_tutorial(lab, "/examples/", "/examples/").await);
}

#[test]
fn the_tutorials_pages_find_each_other_again_when_the_server_starts_anew() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let room = lab.link("/examples/", "blue");
        let alice = lab.browser(Chromium, "alice").await?;
        let bob = lab.browser(Firefox, "bob").await?;
        for browser in [&alice, &bob] {
            browser.open(&room).await?;
        }
        for browser in [&alice, &bob] {
            browser.sees_and_hears().await?;
        }
        lab.the_server().kill();
        for browser in [&alice, &bob] {
            browser.sees_and_hears().await?;
        }
        lab.the_server().restart().await?;
        // Whoever reloads, before or after the other is back, is called or calls.
        for browser in [&bob, &alice] {
            browser.reload().await?;
            for browser in [&alice, &bob] {
                browser.sees_and_hears().await?;
            }
        }
        Ok(())
    });
}

#[test]
fn media_outlives_the_server_and_members_keep_their_ids() {
    lab::run(async |lab| {
        let [alice, bob] = call(lab).await?;
        let before = [alice.client_ids().await?, bob.client_ids().await?];
        lab.the_server().kill();
        for browser in [&alice, &bob] {
            browser.sees_and_hears().await?;
        }
        lab.the_server().restart().await?;
        for (browser, before) in [&alice, &bob].into_iter().zip(before) {
            let after = until("signaling is back", PATIENCE, async || {
                let ids = browser.client_ids().await?;
                Ok((ids.len() > before.len()).then_some(ids))
            })
            .await?;
            ensure!(after.last() == before.last(), "{} was {before:?} and is {after:?}", browser.name);
        }
        throughout("both stay in the call", Duration::from_secs(5), async || {
            Ok(alice.connections().await?.len() == 1 && bob.connections().await?.len() == 1)
        })
        .await?;
        for browser in [&alice, &bob] {
            browser.sees_and_hears().await?;
            browser.reaches(&["in-call"]).await?;
            shows(browser, 1).await?;
        }
        Ok(())
    });
}

/// Alice and Bob in a call.
async fn call(lab: &mut Lab) -> Result<[Browser; 2]> {
    lab.server(&[]).await?;
    let alice = lab.browser(Chromium, "alice").await?;
    let bob = lab.browser(Chromium, "bob").await?;
    alice.join(&lab.room("blue")).await?;
    alice.reaches(&["waiting"]).await?;
    bob.join(&lab.room("blue")).await?;
    for browser in [&alice, &bob] {
        browser.sees_and_hears().await?;
        browser.reaches(&["in-call"]).await?;
    }
    Ok([alice, bob])
}

/// The second page comes later, so it is the one to call.
async fn meets_tutorial(lab: &mut Lab, first: &str, second: &str) -> Result<()> {
    lab.server(&[]).await?;
    let alice = lab.browser(Chromium, "alice").await?;
    let bob = lab.browser(Chromium, "bob").await?;
    enters(&alice, &lab.link(first, "blue"), first).await?;
    enters(&bob, &lab.link(second, "blue"), second).await?;
    for (browser, page) in [(&alice, first), (&bob, second)] {
        browser.sees_and_hears().await?;
        if page == "/" {
            browser.reaches(&["in-call"]).await?;
        }
    }
    Ok(())
}

/// Waits until the page is in the room: ours from the lobby, the tutorial's by itself.
async fn enters(browser: &Browser, url: &str, page: &str) -> Result<()> {
    if page == "/" {
        browser.join(url).await?;
        return browser.reaches(&["waiting", "connecting", "in-call"]).await;
    }
    browser.open(url).await?;
    until("the tutorial's page is connected", PATIENCE, async || {
        Ok((!browser.client_ids().await?.is_empty()).then_some(()))
    })
    .await
}

/// Waits until exactly that many remote pictures are on the page.
async fn shows(browser: &Browser, count: usize) -> Result<()> {
    let what = format!("{} is shown {count} others", browser.name);
    until(&what, PATIENCE, async || {
        let shown = browser.count("remote-video").await?;
        ensure!(shown == count, "{shown} are shown");
        Ok(Some(()))
    })
    .await
}
