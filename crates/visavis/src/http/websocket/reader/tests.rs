use super::*;

fn client_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [7, 99, 250, 1];
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        medium @ 126..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    frame
}

fn read_all(reader: &mut Reader, bytes: &[u8]) -> Result<Vec<Message<'static>>, Violation> {
    let mut bytes = bytes.to_vec();
    let mut bytes = &mut *bytes;
    let mut messages = Vec::new();
    while let Some(message) = reader.read(&mut bytes)? {
        messages.push(match message {
            Message::Text(text) => Message::Text(text.into_owned().into()),
            Message::Binary(bytes) => Message::Binary(bytes.into_owned().into()),
            Message::Ping(payload) => Message::Ping(payload),
            Message::Close(code) => Message::Close(code),
            Message::TooLarge => Message::TooLarge,
            Message::Pong => Message::Pong,
        });
    }
    assert!(bytes.is_empty(), "everything is consumed");
    Ok(messages)
}

fn text(text: &str) -> Message<'static> {
    Message::Text(text.to_owned().into())
}

#[test]
fn the_masked_hello_of_rfc_6455_section_5_7_is_read() {
    let frame = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(read_all(&mut Reader::new(100), &frame), Ok(vec![text("Hello")]));
}

#[test]
fn however_the_bytes_are_cut_the_messages_are_the_same() {
    let large = "ä".repeat(40_000);
    let stream = [
        client_frame(0x81, b"one"),
        client_frame(0x01, b"t"),
        client_frame(0x89, b"ping in between"),
        client_frame(0x00, b"w"),
        client_frame(0x80, b"o"),
        client_frame(0x82, &[0xFF; 300]),
        client_frame(0x81, large.as_bytes()),
        client_frame(0x8A, b""),
        client_frame(0x88, b"\x03\xE9gone"),
    ]
    .concat();
    let expected = vec![
        text("one"),
        Message::Ping(b"ping in between".to_vec()),
        text("two"),
        Message::Binary(vec![0xFF; 300].into()),
        text(&large),
        Message::Pong,
        Message::Close(Some(1001)),
    ];
    for size in [1, 2, 3, 5, 7, 64, 1000, stream.len()] {
        let mut reader = Reader::new(100_000);
        let read: Result<Vec<_>, _> = stream.chunks(size).map(|chunk| read_all(&mut reader, chunk)).collect();
        assert_eq!(read.unwrap().concat_messages(), expected, "cut into {size}");
    }
}

trait ConcatMessages {
    fn concat_messages(self) -> Vec<Message<'static>>;
}

impl ConcatMessages for Vec<Vec<Message<'static>>> {
    fn concat_messages(self) -> Vec<Message<'static>> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn a_message_at_the_limit_is_read_and_one_beyond_is_skipped() {
    let stream =
        [client_frame(0x81, &[b'x'; 100]), client_frame(0x81, &[b'x'; 101]), client_frame(0x81, b"next")]
            .concat();
    let expected = vec![text(&"x".repeat(100)), Message::TooLarge, text("next")];
    assert_eq!(read_all(&mut Reader::new(100), &stream), Ok(expected));
}

#[test]
fn a_message_that_only_its_fragments_make_too_large_is_skipped() {
    let stream = [client_frame(0x01, &[b'x'; 60]), client_frame(0x80, &[b'x'; 60])].concat();
    assert_eq!(read_all(&mut Reader::new(100), &stream), Ok(vec![Message::TooLarge]));
}

#[test]
fn what_rfc_6455_forbids_is_a_violation() {
    let cases: [(&str, Vec<u8>, u16); 9] = [
        ("unmasked", vec![0x81, 0x00], 1002),
        ("reserved bit", client_frame(0xC1, b""), 1002),
        ("reserved opcode", client_frame(0x83, b""), 1002),
        ("fragmented ping", client_frame(0x09, b""), 1002),
        ("long ping", client_frame(0x89, &[0; 126]), 1002),
        ("continuation of nothing", client_frame(0x80, b""), 1002),
        ("text within text", [client_frame(0x01, b""), client_frame(0x81, b"")].concat(), 1002),
        ("close with one byte", client_frame(0x88, b"x"), 1002),
        ("text that is not UTF-8", client_frame(0x81, &[0xFF]), 1007),
    ];
    for (case, bytes, code) in cases {
        assert_eq!(read_all(&mut Reader::new(100), &bytes), Err(Violation(code)), "{case}");
    }
}

#[test]
fn nothing_is_reserved_on_the_word_of_a_header() {
    let mut reader = Reader::new(1 << 30);
    let mut header = vec![0x82, 0xFF];
    header.extend_from_slice(&(1_u64 << 29).to_be_bytes());
    header.extend_from_slice(&[0; 4]);
    assert_eq!(read_all(&mut reader, &header), Ok(vec![]));
    assert_eq!(reader.message.unwrap().bytes.capacity(), 0);
}

#[test]
fn a_message_that_is_there_at_once_is_not_copied() {
    let mut reader = Reader::new(100);
    let mut bytes = [client_frame(0x81, b"at once"), client_frame(0x82, b"and again")].concat();
    let mut input = &mut *bytes;
    assert!(matches!(reader.read(&mut input), Ok(Some(Message::Text(Cow::Borrowed("at once"))))));
    assert!(matches!(reader.read(&mut input), Ok(Some(Message::Binary(Cow::Borrowed(b"and again"))))));
}
