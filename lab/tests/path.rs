//! What a client learns of the path between relay and peer.
#![allow(clippy::unwrap_used)]

use std::{fs, net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use md5::{Digest, Md5};
use tokio::{net::UdpSocket, time::timeout};
use visavis_lab::{Lab, coturn, lab, network::SERVER};
use visavis_turn::wire::{Class, Message, Method, TransactionId, Writer, attribute};

const MTU: u16 = 1300;

#[test]
fn a_datagram_too_big_for_the_path_is_cut_unless_the_client_forbids_it_and_then_hears_what_fits() {
    lab::run(async |lab| {
        let machine = lab.machine_behind("peer", MTU)?;
        let _peer = coturn::peer(&machine, &lab.folder())?;
        let peer = (machine.address, 3480).into();
        let client = client(lab, peer).await?;
        // An echo tells that the peer has got it.
        let long = vec![7; 1400];
        client.send(peer, &long, false).await?;
        let echo = client.hear(attribute::DATA).await?;
        ensure!(echo == long, "{} bytes come back", echo.len());
        client.send(peer, &long, true).await?;
        // Type 3 in seven bits, code 4 in nine.
        let error = client.hear(attribute::ICMP).await?;
        ensure!(error == [&[0, 0, 6, 4, 0, 0][..], &MTU.to_be_bytes()].concat(), "{error:?}");
        let short = vec![7; usize::from(MTU) - 28];
        client.send(peer, &short, true).await?;
        let echo = client.hear(attribute::DATA).await?;
        ensure!(echo == short, "{} bytes come back", echo.len());
        Ok(())
    });
}

/// A client with an allocation and permission for the peer behind the narrow link.
async fn client(lab: &mut Lab, peer: SocketAddr) -> Result<Client> {
    let password = lab.folder().join("password");
    fs::write(&password, "secret\n")?;
    let account = format!("lab:{}", password.display());
    let (here, behind) = (format!("{SERVER}/24"), "198.51.100.0/24");
    lab.server(&["--turn-user", &account, "--allow-peer", &here, "--allow-peer", behind]).await?;
    let mut client = Client::new().await?;
    client
        .ask(Method::ALLOCATE, |writer| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        })
        .await?;
    client
        .ask(Method::CREATE_PERMISSION, |writer| {
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        })
        .await?;
    Ok(client)
}

/// A TURN client over UDP.
struct Client {
    socket: UdpSocket,
    realm: Vec<u8>,
    nonce: Vec<u8>,
}

impl Client {
    async fn new() -> Result<Self> {
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        socket.connect((SERVER, 3478)).await?;
        let mut client = Self { socket, realm: Vec::new(), nonce: Vec::new() };
        let challenge = client.request(Method::ALLOCATE, |_| {}).await?;
        let challenge = Message::parse(&challenge).context("a message")?;
        client.realm = challenge.attribute(attribute::REALM).context("a realm")?.to_vec();
        client.nonce = challenge.attribute(attribute::NONCE).context("a nonce")?.to_vec();
        Ok(client)
    }

    async fn ask(&mut self, method: Method, write: impl Fn(&mut Writer<'_>)) -> Result<()> {
        let key = Md5::digest([b"lab:", &self.realm[..], b":secret"].concat());
        let answer = self.request(method, |writer| {
            write(writer);
            writer.attribute(attribute::USERNAME, b"lab");
            writer.attribute(attribute::REALM, &self.realm).attribute(attribute::NONCE, &self.nonce);
            writer.integrity(&key);
        });
        let answer = answer.await?;
        let class = Message::parse(&answer).context("a message")?.class();
        ensure!(class == Class::Success, "{method:?} is answered {answer:?}");
        Ok(())
    }

    async fn request(&self, method: Method, write: impl FnOnce(&mut Writer<'_>)) -> Result<Vec<u8>> {
        let mut packet = Vec::new();
        write(&mut Writer::new(&mut packet, Class::Request, method, TransactionId::new([1; 12])));
        self.socket.send(&packet).await?;
        self.receive().await
    }

    async fn send(&self, peer: SocketAddr, payload: &[u8], dont_fragment: bool) -> Result<()> {
        let mut packet = Vec::new();
        let id = TransactionId::new([2; 12]);
        let mut writer = Writer::new(&mut packet, Class::Indication, Method::SEND, id);
        writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        if dont_fragment {
            writer.attribute(attribute::DONT_FRAGMENT, b"");
        }
        writer.attribute(attribute::DATA, payload);
        self.socket.send(&packet).await.map(drop).context("send to the server")
    }

    /// That attribute of the next Data indication.
    async fn hear(&self, kind: u16) -> Result<Vec<u8>> {
        let packet = self.receive().await?;
        let message = Message::parse(&packet).context("a message")?;
        ensure!(
            (message.class(), message.method()) == (Class::Indication, Method::DATA),
            "it is no Data indication"
        );
        Ok(message.attribute(kind).with_context(|| format!("no attribute {kind:#x} in it"))?.to_vec())
    }

    async fn receive(&self) -> Result<Vec<u8>> {
        let mut packet = vec![0; 65_536];
        let received = timeout(Duration::from_secs(10), self.socket.recv(&mut packet));
        let length = received.await.context("nothing comes")??;
        packet.truncate(length);
        Ok(packet)
    }
}
