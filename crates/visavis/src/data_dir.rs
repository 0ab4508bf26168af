//! The data directory: what is made at the first start and kept, readable by nobody else.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use rustls::crypto::ring;

/// The directory that holds secrets and the self-signed certificate.
pub(crate) struct DataDir {
    path: PathBuf,
}

/// The file whose text is the secret of time-limited TURN credentials.
pub(crate) const TURN_SECRET: &str = "turn-secret";

impl DataDir {
    /// Opens it and makes it if need be.
    pub(crate) fn open(configured: Option<&Path>) -> anyhow::Result<Self> {
        let found = Self::find(configured)?;
        make_private(&found.path)
            .with_context(|| format!("--data-dir {:?}", found.path.display().to_string()))?;
        Ok(found)
    }

    /// Where it is: `configured`, else `$STATE_DIRECTORY`, else the platform's data directory.
    pub(crate) fn find(configured: Option<&Path>) -> anyhow::Result<Self> {
        let path = match configured {
            Some(path) => path.to_owned(),
            None => by_default(|name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
                .ok_or_else(|| {
                    anyhow!("--data-dir: there is no home directory to keep data in; name a directory")
                })?,
        };
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The 32 random bytes kept under that name, made now if there are none.
    pub(crate) fn key(&self, name: &str) -> anyhow::Result<[u8; 32]> {
        let text = match self.read(name)? {
            Some(text) => text,
            None => {
                let text = STANDARD_NO_PAD.encode(random::<32>());
                self.write(name, &text)?;
                text
            }
        };
        let bytes = STANDARD_NO_PAD.decode(text.trim_ascii()).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
            anyhow!(
                "{}: expected 32 bytes in base64; remove the file and a new one is made",
                self.path.join(name).display()
            )
        })
    }

    /// The text of that file, if it exists.
    pub(crate) fn read(&self, name: &str) -> anyhow::Result<Option<String>> {
        let path = self.path.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes the file as a whole or not at all, for this account alone.
    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        let beside = self.path.join(format!(".{name}.new"));
        write_private(&beside, text.as_bytes())
            .and_then(|()| fs::rename(&beside, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Whether somebody else on this machine may look into it.
    pub(crate) fn is_open_to_others(&self) -> bool {
        others_may_read(&self.path)
    }
}

fn by_default(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if let Some(state) = variable("STATE_DIRECTORY") {
        return Some(state);
    }
    if let Some(data) = variable("XDG_DATA_HOME") {
        return Some(data.join("visavis"));
    }
    let home = variable("HOME")?;
    let data = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
    Some(home.join(data).join("visavis"))
}

/// Random bytes from the operating system.
pub(crate) fn random<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    ring::default_provider().secure_random.fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

#[cfg(unix)]
fn make_private(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if path.exists() && !path.is_dir() {
        bail!("is not a directory");
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), fs::create_dir_all).context("cannot be made")?;
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.context("cannot be made"),
    }
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path).context("cannot be made")
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Whether group or others may read that file or directory.
#[cfg(unix)]
pub(crate) fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o044 != 0)
}

/// Whether group or others may read that file or directory.
#[cfg(not(unix))]
pub(crate) fn others_may_read(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_directory_goes_before_the_platforms() {
        let variables =
            [("HOME", "/home/ann"), ("XDG_DATA_HOME", "/data"), ("STATE_DIRECTORY", "/var/lib/visavis")];
        let from = |skip: usize| {
            by_default(|name| {
                variables[..variables.len() - skip].iter().find(|v| v.0 == name).map(|v| v.1.into())
            })
        };
        assert_eq!(from(0), Some("/var/lib/visavis".into()));
        assert_eq!(from(1), Some("/data/visavis".into()));
        assert!(from(2).unwrap().starts_with("/home/ann"));
        assert_eq!(from(3), None);
    }
}
