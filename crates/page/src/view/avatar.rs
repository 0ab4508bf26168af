//! What stands where there is no picture.

use super::icon;
use leptos::prelude::*;

/// The first letter of the name in a disc, or a figure without one.
pub(crate) fn avatar(name: impl Fn() -> String + Send + 'static) -> impl IntoView {
    let inner = move || match name().chars().next() {
        Some(first) => first.to_uppercase().to_string().into_any(),
        None => icon::icon(icon::PERSON).into_any(),
    };
    view! { <div class="avatar" aria-hidden="true"><span>{inner}</span></div> }
}
