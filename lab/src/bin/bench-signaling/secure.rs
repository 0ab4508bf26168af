//! Members over TLS, one after the other and then left alone: what they cost is memory.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use visavis_lab::ca::Authority;

use crate::{dialect::Seat, frame::Input, server::Kind, server::Server};

type Secure = StreamOwned<ClientConnection, TcpStream>;

/// Has `count` members enter rooms of two, over TLS.
pub(crate) fn enter(server: &Server, kind: Kind, authority: &Authority, count: usize) -> Result<Vec<Secure>> {
    let config = Arc::new(trusting(authority)?);
    (0..count).map(|member| enter_one(server, kind, &config, Seat::new(0, member, 2))).collect()
}

fn trusting(authority: &Authority) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(&authority.root)?)?)?;
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn enter_one(server: &Server, kind: Kind, config: &Arc<ClientConfig>, seat: Seat) -> Result<Secure> {
    let socket = TcpStream::connect(server.address)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    socket.set_nodelay(true)?;
    let tls = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
    let mut stream = StreamOwned::new(tls, socket);
    stream.write_all(&kind.dialect().upgrade(seat))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).context("the answer to an upgrade")?;
        head.push(byte[0]);
    }
    let mut input = Input::default();
    for step in kind.dialect().enter(seat) {
        stream.write_all(&step.say)?;
        let mut heard = false;
        while !heard {
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).context("a reply over TLS")?;
            ensure!(count > 0, "a server dropped a member");
            input.read(&bytes[..count], |_, payload| {
                heard |= memchr::memmem::find(payload, step.hear.as_bytes()).is_some();
            });
        }
    }
    Ok(stream)
}
