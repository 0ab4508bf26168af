//! The page's address: which room, and what the link asks for.

use super::room;
use js_sys::encode_uri_component;
use visavis_call::RelayOnly;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{UrlSearchParams, Window};

/// What stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    /// From the fragment; empty if there is none.
    pub(crate) room: String,
    /// `join=1`: go in without the lobby.
    pub(crate) join: bool,
    /// `name=`.
    pub(crate) name: Option<String>,
    /// Not `camera=0`.
    pub(crate) camera: bool,
    /// Not `mic=0`.
    pub(crate) microphone: bool,
    /// `relay=1|udp|tcp|tls`.
    pub(crate) relay: Option<RelayOnly>,
    /// `lang=`.
    pub(crate) lang: Option<String>,
    /// `scene=`, for looking at a screen without a call.
    #[cfg(feature = "scenes")]
    pub(crate) scene: Option<String>,
}

impl Address {
    /// As it stands now.
    pub(crate) fn read() -> Self {
        let location = window().location();
        let fragment = location.hash().unwrap_or_default();
        let query = location.search().unwrap_or_default();
        // `new` fails only for values that are no string.
        let query = UrlSearchParams::new_with_str(&query).ok();
        let value = |key: &str| query.as_ref().and_then(|query| query.get(key));
        Self {
            room: room::from_fragment(fragment.strip_prefix('#').unwrap_or_default()),
            join: value("join").as_deref() == Some("1"),
            name: value("name"),
            camera: value("camera").as_deref() != Some("0"),
            microphone: value("mic").as_deref() != Some("0"),
            relay: value("relay").as_deref().and_then(relay_only),
            lang: value("lang"),
            #[cfg(feature = "scenes")]
            scene: value("scene"),
        }
    }
}

fn relay_only(value: &str) -> Option<RelayOnly> {
    match value {
        "1" => Some(RelayOnly::Any),
        "udp" => Some(RelayOnly::Udp),
        "tcp" => Some(RelayOnly::Tcp),
        "tls" => Some(RelayOnly::Tls),
        _ => None,
    }
}

/// The link to send: this page's origin and path with the room, without what was asked for from here alone.
pub(crate) fn link(room: &str) -> String {
    let location = window().location();
    let origin = location.origin().unwrap_or_default();
    let path = location.pathname().unwrap_or_default();
    origin + &path + &fragment(room)
}

/// `#ROOM`, or nothing without a room.
pub(crate) fn fragment(room: &str) -> String {
    if room.is_empty() {
        String::new()
    } else {
        String::from("#") + &String::from(encode_uri_component(room))
    }
}

/// Puts the room into the address bar, as a step that the back button undoes. The query stays.
pub(crate) fn go(room: &str) {
    let window = window();
    let location = window.location();
    let path = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    if let Ok(history) = window.history() {
        // Refused only for foreign origins and floods of calls; the room is entered all the same.
        let _ =
            history.push_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&(path + &fragment(room))));
    }
}

/// Tells, for as long as the page lives, when back, forward or typing changed the address.
pub(crate) fn on_change(tell: impl Fn() + 'static) {
    let tell = Closure::<dyn Fn()>::new(tell);
    let _ = window().add_event_listener_with_callback("popstate", tell.as_ref().unchecked_ref());
    tell.forget();
}

fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}
