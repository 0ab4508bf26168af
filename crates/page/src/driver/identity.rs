//! Who this page is: random names, and the one that a reload keeps.

use crate::browser::timer::window;

const DEVICE: &str = "visavis-device-secret";

/// What only this tab knows, the same over reloads: kept in `sessionStorage` where the browser allows it.
pub(crate) fn device_secret() -> String {
    let storage = window().session_storage().ok().flatten();
    if let Some(known) = storage.as_ref().and_then(|storage| storage.get_item(DEVICE).ok().flatten()) {
        return known;
    }
    let secret = name();
    if let Some(storage) = storage {
        // A full or forbidden storage only means that a reload counts as another device.
        let _ = storage.set_item(DEVICE, &secret);
    }
    secret
}

/// 128 random bits as 32 hexadecimal digits.
pub(crate) fn name() -> String {
    let bytes: [u8; 16] = random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Random bytes from the browser.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let crypto = window().crypto().expect("every browser with WebRTC has crypto");
    crypto.get_random_values_with_u8_array(&mut bytes).expect("so few bytes are always given");
    bytes
}
