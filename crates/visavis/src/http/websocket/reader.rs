//! Frames that a client sends, fed in as they come off the stream (RFC 6455 section 5).

use std::borrow::Cow;

/// More than this in one message is not skipped any more: the connection ends.
const SKIPPED_AT_MOST: u64 = 16 * 1024 * 1024;

/// What a client sent. A message that came at once, in one frame, is borrowed from where it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message<'i> {
    Text(Cow<'i, str>),
    Binary(Cow<'i, [u8]>),
    /// A message larger than the limit; it was skipped.
    TooLarge,
    Ping(Vec<u8>),
    Pong,
    /// The client closes, with this code if it gave one.
    Close(Option<u16>),
}

/// What a client may not send: the code to close with (section 7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation(pub(crate) u16);

const PROTOCOL_ERROR: Violation = Violation(1002);
const NOT_UTF8: Violation = Violation(1007);
const MESSAGE_TOO_BIG: Violation = Violation(1009);

/// Puts messages together. Between messages it owns no memory.
pub(crate) struct Reader {
    limit: usize,
    header: Header,
    payload: Option<Payload>,
    /// The message that is being put together, over all its fragments.
    message: Option<Assembly>,
    control: Vec<u8>,
}

/// Bytes of a frame header, until there are enough.
#[derive(Default)]
struct Header {
    bytes: [u8; 14],
    count: u8,
}

struct Payload {
    opcode: u8,
    last: bool,
    mask: [u8; 4],
    remaining: u64,
}

struct Assembly {
    binary: bool,
    bytes: Vec<u8>,
    length: u64,
}

impl Reader {
    /// Messages of more than `limit` bytes are [`Message::TooLarge`].
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, header: Header::default(), payload: None, message: None, control: Vec::new() }
    }

    /// From the next frame on, another limit holds.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes bytes from the front of `input` until a message is whole or there are no more.
    pub(crate) fn read<'i>(&mut self, input: &mut &'i mut [u8]) -> Result<Option<Message<'i>>, Violation> {
        loop {
            if self.payload.is_none() {
                let Some(payload) = self.header.read(input)? else { return Ok(None) };
                if self.is_whole(&payload, input) {
                    return payload.unmasked(input).map(Some);
                }
                self.begin(&payload)?;
                self.payload = Some(payload);
            }
            let Some(payload) = &mut self.payload else { return Ok(None) };
            let bytes = payload.take(input);
            let (whole, mask) = (payload.remaining == 0, payload.mask);
            if is_control(payload.opcode) {
                unmask_onto(&mut self.control, bytes, mask);
            } else if let Some(message) = &mut self.message {
                message.take(bytes, mask, self.limit)?;
            }
            payload.mask.rotate_left(bytes.len() % 4);
            if !whole {
                return Ok(None);
            }
            let Some(payload) = self.payload.take() else { return Ok(None) };
            if let Some(message) = self.end(&payload)? {
                return Ok(Some(message));
            }
        }
    }

    /// Whether a frame is a message that is there already and may be read.
    fn is_whole(&self, payload: &Payload, input: &[u8]) -> bool {
        let begins = payload.last && matches!(payload.opcode, 0x1 | 0x2) && self.message.is_none();
        begins && payload.remaining <= self.limit.min(input.len()) as u64
    }

    /// A frame begins: may it, here?
    fn begin(&mut self, payload: &Payload) -> Result<(), Violation> {
        match (payload.opcode, &self.message) {
            (0x8..=0xA, _) if payload.last && payload.remaining <= 125 => Ok(()),
            (0x0, Some(_)) => Ok(()),
            (0x1 | 0x2, None) => {
                let binary = payload.opcode == 0x2;
                self.message = Some(Assembly { binary, bytes: Vec::new(), length: 0 });
                Ok(())
            }
            _ => Err(PROTOCOL_ERROR),
        }
    }

    /// A frame has ended: is a message whole with it?
    fn end<'i>(&mut self, payload: &Payload) -> Result<Option<Message<'i>>, Violation> {
        match payload.opcode {
            0x8 => close(&std::mem::take(&mut self.control)).map(Some),
            0x9 => Ok(Some(Message::Ping(std::mem::take(&mut self.control)))),
            0xA => {
                self.control = Vec::new();
                Ok(Some(Message::Pong))
            }
            _ if payload.last => self.message.take().map(|message| message.end(self.limit)).transpose(),
            _ => Ok(None),
        }
    }
}

impl Header {
    fn read(&mut self, input: &mut &mut [u8]) -> Result<Option<Payload>, Violation> {
        loop {
            let needed = self.length()?;
            if usize::from(self.count) == needed {
                return self.finish().map(Some);
            }
            let Some(first) = split(input, 1).first() else { return Ok(None) };
            self.bytes[usize::from(self.count)] = *first;
            self.count += 1;
        }
    }

    /// How long this header is, as far as can be said yet.
    fn length(&self) -> Result<usize, Violation> {
        if self.count < 2 {
            return Ok(2);
        }
        let masked = self.bytes[1] & 0x80 != 0;
        let reserved_bits = self.bytes[0] & 0x70 != 0;
        if !masked || reserved_bits {
            return Err(PROTOCOL_ERROR);
        }
        Ok(match self.bytes[1] & 0x7F {
            126 => 8,
            127 => 14,
            _ => 6,
        })
    }

    fn finish(&mut self) -> Result<Payload, Violation> {
        let Self { bytes, count } = std::mem::take(self);
        let [.., a, b, c, d] = bytes[..usize::from(count)] else { return Err(PROTOCOL_ERROR) };
        let mut length = [0; 8];
        let remaining = match bytes[1] & 0x7F {
            126 => {
                length[6..].copy_from_slice(&bytes[2..4]);
                u64::from_be_bytes(length)
            }
            127 => {
                length.copy_from_slice(&bytes[2..10]);
                let length = u64::from_be_bytes(length);
                if length > i64::MAX as u64 {
                    return Err(PROTOCOL_ERROR);
                }
                length
            }
            short => u64::from(short),
        };
        Ok(Payload { opcode: bytes[0] & 0x0F, last: bytes[0] & 0x80 != 0, mask: [a, b, c, d], remaining })
    }
}

impl Payload {
    fn take<'i>(&mut self, input: &mut &'i mut [u8]) -> &'i [u8] {
        let taken = split(input, usize::try_from(self.remaining).unwrap_or(usize::MAX));
        self.remaining -= taken.len() as u64;
        taken
    }

    /// The message that lies whole at the front of `input`.
    fn unmasked<'i>(self, input: &mut &'i mut [u8]) -> Result<Message<'i>, Violation> {
        let bytes = split(input, usize::try_from(self.remaining).unwrap_or(usize::MAX));
        unmask(bytes, self.mask);
        if self.opcode == 0x2 {
            return Ok(Message::Binary(Cow::Borrowed(bytes)));
        }
        str::from_utf8(bytes).map(|text| Message::Text(Cow::Borrowed(text))).map_err(|_| NOT_UTF8)
    }
}

impl Assembly {
    fn take(&mut self, bytes: &[u8], mask: [u8; 4], limit: usize) -> Result<(), Violation> {
        self.length = self.length.saturating_add(bytes.len() as u64);
        if self.length > SKIPPED_AT_MOST {
            return Err(MESSAGE_TOO_BIG);
        }
        if self.length > limit as u64 {
            self.bytes = Vec::new();
        } else {
            unmask_onto(&mut self.bytes, bytes, mask);
        }
        Ok(())
    }

    fn end<'i>(self, limit: usize) -> Result<Message<'i>, Violation> {
        if self.length > limit as u64 {
            Ok(Message::TooLarge)
        } else if self.binary {
            Ok(Message::Binary(Cow::Owned(self.bytes)))
        } else {
            let text = String::from_utf8(self.bytes).map_err(|_| NOT_UTF8)?;
            Ok(Message::Text(Cow::Owned(text)))
        }
    }
}

fn is_control(opcode: u8) -> bool {
    opcode & 0x8 != 0
}

/// At most `count` bytes off the front of `input`.
fn split<'i>(input: &mut &'i mut [u8], count: usize) -> &'i mut [u8] {
    let count = count.min(input.len());
    let (taken, rest) = std::mem::take(input).split_at_mut(count);
    *input = rest;
    taken
}

fn unmask_onto(target: &mut Vec<u8>, bytes: &[u8], mask: [u8; 4]) {
    let start = target.len();
    target.extend_from_slice(bytes);
    unmask(&mut target[start..], mask);
}

fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= mask;
    }
}

fn close<'i>(payload: &[u8]) -> Result<Message<'i>, Violation> {
    match *payload {
        [] => Ok(Message::Close(None)),
        [high, low, ref reason @ ..] if is_sent(u16::from_be_bytes([high, low])) => {
            let code = u16::from_be_bytes([high, low]);
            str::from_utf8(reason).map(|_| Message::Close(Some(code))).map_err(|_| NOT_UTF8)
        }
        _ => Err(PROTOCOL_ERROR),
    }
}

/// Whether a code may stand in a Close frame: those of section 7.4.1 and of IANA's list, and applications' own.
fn is_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests;
