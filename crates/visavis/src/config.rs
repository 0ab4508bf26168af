//! The settings, understood: every value checked as far as it can be without touching the system.

mod channels;
pub(crate) mod quotas;

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::bail;
use tracing_subscriber::EnvFilter;
use visavis_turn::{IpNet, Secret};

pub(crate) use channels::{check_id as channel_id, lifetime};
use quotas::Quotas;

use crate::{
    channels::Channels,
    data_dir,
    values::{Origin, Values},
};

/// What the program is told to do.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) http: Listen,
    pub(crate) https: Listen,
    pub(crate) turn: Listen,
    pub(crate) admin: Listen,
    pub(crate) public_ips: Vec<PublicIp>,
    pub(crate) relay_ports: (u16, u16),
    pub(crate) realm: String,
    pub(crate) turn_secret: Option<Secret>,
    pub(crate) turn_accounts: Vec<(String, Secret)>,
    pub(crate) allow_peer: Vec<IpNet>,
    pub(crate) deny_peer: Vec<IpNet>,
    /// Certificate chain and key.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) channels: Channels,
    pub(crate) auto_join: bool,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) limits: bool,
    /// What may be asked of this server where limits are on.
    pub(crate) quotas: Quotas,
    pub(crate) threads: Option<u16>,
    pub(crate) log: String,
    /// What a person should know although it is no error.
    pub(crate) warnings: Vec<String>,
}

/// Addresses to listen on.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    pub(crate) addrs: Vec<SocketAddr>,
    /// Nobody asked for exactly these: a machine without IPv6 does with IPv4.
    pub(crate) by_default: bool,
    /// The setting as the person wrote it, for complaints.
    pub(crate) place: String,
}

/// An address as others see it, and the one of this machine that it stands for, if that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PublicIp {
    pub(crate) public: IpAddr,
    pub(crate) local: Option<IpAddr>,
}

impl Config {
    pub(crate) fn parse(values: &Values) -> anyhow::Result<Self> {
        let mut warnings: Vec<_> = values
            .unknown_variables
            .iter()
            .map(|variable| {
                format!(
                    "the environment variable {variable} looks like a setting, but there is none of that name"
                )
            })
            .collect();
        let limits = one(values, "limits", limits)?.expect("has a default");
        let config = Self {
            http: listen(values, "http")?,
            https: listen(values, "https")?,
            turn: listen(values, "turn")?,
            admin: listen(values, "admin")?,
            public_ips: public_ips(values)?,
            relay_ports: one(values, "relay-ports", relay_ports)?.expect("has a default"),
            realm: one(values, "realm", realm)?.expect("has a default"),
            turn_secret: turn_secret(values, &mut warnings)?,
            turn_accounts: turn_accounts(values, &mut warnings)?,
            allow_peer: all(values, "allow-peer", network)?,
            deny_peer: all(values, "deny-peer", network)?,
            tls: tls(values)?,
            channels: channels::channels(values, &mut warnings)?,
            auto_join: switch(values, "auto-join")?,
            data_dir: one(values, "data-dir", directory)?,
            limits,
            quotas: Quotas::new(limits, &all(values, "limit", quotas::limit)?),
            threads: one(values, "threads", threads)?,
            log: one(values, "log", log_filter)?.expect("has a default"),
            warnings,
        };
        if [&config.http, &config.https, &config.turn].iter().all(|listen| listen.addrs.is_empty()) {
            bail!("--http, --https and --turn are all `off`: nothing is left to serve");
        }
        Ok(config.warned_of_what_is_idle(values))
    }

    /// A setting without any effect is a mistake of somebody who expects one.
    fn warned_of_what_is_idle(mut self, values: &Values) -> Self {
        if self.tls.is_some() && self.https.addrs.is_empty() {
            let warning = format!("{} means nothing where --https is `off`", values.place("tls-cert"));
            self.warnings.push(warning);
        }
        self
    }

    /// Tells what a person should know.
    pub(crate) fn warn(&self) {
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
    }
}

fn one<T>(
    values: &Values,
    name: &'static str,
    mut parse: impl FnMut(&str) -> Result<T, String>,
) -> anyhow::Result<Option<T>> {
    match values.of(name).texts.last() {
        None => Ok(None),
        Some(text) => parse(text).map(Some).map_err(|right| values.wrong(name, text, right)),
    }
}

fn all<T>(
    values: &Values,
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<Vec<T>> {
    let texts = &values.of(name).texts;
    texts.iter().map(|text| parse(text).map_err(|right| values.wrong(name, text, right))).collect()
}

fn switch(values: &Values, name: &'static str) -> anyhow::Result<bool> {
    let parse = |text: &str| text.parse().map_err(|_| "expected true or false".to_owned());
    Ok(one(values, name, parse)?.unwrap_or(false))
}

fn listen(values: &Values, name: &'static str) -> anyhow::Result<Listen> {
    let given = values.of(name);
    if given.texts.is_empty() {
        bail!(values.wrong(name, "", ADDRESS));
    }
    let addrs = if given.texts == ["off"] { Vec::new() } else { all(values, name, socket_addr)? };
    let mut seen = BTreeSet::new();
    for addr in addrs.iter().filter(|addr| addr.port() != 0) {
        if !seen.insert(addr) {
            bail!(values.wrong(name, &addr.to_string(), "listed twice"));
        }
    }
    Ok(Listen { addrs, by_default: given.origin == Origin::Default, place: values.place(name) })
}

fn socket_addr(text: &str) -> Result<SocketAddr, String> {
    let addr = SocketAddr::from_str(text).map_err(|_| ADDRESS.to_owned())?;
    match addr {
        _ if is_of_many(addr.ip()) => Err("that address belongs to no single machine".to_owned()),
        SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() && v6.scope_id() == 0 => Err(format!(
            "a link-local address needs the number of its interface, such as [{}%2]:{}",
            v6.ip(),
            v6.port()
        )),
        _ => Ok(addr),
    }
}

/// Multicast or broadcast.
fn is_of_many(ip: IpAddr) -> bool {
    ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST)
}

const ADDRESS: &str = "expected an address and a port, such as 127.0.0.1:8080 or [::]:8080, or `off` alone";

/// At most one of each family: relayed addresses are made of it.
fn public_ips(values: &Values) -> anyhow::Result<Vec<PublicIp>> {
    let addresses = all(values, "public-ip", public_ip)?;
    for (index, second) in addresses.iter().enumerate() {
        let same_family = |first: &PublicIp| first.public.is_ipv4() == second.public.is_ipv4();
        if addresses[..index].iter().any(same_family) {
            let text = &values.of("public-ip").texts[index];
            bail!(values.wrong("public-ip", text, "only one IPv4 and one IPv6 address can be named"));
        }
    }
    Ok(addresses)
}

fn public_ip(text: &str) -> Result<PublicIp, String> {
    let right = || "expected an address such as 198.51.100.7, or public and local address such as 198.51.100.7/10.0.0.2";
    let (public, local) = match text.split_once('/') {
        None => (text, None),
        Some((public, local)) => (public, Some(local)),
    };
    let public = public.parse::<IpAddr>().map_err(|_| right())?.to_canonical();
    let local: Option<IpAddr> = local.map(str::parse).transpose().map_err(|_| right())?;
    if public.is_unspecified() || is_of_many(public) {
        return Err("nobody can be reached at that address".to_owned());
    }
    if local.is_some_and(|local| local.is_ipv4() != public.is_ipv4()) {
        return Err("both addresses must be IPv4, or both IPv6".to_owned());
    }
    Ok(PublicIp { public, local })
}

fn relay_ports(text: &str) -> Result<(u16, u16), String> {
    let right = "expected two ports from 1024 to 65535, the lower one first, such as 49152-65535";
    let (first, last) = text.split_once('-').ok_or(right)?;
    let port = |text: &str| text.trim().parse::<u16>().map_err(|_| right.to_owned());
    let (first, last) = (port(first)?, port(last)?);
    if first < 1024 || last <= first {
        return Err(right.to_owned());
    }
    Ok((first, last))
}

fn realm(text: &str) -> Result<String, String> {
    let fits =
        (1..=127).contains(&text.len()) && !text.chars().any(|c| c.is_control() || c == '"' || c == '\\');
    if fits {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 127 bytes without quotes and control characters".to_owned())
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let network =
        IpNet::from_str(text).or_else(|error| IpAddr::from_str(text).map(IpNet::from).map_err(|_| error));
    network.map_err(|_| "expected a network such as 192.168.0.0/16 or fd00::/8".to_owned())
}

fn limits(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("expected on or off".to_owned()),
    }
}

fn threads(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(threads @ 1..=256) => Ok(threads),
        _ => Err("expected a number from 1 to 256".to_owned()),
    }
}

fn directory(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("expected a directory".to_owned()) } else { Ok(PathBuf::from(text)) }
}

fn log_filter(text: &str) -> Result<String, String> {
    // A lone word is also taken for the name of a target, so a mistyped level would silently log nothing.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let level_or_target =
        |part: &str| part.contains(['=', ':', '[']) || levels.contains(&part.to_lowercase().as_str());
    let sound =
        text.split(',').all(|part| level_or_target(part.trim())) && EnvFilter::builder().parse(text).is_ok();
    if sound {
        Ok(text.to_owned())
    } else {
        Err("expected off, error, warn, info, debug or trace, or a filter such as visavis=debug,info"
            .to_owned())
    }
}

fn tls(values: &Values) -> anyhow::Result<Option<(PathBuf, PathBuf)>> {
    let path = |text: &str| Ok(PathBuf::from(text));
    match (one(values, "tls-cert", path)?, one(values, "tls-key", path)?) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        (Some(_), None) => bail!("{} needs --tls-key beside it", values.place("tls-cert")),
        (None, Some(_)) => bail!("{} needs --tls-cert beside it", values.place("tls-key")),
    }
}

fn turn_secret(values: &Values, warnings: &mut Vec<String>) -> anyhow::Result<Option<Secret>> {
    let place = values.place("turn-secret-file");
    one(values, "turn-secret-file", |path| secret_file(Path::new(path), &place, warnings))
}

fn turn_accounts(values: &Values, warnings: &mut Vec<String>) -> anyhow::Result<Vec<(String, Secret)>> {
    let place = values.place("turn-user");
    let from_flag = values.of("turn-user").origin == Origin::Flag;
    let mut accounts = Vec::new();
    for text in &values.of("turn-user").texts {
        let account = turn_account(text, from_flag, &place, warnings)
            .map_err(|right| values.wrong("turn-user", text, right))?;
        if accounts.iter().any(|(name, _)| *name == account.0) {
            bail!(values.wrong("turn-user", text, "that name is taken already"));
        }
        accounts.push(account);
    }
    Ok(accounts)
}

fn turn_account(
    text: &str,
    from_flag: bool,
    place: &str,
    warnings: &mut Vec<String>,
) -> Result<(String, Secret), String> {
    let right = "expected NAME:PASSWORD-FILE";
    let (name, password) = text.split_once(':').ok_or(right)?;
    if name.is_empty() || name.len() > 508 || name.chars().any(char::is_control) || password.is_empty() {
        return Err(right.to_owned());
    }
    let password = match password.strip_prefix('=') {
        Some(_) if from_flag => {
            return Err("a password on the command line can be read by everyone on this machine; give NAME:PASSWORD-FILE, \
                        or set it in the environment or the file"
                .to_owned());
        }
        Some("") => return Err("the password is empty".to_owned()),
        Some(password) => Secret::new(password.as_bytes()),
        None => secret_file(Path::new(password), place, warnings)?,
    };
    Ok((name.to_owned(), password))
}

/// The secret in a file, without the line end behind it.
fn secret_file(path: &Path, place: &str, warnings: &mut Vec<String>) -> Result<Secret, String> {
    read_secret(path, place, warnings).map(Secret::new)
}

/// What a file that holds something secret says, without the line end behind it.
fn read_secret(path: &Path, place: &str, warnings: &mut Vec<String>) -> Result<Vec<u8>, String> {
    let mut text = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    text.truncate(text.trim_ascii_end().len());
    let secret = text.split_off(text.len() - text.trim_ascii_start().len());
    if secret.is_empty() {
        return Err(format!("{} is empty; it should hold the secret", path.display()));
    }
    if data_dir::others_may_read(path) {
        warnings.push(format!(
            "{place}: {0} can be read by others; `chmod 600 {0}` keeps it secret",
            path.display()
        ));
    }
    Ok(secret)
}
