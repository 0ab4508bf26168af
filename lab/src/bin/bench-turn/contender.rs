//! Programs that are measured, each on one core and with one relaying thread.

use std::{
    fs,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use visavis_lab::{ca::Authority, network::NAME as HOST, process::Process};

use crate::{
    case::{Case, Mode, OF_SHARDS, Transport},
    client::{NAME, PASSWORD},
    cores::{Core, pinned},
    place::Place,
};

/// Ports of relayed addresses.
const PORTS: (u16, u16) = (10_000, 19_999);

/// What kind of program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Visavis { shards: u8 },
    Coturn,
    TurnServer,
    Forward(&'static str),
}

/// A program to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) program: Program,
    pub(crate) path: PathBuf,
}

/// A program that runs.
pub(crate) struct Running {
    process: Process,
    pub(crate) program: Program,
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
}

impl Contender {
    /// Whether the case says anything of it.
    pub(crate) fn takes(&self, case: &Case) -> bool {
        let (is_udp, is_channel) =
            (case.transport == Transport::Udp, matches!(case.mode, Mode::Up | Mode::Down | Mode::Pair));
        match self.program {
            Program::Visavis { shards: 1 } | Program::Coturn => true,
            Program::Visavis { .. } => OF_SHARDS.contains(&case.name),
            // It relays between its own clients only.
            Program::TurnServer => is_udp && matches!(case.mode, Mode::Pair | Mode::Binding),
            Program::Forward("echo") => case.mode == Mode::Binding,
            Program::Forward("plain") => is_udp && is_channel,
            Program::Forward(_) => is_udp && is_channel && case.rate.is_none(),
        }
    }

    /// Whether it is a server with allocations, whose memory can be compared.
    pub(crate) fn allocates(&self) -> bool {
        matches!(self.program, Program::Visavis { shards: 1 } | Program::Coturn | Program::TurnServer)
    }

    /// Starts it on a core of its own.
    pub(crate) fn start(
        &self,
        place: &Place,
        peer: SocketAddr,
        folder: &Path,
        authority: &Authority,
        core: Core,
    ) -> Result<Running> {
        let [plain, tls] = match place.node {
            None => [free_address(place.server)?, free_address(place.server)?],
            Some(_) => [3478, 5349].map(|port| (place.server, port).into()),
        };
        let mut command = match &place.node {
            None => Command::new(&self.path),
            Some(node) => node.command_at(&self.path)?,
        };
        match self.program {
            Program::Visavis { shards } => visavis(&mut command, plain, tls, shards, folder, authority)?,
            Program::Coturn => coturn(&mut command, plain, tls, authority),
            Program::TurnServer => turn_server(&mut command, plain, folder)?,
            Program::Forward(kind) => {
                command.args([kind, &plain.to_string(), &peer.to_string()]);
            }
        }
        command.current_dir(folder);
        let log = folder.join(format!("{}.log", self.name.replace(' ', "-")));
        let process = pinned(core, || Process::start(command, &log))?;
        Ok(Running { process, program: self.program, plain, tls })
    }
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn is_bare(&self) -> bool {
        matches!(self.program, Program::Forward(_))
    }

    /// The end of what it printed.
    pub(crate) fn words(&self) -> String {
        self.process.words()
    }
}

fn visavis(
    command: &mut Command,
    plain: SocketAddr,
    tls: SocketAddr,
    shards: u8,
    folder: &Path,
    authority: &Authority,
) -> Result<()> {
    let password = folder.join("password");
    fs::write(&password, PASSWORD)?;
    command.args(["--http", "off", "--admin", "off", "--limits", "off"]);
    command.args([
        "--threads",
        &shards.to_string(),
        "--turn",
        &plain.to_string(),
        "--https",
        &tls.to_string(),
    ]);
    command.args([
        "--public-ip",
        &plain.ip().to_string(),
        "--relay-ports",
        &format!("{}-{}", PORTS.0, PORTS.1),
    ]);
    command.args(["--allow-peer", "127.0.0.0/8", "--allow-peer", "203.0.113.0/24"]);
    command.args(["--turn-user", &format!("{NAME}:{}", password.display())]);
    command.arg("--tls-cert").arg(&authority.certificate).arg("--tls-key").arg(&authority.key);
    command.arg("--data-dir").arg(folder.join("data"));
    Ok(())
}

fn coturn(command: &mut Command, plain: SocketAddr, tls: SocketAddr, authority: &Authority) {
    let ip = plain.ip().to_string();
    command.args(["-n", "--no-cli", "--log-file=stdout", "--relay-threads=1", "--allow-loopback-peers"]);
    command.args(["-L", &ip, "-E", &ip, "-p", &plain.port().to_string()]);
    command.args(["--tls-listening-port", &tls.port().to_string()]);
    command.args(["--min-port", &PORTS.0.to_string(), "--max-port", &PORTS.1.to_string()]);
    command.args(["-a", "-r", HOST, "-u", &format!("{NAME}:{PASSWORD}")]);
    command.arg("--cert").arg(&authority.certificate).arg("--pkey").arg(&authority.key);
}

fn turn_server(command: &mut Command, plain: SocketAddr, folder: &Path) -> Result<()> {
    let file = folder.join("turn-server.toml");
    let text = format!(
        "[server]\nrealm = \"{HOST}\"\nmax-threads = 1\nport-range = \"{}..{}\"\n\n\
         [[server.interfaces]]\ntransport = \"udp\"\nlisten = \"{plain}\"\nexternal = \"{plain}\"\n\n\
         [auth.static-credentials]\n{NAME} = \"{PASSWORD}\"\n",
        PORTS.0, PORTS.1
    );
    fs::write(&file, text)?;
    command.arg("--config").arg(file);
    Ok(())
}

/// A port that neither UDP nor TCP uses.
fn free_address(ip: IpAddr) -> Result<SocketAddr> {
    let udp = UdpSocket::bind((ip, 0))?;
    let address = udp.local_addr()?;
    TcpListener::bind(address).context("find a free port")?;
    Ok(address)
}
