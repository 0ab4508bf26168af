//! The last look into the mirror.

use super::{
    avatar::avatar,
    bar, denied, device_choice,
    element::{View, button, el, follow_later},
    header, icon,
};
use crate::signals::*;
use crate::{browser::document, model::Device, shell::Shell, text::words};

pub(crate) fn lobby() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    let model = shell.model;
    let nothing = move || model.camera.get().is_blocked() && model.microphone.get().is_blocked();
    let join = el("button", "button primary large").attr("type", "submit").attr("data-testid", "join");
    let join = join.text_of(move || if nothing() { text.join_without } else { text.join });
    let element = join.element();
    follow_later(move || document::focus_in_place(&element));
    let back = button("button plain").on_click(move || shell.go_home());
    let entrance = el("form", "entrance")
        .on("submit", move |event| {
            event.prevent_default();
            shell.join();
        })
        .child(el("h1", "").text(text.lobby))
        .child(el("p", "inside").child(icon::icon(icon::PEOPLE)).child(el("span", "").text_of(inside())))
        .when(move || model.is_denied(), denied::denied)
        .child(name_field())
        .child(join)
        .child(back.child(icon::icon(icon::BACK)).text(text.back));
    let mirror = el("section", "mirror").child(preview()).child(device_choice::device_choice());
    el("div", "sheet").child(header()).child(el("main", "lobby").child(mirror).child(entrance))
}

fn inside() -> impl Fn() -> String + Send {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    move || match model.inside.get() {
        Some(count) => (text.inside)(count),
        None => text.inside_unknown.to_owned(),
    }
}

fn preview() -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    let bar =
        el("div", "preview-bar").child(bar::microphone()).child(device_choice::meter()).child(bar::camera());
    el("div", "preview")
        .child(avatar(move || model.name.get()))
        .child(own_picture())
        .child(el("p", "preview-note").text_of(note()))
        .child(bar)
}

/// What the camera sees, as in a mirror.
pub(crate) fn own_picture() -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    let video = el("video", "mirrored")
        .class_when("gone", move || !model.camera.get().is_on())
        .attr("data-testid", "local-video")
        .flags(&["playsinline", "autoplay", "muted"])
        .property("muted");
    let element = video.element();
    follow_later(move || document::play(&element, model.local_stream.get().as_ref(), || {}));
    video
}

/// Why there is no picture or no sound, in one line.
fn note() -> impl Fn() -> &'static str + Send {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    move || match (model.camera.get(), model.microphone.get()) {
        (Device::Asking, _) | (_, Device::Asking) => text.asking,
        (Device::Missing, _) => text.camera_missing,
        (Device::Busy, _) => text.camera_busy,
        (_, Device::Missing) => text.microphone_missing,
        (_, Device::Busy) => text.microphone_busy,
        (Device::Off, _) => text.camera_off,
        _ => "",
    }
}

fn name_field() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    let input = el("input", "")
        .attr("type", "text")
        .attr("name", "name")
        .attr("autocomplete", "name")
        .attr("maxlength", "40")
        .attr("enterkeyhint", "go")
        .attr("placeholder", text.name_hint)
        .property_of("value", move || shell.model.name.get())
        .on("input", move |event| shell.rename(event_target_value(&event)));
    el("label", "field").child(el("span", "").text(text.your_name)).child(input)
}
