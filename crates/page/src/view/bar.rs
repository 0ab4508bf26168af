//! The round buttons.

use super::{
    element::{View, button, el},
    icon,
};
use crate::signals::*;
use crate::{model::Device, shell::Shell, text::words};

/// Microphone, camera, devices, leave: in the thumb's reach.
pub(crate) fn bar(show_devices: RwSignal<bool>) -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    let devices = button("round").named(text.devices).attr("aria-haspopup", "dialog");
    let leave = button("round leave").attr("data-testid", "leave").named(text.leave);
    el("footer", "bar")
        .child(microphone())
        .child(camera())
        .child(devices.on_click(move || show_devices.set(true)).child(icon::icon(icon::DEVICES)))
        .child(leave.on_click(move || shell.leave()).child(icon::icon(icon::LEAVE)))
}

/// Microphone on or off.
pub(crate) fn microphone() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    device_button(shell.model.microphone, [text.mute, text.unmute], [icon::MICROPHONE, icon::MICROPHONE_OFF])
        .attr("data-testid", "mic")
        .attr("aria-keyshortcuts", "M Control+D")
        .on_click(move || shell.local.toggle_microphone())
}

/// Camera on or off.
pub(crate) fn camera() -> View {
    let shell = expect_context::<Shell>();
    let text = words();
    device_button(shell.model.camera, [text.camera_stop, text.camera_start], [icon::CAMERA, icon::CAMERA_OFF])
        .attr("data-testid", "camera")
        .attr("aria-keyshortcuts", "V Control+E")
        .on_click(move || shell.local.toggle_camera())
}

/// Names and shapes are those of a device that is on, then of one that is not.
fn device_button(device: RwSignal<Device>, names: [&'static str; 2], shapes: [&'static str; 2]) -> View {
    let off = move || usize::from(!device.get().is_on());
    button("round")
        .class_when("off", move || !device.get().is_on())
        .class_when("blocked", move || device.get().is_blocked())
        // For automation; people are told by the name.
        .attr_of("data-on", move || if device.get().is_on() { "true" } else { "false" })
        .named_by(move || names[off()])
        .dynamic(move || icon::icon(shapes[off()]))
}
