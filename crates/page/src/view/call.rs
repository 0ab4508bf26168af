//! In the call: one view from waiting to the end, so that no picture is ever taken down.

use super::{
    bar, device_choice,
    element::{View, button, el, follow_later, fragment},
    icon, idle, notice, self_view, tile, waiting,
};
use crate::signals::*;
use crate::{browser::timer, model::Model, shell::Shell, text::words};
use std::time::Duration;
use visavis_call::{LinkState, Phase};
use web_sys::HtmlDialogElement;

pub(crate) fn call() -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    let idle = idle::idle();
    let devices = RwSignal::new(false);
    let resting = move || idle.get() && model.is(Phase::InCall) && !devices.get();
    let members = move || model.remotes.read().iter().map(|remote| remote.member.clone()).collect::<Vec<_>>();
    el("main", "call")
        .class_when("resting", resting)
        .attr_of("data-count", move || model.remotes.read().len().to_string())
        .class_when("waiting", move || model.is(Phase::Waiting))
        .class_when("dimmed", move || model.is(Phase::Reconnecting))
        .child(el("div", "stage").each(members, tile::tile).child(self_view::self_view()))
        .child(el("h1", "unseen").text(words().status_in_call))
        .child(top())
        .child(waiting::waiting())
        .child(notice::notices())
        .child(bar::bar(devices))
        .child(device_dialog(devices))
}

/// Room, time, and a word if the server is away.
fn top() -> View {
    let shell = expect_context::<Shell>();
    let model = shell.model;
    let text = words();
    let room = button("chip").named(text.copy).on_click(move || shell.copy_link());
    let room =
        room.child(icon::icon(icon::COPY)).child(el("span", "chip-room").text_of(move || model.room.get()));
    let away = move || {
        el("span", "chip alert").child(icon::icon(icon::ALERT)).child(el("span", "").text(text.server_away))
    };
    el("header", "top")
        .child(room)
        .when(
            move || model.since.get().is_some(),
            move || el("span", "chip").attr("role", "timer").text_of(clock(model)),
        )
        .when(move || model.link.get() == LinkState::Away && model.is(Phase::InCall), away)
}

fn clock(model: Model) -> impl Fn() -> String {
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

fn device_dialog(open: RwSignal<bool>) -> View {
    let content = fragment().child(device_choice::device_choice()).child(device_choice::meter());
    dialog(open, words().devices, content)
}

/// A dialog with a title and a button that closes it; the browser keeps the focus inside and gives it back.
pub(crate) fn dialog(open: RwSignal<bool>, title: &str, content: View) -> View {
    let close = button("round small").attr("aria-label", words().close).on_click(move || open.set(false));
    let head = el("div", "dialog-head").child(el("h2", "").text(title));
    let dialog = el("dialog", "dialog")
        .attr("aria-label", title)
        .on("close", move |_| open.set(false))
        .child(head.child(close.child(icon::icon(icon::CLOSE))))
        .child(content);
    let element = dialog.element();
    follow_later(move || show(&element, open.get()));
    dialog
}

fn show(dialog: &HtmlDialogElement, open: bool) {
    if open && !dialog.open() {
        let _ = dialog.show_modal();
    } else if !open && dialog.open() {
        dialog.close();
    }
}
