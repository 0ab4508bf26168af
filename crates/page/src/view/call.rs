//! In the call: one view from waiting to the end, so that no picture is ever taken down.

use super::{bar, device_choice, icon, idle, notice, self_view, tile, waiting};
use crate::{
    browser::timer,
    model::{Link, Model, Screen},
    shell::Shell,
    text::words,
};
use leptos::{ev, html, prelude::*};
use std::time::Duration;

pub(crate) fn call() -> impl IntoView {
    let Shell { model, .. } = expect_context::<Shell>();
    let idle = idle::idle();
    let devices = RwSignal::new(false);
    let resting = move || idle.get() && model.screen.get() == Screen::InCall && !devices.get();
    let members = move || model.remotes.read().iter().map(|remote| remote.member.clone()).collect::<Vec<_>>();
    let count = move || model.remotes.read().len().to_string();
    view! {
        <main class="call" class:resting=resting data-count=count
            class:waiting=move || model.screen.get() == Screen::Waiting
            class:dimmed=move || model.screen.get() == Screen::Reconnecting>
            <div class="stage">
                <For each=members key=Clone::clone children=tile::tile/>
                {self_view::self_view()}
            </div>
            <h1 class="unseen">{words().status_in_call}</h1>
            {top()}
            {waiting::waiting()}
            {notice::notices()}
            {bar::bar(devices)}
            {device_dialog(devices)}
        </main>
    }
}

/// Room, time, and a word if the server is away.
fn top() -> impl IntoView {
    let shell = expect_context::<Shell>();
    let model = shell.model;
    let text = words();
    view! {
        <header class="top">
            <button type="button" class="chip" title=text.copy aria-label=text.copy on:click=move |_| shell.copy_link()>
                {icon::icon(icon::COPY)}
                <span class="chip-room">{move || model.room.get()}</span>
            </button>
            <Show when=move || model.since.get().is_some()>
                <span class="chip" role="timer">{clock(model)}</span>
            </Show>
            <Show when=move || model.link.get() == Link::Away && model.screen.get() == Screen::InCall>
                <span class="chip alert">{icon::icon(icon::ALERT)}<span>{text.server_away}</span></span>
            </Show>
        </header>
    }
}

fn clock(model: Model) -> impl Fn() -> String + Send {
    let seconds = ticking(move || model.since.get());
    move || {
        let seconds = seconds.get();
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let tail = two_digits(minutes) + ":" + &two_digits(seconds % 60);
        if hours > 0 { hours.to_string() + ":" + &tail } else { tail }
    }
}

fn two_digits(number: u32) -> String {
    let digits = number.to_string();
    if number < 10 { String::from("0") + &digits } else { digits }
}

/// Whole seconds since that moment of `performance.now()`.
pub(crate) fn ticking(since: impl Fn() -> Option<f64> + Copy + Send + Sync + 'static) -> Memo<u32> {
    let tick = RwSignal::new(());
    let every = set_interval_with_handle(move || tick.notify(), Duration::from_millis(500)).ok();
    on_cleanup(move || {
        if let Some(every) = every {
            every.clear();
        }
    });
    Memo::new(move |_| {
        tick.track();
        since().map_or(0, |since| ((timer::milliseconds() - since).max(0.0) / 1000.0) as u32)
    })
}

fn device_dialog(open: RwSignal<bool>) -> impl IntoView {
    let text = words();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get() {
            show(&dialog, open.get());
        }
    });
    view! {
        <dialog node_ref=dialog class="dialog" aria-label=text.devices on:close=move |_: ev::Event| open.set(false)>
            <div class="dialog-head">
                <h2>{text.devices}</h2>
                <button type="button" class="round small" aria-label=text.close on:click=move |_| open.set(false)>
                    {icon::icon(icon::CLOSE)}
                </button>
            </div>
            {device_choice::device_choice()}
            {device_choice::meter()}
        </dialog>
    }
}

/// Opens as a modal or closes; the browser keeps the focus inside and gives it back.
pub(crate) fn show(dialog: &web_sys::HtmlDialogElement, open: bool) {
    if open && !dialog.open() {
        let _ = dialog.show_modal();
    } else if !open && dialog.open() {
        dialog.close();
    }
}
