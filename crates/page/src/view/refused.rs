//! Where no call is possible: why, and where it would be.

use super::{
    element::{View, el, fragment},
    header, icon,
};
use crate::signals::*;
use crate::{browser::location, model::Screen, shell::Shell, text::words};

pub(crate) fn refused() -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    let insecure = move || model.screen.get() == Screen::Insecure;
    let title = move || if insecure() { text.insecure_title } else { text.unsupported_title };
    let unsupported = move || el("p", "lead").text(text.unsupported_lead);
    let main = el("main", "ended")
        .child(el("div", "emblem").child(icon::icon(icon::ALERT)))
        .child(el("h1", "").text_of(title))
        .dynamic(move || if insecure() { insecure_way() } else { unsupported() });
    el("div", "sheet").child(header()).child(main)
}

fn insecure_way() -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    let Some(https) = model.https.get() else { return el("p", "lead").text(text.insecure_none) };
    let link = https + "/" + &window().location().search().unwrap_or_default() + &here();
    let way = el("a", "button primary large").attr("href", &link).child(icon::icon(icon::LOCK));
    fragment()
        .child(el("p", "lead").text(text.insecure_lead))
        .child(way.child(el("span", "way").text(&link)))
        .child(el("p", "small").text(text.insecure_certificate))
}

/// The room that the link names goes with the person.
fn here() -> String {
    location::fragment(&location::Address::read().room)
}
