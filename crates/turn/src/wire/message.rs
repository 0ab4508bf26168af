//! Reading a STUN message (RFC 8489 section 5).

use super::{HEADER, MAGIC_COOKIE, attribute::FINGERPRINT};

/// What a message is within its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Wants a response.
    Request,
    /// Wants none.
    Indication,
    /// The request was granted.
    Success,
    /// The request was refused.
    Error,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method(pub u16);

impl Method {
    /// Asks for the mapped address.
    pub const BINDING: Self = Self(0x001);
    /// Makes an allocation.
    pub const ALLOCATE: Self = Self(0x003);
    /// Prolongs or ends an allocation.
    pub const REFRESH: Self = Self(0x004);
    /// Data to a peer.
    pub const SEND: Self = Self(0x006);
    /// Data from a peer.
    pub const DATA: Self = Self(0x007);
    /// Permits peers to send.
    pub const CREATE_PERMISSION: Self = Self(0x008);
    /// Gives a peer a channel number.
    pub const CHANNEL_BIND: Self = Self(0x009);
}

/// Method and class in the interleaved form of RFC 8489 figure 3.
pub(crate) const fn message_type(class: Class, method: Method) -> u16 {
    let Method(m) = method;
    let class = match class {
        Class::Request => 0x000,
        Class::Indication => 0x010,
        Class::Success => 0x100,
        Class::Error => 0x110,
    };
    (m & 0x000f) | (m & 0x0070) << 1 | (m & 0x0f80) << 2 | class
}

/// What tells one transaction from another: the magic cookie with 96 chosen bits, or 128 chosen bits from an
/// RFC 3489 client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 16]);

impl TransactionId {
    /// The id with the magic cookie before `chosen`.
    #[must_use]
    pub fn new(chosen: [u8; 12]) -> Self {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        bytes[4..].copy_from_slice(&chosen);
        Self(bytes)
    }

    /// Whether the magic cookie is missing: an RFC 3489 client made this.
    #[must_use]
    pub fn is_classic(&self) -> bool {
        self.0[..4] != MAGIC_COOKIE.to_be_bytes()
    }

    pub(crate) const fn port_mask(self) -> u16 {
        (MAGIC_COOKIE >> 16) as u16
    }

    pub(crate) const fn address_mask(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

/// One attribute of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its type.
    pub kind: u16,
    /// Its value without padding.
    pub value: &'a [u8],
    /// Where it begins in the message.
    pub offset: usize,
}

/// A STUN message whose header and attribute lengths agree with its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes `bytes` as exactly one message; none if type, length or an attribute's length is wrong, or if something stands behind a
    /// FINGERPRINT. Neither FINGERPRINT nor MESSAGE-INTEGRITY is computed here.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[0] & 0xc0 != 0 || !length.is_multiple_of(4) || bytes.len() != HEADER + length {
            return None;
        }
        let message = Self { bytes };
        let mut attributes = message.attributes();
        while let Some(attribute) = attributes.next() {
            if attribute.kind == FINGERPRINT && (attribute.value.len() != 4 || !attributes.rest.is_empty()) {
                return None;
            }
        }
        attributes.rest.is_empty().then_some(message)
    }

    /// What it is within its transaction.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self.message_type() & 0x110 {
            0x000 => Class::Request,
            0x010 => Class::Indication,
            0x100 => Class::Success,
            _ => Class::Error,
        }
    }

    /// What it is about.
    #[must_use]
    pub const fn method(&self) -> Method {
        let bits = self.message_type();
        Method((bits & 0x000f) | (bits & 0x00e0) >> 1 | (bits & 0x3e00) >> 2)
    }

    const fn message_type(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    /// Which transaction it belongs to.
    #[must_use]
    pub fn transaction_id(&self) -> TransactionId {
        let header = self.bytes.first_chunk::<HEADER>().expect("parse has seen a header");
        let (_, id) = header.split_last_chunk().expect("a header is longer than an id");
        TransactionId(*id)
    }

    /// The attributes in their order.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes { rest: &self.bytes[HEADER..], offset: HEADER }
    }

    /// The first attribute of that type.
    #[must_use]
    pub fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find(|attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    pub(crate) const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// Walks over the attributes of a message.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let (&[k0, k1, l0, l1], body) = self.rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let rest = body.get(length.next_multiple_of(4)..)?;
        let attribute =
            Attribute { kind: u16::from_be_bytes([k0, k1]), value: &body[..length], offset: self.offset };
        self.offset += self.rest.len() - rest.len();
        self.rest = rest;
        Some(attribute)
    }
}
