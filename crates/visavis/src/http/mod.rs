//! What is served over HTTP.

pub(crate) mod admin;
pub(crate) mod bundle;
mod rest;
pub(crate) mod websocket;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Extension, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde::Serialize;

use crate::{
    host::Host,
    rates::Rates,
    signaling::{Signaling, serve_websocket},
    stream::ConnectionInfo,
};

/// What the public pages are made of.
pub(crate) struct Site {
    pub(crate) auto_join: bool,
    /// The real port of HTTPS, if there is one.
    pub(crate) https_port: Option<u16>,
    pub(crate) signaling: Arc<Signaling>,
    /// How often one address may open a WebSocket.
    pub(crate) new_websockets: Rates,
    /// How often one address may call the REST interface.
    pub(crate) requests: Rates,
}

/// Everything on the public ports.
pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/settings.json", get(settings))
        .route("/v3/websocket", any(signaling))
        .route("/healthz", get(async || "ok\n"))
        .fallback(rest::serve)
        .layer(middleware::from_fn(guard))
        .with_state(site)
}

/// What the page wants to know about its server.
#[derive(Serialize)]
struct Settings {
    auto_join: bool,
    https: Option<String>,
    version: &'static str,
}

async fn settings(
    State(site): State<Arc<Site>>,
    Extension(info): Extension<ConnectionInfo>,
) -> impl IntoResponse {
    let https = site.https_port.map(|port| {
        let host = info.host.as_deref().and_then(Host::read);
        let shown =
            host.as_ref().map(|host| host.port.unwrap_or(443)).filter(|_| info.secure).unwrap_or(port);
        let name = host.map_or_else(|| crate::host::Name::Address(info.local.ip()), |host| host.name);
        format!("https://{}:{shown}", name.in_url())
    });
    let settings = Settings { auto_join: site.auto_join, https, version: env!("CARGO_PKG_VERSION") };
    let json = serde_json::to_string(&settings).expect("texts and booleans are JSON");
    ([(header::CONTENT_TYPE, "application/json")], json)
}

async fn signaling(
    State(site): State<Arc<Site>>,
    Extension(info): Extension<ConnectionInfo>,
    request: Request,
) -> Response {
    if !site.new_websockets.admit(info.remote.ip()) {
        let text = "Too many new WebSockets from this address; try again in a second\n";
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")], text).into_response();
    }
    serve_websocket(Arc::clone(&site.signaling), info, request).await
}

/// Completes what is known about the connection on the way in, and says on the way out what browsers may do.
async fn guard(mut request: Request, next: Next) -> Response {
    let host = text(request.headers(), header::HOST);
    let origin = text(request.headers(), header::ORIGIN);
    if let Some(info) = request.extensions_mut().get_mut::<ConnectionInfo>() {
        info.host = host;
        info.origin = origin;
    }
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Nothing from elsewhere, nothing inline; camera, microphone and screen for this origin alone.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()",
    ),
    (header::CACHE_CONTROL, "no-store"),
];
