//! Which peers may be talked to.
//!
//! A relay that sends wherever it is asked opens its network to whoever has a credential. So addresses that are not
//! of the public internet are refused, also where one hides as the IPv4 address inside an IPv6 one.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::circle::{Bounds, Circle};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
}

const REFUSED_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
    // The address under which Azure answers its guests.
    v4(168, 63, 129, 16, 32),
];

const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 3);

const REFUSED_V6: [Ipv6Net; 5] =
    [v6(0, 0, 0), v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];

/// Whose rule it is. Among rules of the same length the later in this order wins: an operator who names
/// one own address means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    BuiltIn,
    Own,
    Allowed,
    Denied,
}

/// The addresses that data is never relayed to, and the operator's exceptions.
#[derive(Clone, Debug)]
pub struct PeerPolicy {
    rules: Vec<Rule>,
    pub(crate) bounds: Bounds,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    net: IpNet,
    allow: bool,
    origin: Origin,
}

impl PeerPolicy {
    /// The built-in refusals and three lists: `own`, every address of this machine and those that it advertises, is
    /// refused; `allow` and `deny` are the operator's. The most specific rule decides. Of rules of the same length `deny`
    /// wins over `allow` and that over `own`: an own address is reachable only if allowed as a single address.
    #[must_use]
    pub fn new(own: &[IpAddr], allow: &[IpNet], deny: &[IpNet]) -> Self {
        let rule = |net, allow, origin| Rule { net, allow, origin };
        let refused_v4 = REFUSED_V4.iter().map(|&net| rule(net.into(), false, Origin::BuiltIn));
        let refused_v6 = REFUSED_V6.iter().map(|&net| rule(net.into(), false, Origin::BuiltIn));
        let own = own.iter().map(|&ip| rule(ip.to_canonical().into(), false, Origin::Own));
        let allow = allow.iter().map(|&net| rule(net, true, Origin::Allowed));
        let deny = deny.iter().map(|&net| rule(net, false, Origin::Denied));
        let public = [
            rule(v4(0, 0, 0, 0, 0).into(), true, Origin::BuiltIn),
            rule(PUBLIC_V6.into(), true, Origin::BuiltIn),
        ];
        Self {
            rules: public
                .into_iter()
                .chain(refused_v4)
                .chain(refused_v6)
                .chain(own)
                .chain(allow)
                .chain(deny)
                .collect(),
            bounds: Bounds::default(),
        }
    }

    /// The same, and what `circle` allows of it to the holder of each credential.
    #[must_use]
    pub fn within(self, circle: Arc<dyn Circle>) -> Self {
        Self { bounds: Bounds(Some(circle)), ..self }
    }

    /// Whether data may be relayed to `ip`: neither the address as written nor any IPv4 address inside it is refused.
    #[must_use]
    pub fn allows(&self, ip: IpAddr) -> bool {
        self.allows_as_written(ip)
            && match ip {
                IpAddr::V4(_) => true,
                IpAddr::V6(v6) => {
                    embedded(v6).into_iter().flatten().all(|v4| self.allows_as_written(v4.into()))
                }
            }
    }

    /// The operator's `allow` ranges that open something which is refused otherwise: worth a warning at the start.
    pub fn opened(&self) -> impl Iterator<Item = IpNet> {
        let by_default = Self::new(&[], &[], &[]);
        let allowed = self.rules.iter().filter(|rule| rule.origin == Origin::Allowed).map(|rule| rule.net);
        allowed.filter(move |net| {
            let refused = by_default.rules.iter().filter(|rule| !rule.allow);
            !by_default.allows(net.network())
                || refused.map(|rule| &rule.net).any(|refused| net.contains(refused))
        })
    }

    fn allows_as_written(&self, ip: IpAddr) -> bool {
        let matching = self.rules.iter().filter(|rule| rule.net.contains(&ip));
        matching.max_by_key(|rule| (rule.net.prefix_len(), rule.origin)).is_some_and(|rule| rule.allow)
    }
}

/// Every IPv4 address that some mechanism would take out of `ip`.
fn embedded(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 4] {
    let o = ip.octets();
    let v4 = |a: usize, b: usize, c: usize, d: usize| Some(Ipv4Addr::new(o[a], o[b], o[c], o[d]));
    let last = v4(12, 13, 14, 15);
    match ip.segments() {
        // Loopback looks v4-compatible and is not (RFC 4291 section 2.5.5.1); the unspecified address means this machine both ways.
        [0, 0, 0, 0, 0, 0, 0, 1] => [None; 4],
        // v4-compatible, v4-mapped and v4-translated; NAT64 with the well-known prefix.
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            [last, None, None, None]
        }
        // NAT64 with the prefix for local use (RFC 8215), which a network may have cut to any length of RFC 6052.
        [0x64, 0xff9b, 1, ..] => [last, v4(6, 7, 9, 10), v4(7, 9, 10, 11), v4(9, 10, 11, 12)],
        [0x2002, ..] => [v4(2, 3, 4, 5), None, None, None],
        // Teredo: the server's address, and the client's with every bit turned over.
        [0x2001, 0, ..] => [v4(4, 5, 6, 7), last.map(|ip| Ipv4Addr::from_bits(!ip.to_bits())), None, None],
        // ISATAP, behind any prefix.
        [.., 0 | 0x0200, 0x5efe, _, _] => [last, None, None, None],
        _ => [None; 4],
    }
}
