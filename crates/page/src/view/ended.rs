//! After the call, or instead of it: a plain sentence and the ways on.

use super::{header, icon};
use crate::{browser::document, model::Screen, shell::Shell, text::words};
use leptos::prelude::*;

pub(crate) fn ended() -> impl IntoView {
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
    Effect::new(|| document::focus(".ended .primary"));
    view! {
        <div class="sheet">
            {header()}
            <main class="ended">
                <div class="emblem">{move || icon::icon(words().0)}</div>
                <h1>{move || words().1}</h1>
                <p class="lead">{move || words().2}</p>
                <Show when=move || screen.get() == Screen::Error && !shell.model.trouble.read().is_empty()>
                    <p class="trouble" lang="en">{move || shell.model.trouble.get()}</p>
                </Show>
                <div class="buttons">
                    <button type="button" class="button primary large" data-testid="rejoin" on:click=move |_| shell.rejoin()>
                        {move || words().3}
                    </button>
                    <button type="button" class="button quiet large" on:click=move |_| shell.go_home()>{text.new_call}</button>
                </div>
            </main>
        </div>
    }
}
