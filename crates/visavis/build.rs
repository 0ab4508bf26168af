//! Embeds the built page and the SDK. The page is built by `cargo xtask page`, not here: a nested cargo would wait for
//! the same target directory and inherit the wrong flags.

use std::{
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
    let dist = root.join("crates/page/dist");
    let sdk = root.join("sdk");
    let watched = if dist.is_dir() { dist.clone() } else { root.join("crates/page") };
    println!("cargo::rerun-if-changed={}", watched.display());
    println!("cargo::rerun-if-changed={}", sdk.display());
    println!("cargo::rerun-if-changed=src/http/unbuilt.html");

    let (mut files, mut live) = (Vec::new(), Vec::new());
    walk(&dist, &dist, "/", &mut files);
    walk(&sdk, &sdk, "/sdk/", &mut files);
    // The live view is for the admin port alone.
    files.retain(|(url, _)| !url.starts_with("/live/"));
    walk(&dist.join("live"), &dist.join("live"), "/", &mut live);
    for (url, _) in &mut files {
        if let Some(rest) = url.strip_prefix("/sdk/examples/") {
            *url = format!("/examples/{rest}");
        }
    }
    let mut code = format!("pub(crate) const PAGE_IS_BUILT: bool = {};\n", dist.join("index.html").is_file());
    table(&mut code, "FILES", files);
    table(&mut code, "LIVE", live);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("bundle.rs"), code).expect("OUT_DIR can be written");
}

/// A table of files in the order of their paths; one that has no page gets the one that says so.
fn table(code: &mut String, name: &str, mut files: Vec<(String, PathBuf)>) {
    for (url, _) in &mut files {
        if let Some(folder) = url.strip_suffix("index.html") {
            *url = folder.to_owned();
        }
    }
    if !files.iter().any(|(url, _)| url == "/") {
        files.push(("/".to_owned(), PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/http/unbuilt.html")));
    }
    files.sort();
    writeln!(code, "pub(crate) static {name}: &[File] = &[").expect("writing into a text cannot fail");
    for (url, path) in &files {
        file(code, url, path);
    }
    code.push_str("];\n");
}

/// Every file below `folder` with the path under which it is served; compressed forms belong to their originals.
fn walk(root: &Path, folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if path.is_dir() {
            walk(root, &path, prefix, files);
        } else if !matches!(extension, "br" | "gz") {
            let relative =
                path.strip_prefix(root).expect("found below it").to_str().expect("file names are UTF-8");
            files.push((format!("{prefix}{}", relative.replace('\\', "/")), path));
        }
    }
}

fn file(code: &mut String, url: &str, path: &Path) {
    let bytes = fs::read(path).expect("a file found a moment ago can be read");
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let beside = |extension: &str| {
        let compressed = PathBuf::from(format!("{}.{extension}", path.display()));
        if compressed.is_file() { format!("Some(include_bytes!({compressed:?}))") } else { "None".to_owned() }
    };
    // What the page's build puts under assets/ carries its hash in its name.
    let immutable = url.starts_with("/assets/");
    writeln!(
        code,
        "File {{ url: {url:?}, kind: {:?}, tag: \"\\\"{:016x}\\\"\", immutable: {immutable}, identity: include_bytes!({path:?}), brotli: {}, gzip: {} }},",
        kind(path),
        hasher.finish(),
        beside("br"),
        beside("gz"),
    )
    .expect("writing into a text cannot fail");
}

fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "ts" | "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
