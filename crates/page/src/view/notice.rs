//! One clear line and at most one button, over the picture.

use super::{
    call::ticking,
    element::{View, button, el},
    icon,
};
use crate::signals::*;
use crate::{
    model::{Cause, Model},
    shell::Shell,
    text::{Text, words},
};
use visavis_call::{Phase, RemoteState};

/// Seconds after which connecting says that it tries the relay.
const RELAY_AFTER: u32 = 3;
/// Seconds after which connecting says that something is in the way.
const SLOW_AFTER: u32 = 8;

pub(crate) fn notices() -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    el("div", "notices")
        .when(move || model.is(Phase::Connecting), connecting_notice)
        .when(move || model.is(Phase::Reconnecting), interrupted_notice)
        .when(move || model.silenced.get(), silenced_notice)
}

fn connecting_notice() -> View {
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
    el("div", "card notice")
        .child(spinner())
        .child(el("p", "notice-line").text_of(line))
        .child(el("p", "small").text_of(more))
}

fn interrupted_notice() -> View {
    let Shell { model, driver, .. } = expect_context::<Shell>();
    let text = words();
    let seconds = ticking(move || model.interrupted.get().map(|(_, since)| since));
    let line = move || match model.interrupted.get() {
        Some((Cause::Network, _)) => text.interrupted_network.to_owned(),
        Some((Cause::Server, _)) => text.interrupted_server.to_owned(),
        _ => (text.interrupted_remote)(&one_name(model, text)),
    };
    let retry = button("button quiet").on_click(move || driver.retry()).text(text.retry);
    el("div", "card notice")
        .attr("role", "alert")
        .child(spinner())
        .child(el("p", "notice-line").text_of(line))
        .child(el("p", "small").attr("aria-live", "off").text_of(move || (text.seconds)(seconds.get())))
        .child(retry)
}

fn spinner() -> View {
    el("span", "spinner").attr("aria-hidden", "true")
}

fn silenced_notice() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    let play = button("button primary").on_click(move || shell.play());
    el("div", "card notice")
        .attr("role", "alert")
        .child(el("p", "notice-line").text(text.silenced))
        .child(play.child(icon::icon(icon::SPEAKER)).text(text.play))
}

/// Whose connection the line is about: the first that does not stand.
fn one_name(model: Model, text: &'static Text) -> String {
    let remotes = model.remotes.read();
    let broken = remotes.iter().find(|remote| remote.state != RemoteState::Connected).or(remotes.first());
    match broken {
        Some(remote) if !remote.name.is_empty() => remote.name.clone(),
        _ => text.guest.to_owned(),
    }
}

/// "Link copied", for a moment.
pub(crate) fn toast() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    let shown = move || shell.copied.get() && !shell.model.is(Phase::Waiting);
    let toast = move || el("p", "toast").child(icon::icon(icon::CHECK)).text(text.link_copied);
    el("div", "toasts").attr("role", "status").when(shown, toast)
}
