//! One's own picture: the stage while alone, a corner afterwards.

use super::{
    avatar::avatar,
    element::{View, button, el, follow},
    icon,
    lobby::own_picture,
};
use crate::signals::*;
use crate::{browser::document, shell::Shell, text::words};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, PointerEvent};

pub(crate) fn self_view() -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    let hidden = RwSignal::new(false);
    let corner = RwSignal::new("bottom-right");
    let held = RwSignal::new(None::<(i32, i32)>);
    let offset = RwSignal::new((0, 0));
    let hide = button("self-hide")
        .attr_of("aria-label", move || if hidden.get() { text.self_show } else { text.self_hide })
        .on_click(move || hidden.update(|hidden| *hidden = !*hidden))
        .dynamic(move || icon::icon(if hidden.get() { icon::PERSON } else { icon::HIDE }));
    let view = el("section", "self")
        .class_when("hidden", move || hidden.get())
        .class_when("held", move || held.get().is_some())
        .attr_of("data-corner", move || corner.get())
        .attr("aria-label", text.you)
        .on("pointerdown", move |event| grasp(event.unchecked_ref(), held))
        .on("pointermove", move |event| drag(event.unchecked_ref(), held, offset))
        .on("pointerup", move |event| drop_at(event.unchecked_ref(), held, offset, corner))
        .on("pointercancel", move |_| {
            held.set(None);
            offset.set((0, 0));
        })
        .child(avatar(move || model.name.get()))
        .child(own_picture())
        .when(
            move || !model.microphone.get().is_on(),
            || el("span", "self-muted").child(icon::icon(icon::MICROPHONE_OFF)),
        )
        .child(hide);
    let style = view.element::<HtmlElement>().style();
    follow(move || {
        let _ = style.set_property("translate", &translate(offset.get()));
    });
    view
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
