//! Which peers the relay refuses on the wire, and that nothing is sent to them whatever a client does.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Result, ensure};
use visavis_lab::{
    Lab, lab,
    network::SERVER,
    turn::{Client, Link},
    until,
};
use visavis_turn::IpNet;

const REFUSED_V4: [&str; 16] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "168.63.129.16/32",
];
/// All but 2000::/3, and what is refused of that.
const REFUSED_V6: [&str; 7] =
    ["::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/// Where a peer of these tests listens, and nothing else of the server's machine sends to.
const PORT: u16 = 7777;
/// Public addresses, which only the end of a walk is sent to.
const PUBLIC_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));
const PUBLIC_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2a01, 0x4f8, 0, 0, 0, 0, 0, 1));
const SECRET: &str = "a secret of the lab";

#[test]
fn no_range_of_ipv4_that_is_not_public_is_sent_to_and_its_neighbours_are() {
    lab::run(async |lab| refuses_by_default(lab, &REFUSED_V4, PUBLIC_V4).await);
}

#[test]
fn no_range_of_ipv6_that_is_not_public_is_sent_to_and_its_neighbours_are() {
    lab::run(async |lab| refuses_by_default(lab, &REFUSED_V6, PUBLIC_V6).await);
}

#[test]
fn a_private_address_is_refused_in_every_encoding_and_a_public_one_is_not() {
    lab::run(async |lab| {
        // What is refused as written, whatever it carries, is opened, so that what it carries decides.
        start(lab, &["::/0", "64:ff9b::/96", "2001::/23", "2002::/16"]).await?;
        let mut client = client(PUBLIC_V6)?;
        let refused = encodings(Ipv4Addr::new(10, 1, 2, 3)).map(|(_, ip)| ip.into());
        for ip in refused {
            is_refused(&mut client, ip)?;
        }
        let mut allowed = BTreeSet::new();
        for (mechanism, ip) in encodings(Ipv4Addr::new(9, 9, 9, 9)) {
            let code = client.permit(SocketAddr::new(ip.into(), PORT))?;
            ensure!(code == 0, "{ip}, {mechanism} of a public address, was refused with {code}");
            // The system sends a mapped address over IPv4 or not at all.
            if mechanism != "mapped" {
                client.send_to(SocketAddr::new(ip.into(), PORT), b"outside")?;
                allowed.insert(ip.into());
            }
        }
        sent_only_to(lab, &mut client, PUBLIC_V6, allowed).await
    });
}

/// Its own address is its relayed address too: permitted, since others of its clients are behind it. Other ports of it are not.
#[test]
fn nothing_of_the_own_machine_is_sent_to_and_no_port_is_none() {
    lab::run(async |lab| {
        start(lab, &["203.0.113.0/24", "127.0.0.0/8"]).await?;
        for link in [Link::udp((SERVER, 3478).into())?, Link::tcp((SERVER, 3478).into())?] {
            let mut client = allocated(link, PUBLIC_V4)?;
            is_refused(&mut client, Ipv4Addr::LOCALHOST.into())?;
            let own = SocketAddr::new(SERVER.into(), PORT);
            let codes = (client.permit(own)?, client.bind_channel(own)?);
            ensure!(codes == (0, 403), "CreatePermission and ChannelBind for {own} ended with {codes:?}");
            client.send_to(own, b"own")?;
            client.send_on_channel(b"own")?;
            let nowhere = SocketAddr::new(PUBLIC_V4, 0);
            let code = client.bind_channel(nowhere)?;
            ensure!(code == 403, "port 0 ended with {code}");
            for range in REFUSED_V4.iter().filter(|range| !["203.0.113.0/24", "127.0.0.0/8"].contains(range))
            {
                let [_, middle, _] = within(range.parse()?);
                is_refused(&mut client, middle)?;
            }
            sent_only_to(lab, &mut client, PUBLIC_V4, BTreeSet::new()).await?;
        }
        Ok(())
    });
}

#[test]
fn every_range_is_sent_to_once_the_operator_allows_it() {
    lab::run(async |lab| {
        let ranges = [&REFUSED_V4[..], &REFUSED_V6[..]].concat();
        start(lab, &ranges).await?;
        for (ranges, public) in [(&REFUSED_V4[..], PUBLIC_V4), (&REFUSED_V6[..], PUBLIC_V6)] {
            let mut client = client(public)?;
            let mut allowed = BTreeSet::new();
            for range in ranges {
                let [_, middle, _] = within(range.parse()?);
                let peer = SocketAddr::new(middle, PORT);
                let code = client.permit(peer)?;
                ensure!(code == 0, "{middle} was refused with {code}");
                client.send_to(peer, b"allowed")?;
                allowed.insert(middle);
            }
            arrives(lab, &mut client, public, &allowed).await?;
        }
        Ok(())
    });
}

async fn refuses_by_default(lab: &mut Lab, ranges: &[&str], public: IpAddr) -> Result<()> {
    // A public address is allowed anyway: this only keeps the lab's own network from being allowed.
    start(lab, &["8.8.8.8/32"]).await?;
    let ranges = ranges.iter().map(|range| Ok(range.parse()?)).collect::<Result<Vec<IpNet>>>()?;
    let mut client = client(public)?;
    for &range in &ranges {
        for ip in within(range) {
            is_refused(&mut client, ip)?;
        }
    }
    let neighbours = ranges.iter().flat_map(|&range| beside(range));
    let open: BTreeSet<_> = neighbours.filter(|ip| !ranges.iter().any(|range| range.contains(ip))).collect();
    for &ip in &open {
        let code = client.permit(SocketAddr::new(ip, PORT))?;
        ensure!(code == 0, "{ip}, beside a refused range, was refused with {code}");
        client.send_to(SocketAddr::new(ip, PORT), b"beside")?;
    }
    sent_only_to(lab, &mut client, public, open).await
}

/// A server that allows these ranges and no other that is refused otherwise, and whose machine is watched.
async fn start(lab: &mut Lab, allowed: &[&str]) -> Result<()> {
    let secret = lab.folder().join("secret");
    fs::write(&secret, SECRET)?;
    let secret = secret.display().to_string();
    let mut flags = vec!["--limits", "off", "--turn-secret-file", &secret];
    flags.extend(allowed.iter().flat_map(|range| ["--allow-peer", range]));
    lab.dual_server(&flags).await?.node().watch(PORT)
}

/// A client that relays over the family of `public`.
fn client(public: IpAddr) -> Result<Client> {
    allocated(Link::udp((SERVER, 3478).into())?, public)
}

fn allocated(link: Link, public: IpAddr) -> Result<Client> {
    let mut client = Client::new(link, SECRET, "lab");
    let code = if public.is_ipv4() { client.allocate()? } else { client.allocate_v6()? };
    ensure!(code == 0, "an allocation was refused with {code}");
    Ok(client)
}

/// Both ways to a peer are refused, and are taken nevertheless.
fn is_refused(client: &mut Client, ip: IpAddr) -> Result<()> {
    let peer = SocketAddr::new(ip, PORT);
    let codes = (client.permit(peer)?, client.bind_channel(peer)?);
    ensure!(codes == (403, 403), "CreatePermission and ChannelBind for {ip} ended with {codes:?}");
    client.send_to(peer, b"refused")?;
    Ok(client.send_on_channel(b"refused")?)
}

/// The server has sent to each of `allowed`, and to nobody else.
async fn sent_only_to(
    lab: &mut Lab,
    client: &mut Client,
    public: IpAddr,
    mut allowed: BTreeSet<IpAddr>,
) -> Result<()> {
    arrives(lab, client, public, &allowed).await?;
    allowed.insert(public);
    let seen = lab.the_server().node().seen()?;
    let others: Vec<_> = seen.difference(&allowed).collect();
    ensure!(others.is_empty(), "data went to {others:?}");
    Ok(())
}

/// Waits for data to a public address, behind all that the client has sent before it, and for data to `allowed`.
async fn arrives(
    lab: &mut Lab,
    client: &mut Client,
    public: IpAddr,
    allowed: &BTreeSet<IpAddr>,
) -> Result<()> {
    let peer = SocketAddr::new(public, PORT);
    ensure!(client.permit(peer)? == 0, "{public} was refused");
    client.send_to(peer, b"the end")?;
    let node = lab.the_server().node().clone();
    until("the end of the walk is sent", Duration::from_secs(10), async || {
        Ok(node.seen()?.contains(&public).then_some(()))
    })
    .await?;
    let seen = node.seen()?;
    let missing: Vec<_> = allowed.difference(&seen).collect();
    ensure!(missing.is_empty(), "nothing went to {missing:?}");
    Ok(())
}

/// First, middle and last address of a range.
fn within(range: IpNet) -> [IpAddr; 3] {
    let (first, last) = (range.network(), range.broadcast());
    let middle = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let (first, last) = (first.to_bits(), last.to_bits());
            Ipv4Addr::from_bits(first + (last - first).div_ceil(2)).into()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let (first, last) = (first.to_bits(), last.to_bits());
            Ipv6Addr::from_bits(first + (last - first).div_ceil(2)).into()
        }
        _ => unreachable!(),
    };
    [first, middle, last]
}

/// The addresses before and behind a range.
fn beside(range: IpNet) -> Vec<IpAddr> {
    match (range.network(), range.broadcast()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let both = [first.to_bits().checked_sub(1), last.to_bits().checked_add(1)];
            both.into_iter().flatten().map(|bits| Ipv4Addr::from_bits(bits).into()).collect()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let both = [first.to_bits().checked_sub(1), last.to_bits().checked_add(1)];
            both.into_iter().flatten().map(|bits| Ipv6Addr::from_bits(bits).into()).collect()
        }
        _ => unreachable!(),
    }
}

/// Every IPv6 address that carries `v4`, with the mechanism that would take it out.
fn encodings(v4: Ipv4Addr) -> [(&'static str, Ipv6Addr); 8] {
    let bits = u128::from(v4.to_bits());
    let make = |prefix: &str, bits| Ipv6Addr::from_bits(prefix.parse::<Ipv6Addr>().unwrap().to_bits() | bits);
    [
        ("mapped", make("::ffff:0:0", bits)),
        ("compatible", make("::", bits)),
        ("translated", make("::ffff:0:0:0", bits)),
        ("6to4", make("2002::1", bits << 80)),
        ("Teredo server", make("2001:0:0:0:0:f227:f7f7:f7f7", bits << 64)),
        ("Teredo client", make("2001:0:808:808::", u128::from(!v4.to_bits()))),
        ("NAT64", make("64:ff9b::", bits)),
        ("ISATAP", make("2a01:4f8:1:2:0:5efe::", bits)),
    ]
}
