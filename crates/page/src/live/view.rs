//! The page: figures, a chart, the rooms, the channels, and what went wrong.

mod chart;
mod errors;
mod figures;
mod rooms;

use crate::{
    browser::document,
    element::{self, View, el, fragment},
    format, icon, language,
    report::Report,
    signals::*,
    text::{Text, words},
    watch::Watch,
};

/// The current language, for the switch.
#[derive(Clone, Copy)]
struct Language(RwSignal<&'static Text>);

/// Shows everything. Another language makes all views anew, with other words.
pub(crate) fn show(watch: Watch, language: &'static Text) {
    let language = RwSignal::new(language);
    provide_context(watch);
    provide_context(Language(language));
    element::body().dynamic(move || {
        let text = language.get();
        document::set_language(text.tag);
        document::set_title(&format!("{} · visavis", text.title));
        provide_context(text);
        page()
    });
}

fn page() -> View {
    let watch = expect_context::<Watch>();
    let is_there = move || watch.report.read().is_some();
    let content = || {
        let aside = el("div", "aside").child(errors::errors()).child(channels());
        fragment()
            .child(figures::figures())
            .child(chart::chart())
            .child(el("div", "columns").child(rooms::rooms()).child(aside))
    };
    let main = el("main", "live").child(status()).when(is_there, content);
    el("div", "sheet").child(header()).child(main)
}

fn header() -> View {
    let name = el("span", "").text("visavis");
    let place = el("h1", "place").text(words().title);
    let brand = el("div", "brand").child(icon::mark()).child(name).child(place);
    el("header", "head").child(brand).child(language_switch())
}

fn language_switch() -> View {
    let Language(current) = expect_context::<Language>();
    language::switch(current, words().languages)
}

/// Whether the server serves, for how long it has, and which version it is.
fn status() -> View {
    let watch = expect_context::<Watch>();
    let text = words();
    let state = Memo::new(move |_| match &*watch.report.read() {
        _ if watch.lost.get() => "lost",
        None => "loading",
        Some(report) if report.ready => "serving",
        Some(_) => "ending",
    });
    let said = move || match state.get() {
        "lost" => text.lost,
        "loading" => text.loading,
        "serving" => text.serving,
        _ => text.ending,
    };
    let up = of(|report| (words().up)(&format::time(report.uptime)));
    let version = of(|report| report.version.clone());
    el("p", "state")
        .attr("role", "status")
        .attr("data-testid", "status")
        .attr_of("data-state", move || state.get())
        .child(el("span", "dot").attr("aria-hidden", "true"))
        .child(el("strong", "").text_of(said))
        .child(el("span", "small").text_of(up))
        .child(el("span", "small").text_of(version))
}

fn channels() -> View {
    let watch = expect_context::<Watch>();
    let text = words();
    let found = move |id: &str| {
        let report = watch.report.read();
        report.as_ref()?.channels.iter().find(|channel| channel.id == *id).cloned()
    };
    let keys = move || {
        let report = watch.report.read();
        report.iter().flat_map(|report| &report.channels).map(|channel| channel.id.clone()).collect()
    };
    let row = move |id: String| {
        let name = el("th", "").attr("scope", "row").child(el("span", "name").text(&id));
        let channel = Memo::new(move |_| found(&id).unwrap_or_default());
        let cell = |count: Memo<u64>| el("td", "number").text_of(move || format::count(count.get()));
        el("tr", "")
            .child(name)
            .child(cell(Memo::new(move |_| channel.read().clients)))
            .child(cell(Memo::new(move |_| channel.read().rooms)))
    };
    let head = el("tr", "").children([
        el("th", "").attr("scope", "col").text(text.channel),
        el("th", "number").attr("scope", "col").text(text.clients),
        el("th", "number").attr("scope", "col").text(text.rooms),
    ]);
    let table = el("table", "").child(el("thead", "").child(head)).child(el("tbody", "").each(keys, row));
    let note = of(|report| part(report.channels.len(), report.channel_count));
    panel(text.channels, note).child(table)
}

/// A part of the page with its heading and a note beside it.
fn panel(heading: &'static str, note: impl Fn() -> String + 'static) -> View {
    let head =
        el("div", "panel-head").child(el("h2", "").text(heading)).child(el("span", "small").text_of(note));
    el("section", "panel").child(head)
}

/// Says that not all are shown, where that is so.
fn part(shown: usize, all: u64) -> String {
    if shown as u64 == all {
        return String::new();
    }
    (words().largest)(&format::count(shown as u64), &format::count(all))
}

/// A text made of the report; none before there is one.
fn of(make: impl Fn(&Report) -> String + 'static) -> impl Fn() -> String + 'static {
    let watch = expect_context::<Watch>();
    move || watch.report.read().as_ref().map(&make).unwrap_or_default()
}
