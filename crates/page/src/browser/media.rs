//! Camera and microphone tracks, and why there are none.

use crate::model::Device;
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomException, MediaDevices, MediaStream, MediaStreamConstraints, MediaStreamTrack};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The camera.
    Camera,
    /// The microphone.
    Microphone,
}

/// `navigator.mediaDevices`, which insecure contexts do not have.
pub(crate) fn media_devices() -> Option<MediaDevices> {
    let devices = web_sys::window()?.navigator().media_devices().ok()?;
    devices.is_truthy().then_some(devices)
}

/// Asks for both at once, which browsers put into one question. `ids` are the devices chosen before.
pub(crate) async fn ask_both(camera: &str, microphone: &str) -> Result<MediaStream, Device> {
    ask(Some(video(camera)), Some(audio(microphone))).await
}

/// Asks for one of them.
pub(crate) async fn ask_one(kind: Kind, id: &str) -> Result<MediaStreamTrack, Device> {
    let stream = match kind {
        Kind::Camera => ask(Some(video(id)), None).await?,
        Kind::Microphone => ask(None, Some(audio(id))).await?,
    };
    track(&stream, kind).ok_or(Device::Missing)
}

/// The stream's track of that kind.
pub(crate) fn track(stream: &MediaStream, kind: Kind) -> Option<MediaStreamTrack> {
    let tracks = match kind {
        Kind::Camera => stream.get_video_tracks(),
        Kind::Microphone => stream.get_audio_tracks(),
    };
    tracks.get(0).dyn_into().ok()
}

/// Lets the device go: its light goes out.
pub(crate) fn stop(stream: &MediaStream, kind: Kind) {
    if let Some(track) = track(stream, kind) {
        track.set_onended(None);
        track.stop();
        stream.remove_track(&track);
    }
}

/// Tells when the device itself ends the track, as when it is unplugged.
pub(crate) fn on_ended(track: &MediaStreamTrack, tell: impl FnOnce() + 'static) {
    track.set_onended(Some(Closure::once_into_js(tell).unchecked_ref()));
}

/// The device that the track comes from.
pub(crate) fn device_id(track: &MediaStreamTrack) -> String {
    track.get_settings().get_device_id().unwrap_or_default()
}

async fn ask(video: Option<JsValue>, audio: Option<JsValue>) -> Result<MediaStream, Device> {
    let devices = media_devices().ok_or(Device::Missing)?;
    let constraints = MediaStreamConstraints::new();
    constraints.set_video(&video.unwrap_or(JsValue::FALSE));
    constraints.set_audio(&audio.unwrap_or(JsValue::FALSE));
    let asked = devices.get_user_media_with_constraints(&constraints).map_err(|error| refusal(&error))?;
    JsFuture::from(asked).await.map(JsCast::unchecked_into).map_err(|error| refusal(&error))
}

fn refusal(error: &JsValue) -> Device {
    let name = error.dyn_ref::<DomException>().map(DomException::name).unwrap_or_default();
    match name.as_str() {
        "NotAllowedError" | "SecurityError" => Device::Denied,
        "NotReadableError" | "AbortError" => Device::Busy,
        _ => Device::Missing,
    }
}

fn video(id: &str) -> JsValue {
    let video = Object::new();
    set(&video, "width", &ideal(&1280.into()));
    set(&video, "height", &ideal(&720.into()));
    set(&video, "frameRate", &ideal(&30.into()));
    choose(&video, id);
    video.into()
}

fn audio(id: &str) -> JsValue {
    let audio = Object::new();
    for treatment in ["echoCancellation", "noiseSuppression", "autoGainControl"] {
        set(&audio, treatment, &JsValue::TRUE);
    }
    choose(&audio, id);
    audio.into()
}

/// Ideal, not exact: a device that was unplugged since must not keep anybody out.
fn choose(constraint: &Object, id: &str) {
    if id.is_empty() {
        set(constraint, "facingMode", &ideal(&"user".into()));
    } else {
        set(constraint, "deviceId", &ideal(&id.into()));
    }
}

fn ideal(value: &JsValue) -> JsValue {
    let ideal = Object::new();
    set(&ideal, "ideal", value);
    ideal.into()
}

fn set(object: &Object, key: &str, value: &JsValue) {
    Reflect::set(object, &key.into(), value).expect("a fresh object takes any property");
}
