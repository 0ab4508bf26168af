//! The screens. Views show signals and call commands; what to do is decided elsewhere.

mod avatar;
mod bar;
mod call;
mod denied;
mod device_choice;
mod element;
mod ended;
mod icon;
mod idle;
mod keyboard;
mod landing;
pub(crate) mod language;
mod lobby;
mod notice;
mod refused;
mod self_view;
mod status;
mod tile;
mod waiting;

use crate::signals::*;
use crate::{
    browser::document,
    model::Screen,
    shell::Shell,
    text::{self, Text},
};
use element::{View, el, fragment};
use visavis_call::Phase;

/// The current language, for the switch.
#[derive(Clone, Copy)]
struct Language(RwSignal<&'static Text>);

/// Screens that share one view, so that going between them keeps its elements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scene {
    Landing,
    Refused,
    Lobby,
    Call,
    Ended,
}

fn scene(screen: Screen) -> Scene {
    match screen {
        Screen::Landing => Scene::Landing,
        Screen::Insecure | Screen::Unsupported => Scene::Refused,
        Screen::Room(Phase::Lobby) => Scene::Lobby,
        Screen::Room(phase) if phase.is_inside() => Scene::Call,
        Screen::Room(_) => Scene::Ended,
    }
}

/// Shows the whole page. Another language makes all views anew, with other words.
pub(crate) fn show(shell: Shell, language: &'static Text) {
    let language = RwSignal::new(language);
    provide_context(shell);
    provide_context(Language(language));
    let scene = Memo::new(move |_| scene(shell.model.screen.get()));
    element::body().dynamic(move || {
        let text = language.get();
        document::set_language(text.tag);
        provide_context(text);
        keyboard::listen();
        let screen = move || match scene.get() {
            Scene::Landing => landing::landing(),
            Scene::Refused => refused::refused(),
            Scene::Lobby => lobby::lobby(),
            Scene::Call => call::call(),
            Scene::Ended => ended::ended(),
        };
        fragment().child(status::status()).dynamic(screen).child(notice::toast()).child(keyboard::list())
    });
}

/// The head of every page outside a call.
fn header() -> View {
    let shell = expect_context::<Shell>();
    let brand = el("a", "brand").attr("href", "/").on("click", move |event| {
        event.prevent_default();
        shell.go_home();
    });
    el("header", "head")
        .child(brand.child(icon::mark()).child(el("span", "").text("visavis")))
        .child(language_switch())
}

fn language_switch() -> View {
    let Language(current) = expect_context::<Language>();
    language::switch(current, text::words().languages)
}
