//! Before there is a room.

use super::{header, icon};
use crate::{browser::storage, shell::Shell, text::words};
use leptos::{html, prelude::*};

pub(crate) fn landing() -> impl IntoView {
    let shell = expect_context::<Shell>();
    let text = words();
    view! {
        <div class="sheet">
            {header()}
            <main class="hero">
                <div class="hero-words">
                    <h1>{text.headline}</h1>
                    <p class="lead">{text.lead}</p>
                    <button type="button" class="button primary large" data-testid="start"
                        on:click=move |_| shell.start_call()>
                        {icon::icon(icon::CAMERA)}
                        {text.start}
                    </button>
                    {open_form()}
                    <p class="promise">{icon::icon(icon::LOCK)}{text.promise}</p>
                    {recent()}
                </div>
                <div class="hero-picture" aria-hidden="true" inner_html=PICTURE></div>
            </main>
        </div>
    }
}

fn open_form() -> impl IntoView {
    let shell = expect_context::<Shell>();
    let text = words();
    let field = NodeRef::<html::Input>::new();
    let open = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get_untracked() {
            shell.open_typed(&field.value());
            // Still here only if it was no room.
            let _ = field.focus();
        }
    };
    view! {
        <form class="joined-field" on:submit=open>
            <input node_ref=field type="text" maxlength="2048" autocomplete="off" autocapitalize="none" spellcheck="false"
                enterkeyhint="go" aria-label=text.link_or_code placeholder=text.link_or_code/>
            <button type="submit" class="button quiet">{text.open}</button>
        </form>
    }
}

fn recent() -> impl IntoView {
    let text = words();
    let rooms = RwSignal::new(storage::recent_rooms());
    let forget = move |_| {
        storage::forget_rooms();
        rooms.set(Vec::new());
    };
    let list = move || rooms.get().into_iter().map(recent_room).collect_view();
    view! {
        <Show when=move || !rooms.read().is_empty()>
            <section class="recent">
                <div class="recent-head">
                    <h2>{text.recent}</h2>
                    <button type="button" class="link" on:click=forget>{text.forget}</button>
                </div>
                <ul>{list}</ul>
            </section>
        </Show>
    }
}

fn recent_room(room: String) -> impl IntoView {
    let shell = expect_context::<Shell>();
    let name = room.clone();
    view! {
        <li>
            <button type="button" class="room" on:click=move |_| shell.open(&room)>{name}</button>
        </li>
    }
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
