//! After the call, or instead of it: a plain sentence and the ways on.

use super::{
    element::{View, button, el, follow_later},
    header, icon,
};
use crate::signals::*;
use crate::{browser::document, model::Screen, shell::Shell, text::words};

pub(crate) fn ended() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    let screen = shell.model.screen;
    let words = move || match screen.get() {
        Screen::Full => (icon::PEOPLE, text.full_title, text.full_lead, text.try_again),
        Screen::Lost => (icon::BROKEN, text.lost_title, text.lost_lead, text.rejoin),
        Screen::Replaced => (icon::TABS, text.replaced_title, text.replaced_lead, text.move_here),
        Screen::Error => (icon::ALERT, text.error_title, text.error_lead, text.try_again),
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
        .when(
            move || screen.get() == Screen::Error && !shell.model.trouble.read().is_empty(),
            move || el("p", "trouble").attr("lang", "en").text_of(move || shell.model.trouble.get()),
        )
        .child(el("div", "buttons").child(rejoin).child(home));
    el("div", "sheet").child(header()).child(main)
}
