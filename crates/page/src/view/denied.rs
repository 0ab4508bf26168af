//! How to take back a "no" to camera and microphone, in this browser.

use crate::{
    browser::document::{Engine, engine},
    model::Device,
    shell::Shell,
    text::words,
};
use leptos::prelude::*;

pub(crate) fn denied() -> impl IntoView {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    let title = move || match (model.camera.get(), model.microphone.get()) {
        (Device::Denied, Device::Denied) => text.denied_title,
        (Device::Denied, _) => text.denied_camera,
        _ => text.denied_microphone,
    };
    let (picture, [first, second]) = match engine() {
        Engine::Chrome => (CHROME, text.denied_chrome),
        Engine::Firefox => (FIREFOX, text.denied_firefox),
        Engine::Safari => (SAFARI, text.denied_safari),
    };
    view! {
        <section class="denied" role="alert">
            <h2>{title}</h2>
            <div class="address" role="img" aria-label=text.denied_picture>
                <svg class="control" viewBox="0 0 24 24" inner_html=picture></svg>
                <span class="address-text">{location_host()}</span>
            </div>
            <ol><li>{first}</li><li>{second}</li></ol>
            <p class="small">{text.denied_after}</p>
        </section>
    }
}

fn location_host() -> String {
    location().host().unwrap_or_default()
}

const CHROME: &str = r#"<path d="M4 8h7m5 0h4M4 16h4m5 0h7"/><circle cx="13.5" cy="8" r="2.5"/><circle cx="10.5" cy="16" r="2.5"/>"#;
const FIREFOX: &str =
    r#"<rect x="3" y="7" width="12" height="10" rx="2.5"/><path d="M15 11l5.5-3v8L15 13zM4 4l16 16"/>"#;
const SAFARI: &str = r#"<rect x="4" y="5" width="16" height="9" rx="2.5"/><path d="M4 17.5h16M4 20.5h10"/>"#;
