//! The screens. Views show signals and call commands; what to do is decided elsewhere.

mod avatar;
mod bar;
mod call;
mod denied;
mod device_choice;
mod ended;
mod icon;
mod idle;
mod keyboard;
mod landing;
mod lobby;
mod notice;
mod refused;
mod self_view;
mod status;
mod tile;
mod waiting;

use crate::{
    browser::document,
    model::Screen,
    shell::Shell,
    text::{self, LANGUAGES, Text},
};
use leptos::prelude::*;

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
        Screen::Lobby => Scene::Lobby,
        Screen::Waiting | Screen::Connecting | Screen::InCall | Screen::Reconnecting => Scene::Call,
        Screen::Left | Screen::Full | Screen::Lost | Screen::Replaced | Screen::Error => Scene::Ended,
    }
}

/// The whole page. Another language makes all views anew, with other words.
pub(crate) fn page(shell: Shell, language: &'static Text) -> impl IntoView {
    let language = RwSignal::new(language);
    provide_context(shell);
    provide_context(Language(language));
    let scene = Memo::new(move |_| scene(shell.model.screen.get()));
    move || {
        let text = language.get();
        document::set_language(text.tag);
        provide_context(text);
        keyboard::listen();
        view! {
            {status::status()}
            {move || match scene.get() {
                Scene::Landing => landing::landing().into_any(),
                Scene::Refused => refused::refused().into_any(),
                Scene::Lobby => lobby::lobby().into_any(),
                Scene::Call => call::call().into_any(),
                Scene::Ended => ended::ended().into_any(),
            }}
            {notice::toast()}
            {keyboard::list()}
        }
    }
}

/// The head of every page outside a call.
fn header() -> impl IntoView {
    let shell = expect_context::<Shell>();
    view! {
        <header class="head">
            <a class="brand" href="/" on:click=move |event| {
                event.prevent_default();
                shell.go_home();
            }>
                {icon::mark()}
                <span>"visavis"</span>
            </a>
            {language_switch()}
        </header>
    }
}

fn language_switch() -> impl IntoView {
    let Language(current) = expect_context::<Language>();
    let buttons = LANGUAGES.map(|text| {
        let pressed = move || if current.get().tag == text.tag { "true" } else { "false" };
        view! {
            <button type="button" class="language" lang=text.tag aria-pressed=pressed
                on:click=move |_| text::choose(current, text)>
                {text.language}
            </button>
        }
    });
    view! { <div class="languages" role="group" aria-label=text::words().languages>{Vec::from(buttons)}</div> }
}
