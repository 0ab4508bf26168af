//! Alone in the room: the link to send.

use super::icon;
use crate::{browser::clipboard, model::Screen, shell::Shell, text::words};
use leptos::{html, prelude::*};

pub(crate) fn waiting() -> impl IntoView {
    let Shell { model, .. } = expect_context::<Shell>();
    view! { <Show when=move || model.screen.get() == Screen::Waiting>{card()}</Show> }
}

fn card() -> impl IntoView {
    let shell = expect_context::<Shell>();
    let text = words();
    let field = NodeRef::<html::Input>::new();
    let select = move |_| {
        if let Some(field) = field.get_untracked() {
            field.select();
        }
    };
    let share = clipboard::can_share().then(|| {
        view! {
            <button type="button" class="button quiet" on:click=move |_| clipboard::share(&shell.link())>
                {icon::icon(icon::SHARE)}{text.share}
            </button>
        }
    });
    let copy_text = move || if shell.copied.get() { text.copied } else { text.copy };
    let copy_icon = move || icon::icon(if shell.copied.get() { icon::CHECK } else { icon::COPY });
    view! {
        <section class="card waiting-card">
            <h2>{text.waiting_title}</h2>
            <p>{text.waiting_lead}</p>
            <input node_ref=field class="link-field" data-testid="room-link" type="text" readonly aria-label=text.room_link
                prop:value=move || shell.link() value=move || shell.link() on:focus=select/>
            <div class="buttons">
                <button type="button" class="button primary" on:click=move |_| shell.copy_link()>
                    {copy_icon}{copy_text}
                </button>
                {share}
            </div>
        </section>
    }
}
