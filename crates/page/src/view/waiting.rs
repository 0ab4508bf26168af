//! Alone in the room: the link to send.

use super::{
    element::{View, button, el, fragment},
    icon,
};
use crate::signals::*;
use crate::{browser::clipboard, shell::Shell, text::words};
use visavis_call::Phase;
use web_sys::HtmlInputElement;

pub(crate) fn waiting() -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    fragment().when(move || model.is(Phase::Waiting), card)
}

fn card() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    let input = el("input", "link-field")
        .attr("data-testid", "room-link")
        .attr("type", "text")
        .flags(&["readonly"])
        .attr("aria-label", text.room_link)
        .property_of("value", move || shell.link())
        .attr_of("value", move || shell.link());
    let field = input.element::<HtmlInputElement>();
    let copy = button("button primary")
        .on_click(move || shell.copy_link())
        .dynamic(move || icon::icon(if shell.copied.get() { icon::CHECK } else { icon::COPY }))
        .text_of(move || if shell.copied.get() { text.copied } else { text.copy });
    let share = || {
        let share = button("button quiet").on_click(move || clipboard::share(&shell.link()));
        share.child(icon::icon(icon::SHARE)).text(text.share)
    };
    el("section", "card waiting-card")
        .child(el("h2", "").text(text.waiting_title))
        .child(el("p", "").text(text.waiting_lead))
        .child(input.on("focus", move |_| field.select()))
        .child(el("div", "buttons").child(copy).children(clipboard::can_share().then(share)))
}
