//! WebSocket frames as the load generator needs them: written once with a mask of zeros, read without copying.

const LAST: u8 = 0x80;
const MASKED: u8 = 0x80;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Text = 1,
    Binary = 2,
    Ping = 9,
    Pong = 10,
}

/// A frame of a client. Its mask is zero, so that the payload can be changed in place.
pub(crate) fn client(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![LAST | opcode as u8];
    match payload.len() {
        short @ 0..126 => frame.push(MASKED | short as u8),
        medium @ 126..0x1_0000 => {
            frame.push(MASKED | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            frame.push(MASKED | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// Puts the frames of a server together. Only what is cut off at the end of a read is copied.
#[derive(Debug, Default)]
pub(crate) struct Input {
    rest: Vec<u8>,
}

impl Input {
    /// Hands every whole frame in `bytes` and what came before to `take`: the first byte and the payload.
    pub(crate) fn read(&mut self, mut bytes: &[u8], mut take: impl FnMut(u8, &[u8])) {
        while !self.rest.is_empty() {
            let length = self.rest.len();
            let needed = length_of(&self.rest).unwrap_or(length + 1);
            let missing = needed.saturating_sub(length).min(bytes.len());
            self.rest.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            match length_of(&self.rest) {
                Some(needed) if self.rest.len() >= needed => {
                    take(self.rest[0], &self.rest[header(&self.rest)..needed]);
                    self.rest.clear();
                }
                _ if bytes.is_empty() => return,
                _ => {}
            }
        }
        while let Some(length) = length_of(bytes).filter(|length| *length <= bytes.len()) {
            take(bytes[0], &bytes[header(bytes)..length]);
            bytes = &bytes[length..];
        }
        self.rest.extend_from_slice(bytes);
    }
}

fn header(frame: &[u8]) -> usize {
    match frame[1] & 0x7F {
        126 => 4,
        127 => 10,
        _ => 2,
    }
}

/// Header and payload together, as soon as the header is there.
fn length_of(frame: &[u8]) -> Option<usize> {
    Some(match frame.get(1)? & 0x7F {
        126 => 4 + usize::from(u16::from_be_bytes([*frame.get(2)?, *frame.get(3)?])),
        127 => 10 + u64::from_be_bytes(frame.get(2..10)?.try_into().ok()?) as usize,
        short => 2 + usize::from(short),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_the_bytes_are_cut_the_frames_are_the_same() {
        let long = "x".repeat(70_000);
        let texts = ["", "one", &long[..300], &long];
        let mut stream = Vec::new();
        for text in texts {
            let mut frame = client(Opcode::Text, text.as_bytes());
            let mask = header(&frame);
            frame[1] &= 0x7F;
            frame.drain(mask..mask + 4);
            stream.extend_from_slice(&frame);
        }
        for size in [1, 2, 3, 7, 1000, stream.len()] {
            let (mut input, mut read) = (Input::default(), Vec::new());
            for chunk in stream.chunks(size) {
                input.read(chunk, |_, payload| read.push(String::from_utf8(payload.to_vec()).unwrap()));
            }
            assert_eq!(read, texts, "cut into {size}");
        }
    }
}
