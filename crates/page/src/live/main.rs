//! The live view of the admin port: looks at the server every two seconds and shows what it sees.
//!
//! A program of its own beside the call page, so that nobody who calls downloads any of it. The ways of showing things
//! are the call page's.
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "modules of the call page bring more than is needed here")]

mod format;
mod report;
mod text;
mod view;
mod watch;

/// The call page's ways to the browser.
#[path = "../browser"]
mod browser {
    pub(crate) mod document;
    pub(crate) mod storage;
}
#[path = "../view/element.rs"]
mod element;
#[path = "../view/icon.rs"]
mod icon;
#[path = "../view/language.rs"]
mod language;
#[path = "../signals.rs"]
mod signals;

use any_spawner::Executor;
use signals::Owner;
use web_sys::UrlSearchParams;

fn main() {
    // Fails only where another executor runs already.
    let _ = Executor::init_wasm_bindgen();
    let owner = Owner::new();
    owner.with(|| view::show(watch::Watch::start(), language::wanted(asked_language())));
    // The page lives as long as its tab.
    std::mem::forget(owner);
}

/// `lang=` of the address.
fn asked_language() -> Option<String> {
    let query = web_sys::window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&query).ok()?.get("lang")
}
