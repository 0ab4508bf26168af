//! A client: it asks, waits for the answer, and then has an allocation.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use md5::{Digest, Md5};
use visavis_turn::wire::{Class, Message, Method, TransactionId, Writer, attribute};

use crate::link::{Inbox, Link};

pub(crate) const NAME: &str = "bench";
pub(crate) const PASSWORD: &str = "a password for nobody but this benchmark";
/// How long an answer may take, and after how long the question is repeated.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(500));

/// A client and what it got.
pub(crate) struct Client {
    pub(crate) link: Link,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    asked: u64,
}

impl Client {
    pub(crate) fn new(link: Link) -> Self {
        Self { link, realm: Vec::new(), nonce: Vec::new(), asked: 0 }
    }

    /// Where the server sees it.
    pub(crate) fn bind(&mut self, inbox: &mut Inbox) -> Result<SocketAddr> {
        let (id, mut request) = (self.id(), Vec::new());
        Writer::new(&mut request, Class::Request, Method::BINDING, id);
        address(&self.ask(inbox, &request)?, attribute::XOR_MAPPED_ADDRESS)
    }

    /// A relayed transport address.
    pub(crate) fn allocate(&mut self, inbox: &mut Inbox) -> Result<SocketAddr> {
        let (id, mut request) = (self.id(), Vec::new());
        Writer::new(&mut request, Class::Request, Method::ALLOCATE, id)
            .attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        let challenge = self.ask(inbox, &request)?;
        let challenge = Message::parse(&challenge).context("read the challenge")?;
        let of = |kind| challenge.attribute(kind).map(<[u8]>::to_vec).context("a realm and a nonce");
        (self.realm, self.nonce) = (of(attribute::REALM)?, of(attribute::NONCE)?);
        let granted = self.ask_signed(inbox, Method::ALLOCATE, |writer| {
            writer.attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        })?;
        address(&granted, attribute::XOR_RELAYED_ADDRESS)
    }

    /// Permits a peer without a channel.
    pub(crate) fn permit(&mut self, inbox: &mut Inbox, peer: SocketAddr) -> Result<()> {
        let granted = self.ask_signed(inbox, Method::CREATE_PERMISSION, |writer| {
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        });
        granted.map(drop)
    }

    pub(crate) fn bind_channel(&mut self, inbox: &mut Inbox, channel: u16, peer: SocketAddr) -> Result<()> {
        let granted = self.ask_signed(inbox, Method::CHANNEL_BIND, |writer| {
            let [high, low] = channel.to_be_bytes();
            writer.attribute(attribute::CHANNEL_NUMBER, &[high, low, 0, 0]);
            writer.xor_address(attribute::XOR_PEER_ADDRESS, peer);
        });
        granted.map(drop)
    }

    /// Says hello to a bare forwarder; the port that it answers with.
    pub(crate) fn hello(&mut self, inbox: &mut Inbox, port: u16) -> Result<u16> {
        let is_answer = |packet: &[u8]| packet.len() == 2;
        let answer = self.exchange(inbox, &port.to_be_bytes(), is_answer)?;
        Ok(u16::from_be_bytes([answer[0], answer[1]]))
    }

    fn ask_signed(
        &mut self,
        inbox: &mut Inbox,
        method: Method,
        write: impl FnOnce(&mut Writer<'_>),
    ) -> Result<Vec<u8>> {
        let key = Md5::digest([NAME.as_bytes(), &self.realm, PASSWORD.as_bytes()].join(&b':'));
        let (id, mut request) = (self.id(), Vec::new());
        let mut writer = Writer::new(&mut request, Class::Request, method, id);
        write(&mut writer);
        writer
            .attribute(attribute::USERNAME, NAME.as_bytes())
            .attribute(attribute::REALM, &self.realm)
            .attribute(attribute::NONCE, &self.nonce)
            .integrity(&key);
        let answer = self.ask(inbox, &request)?;
        let message = Message::parse(&answer).context("read an answer")?;
        ensure!(
            message.class() == Class::Success,
            "method {:#x} was refused: {:?}",
            method.0,
            message.attribute(attribute::ERROR_CODE)
        );
        Ok(answer)
    }

    fn ask(&mut self, inbox: &mut Inbox, request: &[u8]) -> Result<Vec<u8>> {
        let id = request[8..20].to_vec();
        let is_answer =
            |packet: &[u8]| packet.first().is_some_and(|&first| first == 1) && packet[8..20] == id;
        self.exchange(inbox, request, is_answer)
    }

    fn exchange(
        &mut self,
        inbox: &mut Inbox,
        request: &[u8],
        is_answer: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<u8>> {
        let start = Instant::now();
        let mut repeat = start;
        while start.elapsed() < PATIENCE.0 {
            if Instant::now() >= repeat {
                self.link.send(request, None);
                repeat += PATIENCE.1;
            }
            let mut answer = None;
            self.link.receive(inbox, &mut |packet| {
                if is_answer(packet) {
                    answer = Some(packet.to_vec());
                }
            })?;
            match answer {
                Some(answer) => return Ok(answer),
                None => thread::sleep(Duration::from_micros(20)),
            }
        }
        bail!("no answer in {} s", PATIENCE.0.as_secs())
    }

    fn id(&mut self) -> TransactionId {
        self.asked += 1;
        let mut chosen = [0x5a; 12];
        chosen[4..].copy_from_slice(&self.asked.to_be_bytes());
        TransactionId::new(chosen)
    }
}

fn address(answer: &[u8], kind: u16) -> Result<SocketAddr> {
    let message = Message::parse(answer).context("read an answer")?;
    let value = message.attribute(kind).with_context(|| {
        format!("an answer without attribute {kind:#x}: {:?}", message.attribute(attribute::ERROR_CODE))
    })?;
    attribute::xor_address(value, message.transaction_id()).context("an address")
}
