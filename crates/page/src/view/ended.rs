//! After the call, or instead of it: a plain sentence and the ways on.

use super::{
    element::{View, button, el, follow_later},
    header, icon,
};
use crate::signals::*;
use crate::{browser::document, shell::Shell, text::words};
use visavis_call::Phase;

pub(crate) fn ended() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    let model = shell.model;
    let words = move || match model.phase() {
        Some(Phase::Full) => (icon::PEOPLE, text.full_title, text.full_lead, text.try_again),
        Some(Phase::Lost) => (icon::BROKEN, text.lost_title, text.lost_lead, text.rejoin),
        Some(Phase::Replaced) => (icon::TABS, text.replaced_title, text.replaced_lead, text.move_here),
        Some(Phase::Error(problem)) => {
            (icon::ALERT, text.error_title, (text.error_lead)(problem), text.try_again)
        }
        _ => (icon::DOOR, text.left_title, text.left_lead, text.rejoin),
    };
    follow_later(|| document::focus(".ended .primary"));
    let rejoin = button("button primary large").attr("data-testid", "rejoin");
    let rejoin = rejoin.on_click(move || shell.rejoin()).text_of(move || words().3);
    let home = button("button quiet large").on_click(move || shell.go_home()).text(text.new_call);
    let main = el("main", "ended")
        .child(el("div", "emblem").dynamic(move || icon::icon(words().0)))
        .child(el("h1", "").text_of(move || words().1))
        .child(el("p", "lead").text_of(move || words().2))
        .child(el("div", "buttons").child(rejoin).child(home));
    el("div", "sheet").child(header()).child(main)
}
