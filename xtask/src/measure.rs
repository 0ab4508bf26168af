//! What a person downloads: the page's compressed bytes, and the binary's size.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{command::target_dir, page};

/// Prints the sizes of the bundle and of the release binary.
pub(crate) fn measure() -> Result<()> {
    let dist = page::dist();
    let mut sizes = Vec::new();
    collect(&dist, &dist, &mut sizes).context("build the page first: cargo xtask page")?;
    sizes.sort();
    let mut total = 0;
    for (name, plain, brotli) in &sizes {
        println!("{brotli:>9} B brotli  {plain:>9} B plain  {name}");
        total += brotli;
    }
    println!("{total:>9} B brotli in all, {} files", sizes.len());
    if let Ok(binary) = fs::metadata(target_dir().join("release/visavis")) {
        println!("{:>9} B target/release/visavis", binary.len());
    }
    Ok(())
}

fn collect(base: &Path, directory: &Path, sizes: &mut Vec<(String, u64, u64)>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(base, &path, sizes)?;
        } else if path.extension().is_some_and(|extension| extension != "br" && extension != "gz") {
            let plain = fs::metadata(&path)?.len();
            let compressed = fs::metadata(format!("{}.br", path.display())).map_or(plain, |file| file.len());
            sizes.push((path.strip_prefix(base)?.display().to_string(), plain, compressed));
        }
    }
    Ok(())
}
