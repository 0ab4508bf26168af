//! The largest rooms. Each opens, and shows who is in it.

use super::{of, panel, part};
use crate::{
    element::{View, button, el, fragment},
    format,
    report::{Member, Members, Room},
    signals::*,
    text::words,
    watch::Watch,
};

pub(super) fn rooms() -> View {
    let watch = expect_context::<Watch>();
    let text = words();
    let keys = move || {
        let report = watch.report.read();
        report.iter().flat_map(|report| &report.rooms).map(Room::key).collect::<Vec<_>>()
    };
    let head = el("tr", "").children([
        el("th", "").attr("scope", "col").text(text.room),
        el("th", "").attr("scope", "col").text(text.channel),
        el("th", "number").attr("scope", "col").text(text.member_count),
    ]);
    let is_empty = move || keys().is_empty();
    let table = move || {
        let body = el("tbody", "").attr("data-testid", "rooms").each(keys, row);
        el("table", "rooms").child(el("thead", "").child(head.clone())).child(body)
    };
    let nobody = move || el("p", "nothing").text(text.nobody);
    let note = of(|report| part(report.rooms.len(), report.room_count));
    panel(text.rooms, note).when(is_empty, nobody).when(move || !is_empty(), table)
}

fn row(key: String) -> View {
    let watch = expect_context::<Watch>();
    let known = key.clone();
    let room = Memo::new(move |last: Option<&Room>| {
        let report = watch.report.read();
        let found = report.iter().flat_map(|report| &report.rooms).find(|room| room.key() == known);
        found.or(last).cloned().unwrap_or_default()
    });
    let is_open = Memo::new(move |_| watch.has_chosen(&key));
    let open = button("open")
        .attr_of("aria-expanded", move || if is_open.get() { "true" } else { "false" })
        .on_click(move || watch.choose(&room.get_untracked()))
        .child(el("span", "name").text_of(move || room.read().name.clone()));
    el("tr", "")
        .attr("data-testid", "room")
        .child(el("th", "").attr("scope", "row").child(open).when(move || is_open.get(), members))
        .child(el("td", "").child(el("span", "name").text_of(move || room.read().channel.clone())))
        .child(el("td", "number").text_of(move || format::count(room.read().members)))
}

fn members() -> View {
    let watch = expect_context::<Watch>();
    let text = words();
    el("ul", "members").attr("data-testid", "members").dynamic(move || match &*watch.members.read() {
        None => fragment(),
        Some(members) if members.listed.is_empty() => el("li", "small").text(text.everybody_left),
        Some(members) => fragment().children(members.listed.iter().map(member)).child(further(members)),
    })
}

fn member(member: &Member) -> View {
    let away = if member.connected { "" } else { words().away };
    el("li", "member")
        .child(el("code", "").text(&member.id))
        .child(el("span", "small data").text(&member.data))
        .child(el("span", "small").text(away))
}

fn further(members: &Members) -> View {
    let count = members.count.saturating_sub(members.listed.len() as u64);
    if count == 0 { fragment() } else { el("li", "small").text(&(words().further)(&format::count(count))) }
}
