//! One's own picture: the stage while alone, a corner afterwards.

use super::{avatar::avatar, icon};
use crate::{browser::document, shell::Shell, text::words};
use leptos::{
    ev::{MouseEvent, PointerEvent},
    html,
    prelude::*,
};
use wasm_bindgen::JsCast;

pub(crate) fn self_view() -> impl IntoView {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    let video = NodeRef::<html::Video>::new();
    let hidden = RwSignal::new(false);
    let corner = RwSignal::new("bottom-right");
    Effect::new(move || {
        if let Some(video) = video.get() {
            document::play(&video, model.local_stream.get().as_ref(), || {});
        }
    });
    let held = RwSignal::new(None::<(i32, i32)>);
    let offset = RwSignal::new((0, 0));
    let no_picture = move || !model.camera.get().is_on();
    view! {
        <section class="self" class:hidden=hidden class:held=move || held.get().is_some() data-corner=corner aria-label=text.you
            style:translate=move || translate(offset.get())
            on:pointerdown=move |event| grasp(&event, held)
            on:pointermove=move |event| drag(&event, held, offset)
            on:pointerup=move |event| drop_at(&event, held, offset, corner)
            on:pointercancel=move |_| { held.set(None); offset.set((0, 0)); }>
            {avatar(move || model.name.get())}
            <video node_ref=video class="mirrored" class:gone=no_picture data-testid="local-video" playsinline autoplay muted prop:muted=true></video>
            <Show when=move || !model.microphone.get().is_on()>
                <span class="self-muted">{icon::icon(icon::MICROPHONE_OFF)}</span>
            </Show>
            <button type="button" class="self-hide" aria-label=move || if hidden.get() { text.self_show } else { text.self_hide }
                on:click=move |_: MouseEvent| hidden.update(|hidden| *hidden = !*hidden)>
                {move || icon::icon(if hidden.get() { icon::PERSON } else { icon::HIDE })}
            </button>
        </section>
    }
}

fn translate((x, y): (i32, i32)) -> String {
    x.to_string() + "px " + &y.to_string() + "px"
}

fn grasp(event: &PointerEvent, held: RwSignal<Option<(i32, i32)>>) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let on_button = target.is_some_and(|target| target.closest("button").ok().flatten().is_some());
    if on_button {
        return;
    }
    let own = event.current_target().and_then(|own| own.dyn_into::<web_sys::Element>().ok());
    if let Some(own) = own {
        let _ = own.set_pointer_capture(event.pointer_id());
        held.set(Some((event.client_x(), event.client_y())));
    }
}

fn drag(event: &PointerEvent, held: RwSignal<Option<(i32, i32)>>, offset: RwSignal<(i32, i32)>) {
    if let Some((x, y)) = held.get_untracked() {
        offset.set((event.client_x() - x, event.client_y() - y));
    }
}

/// Into the corner that is nearest.
fn drop_at(
    event: &PointerEvent,
    held: RwSignal<Option<(i32, i32)>>,
    offset: RwSignal<(i32, i32)>,
    corner: RwSignal<&'static str>,
) {
    if held.get_untracked().is_none() {
        return;
    }
    let moved = offset.get_untracked();
    held.set(None);
    offset.set((0, 0));
    if moved.0.abs() + moved.1.abs() > 24 {
        corner.set(match document::quadrant(event.client_x(), event.client_y()) {
            (false, false) => "top-left",
            (true, false) => "top-right",
            (false, true) => "bottom-left",
            (true, true) => "bottom-right",
        });
    }
}
