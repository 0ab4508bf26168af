//! The round buttons.

use super::icon;
use crate::{model::Device, shell::Shell, text::words};
use leptos::prelude::*;

/// Microphone, camera, devices, leave: in the thumb's reach.
pub(crate) fn bar(show_devices: RwSignal<bool>) -> impl IntoView {
    let shell = expect_context::<Shell>();
    let text = words();
    view! {
        <footer class="bar">
            {microphone()}
            {camera()}
            <button type="button" class="round" aria-label=text.devices title=text.devices aria-haspopup="dialog"
                on:click=move |_| show_devices.set(true)>
                {icon::icon(icon::DEVICES)}
            </button>
            <button type="button" class="round leave" data-testid="leave" aria-label=text.leave title=text.leave
                on:click=move |_| shell.leave()>
                {icon::icon(icon::LEAVE)}
            </button>
        </footer>
    }
}

/// Microphone on or off.
pub(crate) fn microphone() -> impl IntoView {
    let shell = expect_context::<Shell>();
    let text = words();
    let device = shell.model.microphone;
    let name = move || if device.get().is_on() { text.mute } else { text.unmute };
    let shape =
        move || icon::icon(if device.get().is_on() { icon::MICROPHONE } else { icon::MICROPHONE_OFF });
    view! {
        <button type="button" class="round" data-testid="mic" class:off=move || !device.get().is_on()
            class:blocked=move || device.get().is_blocked() data-on=move || on(device.get())
            aria-keyshortcuts="M Control+D" aria-label=name title=name on:click=move |_| shell.local.toggle_microphone()>
            {shape}
        </button>
    }
}

/// Camera on or off.
pub(crate) fn camera() -> impl IntoView {
    let shell = expect_context::<Shell>();
    let text = words();
    let device = shell.model.camera;
    let name = move || if device.get().is_on() { text.camera_stop } else { text.camera_start };
    let shape = move || icon::icon(if device.get().is_on() { icon::CAMERA } else { icon::CAMERA_OFF });
    view! {
        <button type="button" class="round" data-testid="camera" class:off=move || !device.get().is_on()
            class:blocked=move || device.get().is_blocked() data-on=move || on(device.get())
            aria-keyshortcuts="V Control+E" aria-label=name title=name on:click=move |_| shell.local.toggle_camera()>
            {shape}
        </button>
    }
}

/// For automation; people are told by the name.
fn on(device: Device) -> &'static str {
    if device.is_on() { "true" } else { "false" }
}
