//! The real binary, on a machine of its own.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    ca::Authority,
    need::{Missing, target_dir},
    network::{NAME, Node, SERVER},
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
    /// Starts the binary with `words`, and the flags that every test needs where they do not say otherwise.
    ///
    /// # Errors
    /// [`Missing`] if the binary has not been built.
    pub fn start(node: Node, folder: &Path, authority: &Authority, words: &[&str]) -> Result<Self> {
        let mut all = flags(folder, authority, words);
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

/// What every test needs, except what its own `words` say otherwise.
fn flags(folder: &Path, authority: &Authority, own: &[&str]) -> Vec<String> {
    let path = |path: &Path| path.display().to_string();
    let words = [
        ("--http", format!("{SERVER}:{HTTP}")),
        ("--https", format!("{SERVER}:{HTTPS}")),
        ("--admin", format!("{SERVER}:{ADMIN}")),
        ("--turn", format!("{SERVER}:3478")),
        ("--public-ip", SERVER.to_string()),
        // The lab's internet is a block kept for documentation, which relays refuse otherwise.
        ("--allow-peer", format!("{SERVER}/24")),
        ("--tls-cert", path(&authority.certificate)),
        ("--tls-key", path(&authority.key)),
        ("--data-dir", path(&folder.join("data"))),
    ];
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
