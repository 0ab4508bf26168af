//! A certificate authority for one test, trusted by the browsers that the test starts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::{need, process::run};

/// An authority and the one certificate it has issued.
#[derive(Debug)]
pub struct Authority {
    /// The authority's own certificate.
    pub root: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The server's key.
    pub key: PathBuf,
}

impl Authority {
    /// Makes an authority and a certificate for `name`, as files in `folder`.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn new(name: &str, folder: &Path) -> Result<Self> {
        let issuer = CertifiedIssuer::self_signed(root_params(), KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([name.to_owned()])?.signed_by(&key, &issuer)?;
        Ok(Self {
            root: write(folder.join("root.pem"), &issuer.pem())?,
            certificate: write(folder.join("certificate.pem"), &certificate.pem())?,
            key: write(folder.join("key.pem"), &key.serialize_pem())?,
        })
    }

    /// Makes a certificate database that trusts this authority: Firefox's profile or Chromium's `nssdb`.
    ///
    /// # Errors
    /// If `certutil` is missing or fails.
    pub fn trust_in(&self, database: &Path) -> Result<()> {
        fs::create_dir_all(database).with_context(|| format!("create {}", database.display()))?;
        let database = format!("sql:{}", database.display());
        let certutil = need::program("certutil")?;
        run(Command::new(&certutil).args(["-N", "--empty-password", "-d", &database]))?;
        run(Command::new(&certutil)
            .args(["-A", "-n", "lab", "-t", "C,,", "-d", &database, "-i"])
            .arg(&self.root))?;
        Ok(())
    }
}

fn root_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "visavis lab");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn write(path: PathBuf, text: &str) -> Result<PathBuf> {
    fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}
