//! The configuration of a connection.

use serde::Serialize;
use visavis_call::IceServer;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{RtcConfiguration, RtcPeerConnection};

use super::script;

/// Opens a connection.
pub(super) fn open(ice_servers: &[IceServer], relay_only: bool) -> Result<RtcPeerConnection, JsValue> {
    RtcPeerConnection::new_with_configuration(&configuration(ice_servers, relay_only))
}

/// An `RTCConfiguration`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dictionary<'a> {
    ice_servers: &'a [IceServer],
    ice_transport_policy: &'static str,
    bundle_policy: &'static str,
}

/// The configuration; only `ice_servers` may change while a connection lives.
pub(super) fn configuration(ice_servers: &[IceServer], relay_only: bool) -> RtcConfiguration {
    let dictionary = Dictionary {
        ice_servers,
        ice_transport_policy: if relay_only { "relay" } else { "all" },
        bundle_policy: "max-bundle",
    };
    script::object(&dictionary).unchecked_into()
}
