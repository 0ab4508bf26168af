//! Frames that the server sends: never masked, never fragmented, ready to be shared (RFC 6455 section 5.2).

use axum::body::Bytes;

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// The longest header that is needed without a mask.
const LONGEST_HEADER: usize = 10;
const LAST: u8 = 0x80;

/// A text frame whose payload `write` appends: about `length` bytes, so that the buffer need not grow on the way.
pub(crate) fn text(length: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut buffer = Vec::with_capacity(LONGEST_HEADER + length);
    buffer.resize(LONGEST_HEADER, 0);
    write(&mut buffer);
    finish(buffer, TEXT)
}

/// An empty ping.
pub(crate) fn ping() -> Bytes {
    Bytes::from_static(&[LAST | PING, 0])
}

/// The answer to a ping that carried `payload`, at most 125 bytes.
pub(crate) fn pong(payload: &[u8]) -> Bytes {
    control(PONG, payload)
}

/// A Close frame. `reason` has at most 123 bytes.
pub(crate) fn close(code: u16, reason: &str) -> Bytes {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    control(CLOSE, &payload)
}

fn control(opcode: u8, payload: &[u8]) -> Bytes {
    let mut buffer = vec![0; LONGEST_HEADER];
    buffer.extend_from_slice(&payload[..payload.len().min(125)]);
    finish(buffer, opcode)
}

/// Puts the header right before the payload, which begins behind the room for the longest one.
fn finish(mut buffer: Vec<u8>, opcode: u8) -> Bytes {
    let length = buffer.len() - LONGEST_HEADER;
    let start = match length {
        0..126 => {
            buffer[9] = length.to_be_bytes()[7];
            8
        }
        126..0x1_0000 => {
            buffer[7] = 126;
            buffer[8..10].copy_from_slice(&length.to_be_bytes()[6..]);
            6
        }
        _ => {
            buffer[1] = 127;
            buffer[2..10].copy_from_slice(&length.to_be_bytes());
            0
        }
    };
    buffer[start] = LAST | opcode;
    Bytes::from(buffer).slice(start..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(length: usize) -> Bytes {
        text(length, |buffer| buffer.resize(buffer.len() + length, b'x'))
    }

    #[test]
    fn the_header_is_as_short_as_the_length_allows() {
        assert_eq!(&text_of(0)[..], [0x81, 0]);
        assert_eq!(text_of(125)[..2], [0x81, 125]);
        assert_eq!(text_of(126)[..4], [0x81, 126, 0, 126]);
        assert_eq!(text_of(0xFFFF)[..4], [0x81, 126, 0xFF, 0xFF]);
        assert_eq!(text_of(0x1_0000)[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(text_of(0x1_0000).len(), 0x1_000A);
    }

    #[test]
    fn control_frames_are_as_in_rfc_6455_section_5_7() {
        assert_eq!(&ping()[..], [0x89, 0]);
        assert_eq!(&pong(b"Hello")[..], b"\x8A\x05Hello");
        assert_eq!(&close(1000, "bye")[..], b"\x88\x05\x03\xE8bye");
    }
}
