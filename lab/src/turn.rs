//! A TURN client that waits for every answer.

use std::{
    fmt, io,
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use md5::{Digest, Md5};
use visavis_turn::{
    Secret, time_limited_credential,
    wire::{Class, Message, Method, TransactionId, Writer, attribute},
};

pub use link::Link;

mod link;

/// How often a request is sent before the server counts as silent.
const ATTEMPTS: usize = 10;
const CHANNEL: u16 = 0x4000;

/// A client with a credential of its own.
pub struct Client {
    link: Link,
    username: String,
    password: String,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    transactions: u64,
    buffer: Vec<u8>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What the server said to a request.
struct Answer {
    /// 0 for a success.
    code: u16,
    realm: Option<Vec<u8>>,
    nonce: Option<Vec<u8>>,
}

impl Client {
    /// A client that calls itself `name`, with a password made of the server's `secret`.
    pub fn new(link: Link, secret: &str, name: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (username, password) = time_limited_credential(&Secret::new(secret), now + 86_400, name);
        let (realm, nonce, buffer) = (Vec::new(), Vec::new(), Vec::new());
        Self { link, username, password, realm, nonce, transactions: 0, buffer }
    }

    /// The same with a password that the server does not accept.
    #[must_use]
    pub fn with_wrong_password(mut self) -> Self {
        self.password.push('!');
        self
    }

    /// Asks for an allocation; the error code, 0 for none.
    ///
    /// # Errors
    /// If the server is silent.
    pub fn allocate(&mut self) -> Result<u16> {
        self.allocate_with(|_| {})
    }

    /// The same for an allocation that has an IPv6 address.
    ///
    /// # Errors
    /// If the server is silent.
    pub fn allocate_v6(&mut self) -> Result<u16> {
        self.allocate_with(|writer| {
            writer.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
        })
    }

    fn allocate_with(&mut self, write: impl Fn(&mut Writer<'_>)) -> Result<u16> {
        let transport = |writer: &mut Writer<'_>| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            write(writer);
        };
        self.ask_bare(Method::ALLOCATE, transport)?;
        self.ask(Method::ALLOCATE, transport)
    }

    /// Asks which address it is seen at.
    ///
    /// # Errors
    /// If the server is silent.
    pub fn bind(&mut self) -> Result<()> {
        self.ask_bare(Method::BINDING, |_| {}).map(drop)
    }

    /// Permits a peer; the error code, 0 for none.
    ///
    /// # Errors
    /// If the server is silent.
    pub fn permit(&mut self, peer: SocketAddr) -> Result<u16> {
        self.ask(Method::CREATE_PERMISSION, |writer| {
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        })
    }

    /// Binds the channel to a peer; the error code, 0 for none.
    ///
    /// # Errors
    /// If the server is silent.
    pub fn bind_channel(&mut self, peer: SocketAddr) -> Result<u16> {
        self.ask(Method::CHANNEL_BIND, |writer| {
            writer.number(attribute::CHANNEL_NUMBER, u32::from(CHANNEL) << 16);
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        })
    }

    /// Asks for the allocation to last that long; the error code, 0 for none.
    ///
    /// # Errors
    /// If the server is silent.
    pub fn refresh(&mut self, seconds: u32) -> Result<u16> {
        self.ask(Method::REFRESH, |writer| {
            writer.number(attribute::LIFETIME, seconds);
        })
    }

    /// Sends on the channel.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn send_on_channel(&mut self, payload: &[u8]) -> io::Result<()> {
        let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
        let frame = [&CHANNEL.to_be_bytes()[..], &length.to_be_bytes(), payload].concat();
        self.link.send(&frame)
    }

    /// Sends in an indication.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn send_to(&mut self, peer: SocketAddr, payload: &[u8]) -> io::Result<()> {
        let mut indication = Vec::new();
        Writer::new(&mut indication, Class::Indication, Method::SEND, self.transaction())
            .xor_address(attribute::XOR_PEER_ADDRESS, peer)
            .attribute(attribute::DATA, payload);
        self.link.send(&indication)
    }

    /// Sends what means nothing.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn send_garbage(&mut self, garbage: &[u8]) -> io::Result<()> {
        self.link.send(garbage)
    }

    /// Waits for data; whether any came.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn hear(&mut self) -> Result<bool> {
        Ok(self.link.receive(&mut self.buffer)?)
    }

    fn ask(&mut self, method: Method, write: impl Fn(&mut Writer<'_>)) -> Result<u16> {
        for _ in 0..3 {
            let mut request = Vec::new();
            let mut writer = Writer::new(&mut request, Class::Request, method, self.transaction());
            write(&mut writer);
            writer
                .attribute(attribute::USERNAME, self.username.as_bytes())
                .attribute(attribute::REALM, &self.realm)
                .attribute(attribute::NONCE, &self.nonce)
                .integrity(&self.key());
            let answer = self.exchange(&request)?;
            if answer.code != 438 {
                return Ok(answer.code);
            }
            self.nonce = answer.nonce.context("a stale nonce comes with a new one")?;
        }
        bail!("every nonce is stale")
    }

    /// Asks without a credential, and keeps the challenge that comes of it.
    fn ask_bare(&mut self, method: Method, write: impl Fn(&mut Writer<'_>)) -> Result<u16> {
        let mut request = Vec::new();
        let mut writer = Writer::new(&mut request, Class::Request, method, self.transaction());
        write(&mut writer);
        let answer = self.exchange(&request)?;
        if let (Some(realm), Some(nonce)) = (answer.realm, answer.nonce) {
            (self.realm, self.nonce) = (realm, nonce);
        }
        Ok(answer.code)
    }

    fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        let id = Message::parse(request).context("an own request")?.transaction_id();
        for _ in 0..ATTEMPTS {
            self.link.send(request)?;
            // Data that was still on its way comes first.
            while self.link.receive(&mut self.buffer)? {
                let message = Message::parse(&self.buffer).filter(|message| message.transaction_id() == id);
                let Some(message) = message else { continue };
                let text = |kind| message.attribute(kind).map(<[u8]>::to_vec);
                let code = match message.attribute(attribute::ERROR_CODE) {
                    Some(&[_, _, class, number, ..]) => u16::from(class) * 100 + u16::from(number),
                    _ => 0,
                };
                return Ok(Answer { code, realm: text(attribute::REALM), nonce: text(attribute::NONCE) });
            }
        }
        bail!("the server is silent")
    }

    fn key(&self) -> [u8; 16] {
        let realm = String::from_utf8_lossy(&self.realm);
        Md5::digest(format!("{}:{realm}:{}", self.username, self.password)).into()
    }

    fn transaction(&mut self) -> TransactionId {
        self.transactions += 1;
        let mut chosen = [0; 12];
        chosen[..8].copy_from_slice(&self.transactions.to_be_bytes());
        TransactionId::new(chosen)
    }
}
