//! A TURN client that waits for every answer.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    sync::Arc,
};

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::CertificateDer};

use crate::{
    message::{
        ADDITIONAL_ADDRESS_FAMILY, ALLOCATE, BINDING, CHANNEL_BIND, CHANNEL_NUMBER, CREATE_PERMISSION, DATA,
        DATA_ATTRIBUTE, DONT_FRAGMENT, ERROR, ICMP, LIFETIME, Message, NONCE, REALM, REFRESH,
        REQUESTED_ADDRESS_FAMILY, REQUESTED_TRANSPORT, SEND, SUCCESS, USERNAME, Writer, XOR_MAPPED_ADDRESS,
        XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
    },
    peer::PATIENCE,
};

/// The value of an attribute that names a family.
const IPV6: [u8; 4] = [2, 0, 0, 0];
pub(crate) const NAME: &str = "name";
pub(crate) const PASSWORD: &str = "secret";

/// What carries messages to the server.
pub(crate) trait Pipe {
    fn send(&mut self, message: &[u8]);
    /// One message; none at the end of a stream.
    fn receive(&mut self) -> Option<Vec<u8>>;
    fn is_stream(&self) -> bool;
}

impl Pipe for UdpSocket {
    fn send(&mut self, message: &[u8]) {
        UdpSocket::send(self, message).unwrap();
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 65_536];
        let length = self.recv(&mut buffer).expect("an answer in time");
        buffer.truncate(length);
        Some(buffer)
    }

    fn is_stream(&self) -> bool {
        false
    }
}

/// A stream with its frames.
struct Framed<S>(S);

impl<S: Read + Write> Pipe for Framed<S> {
    fn send(&mut self, message: &[u8]) {
        let mut padded = message.to_vec();
        padded.resize(message.len().next_multiple_of(4), 0);
        self.0.write_all(&padded).unwrap();
        self.0.flush().unwrap();
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        let mut frame = vec![0; 4];
        match self.0.read_exact(&mut frame) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("no answer and no end in time"),
            result => result.ok()?,
        }
        let length = usize::from(u16::from_be_bytes([frame[2], frame[3]]));
        let rest = if frame[0] < 0x40 { 16 + length } else { length.next_multiple_of(4) };
        frame.resize(4 + rest, 0);
        self.0.read_exact(&mut frame[4..]).expect("whole frames");
        Some(frame)
    }

    fn is_stream(&self) -> bool {
        true
    }
}

/// What a peer sent, as the client hears of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Channel(u16, Vec<u8>),
    Indication(SocketAddr, Vec<u8>),
    Icmp(SocketAddr, Vec<u8>),
}

pub(crate) struct Client {
    pipe: Box<dyn Pipe>,
    realm: String,
    nonce: String,
    transactions: u8,
    heard: VecDeque<Heard>,
}

impl Client {
    pub(crate) fn udp(server: SocketAddr) -> Self {
        let any = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(any).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::new(Box::new(socket))
    }

    pub(crate) fn tcp(socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::new(Box::new(Framed(socket)))
    }

    pub(crate) fn tls(socket: TcpStream, certificate: CertificateDer<'static>) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        Self::new(Box::new(Framed(StreamOwned::new(connection, socket))))
    }

    pub(crate) fn over(socket: UdpSocket) -> Self {
        Self::new(Box::new(socket))
    }

    fn new(pipe: Box<dyn Pipe>) -> Self {
        Self { pipe, realm: String::new(), nonce: String::new(), transactions: 0, heard: VecDeque::new() }
    }

    /// Where the server sees this client.
    pub(crate) fn bind(&mut self) -> SocketAddr {
        let request = self.begin(BINDING);
        self.ask(request).unwrap().address(XOR_MAPPED_ADDRESS).unwrap()
    }

    /// A relayed address; of IPv6 if so wished.
    pub(crate) fn allocate(&mut self, v6: bool) -> SocketAddr {
        let family = v6.then_some((REQUESTED_ADDRESS_FAMILY, IPV6));
        self.ask_allocate(family).address(XOR_RELAYED_ADDRESS).unwrap()
    }

    /// A relayed address of each family.
    pub(crate) fn allocate_both(&mut self) -> [SocketAddr; 2] {
        let allocated = self.ask_allocate(Some((ADDITIONAL_ADDRESS_FAMILY, IPV6)));
        allocated.addresses(XOR_RELAYED_ADDRESS).try_into().unwrap()
    }

    fn ask_allocate(&mut self, family: Option<(u16, [u8; 4])>) -> Message {
        let request = self.begin(ALLOCATE).attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        let refused = self.ask(request).expect_err("the first request is unauthenticated");
        assert_eq!(refused.error_code(), Some(401));
        (self.realm, self.nonce) = (refused.text(REALM).unwrap(), refused.text(NONCE).unwrap());
        let mut request = self.begin(ALLOCATE).attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        if let Some((kind, family)) = family {
            request = request.attribute(kind, &family);
        }
        self.ask_signed(request).unwrap()
    }

    pub(crate) fn permit(&mut self, peer: SocketAddr) {
        let request = self.begin(CREATE_PERMISSION).address(XOR_PEER_ADDRESS, peer);
        self.ask_signed(request).unwrap();
    }

    pub(crate) fn bind_channel(&mut self, channel: u16, peer: SocketAddr) {
        let [high, low] = channel.to_be_bytes();
        let request = self.begin(CHANNEL_BIND).attribute(CHANNEL_NUMBER, &[high, low, 0, 0]);
        self.ask_signed(request.address(XOR_PEER_ADDRESS, peer)).unwrap();
    }

    /// Refreshes the allocation; zero ends it.
    pub(crate) fn refresh(&mut self, seconds: u32) {
        let request = self.begin(REFRESH).attribute(LIFETIME, &seconds.to_be_bytes());
        self.ask_signed(request).unwrap();
    }

    /// The same for one of two relayed addresses.
    pub(crate) fn refresh_family(&mut self, v6: bool, seconds: u32) {
        let family = if v6 { IPV6 } else { [1, 0, 0, 0] };
        let request = self.begin(REFRESH).attribute(LIFETIME, &seconds.to_be_bytes());
        self.ask_signed(request.attribute(REQUESTED_ADDRESS_FAMILY, &family)).unwrap();
    }

    pub(crate) fn send_on(&mut self, channel: u16, payload: &[u8]) {
        self.pipe.send(&channel_data(channel, payload));
    }

    pub(crate) fn send_to(&mut self, peer: SocketAddr, payload: &[u8]) {
        let indication = self.begin(SEND).address(XOR_PEER_ADDRESS, peer).attribute(DATA_ATTRIBUTE, payload);
        self.pipe.send(&indication.done());
    }

    /// The same in a datagram that may not be fragmented.
    pub(crate) fn send_unfragmented(&mut self, peer: SocketAddr, payload: &[u8]) {
        let indication = self.begin(SEND).address(XOR_PEER_ADDRESS, peer).attribute(DONT_FRAGMENT, &[]);
        self.pipe.send(&indication.attribute(DATA_ATTRIBUTE, payload).done());
    }

    /// Raw bytes, for those who misbehave.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.pipe.send(bytes);
    }

    /// The next data; none at the end of a stream.
    pub(crate) fn hear(&mut self) -> Option<Heard> {
        while self.heard.is_empty() {
            let response = self.receive()?;
            assert!(response.is_none(), "nothing was asked");
        }
        self.heard.pop_front()
    }

    fn begin(&mut self, kind: u16) -> Writer {
        self.transactions = self.transactions.wrapping_add(1);
        Writer::new(kind, [self.transactions; 12])
    }

    fn ask_signed(&mut self, request: Writer) -> Result<Message, Message> {
        let request = request
            .attribute(USERNAME, NAME.as_bytes())
            .attribute(REALM, self.realm.as_bytes())
            .attribute(NONCE, self.nonce.as_bytes())
            .sign(NAME, &self.realm, PASSWORD);
        self.ask(request)
    }

    fn ask(&mut self, request: Writer) -> Result<Message, Message> {
        let request = Message::new(request.done());
        let bytes = request.clone().into_bytes();
        self.pipe.send(&bytes);
        let response = loop {
            if let Some(message) = self.receive().expect("the stream lives") {
                break message;
            }
        };
        assert_eq!(response.transaction(), request.transaction());
        let kind = response.kind();
        if kind == request.kind() | SUCCESS {
            Ok(response)
        } else {
            assert_eq!(kind, request.kind() | ERROR);
            Err(response)
        }
    }

    /// Takes one message: data is kept for later, a response given back.
    fn receive(&mut self) -> Option<Option<Message>> {
        let bytes = self.pipe.receive()?;
        if bytes[0] & 0xc0 == 0x40 {
            let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
            let whole = if self.pipe.is_stream() { length.next_multiple_of(4) } else { length };
            assert_eq!(bytes.len(), 4 + whole);
            let channel = u16::from_be_bytes([bytes[0], bytes[1]]);
            self.heard.push_back(Heard::Channel(channel, bytes[4..4 + length].to_vec()));
            return Some(None);
        }
        let message = Message::new(bytes);
        if message.kind() == DATA {
            let peer = message.address(XOR_PEER_ADDRESS).unwrap();
            self.heard.push_back(match message.attribute(ICMP) {
                Some(icmp) => Heard::Icmp(peer, icmp.to_vec()),
                None => Heard::Indication(peer, message.attribute(DATA_ATTRIBUTE).unwrap().to_vec()),
            });
            return Some(None);
        }
        Some(Some(message))
    }
}

/// One ChannelData message, without padding.
pub(crate) fn channel_data(channel: u16, payload: &[u8]) -> Vec<u8> {
    [&channel.to_be_bytes()[..], &(payload.len() as u16).to_be_bytes(), payload].concat()
}
