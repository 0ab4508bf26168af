//! The ICE servers that a client is told: this server's own STUN and TURN, with a credential for an hour.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use visavis_signal::outbound::IceServer;
use visavis_turn::{Secret, time_limited_credential};

use crate::{
    data_dir,
    host::{Host, Name},
    stream::ConnectionInfo,
    tls::Tls,
};

/// How long a credential opens allocations, in seconds.
const LIFETIME: u64 = 3600;

/// Whom a credential is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holder<'a> {
    /// The client of that id: what it opens ends with its call.
    Client(&'a str),
    /// Somebody that a back end lets in, of whom signaling knows nothing.
    Guest,
}

/// What ICE servers are made of.
pub(crate) struct IceServers {
    /// Behind the time-limited credentials.
    pub(crate) secret: Secret,
    /// Addresses that the operator named; where there is none, clients get the host by which they came.
    pub(crate) public: Vec<IpAddr>,
    /// Addresses of this computer that relayed addresses are bound to, at most one of each family.
    pub(crate) here: Vec<IpAddr>,
    /// STUN and TURN over UDP and TCP, with real ports.
    pub(crate) turn: Vec<SocketAddr>,
    /// TURN over TCP beside HTTP, with real ports.
    pub(crate) http: Vec<SocketAddr>,
    /// TURN over TLS beside HTTPS, with real ports.
    pub(crate) https: Vec<SocketAddr>,
    pub(crate) tls: Option<Arc<Tls>>,
}

impl IceServers {
    /// The servers as they are reached by way of that connection, and for how many seconds they hold.
    pub(crate) fn for_holder(&self, info: &ConnectionInfo, holder: Holder<'_>) -> (Vec<IceServer>, u64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let nonce = u64::from_le_bytes(data_dir::random());
        let name = match holder {
            Holder::Client(id) => format!("m:{id}:{nonce:016x}"),
            Holder::Guest => format!("{nonce:016x}"),
        };
        let (username, credential) = time_limited_credential(&self.secret, now + LIFETIME, &name);
        let mut servers = Vec::new();
        let stun = self.stun_urls(info);
        if !stun.is_empty() {
            servers.push(IceServer { urls: stun, username: None, credential: None });
        }
        let turn = self.turn_urls(info);
        if !turn.is_empty() {
            servers.push(IceServer { urls: turn, username: Some(username), credential: Some(credential) });
        }
        (servers, LIFETIME)
    }

    fn stun_urls(&self, info: &ConnectionInfo) -> Vec<String> {
        self.reach(&self.turn, info).map(|at| format!("stun:{at}")).into_iter().collect()
    }

    /// One for each way: UDP, TCP, TLS. Browsers slow down over more than four.
    fn turn_urls(&self, info: &ConnectionInfo) -> Vec<String> {
        let udp = self.reach(&self.turn, info);
        let tcp = udp.clone().or_else(|| self.reach(&self.http, info));
        let udp = udp.map(|at| format!("turn:{at}?transport=udp"));
        let tcp = tcp.map(|at| format!("turn:{at}?transport=tcp"));
        [udp, tcp, self.turns_url(info)].into_iter().flatten().collect()
    }

    /// Only with a certificate that can be trusted, since nobody can click a warning away, and never by address,
    /// which Firefox refuses.
    fn turns_url(&self, info: &ConnectionInfo) -> Option<String> {
        let host = came_by(info);
        let wanted = host.as_ref().and_then(|host| host.name.dns());
        let name = self.tls.as_ref()?.trusted_name(wanted)?;
        let listening = self.https.first()?.port();
        // Who came by HTTPS has shown that its port works, whatever was forwarded on the way.
        let shown = host.map(|host| host.port.unwrap_or(443)).filter(|_| info.secure);
        Some(format!("turns:{name}:{}?transport=tcp", shown.unwrap_or(listening)))
    }

    /// Host and port by which the client gets to one of the `listening` addresses.
    fn reach(&self, listening: &[SocketAddr], info: &ConnectionInfo) -> Option<String> {
        let first = listening.first()?;
        let of_family = self.public.iter().find(|address| address.is_ipv4() == info.remote.is_ipv4());
        if let Some(&address) = of_family.or(self.public.first()) {
            return Some(SocketAddr::new(address, first.port()).to_string());
        }
        let host = came_by(info).map_or(Name::Address(info.local.ip()), |host| host.name);
        let on_this_computer = host.is_loopback() && info.remote.ip().is_loopback();
        let beside = || listening.iter().find_map(|&addr| self.beside_loopback(addr));
        if let Some(beside) = on_this_computer.then(beside).flatten() {
            return Some(beside.to_string());
        }
        Some(format!("{}:{}", host.in_url(), first.port()))
    }

    /// Another address of the same socket for a client on this computer: Firefox never sends TURN to loopback.
    fn beside_loopback(&self, listening: SocketAddr) -> Option<SocketAddr> {
        let (ip, port) = (listening.ip(), listening.port());
        let ip = if ip.is_unspecified() {
            self.here.iter().copied().find(|here| here.is_ipv4() == ip.is_ipv4())?
        } else {
            ip
        };
        (!ip.is_loopback()).then_some(SocketAddr::new(ip, port))
    }
}

fn came_by(info: &ConnectionInfo) -> Option<Host> {
    Host::read(info.host.as_deref()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers() -> IceServers {
        let addr = |text: &str| text.parse().unwrap();
        IceServers {
            secret: Secret::new(*b"secret"),
            public: Vec::new(),
            here: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            turn: vec![addr("0.0.0.0:3478"), addr("[::]:3478")],
            http: vec![addr("[::]:8080")],
            https: vec![addr("[::]:8443")],
            tls: None,
        }
    }

    fn client(host: Option<&str>) -> ConnectionInfo {
        ConnectionInfo {
            remote: "192.0.2.9:40000".parse().unwrap(),
            local: "192.0.2.1:8080".parse().unwrap(),
            secure: false,
            host: host.map(str::to_owned),
            origin: None,
        }
    }

    #[test]
    fn the_host_is_the_one_by_which_the_client_came() {
        let urls = |host| servers().turn_urls(&client(host));
        let of = |host: &str| {
            [format!("turn:{host}:3478?transport=udp"), format!("turn:{host}:3478?transport=tcp")]
        };
        assert_eq!(urls(Some("localhost:8080")), of("localhost"));
        assert_eq!(urls(Some("[::1]:8080")), of("[::1]"));
        assert_eq!(urls(Some("nonsense/?")), of("192.0.2.1"));
        assert_eq!(urls(None), of("192.0.2.1"));
    }

    #[test]
    fn firefox_on_this_computer_gets_an_address_that_is_not_loopback() {
        let local =
            ConnectionInfo { remote: "127.0.0.1:40000".parse().unwrap(), ..client(Some("localhost:8080")) };
        assert_eq!(servers().stun_urls(&local), ["stun:192.0.2.1:3478"]);
        let only_v6 = IceServers { here: vec!["2001:db8::1".parse().unwrap()], ..servers() };
        assert_eq!(only_v6.stun_urls(&local), ["stun:[2001:db8::1]:3478"]);
        let only_loopback = IceServers { here: vec!["127.0.0.1".parse().unwrap()], ..servers() };
        assert_eq!(only_loopback.stun_urls(&local), ["stun:localhost:3478"]);
        let bound_to_loopback = IceServers { turn: vec!["127.0.0.1:3478".parse().unwrap()], ..servers() };
        assert_eq!(bound_to_loopback.stun_urls(&local), ["stun:localhost:3478"]);
    }

    #[test]
    fn a_public_address_goes_before_the_host() {
        let public = ["2001:db8::7", "198.51.100.7"].map(|text| text.parse().unwrap()).to_vec();
        let servers = IceServers { public, ..servers() };
        assert_eq!(servers.stun_urls(&client(Some("localhost"))), ["stun:198.51.100.7:3478"]);
    }

    #[test]
    fn without_turn_ports_the_http_port_relays_over_tcp() {
        let servers = IceServers { turn: Vec::new(), ..servers() };
        assert_eq!(servers.turn_urls(&client(Some("a.example"))), ["turn:a.example:8080?transport=tcp"]);
        assert!(servers.stun_urls(&client(None)).is_empty());
    }

    #[test]
    fn a_credential_names_its_client_and_holds_an_hour() {
        let (servers, ttl) = servers().for_holder(&client(None), Holder::Client("abc"));
        let username = servers[1].username.as_deref().unwrap();
        let parts: Vec<_> = username.split(':').collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(parts[0].parse::<u64>().unwrap().abs_diff(now + ttl) <= 5);
        assert_eq!(&parts[1..3], ["m", "abc"]);
        assert_eq!(parts[3].len(), 16);
        assert_eq!((ttl, servers[0].username.as_deref()), (3600, None));
    }
}
