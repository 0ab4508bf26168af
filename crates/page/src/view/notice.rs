//! One clear line and at most one button, over the picture.

use super::{call::ticking, icon};
use crate::{
    model::{Cause, Connection, Model, Screen},
    shell::Shell,
    text::{Text, words},
};
use leptos::prelude::*;

/// Seconds after which connecting says that it tries the relay.
const RELAY_AFTER: u32 = 3;
/// Seconds after which connecting says that something is in the way.
const SLOW_AFTER: u32 = 8;

pub(crate) fn notices() -> impl IntoView {
    let Shell { model, .. } = expect_context::<Shell>();
    let connecting = move || model.screen.get() == Screen::Connecting;
    let interrupted = move || model.screen.get() == Screen::Reconnecting;
    view! {
        <div class="notices">
            <Show when=connecting>{connecting_notice()}</Show>
            <Show when=interrupted>{interrupted_notice()}</Show>
            <Show when=move || model.silenced.get()>{silenced_notice()}</Show>
        </div>
    }
}

fn connecting_notice() -> impl IntoView {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    let since = crate::browser::timer::milliseconds();
    let seconds = ticking(move || Some(since));
    let line = move || match model.remotes.read().is_empty() {
        true => text.status_connecting.to_owned() + "…",
        false => (text.connecting_to)(&one_name(model, text)),
    };
    let more = move || match seconds.get() {
        RELAY_AFTER..SLOW_AFTER => text.trying_relay,
        SLOW_AFTER.. => text.connecting_slow,
        _ => "",
    };
    view! {
        <div class="card notice">
            <span class="spinner" aria-hidden="true"></span>
            <p class="notice-line">{line}</p>
            <p class="small">{more}</p>
        </div>
    }
}

fn interrupted_notice() -> impl IntoView {
    let Shell { model, driver, .. } = expect_context::<Shell>();
    let text = words();
    let seconds = ticking(move || model.interrupted.get().map(|(_, since)| since));
    let line = move || match model.interrupted.get() {
        Some((Cause::Network, _)) => text.interrupted_network.to_owned(),
        Some((Cause::Server, _)) => text.interrupted_server.to_owned(),
        _ => (text.interrupted_remote)(&one_name(model, text)),
    };
    view! {
        <div class="card notice" role="alert">
            <span class="spinner" aria-hidden="true"></span>
            <p class="notice-line">{line}</p>
            <p class="small" aria-live="off">{move || (text.seconds)(seconds.get())}</p>
            <button type="button" class="button quiet" on:click=move |_| driver.retry()>{text.retry}</button>
        </div>
    }
}

fn silenced_notice() -> impl IntoView {
    let shell = expect_context::<Shell>();
    let text = words();
    view! {
        <div class="card notice" role="alert">
            <p class="notice-line">{text.silenced}</p>
            <button type="button" class="button primary" on:click=move |_| shell.play()>
                {icon::icon(icon::SPEAKER)}{text.play}
            </button>
        </div>
    }
}

/// Whose connection the line is about: the first that does not stand.
fn one_name(model: Model, text: &'static Text) -> String {
    let remotes = model.remotes.read();
    let broken = remotes.iter().find(|remote| remote.connection != Connection::Connected).or(remotes.first());
    match broken {
        Some(remote) if !remote.name.is_empty() => remote.name.clone(),
        _ => text.guest.to_owned(),
    }
}

/// "Link copied", for a moment.
pub(crate) fn toast() -> impl IntoView {
    let shell = expect_context::<Shell>();
    let text = words();
    let shown = move || shell.copied.get() && shell.model.screen.get() != Screen::Waiting;
    view! {
        <div class="toasts" role="status">
            <Show when=shown><p class="toast">{icon::icon(icon::CHECK)}{text.link_copied}</p></Show>
        </div>
    }
}
