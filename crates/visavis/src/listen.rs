//! Listening and accepting. On the ports of HTTP and HTTPS the first byte of a connection decides: STUN goes to the relay, the rest
//! is HTTP.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use axum::Router;
use hyper::{Request, body::Incoming, server::conn::http1, service::Service as _};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustix::io::Errno;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use visavis_relay::{ClientStream, Relay};

use crate::{
    config::Listen,
    connections::{Connections, Permit},
    stream::{ConnectionInfo, Stream},
    tls::Tls,
};

/// How long a client may take for its first byte, for the TLS handshake, and for the head of a request, each.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long sent bytes may stay unacknowledged before the connection is given up.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
const LONGEST_HEAD: usize = 16 * 1024;
/// How long nothing is accepted where the system lacks something for it.
const PAUSE: Duration = Duration::from_millis(50);
const BACKLOG: i32 = 1024;
/// How many ports are tried where the system chooses one.
const CHOICES: usize = 16;

/// What is spoken on a listening port.
#[derive(Clone)]
pub(crate) enum Speaks {
    /// HTTP or TURN.
    Http,
    /// HTTP or TURN, inside TLS.
    Https(Arc<Tls>),
    /// TURN alone.
    Turn,
}

/// Where accepted connections go.
pub(crate) struct Doors {
    pub(crate) relay: Arc<Relay>,
    pub(crate) router: Router,
    pub(crate) connections: Arc<Connections>,
}

/// Binds a TCP listener to each address. Where the default is meant and IPv6 is absent, IPv4 does.
pub(crate) fn bind(listen: &Listen, dual_stack: bool) -> anyhow::Result<Vec<TcpListener>> {
    bind_each(listen, dual_stack, bind_one)
}

/// The same for STUN and TURN, where the UDP port has the same number: one that the system chooses is free for both.
pub(crate) fn bind_turn(listen: &Listen) -> anyhow::Result<Vec<TcpListener>> {
    bind_each(listen, false, |addr, _| match addr.port() {
        0 => bind_where(addr, udp_is_free),
        _ => bind_one(addr, false),
    })
}

fn bind_each(
    listen: &Listen,
    dual_stack: bool,
    bind_one: impl Fn(SocketAddr, bool) -> io::Result<std::net::TcpListener>,
) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for &addr in &listen.addrs {
        let v4_is_listed = listen.addrs.contains(&SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), addr.port()));
        let listener = match bind_one(addr, dual_stack && !v4_is_listed) {
            Err(error) if listen.by_default && is_absent(addr, &error) => {
                if v4_is_listed {
                    continue;
                }
                bind_one(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), addr.port()), false)
            }
            result => result,
        };
        let listener = listener.map_err(|error| complaint(&listen.place, addr, &error))?;
        listeners.push(TcpListener::from_std(listener).context("cannot watch a listening socket")?);
    }
    Ok(listeners)
}

/// Lets the system choose a port until it is one of which `is_free` holds.
fn bind_where(
    addr: SocketAddr,
    mut is_free: impl FnMut(SocketAddr) -> bool,
) -> io::Result<std::net::TcpListener> {
    // Held until there is a better one, so that none is chosen twice.
    let mut taken = Vec::new();
    for _ in 0..CHOICES {
        let listener = bind_one(addr, false)?;
        if is_free(listener.local_addr()?) {
            return Ok(listener);
        }
        taken.push(listener);
    }
    Err(io::ErrorKind::AddrInUse.into())
}

fn udp_is_free(addr: SocketAddr) -> bool {
    let bind = || {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, None)?;
        if addr.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&addr.into())
    };
    // Whatever else stands in the way is told when the relay binds it.
    !bind().is_err_and(|error: io::Error| error.kind() == io::ErrorKind::AddrInUse)
}

fn bind_one(addr: SocketAddr, dual_stack: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    if addr.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        socket.set_only_v6(!dual_stack)?;
    }
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Whether the machine has no IPv6 to listen on.
fn is_absent(addr: SocketAddr, error: &io::Error) -> bool {
    const EAFNOSUPPORT: i32 = 97;
    let absent =
        error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT);
    addr.is_ipv6() && absent
}

fn complaint(place: &str, addr: SocketAddr, error: &io::Error) -> anyhow::Error {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there already; choose another port".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "not permitted; ports below 1024 need root, or `setcap cap_net_bind_service=+ep` on the program"
                .to_owned()
        }
        _ => error.to_string(),
    };
    anyhow!("{place} \"{addr}\": cannot listen: {why}")
}

/// Accepts connections for ever.
pub(crate) async fn accept(listener: TcpListener, speaks: Speaks, doors: Arc<Doors>) {
    loop {
        match listener.accept().await {
            Ok((socket, remote)) => {
                // Refused without a word: an answer would cost more than the connection.
                let Some(permit) = doors.connections.admit(remote.ip()) else { continue };
                tokio::spawn(welcome(socket, permit, speaks.clone(), Arc::clone(&doors)));
            }
            Err(error) if is_lack(&error) => {
                // The connection stays in the kernel's queue: to try again at once would only burn time.
                doors.connections.count_not_accepted();
                tracing::debug!(%error, "cannot accept");
                tokio::time::sleep(PAUSE).await;
            }
            // Of one connection that ended early.
            Err(error) => tracing::debug!(%error, "cannot accept"),
        }
    }
}

/// Whether the system lacks something: descriptors of the process or the machine, or memory.
fn is_lack(error: &io::Error) -> bool {
    const LACKS: [Errno; 4] = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    LACKS.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

async fn welcome(socket: TcpStream, permit: Permit, speaks: Speaks, doors: Arc<Doors>) {
    let Ok(info) = prepare(&socket, matches!(speaks, Speaks::Https(_))) else { return };
    let served = match speaks {
        Speaks::Turn => hand_over_tcp(socket, &doors),
        Speaks::Http => tcp(socket, info, permit, &doors).await,
        Speaks::Https(tls) => self::tls(socket, info, permit, &tls, &doors).await,
    };
    if let Err(error) = served {
        tracing::debug!(error = format!("{error:#}"), "a connection ended early");
    }
}

fn prepare(socket: &TcpStream, secure: bool) -> io::Result<ConnectionInfo> {
    socket.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    SockRef::from(socket).set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    let canonical = |addr: SocketAddr| SocketAddr::new(addr.ip().to_canonical(), addr.port());
    Ok(ConnectionInfo {
        remote: canonical(socket.peer_addr()?),
        local: canonical(socket.local_addr()?),
        secure,
        host: None,
        origin: None,
    })
}

async fn tcp(socket: TcpStream, info: ConnectionInfo, permit: Permit, doors: &Doors) -> anyhow::Result<()> {
    let mut first = [0];
    match timeout(PATIENCE, socket.peek(&mut first)).await.context("no first byte")?? {
        0 => Ok(()),
        _ if is_stun(first[0]) => hand_over_tcp(socket, doors),
        _ => http(Stream::tcp(socket, permit), info, doors).await,
    }
}

async fn tls(
    socket: TcpStream,
    info: ConnectionInfo,
    permit: Permit,
    tls: &Tls,
    doors: &Doors,
) -> anyhow::Result<()> {
    let handshake = TlsAcceptor::from(tls.config()).accept(socket);
    let mut socket = timeout(PATIENCE, handshake).await.context("TLS handshake took too long")??;
    let mut read = vec![0; 4096];
    let count = timeout(PATIENCE, socket.read(&mut read)).await.context("no first byte")??;
    read.truncate(count);
    match read.first() {
        None => Ok(()),
        Some(&first) if is_stun(first) => hand_over_tls(socket, read, doors),
        Some(_) => http(Stream::tls(socket, read, permit), info, doors).await,
    }
}

/// A STUN message begins with two zero bits and a class and method below 0x200; no HTTP request begins so. A TURN
/// client cannot begin with ChannelData, whose range overlaps with capital letters.
fn is_stun(first: u8) -> bool {
    first <= 0x01
}

fn hand_over_tcp(socket: TcpStream, doors: &Doors) -> anyhow::Result<()> {
    doors.relay.hand_over(ClientStream { socket: socket.into_std()?, tls: None, read: Vec::new() });
    Ok(())
}

fn hand_over_tls(socket: TlsStream<TcpStream>, read: Vec<u8>, doors: &Doors) -> anyhow::Result<()> {
    let (socket, tls) = socket.into_inner();
    doors.relay.hand_over(ClientStream { socket: socket.into_std()?, tls: Some(Box::new(tls)), read });
    Ok(())
}

async fn http(stream: Stream, info: ConnectionInfo, doors: &Doors) -> anyhow::Result<()> {
    let router = TowerToHyperService::new(doors.router.clone());
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(info.clone());
        router.call(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await
        .map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[test]
    fn a_port_whose_udp_side_is_taken_is_not_chosen() {
        let mut others = Vec::new();
        let listener = bind_where(ANY, |addr| {
            // Another program was faster, twice.
            if others.len() < 2 {
                others.push(std::net::UdpSocket::bind(addr).unwrap());
            }
            udp_is_free(addr)
        });
        let chosen = listener.unwrap().local_addr().unwrap();
        assert!(others.iter().all(|other| other.local_addr().unwrap() != chosen));
        assert!(udp_is_free(chosen));
    }

    #[test]
    fn where_every_port_is_taken_nothing_is_bound() {
        let mut asked = 0;
        let listener = bind_where(ANY, |_| {
            asked += 1;
            false
        });
        assert_eq!((listener.unwrap_err().kind(), asked), (io::ErrorKind::AddrInUse, CHOICES));
    }
}
