//! The real binary, on a machine of its own.

use std::{
    env,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    ca::Authority,
    need::{Missing, target_dir},
    network::{NAME, Node, SERVER, within},
    process::Process,
    until,
};

const HTTP: u16 = 8080;
const HTTPS: u16 = 8443;
const ADMIN: u16 = 9478;

/// A running server. Its port numbers are those that it takes by itself.
#[derive(Debug)]
pub struct Server {
    node: Node,
    folder: PathBuf,
    words: Vec<String>,
    process: Process,
}

impl Server {
    /// Starts the binary on a machine that has these `addresses`, with `words`, and the flags that every test needs where
    /// they do not say otherwise.
    ///
    /// # Errors
    /// [`Missing`] if the binary has not been built.
    pub fn start(
        node: Node,
        addresses: &[IpAddr],
        folder: &Path,
        authority: &Authority,
        words: &[&str],
    ) -> Result<Self> {
        let mut all = flags(addresses, folder, authority, words);
        all.extend(words.iter().map(|word| (*word).to_owned()));
        let process = Process::start(command(&node, folder, &all)?, &folder.join("server.log"))?;
        Ok(Self { node, folder: folder.to_owned(), words: all, process })
    }

    /// Waits until it can be used.
    ///
    /// # Errors
    /// If it ends or stays silent.
    pub async fn is_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        let ready = until("the server is ready", Duration::from_secs(10), async || {
            if self.process.has_ended() {
                return Ok(Some(false));
            }
            Ok(get(ADMIN, "/readyz").await?.split(' ').nth(1).filter(|status| *status == "200").map(|_| true))
        });
        if ready.await? {
            return Ok(());
        }
        bail!(
            "the server ended after {} ms and said:\n{}",
            start.elapsed().as_millis(),
            self.process.words()
        );
    }

    /// The machine that it runs on.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Kills it without a goodbye: its sockets are closed by the kernel.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again as it was, with the same data.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn restart(&mut self) -> Result<()> {
        self.process =
            Process::start(command(&self.node, &self.folder, &self.words)?, &self.folder.join("server.log"))?;
        self.is_ready().await
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.process.has_ended()
    }

    /// The end of what it printed.
    pub fn words(&self) -> String {
        self.process.words()
    }

    /// The text of `/metrics`.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn metrics(&self) -> Result<String> {
        get(ADMIN, "/metrics").await
    }

    /// What `/allocations.json` says.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn allocations(&self) -> Result<Vec<Allocation>> {
        let answer = get(ADMIN, "/allocations.json").await?;
        let (_, body) = answer.split_once("\r\n\r\n").context("a body")?;
        Ok(serde_json::from_str::<Allocations>(body)?.allocations)
    }
}

/// The busiest allocations of the relay.
#[derive(Debug, Deserialize)]
struct Allocations {
    allocations: Vec<Allocation>,
}

/// One allocation of a call member.
#[derive(Debug, Clone, Deserialize)]
pub struct Allocation {
    /// The member's client id.
    pub member: String,
    /// How its client reaches the relay: `udp`, `tcp` or `tls`.
    pub transport: String,
    /// Over which family: `ipv4` or `ipv6`.
    pub family: String,
    /// What others reach it by.
    pub relayed: Vec<SocketAddr>,
    /// Payload passed on, both ways together.
    pub bytes: u64,
}

/// The page's address for browsers of the lab.
pub fn origin() -> String {
    format!("https://{NAME}:{HTTPS}")
}

/// The page's address without encryption and without a name: browsers give it no camera.
pub fn insecure_origin() -> String {
    format!("http://{SERVER}:{HTTP}")
}

/// The live view's address.
pub fn admin_origin() -> String {
    format!("http://{SERVER}:{ADMIN}")
}

/// The signaling address for clients that are no browsers.
pub fn signaling_url() -> String {
    format!("ws://{SERVER}:{HTTP}/v3/websocket")
}

/// What every test needs, except what its own words say otherwise. Who has more than one address is told to clients by name.
fn flags(addresses: &[IpAddr], folder: &Path, authority: &Authority, own: &[&str]) -> Vec<String> {
    let path = |path: &Path| path.display().to_string();
    let mut words = vec![
        ("--admin", format!("{SERVER}:{ADMIN}")),
        ("--tls-cert", path(&authority.certificate)),
        ("--tls-key", path(&authority.key)),
        ("--data-dir", path(&folder.join("data"))),
    ];
    for &address in addresses {
        let port = |port| SocketAddr::new(address, port).to_string();
        words.extend([("--http", port(HTTP)), ("--https", port(HTTPS)), ("--turn", port(3478))]);
        // The lab's internet is a block kept for documentation, which relays refuse otherwise.
        words.push(("--allow-peer", within(address)));
    }
    if let [only] = addresses {
        words.push(("--public-ip", only.to_string()));
    }
    let wanted = words.into_iter().filter(|(flag, _)| !own.contains(flag));
    wanted.flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
}

fn command(node: &Node, folder: &Path, words: &[String]) -> Result<Command> {
    let mut command = node.command_at(&binary()?)?;
    // Every variable of the server's name is a setting of the server.
    command.args(words).current_dir(folder).env_remove("VISAVIS_BIN");
    command.env_remove("VISAVIS_REQUIRE_ALL").env_remove("VISAVIS_TOOLS");
    Ok(command)
}

/// `VISAVIS_BIN`, or the release binary.
///
/// # Errors
/// [`Missing`] if it has not been built.
pub fn binary() -> Result<PathBuf> {
    let path = env::var_os("VISAVIS_BIN").map_or_else(|| target_dir().join("release/visavis"), PathBuf::from);
    if !path.is_file() {
        return Err(Missing(format!("the server's binary at {}", path.display())).into());
    }
    path.canonicalize().context("find the server's binary")
}

/// The whole answer to one request.
async fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect((SERVER, port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {SERVER}:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
