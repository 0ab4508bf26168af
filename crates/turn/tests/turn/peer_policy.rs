//! Which peers are refused, in every encoding of their address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use visavis_turn::{IpNet, PeerPolicy, wire::attribute};

use crate::harness::{Client, World, ip};

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
const REFUSED_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| net(text)).collect()
}

/// First and last address of a range.
fn ends(net: IpNet) -> [IpAddr; 2] {
    [net.network(), net.broadcast()]
}

fn beside(net: IpNet) -> Vec<IpAddr> {
    match (net.network(), net.broadcast()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let before = first.to_bits().checked_sub(1).map(Ipv4Addr::from_bits);
            let behind = last.to_bits().checked_add(1).map(Ipv4Addr::from_bits);
            before.into_iter().chain(behind).map(IpAddr::V4).collect()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let before = first.to_bits().checked_sub(1).map(Ipv6Addr::from_bits);
            let behind = last.to_bits().checked_add(1).map(Ipv6Addr::from_bits);
            before.into_iter().chain(behind).map(IpAddr::V6).collect()
        }
        _ => unreachable!(),
    }
}

/// Every IPv6 address that hides `v4`, with the name of the mechanism.
fn encodings(v4: Ipv4Addr) -> Vec<(&'static str, Ipv6Addr)> {
    let bits = u128::from(v4.to_bits());
    let base = |text: &str| text.parse::<Ipv6Addr>().unwrap().to_bits();
    let [a, b, c, d] = v4.octets().map(u128::from);
    let make = |name, bits| (name, Ipv6Addr::from_bits(bits));
    vec![
        make("mapped", base("::ffff:0:0") | bits),
        make("compatible", bits),
        make("translated", base("::ffff:0:0:0") | bits),
        make("6to4", base("2002::") | bits << 80),
        make("6to4 with a host", base("2002::1:2:3:4:5") | bits << 80),
        make("Teredo server", base("2001::4000:f227:f7f7:f7f7") | bits << 64),
        make("Teredo client", base("2001:0:808:808::") | u128::from(!v4.to_bits())),
        make("NAT64", base("64:ff9b::") | bits),
        make("local NAT64 /96", base("64:ff9b:1::") | bits),
        make("local NAT64 /48", base("64:ff9b:1::") | a << 72 | b << 64 | c << 48 | d << 40),
        make("local NAT64 /56", base("64:ff9b:1::") | a << 64 | b << 48 | c << 40 | d << 32),
        make("local NAT64 /64", base("64:ff9b:1::") | a << 48 | b << 40 | c << 32 | d << 24),
        make("ISATAP", base("2a01:4f8:1:2:0:5efe::") | bits),
        make("ISATAP of a global address", base("2a01:4f8:1:2:200:5efe::") | bits),
    ]
}

fn default() -> PeerPolicy {
    PeerPolicy::new(&[], &[], &[])
}

#[test]
fn the_first_and_last_of_every_refused_range_are_refused() {
    for range in REFUSED_V4.iter().chain(&REFUSED_V6) {
        for ip in ends(net(range)) {
            assert!(!default().allows(ip), "{ip} of {range}");
        }
    }
}

#[test]
fn what_stands_beside_a_refused_range_is_allowed_unless_another_refuses_it() {
    let refused = [nets(&REFUSED_V4), nets(&REFUSED_V6)].concat();
    let mut allowed = 0;
    for ip in refused.iter().flat_map(|range| beside(*range)) {
        let expected = !refused.iter().any(|range| range.contains(&ip));
        assert_eq!(default().allows(ip), expected, "{ip}");
        allowed += usize::from(expected);
    }
    assert!(allowed > 30, "the table is not empty");
}

#[test]
fn of_ipv6_only_the_public_part_is_allowed() {
    for refused in [
        "::",
        "::1",
        "1fff:ffff::",
        "4000::",
        "fc00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "100::1",
        "5f00::1",
    ] {
        assert!(!default().allows(ip(refused)), "{refused}");
    }
    for allowed in
        ["2001:200::", "2003::1", "2606:4700::1111", "2a00:1450::1", "3ffe::1", "3fff:1000::", "3fff:ffff::"]
    {
        assert!(default().allows(ip(allowed)), "{allowed}");
    }
}

#[test]
fn a_refused_address_is_refused_in_every_encoding_even_where_the_encoding_is_allowed() {
    // The operator opens all of IPv6: then only the address inside speaks against it.
    let open = PeerPolicy::new(&[], &nets(&["::/1", "8000::/1", "2001::/23", "2002::/16"]), &[]);
    for range in REFUSED_V4 {
        for refused in ends(net(range)) {
            let IpAddr::V4(v4) = refused else { unreachable!() };
            for (name, encoded) in encodings(v4) {
                assert!(!open.allows(encoded.into()), "{name} {encoded} of {v4}");
                assert!(!default().allows(encoded.into()), "{name} {encoded} of {v4}");
            }
        }
    }
    let public = Ipv4Addr::new(8, 8, 8, 8);
    for (name, encoded) in encodings(public) {
        // As a /48 or /56 prefix a /96 one reads as an address of 0.0.0.0/8; so nothing with it is let through by accident.
        if !name.starts_with("local NAT64") {
            assert!(open.allows(encoded.into()), "{name} {encoded}");
        }
    }
}

#[test]
fn a_refused_peer_gets_403_in_every_encoding_and_from_both_methods() {
    let mut world = World::default();
    let mut v4_client = Client::new(1);
    v4_client.allocate(&mut world);
    let mut v6_client = Client::new(2);
    v6_client.ask_allocate(&mut world, |writer| {
        writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    for range in REFUSED_V4 {
        let IpAddr::V4(v4) = net(range).network() else { unreachable!() };
        let plain = [format!("{v4}:5000")];
        let encoded = encodings(v4).into_iter().map(|(_, v6)| format!("[{v6}]:5000"));
        for peer in plain.into_iter().chain(encoded) {
            for client in [&mut v4_client, &mut v6_client] {
                assert_eq!(client.permit(&mut world, &[&peer]), 403, "{peer}");
                assert_eq!(client.bind(&mut world, 0x4000, &peer), 403, "{peer}");
            }
        }
    }
}

#[test]
fn own_addresses_are_refused_however_written() {
    let policy = PeerPolicy::new(&[ip("5.6.7.8"), ip("2a01::7"), ip("::ffff:5.6.7.9")], &[], &[]);
    for own in ["5.6.7.8", "2a01::7", "5.6.7.9", "2a01:4f8:1:2:0:5efe:506:708"] {
        assert!(!policy.allows(ip(own)), "{own}");
    }
    assert!(policy.allows(ip("5.6.7.7")));
    assert!(policy.allows(ip("2a01::8")));
}

#[test]
fn the_most_specific_rule_wins() {
    let policy = PeerPolicy::new(
        &[ip("192.168.1.1")],
        &nets(&["192.168.0.0/16", "8.8.8.8/32", "fd00::/8"]),
        &nets(&["8.8.0.0/16", "192.168.7.0/24"]),
    );
    for (peer, allowed) in [
        ("192.168.1.2", true),
        ("192.168.1.1", false),
        ("192.168.7.1", false),
        ("10.0.0.1", false),
        ("8.8.8.8", true),
        ("8.8.4.4", false),
        ("9.9.9.9", true),
        ("fd00::1", true),
        ("fc00::1", false),
    ] {
        assert_eq!(policy.allows(ip(peer)), allowed, "{peer}");
    }
}

#[test]
fn of_equal_rules_deny_wins_over_allow_and_allow_over_own() {
    let one = nets(&["10.0.0.8/32"]);
    assert!(!PeerPolicy::new(&[], &one, &one).allows(ip("10.0.0.8")));
    assert!(PeerPolicy::new(&[ip("10.0.0.8")], &one, &[]).allows(ip("10.0.0.8")));
    assert!(!PeerPolicy::new(&[ip("10.0.0.8")], &nets(&["10.0.0.0/24"]), &[]).allows(ip("10.0.0.8")));
    assert!(PeerPolicy::new(&[], &nets(&["10.0.0.0/8"]), &[]).allows(ip("10.0.0.8")));
}

#[test]
fn what_an_operator_opens_is_named() {
    let allow = nets(&["192.168.1.0/24", "8.8.8.0/24", "192.0.0.0/8", "2a01::/16", "fd00::/8"]);
    let opened: Vec<IpNet> = PeerPolicy::new(&[], &allow, &[]).opened().collect();
    assert_eq!(opened, nets(&["192.168.1.0/24", "192.0.0.0/8", "fd00::/8"]));
}

#[test]
fn loopback_is_reached_only_if_it_is_allowed_and_the_unspecified_address_never() {
    let policy =
        PeerPolicy::new(&[ip("::1"), ip("127.0.0.1")], &nets(&["::1/128", "127.0.0.1/32", "::/128"]), &[]);
    assert!(policy.allows(ip("::1")));
    assert!(policy.allows(ip("127.0.0.1")));
    assert!(!policy.allows(ip("::")));
    assert!(!policy.allows(ip("127.0.0.2")));
    assert!(!policy.allows(ip("::ffff:127.0.0.1")));
}
