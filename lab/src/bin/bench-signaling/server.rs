//! The servers: how each is started on its core, and what it costs.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use visavis_lab::{
    ca::Authority,
    need::{self, Missing},
    process::Process,
    script, server,
};

use crate::dialect::Dialect;

const STARTS: Duration = Duration::from_secs(20);

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Visavis,
    Bun,
    Ws,
    SocketIo,
    PeerJs,
    Nats,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Visavis, Self::Bun, Self::Ws, Self::SocketIo, Self::PeerJs, Self::Nats];

    /// As it is called in tables and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Visavis => "visavis",
            Self::Bun => "bun",
            Self::Ws => "ws",
            Self::SocketIo => "socket.io",
            Self::PeerJs => "peerjs",
            Self::Nats => "nats",
        }
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Visavis | Self::Bun | Self::Ws => Dialect::Scaledrone,
            Self::SocketIo => Dialect::SocketIo,
            Self::PeerJs => Dialect::PeerJs,
            Self::Nats => Dialect::Nats,
        }
    }

    /// Whether its program here also speaks TLS.
    pub(crate) fn speaks_tls(self) -> bool {
        matches!(self, Self::Visavis | Self::Bun | Self::Ws)
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Process,
}

impl Server {
    /// Starts it on `core` alone, with TLS where a certificate is given.
    ///
    /// # Errors
    /// [`Missing`] if its program is not there.
    pub(crate) fn start(kind: Kind, core: usize, folder: &Path, tls: Option<&Authority>) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(need::program("taskset")?);
        command.args(["--cpu-list", &core.to_string()]);
        match kind {
            Kind::Visavis => visavis(&mut command, address, folder, tls)?,
            Kind::Nats => {
                let configuration = script::sources("peers").join("nats.conf");
                command.arg(nats()?).arg("--config").arg(configuration);
                command.env("PORT", address.port().to_string());
            }
            _ => script(&mut command, kind, address, tls)?,
        }
        let process = Process::start(command, &folder.join(format!("{}.log", kind.name())))?;
        let mut server = Self { address, process };
        server.wait(kind)?;
        Ok(server)
    }

    fn wait(&mut self, kind: Kind) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if self.process.has_ended() || start.elapsed() > STARTS {
                bail!("{} does not start; it said:\n{}", kind.name(), self.process.words());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The processor time that its threads have used, in seconds. The kernel counts that of each to the nanosecond, but
    /// that of the whole in ticks of 10 ms.
    pub(crate) fn cpu(&self) -> Result<f64> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let Ok(schedule) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            nanoseconds += schedule.split(' ').next().context("a time")?.parse::<u64>()?;
        }
        Ok(nanoseconds as f64 / 1e9)
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn visavis(command: &mut Command, address: SocketAddr, folder: &Path, tls: Option<&Authority>) -> Result<()> {
    command.arg(server::binary()?).arg("--data-dir").arg(folder.join("data"));
    command.args(["--turn", "off", "--admin", "off", "--limits", "off", "--channel", "bench"]);
    match tls {
        None => command.args(["--http", &address.to_string(), "--https", "off"]),
        Some(authority) => command
            .args(["--https", &address.to_string(), "--http", "off", "--tls-cert"])
            .arg(&authority.certificate)
            .arg("--tls-key")
            .arg(&authority.key),
    };
    Ok(())
}

fn script(command: &mut Command, kind: Kind, address: SocketAddr, tls: Option<&Authority>) -> Result<()> {
    let folder = script::installed("peers")?;
    match kind {
        Kind::Bun => command.arg(folder.join("node_modules/.bin/bun")),
        _ => command.arg(need::program("node")?),
    };
    command.arg(folder.join(format!("{}.js", kind.name()))).arg(address.port().to_string());
    command.env("NODE_ENV", "production").current_dir(&folder);
    if let Some(authority) = tls {
        command.arg(&authority.certificate).arg(&authority.key);
    }
    Ok(())
}

/// NATS.
pub(crate) fn nats() -> Result<PathBuf> {
    need::program("nats-server")
        .map_err(|_| Missing("the Debian package nats-server, or another NATS server".into()).into())
}
