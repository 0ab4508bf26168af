//! The window and its document: title, language, focus, what this browser is and can do.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, FocusOptions, HtmlElement, HtmlVideoElement, MediaStream, Window};

/// Whose controls the person sees, for the picture of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Chrome, Edge and their kin.
    Chrome,
    /// Firefox.
    Firefox,
    /// Safari, and every browser on iOS.
    Safari,
}

/// Which engine runs the page.
pub(crate) fn engine() -> Engine {
    let agent = window().navigator().user_agent().unwrap_or_default();
    if agent.contains("Firefox/") {
        Engine::Firefox
    } else if agent.contains("Chrome/") {
        Engine::Chrome
    } else {
        Engine::Safari
    }
}

/// The browser's languages, the most wanted first.
pub(crate) fn languages() -> Vec<String> {
    window().navigator().languages().iter().filter_map(|tag| tag.as_string()).collect()
}

/// Tells readers and the browser in which language the page is.
pub(crate) fn set_language(tag: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("lang", tag);
    }
}

/// Title of tab and window.
pub(crate) fn set_title(title: &str) {
    document().set_title(title);
}

/// Whether the page may have camera and microphone at all.
pub(crate) fn is_secure() -> bool {
    window().is_secure_context()
}

/// Whether the browser has WebRTC.
pub(crate) fn has_webrtc() -> bool {
    Reflect::has(&window(), &"RTCPeerConnection".into()).unwrap_or(false)
}

/// Whether what is pressed now goes into a field.
pub(crate) fn is_typing() -> bool {
    let active = document().active_element();
    active.is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"))
}

/// Puts the focus on the first element that the selector finds.
pub(crate) fn focus(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Puts the focus on the element without scrolling to it.
pub(crate) fn focus_in_place(element: &HtmlElement) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = element.focus_with_options(&options);
}

/// Shows the stream, if it is not already shown, and starts to play; tells when the browser wants a gesture first.
pub(crate) fn play(video: &HtmlVideoElement, stream: Option<&MediaStream>, refused: impl FnOnce() + 'static) {
    if video.src_object().as_ref() != stream {
        video.set_src_object(stream);
    }
    if stream.is_none() {
        return;
    }
    let Ok(playing) = video.play() else { return };
    wasm_bindgen_futures::spawn_local(async move {
        if let Err(error) = wasm_bindgen_futures::JsFuture::from(playing).await
            && is_not_allowed(&error)
        {
            refused();
        }
    });
}

/// Plays every remote video; to be called from a gesture.
pub(crate) fn play_all() {
    each_remote_video(|video| {
        if let Ok(playing) = video.play() {
            settle(playing);
        }
    });
}

/// Sends every remote's sound to that speaker, where the browser can.
pub(crate) fn set_speaker(id: &str) {
    each_remote_video(|video| {
        let set = Reflect::get(&video, &"setSinkId".into())
            .ok()
            .and_then(|set| set.dyn_into::<js_sys::Function>().ok());
        if let Some(set) = set {
            // A speaker that is gone leaves the sound where it was.
            if let Ok(setting) = set.call1(&video, &id.into()) {
                settle(setting.unchecked_into());
            }
        }
    });
}

/// Lets a promise end as it likes: its failure changes nothing here.
fn settle(promise: js_sys::Promise) {
    wasm_bindgen_futures::spawn_local(async move {
        let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
    });
}

fn each_remote_video(act: impl Fn(HtmlVideoElement)) {
    let Ok(found) = document().query_selector_all("[data-testid=remote-video]") else { return };
    for index in 0..found.length() {
        if let Some(video) = found.item(index).and_then(|node| node.dyn_into().ok()) {
            act(video);
        }
    }
}

fn is_not_allowed(error: &JsValue) -> bool {
    error.dyn_ref::<web_sys::DomException>().is_some_and(|error| error.name() == "NotAllowedError")
}

/// Whether a place of the window is in its right half, and whether in its lower half.
pub(crate) fn quadrant(x: i32, y: i32) -> (bool, bool) {
    let size =
        |value: Result<JsValue, JsValue>| value.ok().and_then(|value| value.as_f64()).unwrap_or_default();
    let (width, height) = (size(window().inner_width()), size(window().inner_height()));
    (f64::from(x) * 2.0 > width, f64::from(y) * 2.0 > height)
}

fn document() -> Document {
    window().document().expect("the window has a document")
}

fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}
