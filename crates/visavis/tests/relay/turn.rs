//! A TURN client that waits for every answer.

use std::net::{SocketAddr, UdpSocket};

use sha2::{Digest, Sha256};
use visavis_turn::wire::{Class, Message, Method, TransactionId, Writer, attribute};

use crate::program::PATIENCE;

/// SHA-256 and MD5 as the server offers them, and the first of them.
const ALGORITHMS: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];
const SHA256: [u8; 4] = [0, 2, 0, 0];

/// A client over UDP.
pub(crate) struct Turn {
    socket: UdpSocket,
    username: String,
    password: String,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    transactions: u8,
}

impl Turn {
    pub(crate) fn new(server: SocketAddr, username: &str, password: &str) -> Self {
        Self::at("127.0.0.1", server, username, password)
    }

    /// A client at another address of this machine.
    pub(crate) fn at(ip: &str, server: SocketAddr, username: &str, password: &str) -> Self {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let (username, password) = (username.to_owned(), password.to_owned());
        Self { socket, username, password, realm: Vec::new(), nonce: Vec::new(), transactions: 0 }
    }

    /// Asks for an allocation; the error code, 0 for none.
    pub(crate) fn allocate(&mut self) -> u16 {
        let transport = |writer: &mut Writer<'_>| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        };
        let (code, challenge) = self.exchange(Method::ALLOCATE, |_, writer| transport(writer));
        assert_eq!(code, 401);
        let message = Message::parse(&challenge).unwrap();
        self.realm = message.attribute(attribute::REALM).unwrap().to_vec();
        self.nonce = message.attribute(attribute::NONCE).unwrap().to_vec();
        self.ask(Method::ALLOCATE, transport)
    }

    pub(crate) fn permit(&mut self, peer: SocketAddr) -> u16 {
        self.ask(Method::CREATE_PERMISSION, |writer| {
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        })
    }

    pub(crate) fn bind_channel(&mut self, peer: SocketAddr) -> u16 {
        self.ask(Method::CHANNEL_BIND, |writer| {
            writer.number(attribute::CHANNEL_NUMBER, 0x4000_0000);
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        })
    }

    pub(crate) fn refresh(&mut self, seconds: u32) -> u16 {
        self.ask(Method::REFRESH, |writer| {
            writer.number(attribute::LIFETIME, seconds);
        })
    }

    pub(crate) fn send_to(&mut self, peer: SocketAddr, payload: &[u8]) {
        let mut indication = Vec::new();
        Writer::new(&mut indication, Class::Indication, Method::SEND, self.id())
            .xor_address(attribute::XOR_PEER_ADDRESS, peer)
            .attribute(attribute::DATA, payload);
        self.socket.send(&indication).unwrap();
    }

    fn ask(&mut self, method: Method, write: impl Fn(&mut Writer<'_>)) -> u16 {
        let sign = |client: &Self, writer: &mut Writer<'_>| {
            write(writer);
            let realm = String::from_utf8_lossy(&client.realm);
            let key = Sha256::digest(format!("{}:{realm}:{}", client.username, client.password));
            writer
                .attribute(attribute::USERNAME, client.username.as_bytes())
                .attribute(attribute::REALM, &client.realm)
                .attribute(attribute::NONCE, &client.nonce)
                .attribute(attribute::PASSWORD_ALGORITHMS, &ALGORITHMS)
                .attribute(attribute::PASSWORD_ALGORITHM, &SHA256)
                .integrity_sha256(&key);
        };
        self.exchange(method, sign).0
    }

    /// The error code, 0 for a success, and the whole answer. What comes beside it is passed over.
    fn exchange(&mut self, method: Method, write: impl Fn(&Self, &mut Writer<'_>)) -> (u16, Vec<u8>) {
        let (mut request, id) = (Vec::new(), self.id());
        write(self, &mut Writer::new(&mut request, Class::Request, method, id));
        self.socket.send(&request).unwrap();
        loop {
            let mut answer = vec![0; 2048];
            let length = self.socket.recv(&mut answer).expect("an answer in time");
            answer.truncate(length);
            let Some(message) = Message::parse(&answer).filter(|message| message.transaction_id() == id)
            else {
                continue;
            };
            let code = match message.attribute(attribute::ERROR_CODE) {
                Some(&[_, _, class, number, ..]) => u16::from(class) * 100 + u16::from(number),
                _ => 0,
            };
            return (code, answer);
        }
    }

    fn id(&mut self) -> TransactionId {
        self.transactions += 1;
        TransactionId::new([self.transactions; 12])
    }
}
