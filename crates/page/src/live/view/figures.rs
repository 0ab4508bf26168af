//! The counts at a glance.

use super::of;
use crate::{
    element::{View, el},
    format::{bytes, count, rate},
    report::Report,
    text::words,
};

type Shown = fn(&Report) -> String;

pub(super) fn figures() -> View {
    let text = words();
    let figures: [(&str, &str, Shown, Shown); 5] = [
        (
            "clients",
            text.clients,
            |report| count(report.clients),
            |report| (words().in_channels)(&count(report.channel_count), report.channel_count),
        ),
        (
            "rooms-count",
            text.rooms,
            |report| count(report.room_count),
            |report| (words().members)(&count(report.members), report.members),
        ),
        (
            "messages",
            text.messages,
            |report| rate(report.published),
            |report| (words().delivered)(&rate(report.delivered)),
        ),
        (
            "connections",
            text.connections,
            |report| count(report.open),
            |report| (words().websockets)(&count(report.websockets)),
        ),
        (
            "relayed",
            text.relayed,
            |report| bytes(report.relayed),
            |report| (words().allocations)(&count(report.allocations), report.allocations),
        ),
    ];
    el("dl", "figures").children(figures.map(figure))
}

fn figure((id, name, value, note): (&str, &str, Shown, Shown)) -> View {
    el("div", "figure")
        .child(el("dt", "").text(name))
        .child(el("dd", "value").attr("data-testid", id).text_of(of(value)))
        .child(el("dd", "small").text_of(of(note)))
}
