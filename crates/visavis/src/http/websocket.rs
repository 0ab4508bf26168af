//! RFC 6455, the server's side: the opening handshake, and frames in and out without any I/O.
//!
//! Written here instead of taken from a crate because three things are wanted that none of them gives: a frame for
//! many is built once and shared with its header; a message that is too large is skipped and answered instead of
//! ending the connection; a connection on which nothing happens owns no buffer.

pub(crate) mod frame;
pub(crate) mod reader;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

/// What RFC 6455 section 1.3 has both sides append to the key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a request does not open a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoWebSocket {
    /// It does not ask for one.
    NotAsked,
    /// It asks for another version than 13.
    OtherVersion,
    /// `Sec-WebSocket-Key` is missing.
    NoKey,
}

/// The answer that makes a connection a WebSocket (section 4.2.2). No extension and no sub-protocol is taken.
pub(crate) fn answer(request: &Request) -> Result<Response, NoWebSocket> {
    let headers = request.headers();
    let asked = request.method() == Method::GET
        && has_token(headers, header::CONNECTION, "upgrade")
        && has_token(headers, header::UPGRADE, "websocket");
    if !asked {
        return Err(NoWebSocket::NotAsked);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(NoWebSocket::OtherVersion);
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(NoWebSocket::NoKey)?;
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept(key));
    Ok(response)
}

impl IntoResponse for NoWebSocket {
    fn into_response(self) -> Response {
        match self {
            Self::NotAsked => {
                let upgrade = [(header::UPGRADE, "websocket"), (header::CONNECTION, "Upgrade")];
                (StatusCode::UPGRADE_REQUIRED, upgrade, "a WebSocket is spoken here\n").into_response()
            }
            Self::OtherVersion => {
                let version = [(header::SEC_WEBSOCKET_VERSION, "13")];
                (StatusCode::UPGRADE_REQUIRED, version, "WebSocket version 13 is spoken here\n")
                    .into_response()
            }
            Self::NoKey => (StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing\n").into_response(),
        }
    }
}

fn accept(key: &HeaderValue) -> HeaderValue {
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(GUID).finalize();
    HeaderValue::from_str(&STANDARD.encode(digest)).expect("base64 is printable ASCII")
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_rfc_6455_section_1_3_is_accepted_as_it_says() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
