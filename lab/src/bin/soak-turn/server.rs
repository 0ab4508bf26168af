//! The release binary, and what can be seen of it from outside.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use visavis_lab::{process::Process, server};

/// Behind the clients' credentials.
pub(crate) const SECRET: &str = "soak soak soak soak";
const STARTS: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Server {
    pub(crate) turn: SocketAddr,
    admin: SocketAddr,
    process: Process,
}

impl Server {
    /// Starts it on loopback. Its relayed ports lie below those that the system gives to clients and peers.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let (turn, admin) = (free_address()?, free_address()?);
        let secret = folder.join("secret");
        fs::write(&secret, SECRET)?;
        let mut command = Command::new(server::binary()?);
        command.args(["--http", "off", "--https", "off", "--limits", "off", "--public-ip", "127.0.0.1"]);
        command.args(["--allow-peer", "127.0.0.1/32", "--relay-ports", "10000-29999"]);
        command.args(["--turn", &turn.to_string(), "--admin", &admin.to_string()]);
        command.arg("--data-dir").arg(folder.join("data")).arg("--turn-secret-file").arg(&secret);
        let process = Process::start(command, &folder.join("server.log"))?;
        let mut server = Self { turn, admin, process };
        let start = Instant::now();
        while server.metrics().is_err() {
            if server.process.has_ended() || start.elapsed() > STARTS {
                bail!("the server does not start; it said:\n{}", server.process.words());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// The text of `/metrics`.
    pub(crate) fn metrics(&self) -> Result<String> {
        let mut stream = TcpStream::connect(self.admin)?;
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.admin)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> Result<u64> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.process.id()))?.count() as u64)
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
