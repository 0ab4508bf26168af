//! The addresses of this machine, and the ones that others know it by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context as _, bail};
use visavis_turn::RelayInterface;

use crate::config::PublicIp;

/// Every address of this machine, and what relayed addresses are made of.
pub(crate) struct Addresses {
    /// Of all interfaces, loopback and link-local ones included.
    pub(crate) own: Vec<IpAddr>,
    /// At most one of each family.
    pub(crate) relays: Vec<RelayInterface>,
    /// The public addresses were named by the operator.
    pub(crate) configured: bool,
}

impl Addresses {
    /// Asks the interfaces, and puts `public` in front of what they say.
    pub(crate) fn find(public: &[PublicIp]) -> anyhow::Result<Self> {
        let interfaces = if_addrs::get_if_addrs().context("cannot list the addresses of this machine")?;
        let own: Vec<_> = interfaces.iter().map(if_addrs::Interface::ip).collect();
        Self::from_interfaces(own, public)
    }

    fn from_interfaces(own: Vec<IpAddr>, public: &[PublicIp]) -> anyhow::Result<Self> {
        let relays = if public.is_empty() {
            relays_of_interfaces(&own)
        } else {
            public.iter().map(|&public| relay_of_public(public, &own)).collect::<anyhow::Result<_>>()?
        };
        Ok(Self { own, relays, configured: !public.is_empty() })
    }

    /// What no client may make this server talk to: its own addresses, under every name.
    pub(crate) fn forbidden_peers(&self) -> Vec<IpAddr> {
        self.own.iter().copied().chain(self.relays.iter().map(|relay| relay.advertised)).collect()
    }

    /// Those by which other machines can open the page.
    pub(crate) fn reachable(&self) -> impl Iterator<Item = IpAddr> {
        self.own.iter().copied().filter(|&address| is_reachable(address))
    }
}

/// The first address of each family that other machines can reach; on a machine without network, loopback.
fn relays_of_interfaces(own: &[IpAddr]) -> Vec<RelayInterface> {
    let first =
        |v4: bool| own.iter().copied().find(|&address| address.is_ipv4() == v4 && is_reachable(address));
    let mut addresses: Vec<_> = [first(true), first(false)].into_iter().flatten().collect();
    if addresses.is_empty() {
        addresses = own.iter().copied().filter(IpAddr::is_loopback).collect();
        addresses.sort();
        addresses.dedup_by_key(|address| address.is_ipv4());
    }
    if addresses.is_empty() {
        addresses.push(Ipv4Addr::LOCALHOST.into());
    }
    addresses.into_iter().map(|address| RelayInterface { advertised: address, local: address }).collect()
}

fn relay_of_public(PublicIp { public, local }: PublicIp, own: &[IpAddr]) -> anyhow::Result<RelayInterface> {
    let local = match local {
        Some(local) if own.contains(&local) => local,
        Some(local) => {
            let own: Vec<_> = own.iter().map(IpAddr::to_string).collect();
            bail!(
                "--public-ip \"{public}/{local}\": {local} is not an address of this machine; it has {}",
                own.join(", ")
            )
        }
        None if own.contains(&public) => public,
        None => {
            let of_family =
                relays_of_interfaces(own).into_iter().find(|relay| relay.local.is_ipv4() == public.is_ipv4());
            match of_family {
                Some(relay) => relay.local,
                None => bail!(
                    "--public-ip \"{public}\": this machine has no address of that family to stand for it"
                ),
            }
        }
    };
    Ok(RelayInterface { advertised: public, local })
}

/// Whether another machine can reach it without saying through which interface.
fn is_reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !address.is_loopback() && !address.is_link_local() && !address.is_unspecified()
        }
        IpAddr::V6(address) => !address.is_loopback() && !is_link_local(address) && !address.is_unspecified(),
    }
}

fn is_link_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn advertised(own: Vec<IpAddr>) -> Vec<String> {
        let addresses = Addresses::from_interfaces(own, &[]).unwrap();
        addresses.relays.iter().map(|relay| relay.advertised.to_string()).collect()
    }

    #[test]
    fn relays_are_the_first_reachable_address_of_each_family() {
        let own = own(&["127.0.0.1", "::1", "169.254.1.1", "192.168.1.5", "10.0.0.2", "fe80::1", "fd00::2"]);
        assert_eq!(advertised(own), ["192.168.1.5", "fd00::2"]);
    }

    #[test]
    fn a_machine_without_network_relays_on_loopback() {
        assert_eq!(advertised(own(&["::1", "127.0.0.1"])), ["127.0.0.1", "::1"]);
    }

    #[test]
    fn a_public_address_stands_for_the_interface_of_its_family() {
        let public = [PublicIp { public: "198.51.100.7".parse().unwrap(), local: None }];
        let addresses = Addresses::from_interfaces(own(&["127.0.0.1", "10.0.0.2"]), &public).unwrap();
        assert_eq!(addresses.relays[0].local.to_string(), "10.0.0.2");
        assert!(addresses.forbidden_peers().contains(&public[0].public));
    }

    #[test]
    fn a_local_address_that_is_not_there_is_refused_with_those_that_are() {
        let public = [PublicIp { public: "198.51.100.7".parse().unwrap(), local: "10.9.9.9".parse().ok() }];
        let error = Addresses::from_interfaces(own(&["10.0.0.2"]), &public).err().unwrap().to_string();
        assert!(error.contains("10.9.9.9") && error.contains("10.0.0.2"), "{error}");
    }
}
