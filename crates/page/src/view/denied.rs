//! How to take back a "no" to camera and microphone, in this browser.

use super::element::{View, drawing, el};
use crate::signals::*;
use crate::{
    browser::document::{Engine, engine},
    model::Device,
    shell::Shell,
    text::words,
};

pub(crate) fn denied() -> View {
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
    let address = el("div", "address").attr("role", "img").attr("aria-label", text.denied_picture);
    let steps = el("ol", "").child(el("li", "").text(first)).child(el("li", "").text(second));
    el("section", "denied")
        .attr("role", "alert")
        .child(el("h2", "").text_of(title))
        .child(
            address
                .child(drawing("control", picture))
                .child(el("span", "address-text").text(&location_host())),
        )
        .child(steps)
        .child(el("p", "small").text(text.denied_after))
}

fn location_host() -> String {
    location().host().unwrap_or_default()
}

const CHROME: &str = r#"<path d="M4 8h7m5 0h4M4 16h4m5 0h7"/><circle cx="13.5" cy="8" r="2.5"/><circle cx="10.5" cy="16" r="2.5"/>"#;
const FIREFOX: &str =
    r#"<rect x="3" y="7" width="12" height="10" rx="2.5"/><path d="M15 11l5.5-3v8L15 13zM4 4l16 16"/>"#;
const SAFARI: &str = r#"<rect x="4" y="5" width="16" height="9" rx="2.5"/><path d="M4 17.5h16M4 20.5h10"/>"#;
