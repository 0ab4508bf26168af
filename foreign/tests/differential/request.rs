//! What a client sends: described once, encoded for each server, because each has given out a nonce of its own.

use md5::{Digest, Md5};
use sha2::Sha256;
use visavis_turn::wire::{Class, HEADER, Method, TransactionId, Writer, attribute};

pub(crate) const REALM: &str = "example.org";
pub(crate) const ACCOUNTS: [(&str, &str); 2] = [("alice", "correct horse"), ("bob", "battery")];
pub(crate) const MD5: [u8; 4] = [0, 1, 0, 0];
pub(crate) const SHA256: [u8; 4] = [0, 2, 0, 0];

/// An attribute: its type and value.
pub(crate) type Attribute = (u16, Vec<u8>);

/// What one server has told a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) nonce: Vec<u8>,
    /// PASSWORD-ALGORITHMS.
    pub(crate) algorithms: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) class: Class,
    pub(crate) method: Method,
    pub(crate) id: [u8; 12],
    /// As RFC 3489 clients send it: without the magic cookie.
    pub(crate) classic: bool,
    pub(crate) body: Vec<Attribute>,
    pub(crate) credential: Option<Credential>,
    /// What stands behind MESSAGE-INTEGRITY.
    pub(crate) behind: Vec<Attribute>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) length: Length,
}

#[derive(Clone, Debug)]
pub(crate) struct Credential {
    /// None leaves the attribute out.
    pub(crate) username: Option<Vec<u8>>,
    pub(crate) has_realm: bool,
    pub(crate) nonce: Nonce,
    /// Whose password makes the key.
    pub(crate) account: usize,
    pub(crate) password: Password,
    /// Whether the key is made with SHA-256.
    pub(crate) sha256: bool,
    pub(crate) says: Says,
    pub(crate) seal: Seal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Password {
    Right,
    Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nonce {
    /// What the server has given out last.
    Told,
    /// That with another last byte.
    Altered,
    /// Without the nonce cookie.
    Invented,
    /// With the nonce cookie and other security features.
    OtherFeatures,
    Missing,
}

/// PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// Neither, as browsers do.
    Nothing,
    /// Both as offered.
    Both,
    OnlyChosen,
    OnlyOffered,
    /// An offer that the server has not made.
    OtherOffer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seal {
    Sha1,
    Sha256,
    /// MESSAGE-INTEGRITY of 16 bytes.
    Short,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fingerprint {
    None,
    Right,
    Wrong,
    /// Another attribute stands behind it.
    NotLast,
}

/// How the length in the header and the bytes that arrive agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Right,
    /// The last bytes are missing.
    Cut(usize),
    /// Bytes stand behind the message.
    More(usize),
    /// The last bytes belong to no attribute, or to one that is not whole.
    Odd(usize),
}

pub(crate) fn key(account: usize, password: Password, sha256: bool) -> Vec<u8> {
    let (name, right) = ACCOUNTS[account];
    let password = if password == Password::Right { right } else { "wrong" };
    let text = format!("{name}:{REALM}:{password}");
    if sha256 { Sha256::digest(text).to_vec() } else { Md5::digest(text).to_vec() }
}

impl Credential {
    /// What a good client says.
    pub(crate) fn right(account: usize, sha256: bool) -> Self {
        Self {
            username: Some(ACCOUNTS[account].0.into()),
            has_realm: true,
            nonce: Nonce::Told,
            account,
            password: Password::Right,
            sha256,
            says: if sha256 { Says::Both } else { Says::Nothing },
            seal: if sha256 { Seal::Sha256 } else { Seal::Sha1 },
        }
    }

    fn write(&self, writer: &mut Writer<'_>, told: &Told) {
        if let Some(username) = &self.username {
            writer.attribute(attribute::USERNAME, username);
        }
        if self.has_realm {
            writer.attribute(attribute::REALM, REALM.as_bytes());
        }
        let mut nonce = told.nonce.clone();
        match self.nonce {
            Nonce::Told | Nonce::Missing => {}
            Nonce::Altered => nonce.last_mut().into_iter().for_each(|last| *last ^= 1),
            Nonce::Invented => nonce = b"an invented nonce".to_vec(),
            Nonce::OtherFeatures => nonce = b"obMatJos2AAAAand something more".to_vec(),
        }
        if self.nonce != Nonce::Missing {
            writer.attribute(attribute::NONCE, &nonce);
        }
        let chosen = if self.sha256 { SHA256 } else { MD5 };
        if matches!(self.says, Says::Both | Says::OnlyOffered) {
            writer.attribute(attribute::PASSWORD_ALGORITHMS, &told.algorithms);
        }
        if self.says == Says::OtherOffer {
            writer.attribute(attribute::PASSWORD_ALGORITHMS, &chosen);
        }
        if matches!(self.says, Says::Both | Says::OnlyChosen | Says::OtherOffer) {
            writer.attribute(attribute::PASSWORD_ALGORITHM, &chosen);
        }
        let key = key(self.account, self.password, self.sha256);
        match self.seal {
            Seal::Sha1 => writer.integrity(&key),
            Seal::Sha256 => writer.integrity_sha256(&key),
            Seal::Short => writer.attribute(attribute::MESSAGE_INTEGRITY, &[7; 16]),
            Seal::None => writer,
        };
    }
}

impl Request {
    pub(crate) fn new(class: Class, method: Method, id: [u8; 12], body: Vec<Attribute>) -> Self {
        Self {
            class,
            method,
            id,
            classic: false,
            body,
            credential: None,
            behind: Vec::new(),
            fingerprint: Fingerprint::None,
            length: Length::Right,
        }
    }

    /// Without MESSAGE-INTEGRITY nothing stands behind it.
    pub(crate) fn settle(&mut self) {
        if self.credential.as_ref().is_none_or(|credential| credential.seal == Seal::None) {
            self.body.append(&mut self.behind);
        }
    }

    /// Leaves out what would end a stream.
    pub(crate) fn frame(&mut self) {
        self.classic = false;
        if !matches!(self.length, Length::Odd(4 | 8)) {
            self.length = Length::Right;
        }
    }

    pub(crate) fn transaction_id(&self) -> TransactionId {
        let mut id = TransactionId::new(self.id);
        if self.classic {
            id.0[0] ^= 0x55;
        }
        id
    }

    /// The packet for the server that has `told` this.
    pub(crate) fn encode(&self, told: &Told) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, self.class, self.method, self.transaction_id());
        for (kind, value) in &self.body {
            writer.attribute(*kind, value);
        }
        if let Some(credential) = &self.credential {
            credential.write(&mut writer, told);
        }
        for (kind, value) in &self.behind {
            writer.attribute(*kind, value);
        }
        if self.fingerprint != Fingerprint::None {
            writer.fingerprint();
        }
        if self.fingerprint == Fingerprint::NotLast {
            writer.attribute(attribute::SOFTWARE, b"late");
        }
        if self.fingerprint == Fingerprint::Wrong {
            out.last_mut().into_iter().for_each(|last| *last ^= 0xff);
        }
        match self.length {
            Length::Right => {}
            Length::Cut(bytes) => out.truncate(out.len().saturating_sub(bytes).max(1)),
            Length::More(bytes) => out.extend(std::iter::repeat_n(0, bytes)),
            Length::Odd(bytes) => {
                out.extend(std::iter::repeat_n(0xff, bytes));
                let length = (out.len() - HEADER) as u16;
                out[2..4].copy_from_slice(&length.to_be_bytes());
            }
        }
        out
    }

    /// The values of the attributes of that type before MESSAGE-INTEGRITY.
    pub(crate) fn values(&self, kind: u16) -> impl Iterator<Item = &[u8]> {
        self.body.iter().filter(move |(found, _)| *found == kind).map(|(_, value)| &**value)
    }

    pub(crate) fn has(&self, kind: u16) -> bool {
        self.values(kind).next().is_some()
    }

    /// The first value, which is the one that counts (RFC 8489 section 14).
    pub(crate) fn first(&self, kind: u16) -> Option<&[u8]> {
        self.values(kind).next()
    }

    /// Whether an attribute comes twice with different values.
    pub(crate) fn contradicts_itself(&self) -> bool {
        let kinds = self.body.iter().map(|(kind, _)| *kind);
        kinds
            .filter(|kind| *kind != attribute::XOR_PEER_ADDRESS || self.method != Method::CREATE_PERMISSION)
            .any(|kind| {
                let mut values = self.values(kind);
                let first = values.next();
                values.any(|value| Some(value) != first)
            })
    }

    pub(crate) fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.first(kind)?.try_into().ok()?))
    }
}
