//! The pages' bundles: wasm, glue, style and other files, each with its compressed forms beside it.
//!
//! `crates/visavis/build.rs` embeds what stands in `crates/page/dist`. Cargo is not called from that build
//! script, since two cargos would wait for each other's lock on one target directory.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    command::{cargo, root, run, target_dir},
    setup,
};

/// Where the bundles are put: the call page's, and below it in `live` that of the admin port.
pub(crate) fn dist() -> PathBuf {
    root().join("crates/page/dist")
}

/// One page with its program.
struct Page {
    program: &'static str,
    html: &'static str,
    /// Folders of style sheets, in order.
    styles: &'static [&'static str],
    /// Folder within [`dist`].
    folder: &'static str,
}

const PAGES: [Page; 2] = [
    Page { program: "visavis-page", html: "index.html", styles: &["style"], folder: "" },
    // Of the call page's style only what is common to all pages.
    Page {
        program: "visavis-live",
        html: "live.html",
        styles: &["style/1-base.css", "style/live"],
        folder: "live",
    },
];

/// Builds the pages into [`dist`].
pub(crate) fn build() -> Result<()> {
    setup::wasm_target()?;
    let programs = compile()?;
    let fresh = dist().with_extension("new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    for page in &PAGES {
        let (glue, wasm) = bind(&programs.join(format!("{}.wasm", page.program)))?;
        page.bundle(&fresh.join(page.folder), &glue, &wasm)?;
    }
    compress(&fresh)?;
    if dist().exists() {
        fs::remove_dir_all(dist())?;
    }
    fs::rename(&fresh, dist()).context("put the new bundle in place")
}

/// The folder that the programs are in.
fn compile() -> Result<PathBuf> {
    // A directory of its own: the host's builds then never wait for this one, nor throw its results away.
    let target = target_dir().join("page");
    let mut command = cargo(["build", "--package", "visavis-page", "--target", "wasm32-unknown-unknown"]);
    // The sources' full paths would be shipped in every panic message, and tell of the machine that built it.
    command.env("CARGO_ENCODED_RUSTFLAGS", remapped().join("\u{1f}"));
    run(command.args(["--profile", "wasm-release", "--target-dir"]).arg(&target))?;
    Ok(target.join("wasm32-unknown-unknown/wasm-release"))
}

fn remapped() -> Vec<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let sources = home.map(|home| home.join("registry/src"));
    let prefixes = sources.into_iter().chain([root().to_owned()]);
    prefixes.map(|prefix| format!("--remap-path-prefix={}/=", prefix.display())).collect()
}

fn bind(wasm: &Path) -> Result<(String, Vec<u8>)> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("visavis").typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true).omit_default_module_path(true);
    let mut output = bindgen.web(true)?.generate_output()?;
    let mut glue = output.js().to_owned();
    let wasm = output.wasm_mut();
    for (number, import) in wasm.imports.iter_mut().enumerate() {
        let short = format!("i{number}");
        if rename(&mut glue, &import.name, &short) {
            import.name = short;
        }
    }
    // Crates may bring files that only other builds import, such as one with threads.
    if glue.contains("./snippets/") {
        bail!("the page's glue imports JavaScript snippets, which the bundle does not carry");
    }
    Ok((glue, wasm.emit_wasm()))
}

/// Gives an imported function a short name in the glue, unless it is called otherwise there: the long one with its
/// digest, once in the glue and once in the wasm, is a good part of what people download.
fn rename(glue: &mut String, long: &str, short: &str) -> bool {
    let (from, to) = (format!("{long}: function("), format!("{short}: function("));
    let found = glue.matches(&from).count() == 1;
    if found {
        *glue = glue.replacen(&from, &to, 1);
    }
    found
}

/// The text without indentation and without comments that have their lines to themselves.
fn trimmed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut comment = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        comment |= line.starts_with("/*");
        if !comment && !line.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
        comment &= !line.ends_with("*/");
    }
    out
}

impl Page {
    fn bundle(&self, to: &Path, glue: &str, wasm: &[u8]) -> Result<()> {
        let source = root().join("crates/page");
        fs::create_dir_all(to.join("assets"))?;
        let wasm_name = write_hashed(to, "wasm", wasm)?;
        // No inline script may start the page (Content-Security-Policy), so the glue starts itself.
        let start = format!(
            "{glue}\n__wbg_init({{ module_or_path: new URL(\"/{wasm_name}\", import.meta.url) }});\n"
        );
        if start.lines().any(|line| line.matches('`').count() % 2 == 1) {
            bail!("the glue has a text of several lines, whose indentation may not be taken away");
        }
        let script_name = write_hashed(to, "js", trimmed(&start).as_bytes())?;
        let style_name = write_hashed(to, "css", trimmed(&self.style(&source)?).as_bytes())?;
        let html = fs::read_to_string(source.join(self.html))
            .with_context(|| format!("read crates/page/{}", self.html))?;
        let html = html
            .replace("{{script}}", &format!("/{script_name}"))
            .replace("{{wasm}}", &format!("/{wasm_name}"))
            .replace("{{style}}", &format!("/{style_name}"));
        if html.contains("{{") {
            bail!("crates/page/{} has a placeholder that is neither script, wasm nor style", self.html);
        }
        fs::write(to.join("index.html"), html)?;
        copy_static(&source.join("static"), to)
    }

    /// All its style sheets as one.
    fn style(&self, source: &Path) -> Result<String> {
        let mut texts = Vec::new();
        for place in self.styles {
            for sheet in sheets(&source.join(place))? {
                texts.push(fs::read_to_string(&sheet).with_context(|| format!("read {}", sheet.display()))?);
            }
        }
        Ok(texts.join("\n"))
    }
}

/// The style sheet there, or those in that folder in the order of their names.
fn sheets(place: &Path) -> Result<Vec<PathBuf>> {
    if place.is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let mut sheets = fs::read_dir(place)
        .with_context(|| format!("read {}", place.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    sheets.retain(|path| path.extension().is_some_and(|extension| extension == "css"));
    sheets.sort();
    Ok(sheets)
}

fn write_hashed(to: &Path, extension: &str, bytes: &[u8]) -> Result<String> {
    let hash = Sha256::digest(bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>();
    let name = format!("assets/visavis-{hash}.{extension}");
    fs::write(to.join(&name), bytes)?;
    Ok(name)
}

fn copy_static(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn compress(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            compress(&path)?;
        } else if path.extension().is_some_and(|extension| extension != "png") {
            compress_file(&path)?;
        }
    }
    Ok(())
}

fn compress_file(path: &Path) -> Result<()> {
    let bytes = fs::read(path)?;
    let mut brotli = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut bytes.as_slice(), &mut brotli, &parameters)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&bytes)?;
    let name = path.as_os_str().to_string_lossy();
    fs::write(format!("{name}.br"), brotli)?;
    fs::write(format!("{name}.gz"), gzip.finish()?)?;
    Ok(())
}
