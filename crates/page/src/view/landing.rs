//! Before there is a room.

use super::{
    element::{View, button, el, fragment},
    header, icon,
};
use crate::signals::*;
use crate::{browser::storage, shell::Shell, text::words};
use web_sys::HtmlInputElement;

pub(crate) fn landing() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    let start = button("button primary large").attr("data-testid", "start");
    let start = start.on_click(move || shell.start_call()).child(icon::icon(icon::CAMERA)).text(text.start);
    let words = el("div", "hero-words")
        .child(el("h1", "").text(text.headline))
        .child(el("p", "lead").text(text.lead))
        .child(start)
        .child(open_form())
        .child(el("p", "promise").child(icon::icon(icon::LOCK)).text(text.promise))
        .child(recent());
    let picture = el("div", "hero-picture").attr("aria-hidden", "true").html(PICTURE);
    el("div", "sheet").child(header()).child(el("main", "hero").child(words).child(picture))
}

fn open_form() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    let input = el("input", "")
        .attr("type", "text")
        .attr("maxlength", "2048")
        .attr("autocomplete", "off")
        .attr("autocapitalize", "none")
        .attr("spellcheck", "false")
        .attr("enterkeyhint", "go")
        .attr("aria-label", text.link_or_code)
        .attr("placeholder", text.link_or_code);
    let field = input.element::<HtmlInputElement>();
    el("form", "joined-field")
        .on("submit", move |event| {
            event.prevent_default();
            shell.open_typed(&field.value());
            // Still here only if it was no room.
            let _ = field.focus();
        })
        .child(input)
        .child(el("button", "button quiet").attr("type", "submit").text(text.open))
}

fn recent() -> View {
    let text = words();
    let rooms = RwSignal::new(storage::recent_rooms());
    let forget = move || {
        storage::forget_rooms();
        rooms.set(Vec::new());
    };
    let section = move || {
        let head = el("div", "recent-head")
            .child(el("h2", "").text(text.recent))
            .child(button("link").on_click(forget).text(text.forget));
        let list = move || fragment().children(rooms.get().into_iter().map(recent_room));
        el("section", "recent").child(head).child(el("ul", "").dynamic(list))
    };
    fragment().when(move || !rooms.read().is_empty(), section)
}

fn recent_room(room: String) -> View {
    let shell = expect_context::<Shell>();
    let button = button("room").text(&room);
    el("li", "").child(button.on_click(move || shell.open(&room)))
}

/// Two tiles that look at each other.
const PICTURE: &str = r#"<svg viewBox="0 0 520 430">
<rect class="art-back" x="16" y="20" width="372" height="270" rx="28"/>
<circle class="art-figure" cx="202" cy="132" r="50"/>
<path class="art-figure" d="M102 290c0-58 44-92 100-92s100 34 100 92z"/>
<rect class="art-front" x="262" y="206" width="242" height="178" rx="24"/>
<circle class="art-face" cx="383" cy="276" r="33"/>
<path class="art-face" d="M317 384c0-40 29-62 66-62s66 22 66 62z"/>
<rect class="art-bar" x="44" y="318" width="186" height="66" rx="33"/>
<circle class="art-knob" cx="77" cy="351" r="19"/><circle class="art-knob" cx="137" cy="351" r="19"/>
<circle class="art-leave" cx="197" cy="351" r="19"/>
</svg>"#;
