//! Signaling as clients meet it: over loopback with the real upgrade, and over pipes where time passes.

mod authentication;
mod client;
mod history;
mod limits;
mod origins;
mod resuming;
mod rules;
mod time;
mod transcripts;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::Request, http::header, routing::get};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::DuplexStream,
    net::{TcpListener, TcpStream},
};
use visavis_signal::IceServer;

use super::*;
use crate::{
    channels::{Channel, Channels, PAGE_CHANNEL as PAGE},
    config::quotas::Quotas,
    connections::Connections,
    ice::Holder,
};
use client::Client;

const CHANNEL: &str = "KtJ2qzn3CF3svSFe";
const ROOM: &str = "observable-1a2b3c";

/// The page's own channel, an application's, and no limit other than the defaults.
fn options() -> SignalingOptions {
    let ice = |_: &ConnectionInfo, holder: Holder<'_>| {
        let Holder::Client(client_id) = holder else { panic!("{holder:?} has no connection") };
        let server = IceServer {
            urls: vec!["turn:a.example".into()],
            username: Some(client_id.to_owned()),
            credential: Some("secret".into()),
        };
        (vec![server], 3600)
    };
    SignalingOptions {
        channels: Channels::new([Channel::new(CHANNEL)], false),
        history: None,
        ice: Arc::new(ice),
        grace: Duration::from_secs(20),
        seed: [3; 32],
        resume_key: [7; 32],
        limits: options::SignalingLimits::default(),
    }
}

/// Signaling on a loopback port, through the same upgrade as in the product.
struct Server {
    signaling: Arc<Signaling>,
    address: SocketAddr,
}

impl Server {
    async fn start() -> Self {
        Self::start_with(options()).await
    }

    async fn start_with(options: SignalingOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let signaling = Signaling::new(options);
        tokio::spawn(accept(listener, Arc::clone(&signaling)));
        Self { signaling, address }
    }

    /// A client that has not said anything.
    async fn connect(&self) -> Client<TcpStream> {
        self.connect_from(None).await
    }

    async fn connect_from(&self, origin: Option<&str>) -> Client<TcpStream> {
        let socket = TcpStream::connect(self.address).await.unwrap();
        Client::over_tcp(socket, &format!("ws://{}/v3/websocket", self.address), origin).await
    }

    /// A client of the application's channel, and its id.
    async fn join(&self) -> (Client<TcpStream>, String) {
        let mut client = self.connect().await;
        let id = client.shake_hands(CHANNEL).await;
        (client, id)
    }

    /// A client in a room of the application's channel, and its id.
    async fn enter(&self, room: &str) -> (Client<TcpStream>, String) {
        let (mut client, id) = self.join().await;
        client.subscribe(room).await;
        (client, id)
    }
}

async fn accept(listener: TcpListener, signaling: Arc<Signaling>) {
    let connections = Connections::new(&Quotas::new(false, &[]));
    loop {
        let (socket, remote) = listener.accept().await.unwrap();
        let (local, signaling) = (socket.local_addr().unwrap(), Arc::clone(&signaling));
        let serve = move |request: Request| {
            let text = |name| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
            let (host, origin) = (text(header::HOST), text(header::ORIGIN));
            let info = ConnectionInfo { remote, local, secure: false, host, origin };
            serve_websocket(signaling, info, request)
        };
        let router = Router::new().route("/v3/websocket", get(serve));
        let stream = Stream::tcp(socket, connections.admit(remote.ip()).unwrap());
        let service = TowerToHyperService::new(router);
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades());
    }
}

/// A program at the other end of a pipe.
fn somebody() -> ConnectionInfo {
    let address = "192.0.2.9:40000".parse().unwrap();
    ConnectionInfo { remote: address, local: address, secure: false, host: None, origin: None }
}

/// A client over a pipe that holds `bytes`, for tests in virtual time.
fn pipe(signaling: &Arc<Signaling>, bytes: usize) -> Client<DuplexStream> {
    let (ours, theirs) = tokio::io::duplex(bytes);
    let session = Session::open(Arc::clone(signaling), somebody());
    tokio::spawn(Connection::new(theirs, &[], session).run());
    Client::over_pipe(ours)
}

/// A client over a pipe, in the room.
async fn pipe_into(signaling: &Arc<Signaling>, room: &str) -> (Client<DuplexStream>, String) {
    let mut client = pipe(signaling, 64 * 1024);
    let id = client.shake_hands(CHANNEL).await;
    client.subscribe(room).await;
    (client, id)
}
