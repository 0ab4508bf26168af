//! TLS: the operator's certificate, or a self-signed one that is made at the first start and kept while it holds.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, anyhow, bail};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::{certificate::Certificate, data_dir::DataDir};

/// Browsers refuse certificates that hold longer than 398 days.
const SELF_SIGNED_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);
/// A self-signed certificate with less than this left is made anew.
const SELF_SIGNED_MARGIN: Duration = Duration::from_secs(14 * 24 * 3600);
const SELF_SIGNED_FILE: &str = "self-signed.pem";

/// What a TLS connection begins with; it can be replaced while the server runs.
pub(crate) struct Tls {
    identity: RwLock<Identity>,
}

#[derive(Clone)]
struct Identity {
    config: Arc<ServerConfig>,
    certificate: Certificate,
    self_signed: bool,
}

impl Tls {
    /// With the operator's certificate.
    pub(crate) fn from_files(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        Ok(Self { identity: RwLock::new(load(certificate, key)?) })
    }

    /// With a certificate that nobody vouches for, for `names` and `addresses`.
    pub(crate) fn self_signed(
        data_dir: &DataDir,
        names: &[String],
        addresses: &[IpAddr],
    ) -> anyhow::Result<Self> {
        let holds = |certificate: &Certificate| {
            !certificate.ends_within(SystemTime::now(), SELF_SIGNED_MARGIN)
                && certificate.proves_all(names, addresses)
        };
        let kept = data_dir.read(SELF_SIGNED_FILE)?.and_then(|pem| identity_in(&pem));
        let identity = match kept.filter(|kept| holds(&kept.certificate)) {
            Some(identity) => identity,
            None => {
                let pem = make(names, addresses)?;
                data_dir.write(SELF_SIGNED_FILE, &pem)?;
                identity_in(&pem).expect("a certificate made a moment ago can be read")
            }
        };
        Ok(Self { identity: RwLock::new(identity) })
    }

    /// Takes the operator's certificate anew. Connections that stand are left alone; on an error the old one stays.
    pub(crate) fn reload(&self, certificate: &Path, key: &Path) -> anyhow::Result<()> {
        let identity = load(certificate, key)?;
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
        Ok(())
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.identity().config
    }

    pub(crate) fn is_self_signed(&self) -> bool {
        self.identity().self_signed
    }

    /// The name to hand out for TURN over TLS, if a browser can trust the certificate at all.
    pub(crate) fn trusted_name(&self, wanted: Option<&str>) -> Option<String> {
        let identity = self.identity();
        let trusted =
            !identity.self_signed && !identity.certificate.ends_within(SystemTime::now(), Duration::ZERO);
        if trusted { identity.certificate.name_for(wanted) } else { None }
    }

    /// What a person should do about the certificate.
    pub(crate) fn warning(&self) -> Option<String> {
        let identity = self.identity();
        if identity.certificate.ends_within(SystemTime::now(), Duration::ZERO) {
            return Some(
                "the certificate has expired: browsers refuse it, and TURN over TLS is not offered"
                    .to_owned(),
            );
        }
        if !identity.self_signed && identity.certificate.name_for(None).is_none() {
            return Some("the certificate proves no DNS name: TURN over TLS is offered only to those who come by a name that it proves".to_owned());
        }
        None
    }

    fn identity(&self) -> Identity {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn load(certificate: &Path, key: &Path) -> anyhow::Result<Identity> {
    let shown = |path: &Path| path.display().to_string();
    let pem = std::fs::read(certificate).with_context(|| format!("--tls-cert {:?}", shown(certificate)))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().unwrap_or_default();
    if chain.is_empty() {
        bail!("--tls-cert {:?}: expected certificates in PEM form (BEGIN CERTIFICATE)", shown(certificate));
    }
    let pem = std::fs::read(key).with_context(|| format!("--tls-key {:?}", shown(key)))?;
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        anyhow!("--tls-key {:?}: expected a private key in PEM form, without a passphrase", shown(key))
    })?;
    let config = config(chain.clone(), private).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            anyhow!(
                "--tls-key {:?}: this key does not belong to the certificate in {}",
                shown(key),
                shown(certificate)
            )
        }
        error => anyhow!("--tls-cert {:?}: {error}", shown(certificate)),
    })?;
    let certificate = Certificate::read(&chain[0]).with_context(|| {
        format!("--tls-cert {:?}: not an X.509 certificate of a server", shown(certificate))
    })?;
    Ok(Identity { config, certificate, self_signed: false })
}

fn identity_in(pem: &str) -> Option<Identity> {
    let chain = vec![CertificateDer::from_pem_slice(pem.as_bytes()).ok()?];
    let certificate = Certificate::read(&chain[0])?;
    let config = config(chain, PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?).ok()?;
    Some(Identity { config, certificate, self_signed: true })
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // What a connection carries is told by its first byte; the names are there so that nobody's offer is refused.
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"stun.turn".to_vec()];
    Ok(Arc::new(config))
}

/// Certificate and key, one behind the other.
fn make(names: &[String], addresses: &[IpAddr]) -> anyhow::Result<String> {
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let mut params = CertificateParams::default();
    let mut add = |name| {
        if !params.subject_alt_names.contains(&name) {
            params.subject_alt_names.push(name);
        }
    };
    for name in names.iter().map(String::as_str).chain(["localhost"]) {
        // A host name that cannot stand in a certificate is no name that a browser could use.
        if let Ok(name) = name.try_into() {
            add(SanType::DnsName(name));
        }
    }
    loopback.iter().chain(addresses).for_each(|&address| add(SanType::IpAddress(address)));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "visavis");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let now = rcgen::date_time_ymd(1970, 1, 1) + now;
    params.not_before = now - Duration::from_secs(24 * 3600);
    params.not_after = now + SELF_SIGNED_LIFETIME;
    let key = KeyPair::generate().context("cannot make a key")?;
    let certificate = params.self_signed(&key).context("cannot make a certificate")?;
    Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
}
