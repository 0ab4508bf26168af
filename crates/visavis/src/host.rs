//! The host in a `Host` header: by which name or address a client reached this server.

use std::net::{IpAddr, Ipv6Addr};

/// A name or an address, and the port if one was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: Name,
    pub(crate) port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// In lower case, as DNS knows it.
    Dns(String),
    Address(IpAddr),
}

impl Host {
    /// Reads `name`, `name:port`, `192.0.2.1:port` or `[2001:db8::1]:port`; nothing else may reach a URL.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                (Name::Address(IpAddr::V6(address.parse::<Ipv6Addr>().ok()?)), port.strip_prefix(':'))
            }
            None => {
                let (name, port) =
                    text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
                (Name::read(name)?, port)
            }
        };
        Some(Self { name, port: port.map(str::parse).transpose().ok()? })
    }
}

impl Name {
    fn read(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let name = text.strip_suffix('.').unwrap_or(text);
        (name.len() <= 253 && name.split('.').all(label)).then(|| Self::Dns(name.to_ascii_lowercase()))
    }

    /// The name, if it is one.
    pub(crate) fn dns(&self) -> Option<&str> {
        match self {
            Self::Dns(name) => Some(name),
            Self::Address(_) => None,
        }
    }

    /// Whether it means the computer that asks.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Dns(name) => name == "localhost" || name.ends_with(".localhost"),
            Self::Address(address) => address.is_loopback(),
        }
    }

    /// As it stands in a URL.
    pub(crate) fn in_url(&self) -> String {
        match self {
            Self::Dns(name) => name.clone(),
            Self::Address(IpAddr::V4(address)) => address.to_string(),
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        let read = |text| Host::read(text).map(|host| (host.name.in_url(), host.port));
        assert_eq!(read("Meet.Example.org"), Some(("meet.example.org".to_owned(), None)));
        assert_eq!(read("localhost:8080"), Some(("localhost".to_owned(), Some(8080))));
        assert_eq!(read("192.0.2.1:80"), Some(("192.0.2.1".to_owned(), Some(80))));
        assert_eq!(read("[2001:db8::1]:80"), Some(("[2001:db8::1]".to_owned(), Some(80))));
        assert_eq!(read("[::1]"), Some(("[::1]".to_owned(), None)));
    }

    #[test]
    fn nothing_that_could_bend_a_url_is_a_host() {
        for text in [
            "",
            "a b",
            "a/b",
            "a?x",
            "a@b",
            "a..b",
            "[::1",
            "[name]",
            "a:b",
            "a:99999",
            "ä",
            &"a.".repeat(200),
        ] {
            assert_eq!(Host::read(text), None, "{text:?}");
        }
    }
}
