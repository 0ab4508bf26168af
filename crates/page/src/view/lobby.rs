//! The last look into the mirror.

use super::{avatar::avatar, bar, denied, device_choice, header, icon};
use crate::{browser::document, model::Device, shell::Shell, text::words};
use leptos::{html, prelude::*};

pub(crate) fn lobby() -> impl IntoView {
    let shell = expect_context::<Shell>();
    let text = words();
    let model = shell.model;
    let join = NodeRef::<html::Button>::new();
    Effect::new(move || {
        if let Some(join) = join.get() {
            document::focus_in_place(&join);
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        shell.join();
    };
    let nothing = move || model.camera.get().is_blocked() && model.microphone.get().is_blocked();
    let join_text = move || if nothing() { text.join_without } else { text.join };
    view! {
        <div class="sheet">
            {header()}
            <main class="lobby">
                <section class="mirror">
                    {preview()}
                    {device_choice::device_choice()}
                </section>
                <form class="entrance" on:submit=submit>
                    <h1>{text.lobby}</h1>
                    <p class="inside">{icon::icon(icon::PEOPLE)}<span>{inside()}</span></p>
                    <Show when=move || model.is_denied()>{denied::denied()}</Show>
                    {name_field()}
                    <button node_ref=join type="submit" class="button primary large" data-testid="join">{join_text}</button>
                    <button type="button" class="button plain" on:click=move |_| shell.go_home()>
                        {icon::icon(icon::BACK)}{text.back}
                    </button>
                </form>
            </main>
        </div>
    }
}

fn inside() -> impl Fn() -> String + Send {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    move || match model.inside.get() {
        Some(count) => (text.inside)(count),
        None => text.inside_unknown.to_owned(),
    }
}

fn preview() -> impl IntoView {
    let Shell { model, .. } = expect_context::<Shell>();
    let video = NodeRef::<html::Video>::new();
    Effect::new(move || {
        if let Some(video) = video.get() {
            document::play(&video, model.local_stream.get().as_ref(), || {});
        }
    });
    let hidden = move || !model.camera.get().is_on();
    view! {
        <div class="preview">
            {avatar(move || model.name.get())}
            <video node_ref=video class="mirrored" class:gone=hidden data-testid="local-video" playsinline autoplay muted prop:muted=true></video>
            <p class="preview-note">{note()}</p>
            <div class="preview-bar">
                {bar::microphone()}
                {device_choice::meter()}
                {bar::camera()}
            </div>
        </div>
    }
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

fn name_field() -> impl IntoView {
    let shell = expect_context::<Shell>();
    let text = words();
    view! {
        <label class="field">
            <span>{text.your_name}</span>
            <input type="text" name="name" autocomplete="name" maxlength="40" enterkeyhint="go" placeholder=text.name_hint
                prop:value=move || shell.model.name.get() on:input=move |event| shell.rename(event_target_value(&event))/>
        </label>
    }
}
