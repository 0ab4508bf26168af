//! By which addresses people open the page.

use std::net::{IpAddr, SocketAddr};

use crate::{addresses::Addresses, host::Name, tls::Tls};

/// What the page can be opened by.
pub(super) struct Urls<'a> {
    pub(super) addresses: &'a Addresses,
    /// With real ports, as all of these.
    pub(super) http: &'a [SocketAddr],
    pub(super) https: &'a [SocketAddr],
    pub(super) tls: Option<&'a Tls>,
}

impl Urls<'_> {
    /// One line each, each once, under a head; nothing where there is no page.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec!["Open in a browser:".to_owned()];
        let mut line = |url: String, note: &str| {
            let line = format!("  {url:<32} {note}");
            if !lines.contains(&line) {
                lines.push(line);
            }
        };
        if let Some(http) =
            self.http.iter().find(|addr| addr.ip().is_unspecified() || addr.ip().is_loopback())
        {
            line(format!("http://localhost:{}/", http.port()), "on this computer");
        }
        let (scheme, listening, note) = if !self.https.is_empty() {
            let note = if self.tls.is_some_and(Tls::is_self_signed) {
                "from other machines (self-signed certificate: the browser warns once)"
            } else {
                "from other machines"
            };
            ("https", self.https, note)
        } else {
            // Who has a proxy in front knows its address; all others learn why there are no pictures.
            let note =
                "from other machines, without camera and microphone: browsers give these to HTTPS alone";
            ("http", self.http, note)
        };
        let here = |addr: &&SocketAddr| scheme == "http" && addr.ip().is_loopback();
        for addr in listening.iter().filter(|addr| !here(addr)) {
            for host in self.hosts(addr.ip()) {
                line(format!("{scheme}://{host}:{}/", addr.port()), note);
            }
        }
        if lines.len() == 1 { Vec::new() } else { [lines, vec![String::new()]].concat() }
    }

    /// By what other machines can reach a socket that listens on `ip`.
    fn hosts(&self, ip: IpAddr) -> Vec<String> {
        if let Some(name) = self.tls.and_then(|tls| tls.trusted_name(None)) {
            return vec![name];
        }
        if !ip.is_unspecified() {
            return vec![Name::Address(ip).in_url()];
        }
        let mut addresses: Vec<_> = if self.addresses.configured {
            self.addresses.relays.iter().map(|relay| relay.advertised).collect()
        } else {
            self.addresses.reachable().filter(|address| address.is_ipv4() || ip.is_ipv6()).collect()
        };
        addresses.sort();
        addresses.into_iter().map(|address| Name::Address(address).in_url()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(http: &[&str], https: &[&str]) -> Vec<String> {
        let own = ["127.0.0.1", "192.0.2.1", "2001:db8::1"].map(|text| text.parse().unwrap()).to_vec();
        let addresses = Addresses { own, relays: Vec::new(), configured: false };
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        Urls { addresses: &addresses, http: &parse(http), https: &parse(https), tls: None }.lines()
    }

    fn urls(lines: &[String]) -> Vec<&str> {
        lines
            .iter()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|word| word.contains("//"))
            .collect()
    }

    #[test]
    fn with_https_other_machines_take_it_alone() {
        let lines = lines(&["[::]:8080"], &["[::]:8443"]);
        assert_eq!(
            urls(&lines),
            ["http://localhost:8080/", "https://192.0.2.1:8443/", "https://[2001:db8::1]:8443/"]
        );
    }

    #[test]
    fn without_https_other_machines_are_told_that_they_get_no_camera() {
        for (listening, urls_expected) in [
            ("192.0.2.1:8080", &["http://192.0.2.1:8080/"][..]),
            ("0.0.0.0:8080", &["http://localhost:8080/", "http://192.0.2.1:8080/"]),
        ] {
            let lines = lines(&[listening], &[]);
            assert_eq!(urls(&lines), urls_expected);
            let of_others = lines.iter().filter(|line| line.contains("192.0.2.1"));
            assert!(of_others.into_iter().all(|line| line.contains("without camera")), "{lines:?}");
        }
        assert_eq!(urls(&lines(&["127.0.0.1:8080"], &[])), ["http://localhost:8080/"]);
        assert!(lines(&[], &[]).is_empty());
    }

    #[test]
    fn what_two_addresses_have_in_common_is_said_once() {
        assert_eq!(urls(&lines(&[], &["0.0.0.0:8443", "192.0.2.1:8443"])), ["https://192.0.2.1:8443/"]);
    }
}
