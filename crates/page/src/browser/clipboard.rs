//! Handing a link on.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Navigator, ShareData};

/// Copies; false where the browser refuses.
pub(crate) async fn copy(text: String) -> bool {
    // Absent in insecure contexts, which the binding does not know.
    match present(&navigator(), "clipboard") {
        Some(_) => JsFuture::from(navigator().clipboard().write_text(&text)).await.is_ok(),
        None => false,
    }
}

/// Whether the system has a sheet for sharing.
pub(crate) fn can_share() -> bool {
    present(&navigator(), "share").is_some()
}

/// Opens that sheet. That the person closes it again is no failure.
pub(crate) fn share(url: &str) {
    let data = ShareData::new();
    data.set_url(url);
    let shared = navigator().share_with_data(&data);
    wasm_bindgen_futures::spawn_local(async move {
        let _ = JsFuture::from(shared).await;
    });
}

fn navigator() -> Navigator {
    web_sys::window().expect("the page runs in a window").navigator()
}

fn present(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = js_sys::Reflect::get(object.unchecked_ref(), &JsValue::from_str(name)).ok()?;
    value.is_truthy().then_some(value)
}
