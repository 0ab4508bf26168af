//! Which devices there are, when that changes, and when a permission does.

use super::media::media_devices;
use crate::model::{Choice, Choices};
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaDeviceInfo, MediaDeviceKind, PermissionStatus};

/// The devices; without labels and ids before permission.
pub(crate) async fn list() -> Choices {
    let mut choices = Choices::default();
    let Some(listed) = media_devices().and_then(|devices| devices.enumerate_devices().ok()) else {
        return choices;
    };
    let Ok(listed) = JsFuture::from(listed).await else { return choices };
    for device in listed.unchecked_into::<Array>().iter() {
        sort_in(&mut choices, device.unchecked_ref());
    }
    choices
}

fn sort_in(choices: &mut Choices, device: &MediaDeviceInfo) {
    let choice = Choice { id: device.device_id(), label: device.label() };
    if choice.id.is_empty() {
        return;
    }
    match device.kind() {
        MediaDeviceKind::Videoinput => choices.cameras.push(choice),
        MediaDeviceKind::Audioinput => choices.microphones.push(choice),
        MediaDeviceKind::Audiooutput if can_choose_speaker() => choices.speakers.push(choice),
        _ => {}
    }
}

/// Whether sound can be sent to a chosen speaker (not on Android, not in older Safari).
fn can_choose_speaker() -> bool {
    let prototype = Reflect::get(&js_sys::global(), &"HTMLMediaElement".into())
        .and_then(|class| Reflect::get(class.unchecked_ref(), &"prototype".into()));
    prototype
        .is_ok_and(|prototype| Reflect::has(prototype.unchecked_ref(), &"setSinkId".into()).unwrap_or(false))
}

/// Tells, for as long as the page lives, when a device came or went.
pub(crate) fn on_change(tell: impl Fn() + 'static) {
    if let Some(devices) = media_devices() {
        let tell = Closure::<dyn Fn()>::new(tell);
        devices.set_ondevicechange(Some(tell.as_ref().unchecked_ref()));
        tell.forget();
    }
}

/// Tells, for as long as the page lives, when the permission called `name` (`camera`, `microphone`) changed.
/// Silent in browsers that do not know that name.
pub(crate) async fn on_permission(name: &str, tell: impl Fn() + 'static) {
    let Some(permissions) = web_sys::window().and_then(|window| window.navigator().permissions().ok()) else {
        return;
    };
    let descriptor = Object::new();
    let named = Reflect::set(&descriptor, &"name".into(), &name.into()).is_ok();
    let Some(asked) = permissions.query(&descriptor).ok().filter(|_| named) else { return };
    let Ok(status) = JsFuture::from(asked).await else { return };
    let status: PermissionStatus = status.unchecked_into();
    let tell = Closure::<dyn Fn()>::new(tell);
    status.set_onchange(Some(tell.as_ref().unchecked_ref()));
    tell.forget();
    // The browser drops a status that nothing refers to, and its handler with it.
    keep(status.into());
}

fn keep(value: JsValue) {
    thread_local! {
        static KEPT: std::cell::RefCell<Vec<JsValue>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    KEPT.with_borrow_mut(|kept| kept.push(value));
}
