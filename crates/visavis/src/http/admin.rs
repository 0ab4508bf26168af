//! The port for whoever runs the server: health, numbers and the live view, reading only.
//!
//! The view names rooms, and a room's name is the link to its call. So no page of another site may read it: nothing
//! here is shared across origins, and the view answers only to hosts that nobody else can have.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};

use super::bundle;
use crate::{
    host::{Host, Name},
    live::Live,
};

/// What the admin port shows.
pub(crate) struct Admin {
    /// Whether new calls are welcome.
    pub(crate) ready: AtomicBool,
    pub(crate) live: Arc<Live>,
    /// What this machine calls itself.
    pub(crate) host_name: Option<String>,
}

pub(crate) fn router(admin: Arc<Admin>) -> Router {
    let view = Router::new()
        .route("/live.json", get(live))
        .route("/allocations.json", get(allocations))
        .route("/members/{channel}/{room}", get(members))
        .fallback(bundle::serve_live)
        .layer(middleware::from_fn_with_state(Arc::clone(&admin), guard));
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .merge(view)
        .layer(middleware::from_fn(restrict))
        .with_state(admin)
}

async fn ready(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    if admin.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], admin.live.metrics.exposition())
}

async fn live(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    (JSON, admin.live.report(admin.is_ready()))
}

async fn allocations(State(admin): State<Arc<Admin>>) -> Response {
    match tokio::task::spawn_blocking(move || admin.live.allocations()).await {
        Ok(allocations) => (JSON, allocations).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn members(
    State(admin): State<Arc<Admin>>,
    Path((channel, room)): Path<(String, String)>,
) -> impl IntoResponse {
    match admin.live.members(&channel, &room) {
        Some(members) => (JSON, members).into_response(),
        None => (StatusCode::NOT_FOUND, "Nobody is in that room\n").into_response(),
    }
}

const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

impl Admin {
    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Whether a browser that was sent to this host can only mean this machine: an address, this computer, or the
    /// machine's own name. Any other name may belong to somebody who had it point here to read along.
    fn is_own(&self, host: &Host) -> bool {
        match &host.name {
            Name::Address(_) => true,
            name if name.is_loopback() => true,
            Name::Dns(name) => self.host_name.as_deref() == Some(name),
        }
    }
}

/// Lets nobody see the view but those who opened it themselves.
async fn guard(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let Some(host) = text(headers, header::HOST) else {
        return (StatusCode::BAD_REQUEST, "A Host header is missing\n").into_response();
    };
    if !Host::read(host).is_some_and(|host| admin.is_own(&host)) {
        let words = "Open this by an address of this machine, as localhost, or by the machine's own name\n";
        return (StatusCode::MISDIRECTED_REQUEST, words).into_response();
    }
    if is_foreign(headers, host) {
        return (StatusCode::FORBIDDEN, "Not for pages of other sites\n").into_response();
    }
    next.run(request).await
}

/// Whether a page of another site asks. A person may follow its link: then the browser goes here itself.
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    let says = |name: &'static str, values: &[&str]| {
        text(headers, HeaderName::from_static(name)).is_some_and(|value| values.contains(&value))
    };
    let elsewhere = text(headers, header::ORIGIN)
        .is_some_and(|origin| origin.strip_prefix("http://").is_none_or(|origin| origin != host));
    let goes_here = says("sec-fetch-mode", &["navigate"]) && says("sec-fetch-dest", &["document"]);
    elsewhere || (says("sec-fetch-site", &["cross-site", "same-site"]) && !goes_here)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Says what browsers may do with what is here: show it, and nothing else.
async fn restrict(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];
