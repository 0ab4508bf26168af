//! Networks of the test's own: one namespace as the internet, one more for each machine on it.
//!
//! All of it is made inside namespaces, so nothing of the machine's own network changes.

use std::{
    fs::{self, File},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::AsFd,
    path::Path,
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};
use rustix::{
    process::{Pid, Signal, getpid, kill_process},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

use crate::{
    need,
    process::{Process, run},
};

/// The node of the test itself, on the internet: it drives browsers and is never cut off.
pub const CONTROL: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 254);
/// The server's address.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// The same two over IPv6.
pub const CONTROL_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x113, 0, 0, 0, 0, 0xfe);
/// Of a server that listens on both.
pub const SERVER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x113, 0, 0, 0, 0, 1);
/// A machine behind a narrower link, and the end of the link before it.
const BEHIND: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const BEHIND_ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 254);
/// The server's name, which every machine's own resolver knows.
pub const NAME: &str = "meet.test";

/// An internet and the machines on it.
#[derive(Debug)]
pub struct Network {
    prefix: String,
    namespaces: Vec<String>,
    resolvers: Vec<Process>,
    /// What resolvers say of [`NAME`].
    named: Vec<IpAddr>,
}

/// A machine on the internet.
#[derive(Debug, Clone)]
pub struct Node {
    namespace: String,
    /// Its address: where it has one of each family, the IPv4 one.
    pub address: IpAddr,
}

impl Network {
    /// An internet without machines.
    ///
    /// # Errors
    /// Without root or the programs `ip` and `dnsmasq`.
    pub fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        need::root()?;
        let prefix = format!("vv{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut network =
            Self { prefix, namespaces: Vec::new(), resolvers: Vec::new(), named: vec![SERVER.into()] };
        let internet = network.namespace("net")?;
        ip(&["-n", &internet, "link", "add", "internet", "type", "bridge"])?;
        for address in [CONTROL.into(), CONTROL_V6.into()] {
            give(&internet, "internet", address)?;
        }
        ip(&["-n", &internet, "link", "set", "internet", "up"])?;
        Ok(network)
    }

    /// Moves the calling thread, and whatever it starts from now on, to [`CONTROL`].
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn enter(&self) -> Result<()> {
        let file =
            File::open(format!("/run/netns/{}-net", self.prefix)).context("open the test's namespace")?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .context("enter the test's namespace")
    }

    /// What [`NAME`] means to machines that are added from now on.
    pub fn publish(&mut self, addresses: &[IpAddr]) {
        self.named = addresses.to_vec();
    }

    /// Adds a machine, reachable from all others that have an address of the same family.
    ///
    /// # Errors
    /// If a program that this takes is missing or fails.
    ///
    /// # Panics
    /// Without an address.
    pub fn add(&mut self, name: &str, addresses: &[IpAddr], folder: &Path) -> Result<Node> {
        let internet = format!("{}-net", self.prefix);
        let namespace = self.namespace(name)?;
        let port = format!("to-{}", self.namespaces.len() - 1);
        ip(&[
            "-n", &internet, "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns",
            &namespace,
        ])?;
        ip(&["-n", &internet, "link", "set", &port, "master", "internet", "up"])?;
        // An address that the kernel adds later looks to browsers like another network, and stops their requests.
        ip(&["-n", &namespace, "link", "set", "eth0", "addrgenmode", "none"])?;
        ip(&["-n", &namespace, "link", "set", "eth0", "up"])?;
        for &address in addresses {
            give(&namespace, "eth0", address)?;
            // Whatever leaves this internet ends there, as nothing is forwarded.
            let control = if address.is_ipv4() { CONTROL.to_string() } else { CONTROL_V6.to_string() };
            ip(&["-n", &namespace, "route", "add", "default", "via", &control])?;
        }
        let node = Node { namespace, address: addresses[0] };
        self.resolvers.push(resolver(&node, &self.named, folder)?);
        Ok(node)
    }

    /// Adds a machine on a network of its own behind [`CONTROL`], which forwards from now on, over a link that carries no
    /// larger packets than `mtu`.
    ///
    /// # Errors
    /// If a program that this takes is missing or fails.
    pub fn add_behind(&mut self, name: &str, mtu: u16) -> Result<Node> {
        let internet = format!("{}-net", self.prefix);
        let namespace = self.namespace(name)?;
        let mtu = mtu.to_string();
        ip(&[
            "-n", &internet, "link", "add", "behind", "type", "veth", "peer", "name", "eth0", "netns",
            &namespace,
        ])?;
        for (of, device, address) in [(&internet, "behind", BEHIND_ROUTER), (&namespace, "eth0", BEHIND)] {
            ip(&["-n", of, "address", "add", &format!("{address}/24"), "dev", device])?;
            ip(&["-n", of, "link", "set", device, "mtu", &mtu, "up"])?;
        }
        ip(&["-n", &namespace, "route", "add", "default", "via", &BEHIND_ROUTER.to_string()])?;
        ip(&["netns", "exec", &internet, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])?;
        Ok(Node { namespace, address: BEHIND.into() })
    }

    fn namespace(&mut self, name: &str) -> Result<String> {
        let namespace = format!("{}-{name}", self.prefix);
        ip(&["netns", "add", &namespace])?;
        self.namespaces.push(namespace.clone());
        ip(&["-n", &namespace, "link", "set", "lo", "up"])?;
        Ok(namespace)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.resolvers.clear();
        for namespace in &self.namespaces {
            for pid in ip(&["netns", "pids", namespace]).unwrap_or_default().lines() {
                // Who has entered it himself goes on.
                if let Some(pid) = pid.parse().ok().and_then(Pid::from_raw)
                    && pid != getpid()
                {
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
            let _ = ip(&["netns", "delete", namespace]);
            let _ = fs::remove_dir_all(configuration(namespace));
        }
    }
}

impl Node {
    /// A program that will run on this machine.
    ///
    /// # Errors
    /// [`need::Missing`] if there is no such program.
    pub fn command(&self, name: &str) -> Result<Command> {
        self.command_at(&need::program(name)?)
    }

    /// The program at that path, which will run on this machine. Its process id is that of the command.
    ///
    /// # Errors
    /// Without the program `ip`.
    pub fn command_at(&self, program: &Path) -> Result<Command> {
        let mut command = Command::new(need::program("ip")?);
        command.args(["netns", "exec", &self.namespace]).arg(program);
        Ok(command)
    }
}

/// Each machine asks a name server of its own on its loopback, so that no test depends on what it blocks.
fn resolver(node: &Node, named: &[IpAddr], folder: &Path) -> Result<Process> {
    let configuration = configuration(&node.namespace);
    fs::create_dir_all(&configuration).with_context(|| format!("create {configuration}"))?;
    fs::write(format!("{configuration}/resolv.conf"), "nameserver 127.0.0.1\n")?;
    let mut command = node.command("dnsmasq")?;
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file", "--user=root"]);
    command.args(["--no-resolv", "--no-hosts", "--listen-address=127.0.0.1", "--bind-interfaces"]);
    command.args(named.iter().map(|address| format!("--address=/{NAME}/{address}")));
    Process::start(command, &folder.join("dnsmasq.log"))
}

/// Adds an address to an interface, which can be used at once.
fn give(namespace: &str, interface: &str, address: IpAddr) -> Result<String> {
    let address = within(address);
    let mut words = vec!["-n", namespace, "address", "add", &address, "dev", interface];
    if address.contains(':') {
        words.push("nodad");
    }
    ip(&words)
}

/// An address of this internet with the length of its network's prefix.
pub(crate) fn within(address: IpAddr) -> String {
    format!("{address}/{}", if address.is_ipv4() { 24 } else { 64 })
}

/// What `ip netns exec` lays over /etc.
fn configuration(namespace: &str) -> String {
    format!("/etc/netns/{namespace}")
}

fn ip(words: &[&str]) -> Result<String> {
    run(Command::new(need::program("ip")?).args(words))
}
