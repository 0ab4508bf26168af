//! coturn's own clients on our relay, in every mode that means something here.
#![allow(clippy::unwrap_used)]

use std::{fs, net::IpAddr, thread};

use anyhow::{Context, Result, bail, ensure};
use visavis_lab::{
    Lab, coturn, lab,
    network::{Node, SERVER},
    process::{Process, run},
};

const ACCOUNT: [&str; 4] = ["-u", "lab", "-w", "secret"];
/// Clients that run side by side.
const AT_ONCE: usize = 4;
const SECRET: &str = "a secret that back ends share";

/// What `turnutils_uclient` is told. `-c` leaves out the second port that RTCP once had.
const OVER_IPV4: [(&str, &[&str]); 17] = [
    ("channels over UDP", &["-c"]),
    ("channels over TCP", &["-c", "-t"]),
    ("channels over TLS on the page's port", &["-c", "-t", "-S", "-p", "8443"]),
    ("channels over TCP on the page's port", &["-c", "-t", "-p", "8080"]),
    ("indications over UDP", &["-c", "-s"]),
    ("indications over TCP", &["-c", "-s", "-t"]),
    ("indications over TLS", &["-c", "-s", "-t", "-S", "-p", "8443"]),
    ("channels padded to four bytes", &["-c", "-D"]),
    ("an IPv4 relay asked for by name", &["-c", "-X"]),
    ("client to client over UDP", &["-y", "-c"]),
    ("client to client over TCP", &["-y", "-c", "-t"]),
    ("client to client with indications", &["-y", "-c", "-s"]),
    ("DONT-FRAGMENT", &["-c", "-s", "-g"]),
    ("permissions and channels again and again", &["-c", "-G"]),
    ("an ORIGIN attribute", &["-c", "-o", "https://app.example"]),
    ("a bandwidth asked for", &["-c", "-a", "100000"]),
    ("mobility asked for (RFC 8016), which is passed over", &["-c", "-M"]),
];

const OVER_IPV6: [(&str, &[&str]); 5] = [
    ("an IPv6 relay over UDP", &["-c", "-x"]),
    ("an IPv6 relay over TCP", &["-c", "-x", "-t"]),
    ("an IPv6 relay over TLS", &["-c", "-x", "-t", "-S", "-p", "8443"]),
    ("an IPv6 relay with indications", &["-c", "-x", "-s"]),
    ("client to client over IPv6", &["-c", "-x", "-y"]),
];

#[test]
fn no_packet_is_lost_in_any_mode() {
    lab::run(async |lab| {
        let place = Place::make(lab).await?;
        place.all_exchange(place.peer, &OVER_IPV4)
    });
}

#[test]
fn the_secret_of_back_ends_opens_the_relay() {
    lab::run(async |lab| {
        let place = Place::make(lab).await?;
        place.exchanges("a name", SERVER.into(), place.peer, &["-c", "-u", "ada", "-W", SECRET])?;
        place.exchanges("no name", SERVER.into(), place.peer, &["-c", "-W", SECRET])
    });
}

#[test]
fn no_packet_is_lost_over_ipv6() {
    lab::run(async |lab| {
        let place = Place::make(lab).await?;
        place.all_exchange(place.peer_v6, &OVER_IPV6)
    });
}

/// What we do not offer is refused, and nobody waits for it.
#[test]
fn modes_that_are_not_offered_are_refused() {
    lab::run(async |lab| {
        let place = Place::make(lab).await?;
        for (mode, flags) in [
            ("TCP to peers (RFC 6062)", &["-T"][..]),
            ("a pair of ports (EVEN-PORT with its R bit)", &[]),
            ("indications without permissions", &["-c", "-s", "-I"]),
        ] {
            let flags = [&ACCOUNT, flags].concat();
            let end = coturn::exchange(&place.client, SERVER.into(), place.peer, &flags);
            let got = end.as_ref().map(|(_, received)| *received).unwrap_or_default();
            ensure!(got == 0, "{mode}: {got} packets came back");
        }
        let wrong = ["-c", "-u", "lab", "-w", "wrong"];
        let refused = coturn::exchange(&place.client, SERVER.into(), place.peer, &wrong);
        ensure!(refused.is_err(), "a wrong password: {refused:?}");
        Ok(())
    });
}

#[test]
fn the_stun_client_is_told_its_address() {
    lab::run(async |lab| {
        let place = Place::make(lab).await?;
        let words = run(place.client.command("turnutils_stunclient")?.arg(SERVER.to_string()))?;
        let own = format!("{}", place.client.address);
        let line = words.lines().find(|line| line.contains("UDP reflexive addr")).context(words.clone())?;
        ensure!(line.contains(&own), "{own} in {line}");
        Ok(())
    });
}

/// A server with both families, a client, and a peer of each family that sends back what it gets.
struct Place {
    client: Node,
    peer: IpAddr,
    peer_v6: IpAddr,
    _peers: [Process; 2],
}

impl Place {
    async fn make(lab: &mut Lab) -> Result<Self> {
        let (password, secret) = (lab.folder().join("password"), lab.folder().join("secret"));
        fs::write(&password, "secret\n")?;
        fs::write(&secret, format!("{SECRET}\n"))?;
        let user = format!("lab:{}", password.display());
        let flags = ["--turn-user", &user, "--turn-secret-file", &secret.display().to_string()];
        lab.dual_server(&flags).await?;
        let (peer, peer_v6) = (lab.machine("peer")?, lab.machine_v6("peer6")?);
        let folder = lab.folder();
        let peers = [coturn::peer(&peer, &folder)?, coturn::peer(&peer_v6, &folder)?];
        let client = lab.machine("client")?;
        Ok(Self { client, peer: peer.address, peer_v6: peer_v6.address, _peers: peers })
    }

    /// As many packets come back as were sent, in each of these modes. The client mostly waits, so a few run at once.
    fn all_exchange(&self, peer: IpAddr, modes: &[(&str, &[&str])]) -> Result<()> {
        modes.chunks(AT_ONCE).try_for_each(|modes| {
            let exchange = |(mode, flags): &(&str, &[&str])| {
                self.exchanges(mode, SERVER.into(), peer, &[&ACCOUNT, *flags].concat())
            };
            thread::scope(|scope| {
                let running: Vec<_> = modes.iter().map(|mode| scope.spawn(move || exchange(mode))).collect();
                running.into_iter().try_for_each(|client| client.join().expect("it reports errors"))
            })
        })
    }

    /// The same in one mode. Over TLS this client takes whatever comes at once for one message, so that frames which share a
    /// record are lost to it when the machine is slow: there it has a few attempts, and does not call itself.
    fn exchanges(&self, mode: &str, relay: IpAddr, peer: IpAddr, flags: &[&str]) -> Result<()> {
        let attempts = if flags.contains(&"-S") { 4 } else { 1 };
        let mut counts = (0, 0);
        for _ in 0..attempts {
            counts = coturn::exchange(&self.client, relay, peer, flags).with_context(|| mode.to_owned())?;
            if counts.0 >= 50 && counts.0 == counts.1 {
                return Ok(());
            }
        }
        bail!("{mode}: {} of {} packets came back", counts.1, counts.0)
    }
}
