//! The configuration of a connection.

use visavis_call::IceServer;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{RtcConfiguration, RtcPeerConnection};

use super::script;

/// Opens a connection.
pub(super) fn open(ice_servers: &[IceServer], relay_only: bool) -> Result<RtcPeerConnection, JsValue> {
    RtcPeerConnection::new_with_configuration(&configuration(ice_servers, relay_only))
}

/// The configuration; only `ice_servers` may change while a connection lives.
pub(super) fn configuration(ice_servers: &[IceServer], relay_only: bool) -> RtcConfiguration {
    script::object(&serde_json::json!({
        "iceServers": ice_servers,
        "iceTransportPolicy": if relay_only { "relay" } else { "all" },
        "bundlePolicy": "max-bundle",
    }))
    .unchecked_into()
}
