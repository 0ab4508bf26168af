//! What stands where there is no picture.

use super::{
    element::{View, el, fragment},
    icon,
};

/// The first letter of the name in a disc, or a figure without one.
pub(crate) fn avatar(name: impl Fn() -> String + 'static) -> View {
    let inner = move || match name().chars().next() {
        Some(first) => fragment().text(&first.to_uppercase().to_string()),
        None => icon::icon(icon::PERSON),
    };
    el("div", "avatar").attr("aria-hidden", "true").child(el("span", "").dynamic(inner))
}
