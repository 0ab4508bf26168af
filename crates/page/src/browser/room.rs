//! Names of rooms: made, or taken from what a person typed.

use js_sys::{JsString, decode_uri_component};
use wasm_bindgen::JsCast;

/// RFC 4648 section 6, in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A room that nobody can guess: 120 random bits as 24 characters.
pub(crate) fn random() -> String {
    let mut bytes = [0u8; 15];
    let crypto = web_sys::window().and_then(|window| window.crypto().ok());
    crypto
        .expect("every browser with WebRTC has window.crypto")
        .get_random_values_with_u8_array(&mut bytes)
        .expect("15 bytes are below the limit of getRandomValues");
    base32(&bytes)
}

/// The room that a link, or a code typed by a person, stands for; empty if it is neither.
pub(crate) fn from_typed(typed: &str) -> String {
    match typed.split_once('#') {
        Some((_, fragment)) => from_fragment(fragment),
        None => canonical(typed),
    }
}

/// The room of a URL's fragment, which browsers hand out percent-encoded.
pub(crate) fn from_fragment(fragment: &str) -> String {
    match decode_uri_component(fragment) {
        Ok(decoded) => canonical(&String::from(decoded)),
        Err(_) => canonical(fragment),
    }
}

/// In Unicode's normal form C, cut and trimmed: two people who type the same name meet.
fn canonical(name: &str) -> String {
    let name = JsString::from(name.trim()).normalize("NFC");
    let name = name.unchecked_into::<JsString>();
    visavis_call::room_name(&String::from(name))
}

/// Whole groups of five bytes only.
fn base32(bytes: &[u8; 15]) -> String {
    let mut text = String::with_capacity(24);
    for group in bytes.chunks_exact(5) {
        let bits = group.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            text.push(char::from(BASE32[(bits >> (5 * place)) as usize & 31]));
        }
    }
    text
}
