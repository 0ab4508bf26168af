//! The signals of Leptos and its functions around the window.
//!
//! Its templates and its calls to servers stay out: the page uses neither and would carry parts of both.

pub(crate) use leptos_dom::helpers::*;
pub(crate) use reactive_graph::{computed::*, effect::*, owner::*, prelude::*, signal::*};
pub(crate) use wasm_bindgen_futures::spawn_local;
