//! What a person downloads: the page's compressed bytes, and the binary's size.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{command::target_dir, page};

/// Prints the sizes of the bundles and of the release binary.
pub(crate) fn measure() -> Result<()> {
    let dist = page::dist();
    let mut sizes = Vec::new();
    collect(&dist, &dist, &mut sizes).context("build the page first: cargo xtask page")?;
    sizes.sort();
    let (live, page): (Vec<_>, Vec<_>) = sizes.iter().partition(|(name, ..)| name.starts_with("live/"));
    for (name, files) in [("the call page", page), ("the live view", live)] {
        for (name, plain, brotli) in &files {
            println!("{brotli:>9} B brotli  {plain:>9} B plain  {name}");
        }
        let total: u64 = files.iter().map(|(.., brotli)| brotli).sum();
        println!("{total:>9} B brotli in all, {} files: {name}", files.len());
    }
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
