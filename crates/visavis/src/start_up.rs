//! What is said at the start, to a person who wants to act on it.

mod urls;

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    net::SocketAddr,
};

use visavis_turn::PeerPolicy;

use crate::{
    addresses::Addresses, config::Config, data_dir::DataDir, http::bundle, ice::IceServers, tls::Tls,
};

use urls::Urls;

/// What there is to tell.
pub(crate) struct StartUp<'a> {
    pub(crate) config: &'a Config,
    pub(crate) addresses: &'a Addresses,
    pub(crate) data_dir: &'a DataDir,
    /// Holds the real ports.
    pub(crate) ice: &'a IceServers,
    pub(crate) tls: Option<&'a Tls>,
    pub(crate) admin: &'a [SocketAddr],
}

impl StartUp<'_> {
    /// Prints it to standard output.
    pub(crate) fn print(&self) {
        // Whoever closed standard output does not want to be told.
        let _ = io::stdout().write_all(self.text().as_bytes());
    }

    fn text(&self) -> String {
        let mut text = format!("visavis {}\n\n", env!("CARGO_PKG_VERSION"));
        let mut line = |line: String| writeln!(text, "{line}").expect("writing into a text cannot fail");
        let urls =
            Urls { addresses: self.addresses, http: &self.ice.http, https: &self.ice.https, tls: self.tls };
        urls.lines().into_iter().for_each(&mut line);
        self.listening().into_iter().for_each(&mut line);
        line(format!("  relayed  {}", self.relayed()));
        line(format!("  data     {}", self.data_dir.path().display()));
        line(String::new());
        self.warnings().into_iter().for_each(|warning| line(format!("Warning: {warning}")));
        line("Ready. Ctrl+C ends it.".to_owned());
        text
    }

    fn listening(&self) -> Vec<String> {
        let mut lines = vec!["Listening:".to_owned()];
        let mut kind = |name: &str, addrs: &[SocketAddr], what: &str| {
            lines.extend(
                addrs.iter().map(|addr| format!("  {name:<8} {addr:<22} {what}", addr = addr.to_string())),
            );
        };
        kind("http", &self.ice.http, "page, signaling, TURN over TCP");
        kind("https", &self.ice.https, "page, signaling, TURN over TLS");
        kind("turn", &self.ice.turn, "STUN and TURN, UDP and TCP");
        kind("admin", self.admin, "live view, /metrics, /healthz, /readyz");
        lines
    }

    fn relayed(&self) -> String {
        let how = if self.addresses.configured { "from --public-ip" } else { "found from the interfaces" };
        let addresses = self.addresses.relays.iter().map(|relay| {
            if relay.advertised == relay.local {
                relay.advertised.to_string()
            } else {
                format!("{} (here {})", relay.advertised, relay.local)
            }
        });
        let (first, last) = self.config.relay_ports;
        format!("{} ports {first}-{last} ({how})", addresses.collect::<Vec<_>>().join(", "))
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.config.warnings.clone();
        let mut warn = |warning: &str| warnings.push(warning.to_owned());
        if !bundle::PAGE_IS_BUILT {
            warn("this program was built without the call page; `cargo xtask serve` builds both");
        }
        if !self.config.limits {
            warn("--limits off: no rate limits and no quotas; for load tests only");
        }
        if self.addresses.relays.iter().all(|relay| relay.advertised.is_loopback()) {
            warn("this machine has no network address: only browsers on it can call each other");
        }
        if self.data_dir.is_open_to_others() {
            warn(&format!(
                "{0} can be read by others; `chmod 700 {0}` keeps the secrets in it",
                self.data_dir.path().display()
            ));
        }
        if let Some(warning) = self.tls.and_then(Tls::warning) {
            warn(&warning);
        }
        if self.admin.iter().any(|addr| !addr.ip().is_loopback()) {
            warn("--admin: whoever reaches that port sees the names of rooms, which are the links to calls");
        }
        let policy = PeerPolicy::new(&[], &self.config.allow_peer, &self.config.deny_peer);
        let allowed = policy.opened().map(|network| network.to_string()).collect::<Vec<_>>();
        if !allowed.is_empty() {
            warn(&format!("--allow-peer: clients may reach {} through the relay", allowed.join(", ")));
        }
        warnings
    }
}
