//! Where no call is possible: why, and where it would be.

use super::{header, icon};
use crate::{browser::location::fragment, model::Screen, shell::Shell, text::words};
use leptos::prelude::*;

pub(crate) fn refused() -> impl IntoView {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    let insecure = move || model.screen.get() == Screen::Insecure;
    let title = move || if insecure() { text.insecure_title } else { text.unsupported_title };
    view! {
        <div class="sheet">
            {header()}
            <main class="ended">
                <div class="emblem">{icon::icon(icon::ALERT)}</div>
                <h1>{title}</h1>
                <Show when=insecure fallback=move || view! { <p class="lead">{text.unsupported_lead}</p> }>{insecure_way()}</Show>
            </main>
        </div>
    }
}

fn insecure_way() -> impl IntoView {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    move || match model.https.get() {
        None => view! { <p class="lead">{text.insecure_none}</p> }.into_any(),
        Some(https) => {
            let link = https + "/" + &window().location().search().unwrap_or_default() + &here();
            view! {
                <p class="lead">{text.insecure_lead}</p>
                <a class="button primary large" href=link.clone()>{icon::icon(icon::LOCK)}<span class="way">{link.clone()}</span></a>
                <p class="small">{text.insecure_certificate}</p>
            }
            .into_any()
        }
    }
}

/// The room that the link names goes with the person.
fn here() -> String {
    fragment(&crate::browser::location::Address::read().room)
}
