//! What went wrong lately, the newest first.

use super::panel;
use crate::{
    element::{View, el, fragment},
    format, icon,
    report::Trouble,
    signals::*,
    text::words,
    watch::Watch,
};

pub(super) fn errors() -> View {
    let watch = expect_context::<Watch>();
    let text = words();
    let keys = move || {
        let report = watch.report.read();
        report.iter().flat_map(|report| &report.errors).map(Trouble::key).collect::<Vec<_>>()
    };
    let is_empty = move || keys().is_empty();
    let list = move || el("ul", "errors").attr("data-testid", "errors").each(keys, error);
    let nothing = move || el("p", "nothing").child(icon::icon(icon::CHECK)).text(text.no_errors);
    panel(text.errors, String::new).when(is_empty, nothing).when(move || !is_empty(), list)
}

fn error(key: String) -> View {
    let watch = expect_context::<Watch>();
    let text = words();
    let trouble = Memo::new(move |last: Option<&(Trouble, u64)>| {
        let report = watch.report.read();
        let found = report.as_ref().and_then(|report| {
            let trouble = report.errors.iter().find(|trouble| trouble.key() == key)?;
            Some((trouble.clone(), report.time.saturating_sub(trouble.last)))
        });
        found.or_else(|| last.cloned()).unwrap_or_default()
    });
    let times = move || match trouble.read().0.count {
        0 | 1 => String::new(),
        count => format!("× {}", format::count(count)),
    };
    let words = el("div", "").child(el("p", "").text_of(move || text.trouble(&trouble.read().0.what))).child(
        el("p", "small").text_of(move || {
            let (trouble, seconds) = trouble.get();
            format!("{} · {}", text.source(&trouble.source), (text.ago)(&format::time(seconds)))
        }),
    );
    let alert = fragment().child(icon::icon(icon::ALERT));
    el("li", "error").child(alert).child(words).child(el("span", "number").text_of(times))
}
