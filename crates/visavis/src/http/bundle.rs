//! The files inside the program: the call page, the SDK and its examples, and the live view of the admin port.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};

include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// One file, with what the build made of it.
pub(crate) struct File {
    /// The path under which it is served.
    url: &'static str,
    kind: &'static str,
    /// An entity tag, in quotes.
    tag: &'static str,
    /// The name changes with the content.
    immutable: bool,
    identity: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// Answers with the public file of that path, or says that there is none.
pub(super) async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    if path == "/examples" {
        return Redirect::permanent("/examples/").into_response();
    }
    let Some(file) = find(path) else {
        return not_found("There is nothing at this address. The call page is at /\n");
    };
    let mut response = answer(file, &request);
    if is_sdk(path) {
        // Pages of other origins may load the SDK, with `crossorigin` too.
        let headers = response.headers_mut();
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

/// Answers with the file of the live view of that path, or says that there is none.
pub(super) async fn serve_live(request: Request) -> Response {
    match find_in(LIVE, request.uri().path()) {
        Some(file) => answer(file, &request),
        None => not_found("There is nothing at this address. The live view is at /\n"),
    }
}

fn answer(file: &File, request: &Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (
            StatusCode::METHOD_NOT_ALLOWED,
            [(header::ALLOW, "GET, HEAD")],
            "Only GET and HEAD work here.\n",
        )
            .into_response();
    }
    file.response(request.headers())
}

fn not_found(words: &'static str) -> Response {
    (StatusCode::NOT_FOUND, words).into_response()
}

fn find(path: &str) -> Option<&'static File> {
    let url = match path {
        "/index.html" => "/",
        "/examples/index.html" => "/examples/",
        path if is_sdk(path) && !path.ends_with(".ts") => "/sdk/visavis.js",
        path => path,
    };
    find_in(FILES, url)
}

fn find_in(files: &'static [File], url: &str) -> Option<&'static File> {
    files.binary_search_by(|file| file.url.cmp(url)).ok().map(|index| &files[index])
}

fn is_sdk(path: &str) -> bool {
    const NAMES: [&str; 5] = [
        "/scaledrone.min.js",
        "/scaledrone-lite.min.js",
        "/assets/scaledrone.min.js",
        "/sdk/visavis.js",
        "/sdk/visavis.d.ts",
    ];
    NAMES.contains(&path)
}

impl File {
    fn response(&self, asked: &HeaderMap) -> Response {
        let (encoding, bytes) = self.encoded(asked);
        let cache = if self.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        let known = asked.get_all(header::IF_NONE_MATCH).iter().any(|tags| {
            tags.to_str()
                .is_ok_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == self.tag))
        });
        let mut response =
            if known { StatusCode::NOT_MODIFIED.into_response() } else { Body::from(bytes).into_response() };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, HeaderValue::from_static(self.tag));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if !known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
            if let Some(encoding) = encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
        }
        response
    }

    /// The smallest form that the client takes.
    fn encoded(&self, asked: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        match (self.brotli, self.gzip) {
            (Some(brotli), _) if accepts(asked, "br") => (Some("br"), brotli),
            (_, Some(gzip)) if accepts(asked, "gzip") => (Some("gzip"), gzip),
            _ => (None, self.identity),
        }
    }
}

/// Whether `Accept-Encoding` lists `encoding` with a weight above zero.
fn accepts(asked: &HeaderMap, encoding: &str) -> bool {
    let listed = |item: &str| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.parse::<f32>() == Ok(0.0));
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    };
    let lists = asked.get_all(header::ACCEPT_ENCODING);
    lists.iter().filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(',')).any(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_zero_refuses_an_encoding() {
        let asked = |value: &'static str| {
            HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))])
        };
        assert!(accepts(&asked("gzip, deflate, br, zstd"), "br"));
        assert!(accepts(&asked("br;q=0.1"), "br"));
        assert!(!accepts(&asked("gzip, br;q=0"), "br"));
        assert!(!accepts(&asked("brotli"), "br"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    #[test]
    fn there_is_always_a_page_and_files_are_found_by_path() {
        assert!(find("/").is_some_and(|file| file.kind.starts_with("text/html")));
        assert!(find_in(LIVE, "/").is_some_and(|file| file.kind.starts_with("text/html")));
        assert!(FILES.is_sorted_by_key(|file| file.url) && LIVE.is_sorted_by_key(|file| file.url));
        assert!(!FILES.iter().any(|file| file.url.starts_with("/live")), "the live view is not public");
        assert!(find("/../Cargo.toml").is_none());
    }
}
