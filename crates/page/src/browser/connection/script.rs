//! What `web-sys` does not name, or names only as dictionaries that JSON says as well.

use js_sys::{Array, JSON, Promise, Reflect};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{MediaStream, MediaStreamTrack, RtcPeerConnection, RtcRtpSender};

#[wasm_bindgen]
extern "C" {
    type Any;
    #[wasm_bindgen(method, catch, js_name = setLocalDescription)]
    fn set_local_description(this: &Any) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setRemoteDescription)]
    fn set_remote_description(this: &Any, description: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = addIceCandidate)]
    fn add_ice_candidate(this: &Any, candidate: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = restartIce)]
    fn restart_ice(this: &Any) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = replaceTrack)]
    fn replace_track(this: &Any, track: Option<&MediaStreamTrack>) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setStreams)]
    fn set_streams(this: &Any, stream: &MediaStream) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = getParameters)]
    fn get_parameters(this: &Any) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setParameters)]
    fn set_parameters(this: &Any, parameters: &JsValue) -> Result<Promise, JsValue>;
}

fn any(value: &JsValue) -> &Any {
    value.unchecked_ref()
}

async fn done(promise: Result<Promise, JsValue>) -> Result<(), JsValue> {
    promise?.await.map(drop)
}

/// `setLocalDescription()` without a parameter.
pub(super) async fn set_local_description(rtc: &RtcPeerConnection) -> Result<(), JsValue> {
    done(any(rtc).set_local_description()).await
}

/// `setRemoteDescription(description)`
pub(super) async fn set_remote_description(
    rtc: &RtcPeerConnection,
    description: &JsValue,
) -> Result<(), JsValue> {
    done(any(rtc).set_remote_description(description)).await
}

/// `addIceCandidate(candidate)`
pub(super) async fn add_candidate(rtc: &RtcPeerConnection, candidate: &JsValue) -> Result<(), JsValue> {
    done(any(rtc).add_ice_candidate(candidate)).await
}

/// `restartIce()`; does nothing on a closed connection.
pub(super) fn restart_ice(rtc: &RtcPeerConnection) {
    let _ = any(rtc).restart_ice();
}

/// `replaceTrack(track)`; refused only by a closed connection, which needs no track.
pub(super) fn replace_track(sender: &RtcRtpSender, track: Option<&MediaStreamTrack>) {
    let replaced = any(sender).replace_track(track);
    wasm_bindgen_futures::spawn_local(async move { drop(done(replaced).await) });
}

/// `setStreams(stream)`, where the browser has it: the remote is told which tracks belong together.
pub(super) fn set_streams(sender: &RtcRtpSender, stream: &MediaStream) {
    let _ = any(sender).set_streams(stream);
}

/// Scales down what the sender sends, by so much each way; a browser that cannot sends it as it is.
pub(super) fn scale_down(sender: &RtcRtpSender, scale: f64) {
    let Ok(parameters) = any(sender).get_parameters() else { return };
    let encodings = at(&parameters, "encodings").dyn_into::<Array>().unwrap_or_default();
    for encoding in encodings.iter() {
        // Refused only by what is no object.
        let _ = Reflect::set(&encoding, &"scaleResolutionDownBy".into(), &scale.into());
    }
    let set = any(sender).set_parameters(&parameters);
    wasm_bindgen_futures::spawn_local(async move { drop(done(set).await) });
}

/// The object that `value` is in JSON.
pub(super) fn object(value: &impl Serialize) -> JsValue {
    serde_json::to_string(value).ok().and_then(|json| JSON::parse(&json).ok()).unwrap_or(JsValue::UNDEFINED)
}

/// A property.
pub(super) fn at(object: &JsValue, property: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(property)).unwrap_or(JsValue::UNDEFINED)
}

/// A property that is a string.
pub(super) fn text_at(object: &JsValue, property: &str) -> Option<String> {
    at(object, property).as_string()
}

/// A property that is a number.
pub(super) fn number_at(object: &JsValue, property: &str) -> Option<f64> {
    at(object, property).as_f64()
}
