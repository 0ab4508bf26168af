//! `/settings.json`: what the server says about itself. Fetched only when it matters.

use js_sys::{JSON, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

/// The server's settings; as if nothing were set when they cannot be had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// `?join=1` may switch camera and microphone on.
    pub(crate) auto_join: bool,
    /// The origin under which the page is encrypted.
    pub(crate) https: Option<String>,
}

/// Fetches them.
pub(crate) async fn fetch() -> Settings {
    let Some(text) = text().await else { return Settings::default() };
    let settings = JSON::parse(&text).unwrap_or_default();
    let setting = |name: &str| Reflect::get(&settings, &name.into()).unwrap_or_default();
    let https: Option<String> = setting("https").as_string();
    Settings {
        auto_join: setting("auto_join").as_bool().unwrap_or(false),
        https: https.map(|https| https.trim_end_matches('/').to_owned()),
    }
}

async fn text() -> Option<String> {
    let response = JsFuture::from(web_sys::window()?.fetch_with_str("/settings.json")).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    let text = JsFuture::from(response.text().ok()?).await.ok()?;
    response.ok().then(|| text.as_string())?
}
