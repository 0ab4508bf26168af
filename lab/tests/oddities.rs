//! Odd links and odd moments: what a page must not do.
#![allow(clippy::unwrap_used)]

use anyhow::{Result, ensure};
use visavis_lab::{Browser, Engine::Chromium, lab, server};

#[test]
fn nothing_watches_or_listens_to_who_has_left() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let alice = lab.browser(Chromium, "alice").await?;
        alice.join(&lab.room("blue")).await?;
        alice.reaches(&["waiting"]).await?;
        alice.click("leave").await?;
        alice.reaches(&["left"]).await?;
        count_questions(&alice).await?;
        alice
            .ask::<()>("for (const key of 'mv') window.dispatchEvent(new KeyboardEvent('keydown', { key }))")
            .await?;
        ensure!(questions(&alice).await? == 0, "a key switches a device on after the call");

        // The person goes while the browser still asks, and then says no.
        alice.open(&lab.link("/", "blue")).await?;
        go_home(&alice).await?;
        alice.reaches(&["landing"]).await?;
        count_questions(&alice).await?;
        alice.click("start").await?;
        alice.reaches(&["lobby"]).await?;
        go_home(&alice).await?;
        alice.reaches(&["landing"]).await?;
        alice.ask::<()>("refuse(new DOMException('in use', 'NotReadableError'))").await?;
        ensure!(questions(&alice).await? == 1, "devices are asked for after the person has gone");
        Ok(())
    });
}

#[test]
fn odd_links_do_what_they_say() {
    lab::run(async |lab| {
        lab.server(&[]).await?;
        let alice = lab.browser(Chromium, "alice").await?;
        // The longest name of a room that a person can type.
        alice.join(&lab.link("/?camera=0", &"😀".repeat(64))).await?;
        alice.reaches(&["waiting"]).await?;

        alice.open(&format!("{}/?camera=0", server::origin())).await?;
        alice.click("start").await?;
        alice.reaches(&["lobby"]).await?;
        ensure!(
            alice.attribute("camera", "data-on").await?.as_deref() == Some("false"),
            "camera=0 means off"
        );

        // A name that is markup stays a name.
        let name = "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E";
        alice.open(&lab.link(&format!("/?join=1&name={name}"), name)).await?;
        alice.reaches(&["waiting"]).await?;
        ensure!(alice.ask::<bool>("return !document.querySelector('img')").await?, "markup came to life");

        alice.open(&format!("{}/#blue", server::insecure_origin())).await?;
        alice.reaches(&["insecure"]).await?;
        go_home(&alice).await?;
        alice.reaches(&["insecure"]).await
    });
}

async fn go_home(browser: &Browser) -> Result<()> {
    browser.ask("document.querySelector('.brand').click()").await
}

/// Counts from now on how often the page asks for devices; the answer waits for `refuse`.
async fn count_questions(browser: &Browser) -> Result<()> {
    browser
        .ask(
            "window.questions = 0;
             navigator.mediaDevices.getUserMedia = () => {
                 window.questions += 1;
                 return new Promise((_, refuse) => { window.refuse = refuse; });
             };",
        )
        .await
}

/// How often it did, once everything that it does by itself is done.
async fn questions(browser: &Browser) -> Result<u32> {
    browser.ask("await new Promise(done => setTimeout(done, 50)); return window.questions").await
}
