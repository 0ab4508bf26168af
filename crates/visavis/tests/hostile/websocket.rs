//! RFC 6455, case by case.

use crate::{
    program::Program,
    raw::{CLOSE, PONG, Raw, TEXT, frame},
};

/// What begins a frame, and its payload.
type Frame = (u8, Vec<u8>);
/// Its name, what is sent piece by piece, and what comes back.
type Case<'a> = (&'a str, Vec<Vec<u8>>, Vec<Frame>);

/// A question, and its answer.
const QUESTION: &[u8] = r#"{"type":"peek","room":"ä€😀","callback":7}"#.as_bytes();
const ANSWER: &[u8] = br#"{"callback":7,"count":0}"#;

/// Sends `bytes` on a connection of its own; everything that comes back until the stream ends or the answer to one
/// more question has come.
fn said_to(program: &Program, bytes: &[Vec<u8>]) -> Vec<Frame> {
    let mut raw = Raw::join(program.addr("http"));
    for bytes in bytes {
        raw.send(bytes);
    }
    let fence = br#"{"type":"peek","room":"fence","callback":8}"#;
    // Who was closed on may not be able to send any more.
    let _ = std::io::Write::write_all(&mut raw.0, &frame(TEXT, fence));
    let mut heard = Vec::new();
    while let Some((first, payload)) = raw.receive() {
        if payload == br#"{"callback":8,"count":0}"# {
            break;
        }
        heard.push((first, payload));
        if first == CLOSE {
            assert!(raw.receive().is_none(), "nothing follows a Close frame");
            break;
        }
    }
    heard
}

#[test]
fn what_rfc_6455_allows_is_understood() {
    let program = Program::start(&[]);
    let cut = |at: usize| [frame(0x01, &QUESTION[..at]), frame(0x80, &QUESTION[at..])].concat();
    let whole = frame(TEXT, QUESTION);
    let ping = frame(0x89, b"between");
    let answer = || (TEXT, ANSWER.to_vec());
    let pong = |payload: &[u8]| (PONG, payload.to_vec());
    let letters = QUESTION.iter().position(|byte| *byte >= 0x80).unwrap();
    let bytes: Vec<Vec<u8>> = whole.chunks(1).map(<[u8]>::to_vec).collect();
    let too_large = frame(TEXT, &vec![b' '; 65 * 1024]);
    let too_large_in_parts = [frame(0x01, &vec![b' '; 40_000]), frame(0x80, &vec![b' '; 40_000])].concat();
    let refusal = || (TEXT, br#"{"error":"Message is too large"}"#.to_vec());
    let cases: Vec<Case<'_>> = vec![
        ("one frame", vec![whole.clone()], vec![answer()]),
        ("a binary frame", vec![frame(0x82, QUESTION)], vec![answer()]),
        ("byte by byte", bytes, vec![answer()]),
        ("two in one segment", vec![whole.repeat(2)], vec![answer(), answer()]),
        ("two fragments", vec![cut(10)], vec![answer()]),
        ("fragments that are empty", vec![cut(0), cut(QUESTION.len())], vec![answer(), answer()]),
        ("a letter of two bytes in two fragments", vec![cut(letters + 1)], vec![answer()]),
        ("a letter of three bytes in two fragments", vec![cut(letters + 3)], vec![answer()]),
        ("a letter of four bytes in two fragments", vec![cut(letters + 8)], vec![answer()]),
        ("a ping", vec![ping.clone()], vec![pong(b"between")]),
        ("a ping that is empty", vec![frame(0x89, b"")], vec![pong(b"")]),
        ("a ping of 125 bytes", vec![frame(0x89, &[7; 125])], vec![pong(&[7; 125])]),
        (
            "a ping between fragments",
            vec![frame(0x01, &QUESTION[..9]), ping.clone(), frame(0x80, &QUESTION[9..])],
            vec![pong(b"between"), answer()],
        ),
        ("a pong that nobody asked for", vec![frame(PONG, b"so"), whole.clone()], vec![answer()]),
        ("more than 64 KiB", vec![too_large, whole.clone()], vec![refusal(), answer()]),
        ("more than 64 KiB in fragments", vec![too_large_in_parts], vec![refusal()]),
        ("a goodbye", vec![frame(CLOSE, b"\x03\xE8bye")], vec![(CLOSE, b"\x03\xE8".to_vec())]),
        ("a code of its own", vec![frame(CLOSE, b"\x0F\xA0")], vec![(CLOSE, b"\x0F\xA0".to_vec())]),
        ("a goodbye without a code", vec![frame(CLOSE, b"")], vec![(CLOSE, b"\x03\xE8".to_vec())]),
    ];
    for (case, bytes, expected) in cases {
        assert_eq!(said_to(&program, &bytes), expected, "{case}");
    }
}

#[test]
fn what_rfc_6455_forbids_closes_with_its_code() {
    let program = Program::start(&[]);
    let close = |code: u16| frame(CLOSE, &code.to_be_bytes());
    let begun = frame(0x01, b"{");
    let huge = [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut cases: Vec<(String, Vec<u8>, u16)> = vec![
        ("no mask".into(), vec![TEXT, 2, b'{', b'}'], 1002),
        ("a ping in fragments".into(), frame(0x09, b""), 1002),
        ("a ping of 126 bytes".into(), frame(0x89, &[0; 126]), 1002),
        ("a continuation of nothing".into(), frame(0x80, b"{}"), 1002),
        ("a continuation of nothing that goes on".into(), frame(0x00, b"{}"), 1002),
        ("a text within a text".into(), [&begun[..], &frame(TEXT, b"}")].concat(), 1002),
        ("bytes within a text".into(), [&begun[..], &frame(0x82, b"}")].concat(), 1002),
        ("a length beyond 63 bits".into(), huge.to_vec(), 1002),
        ("half a code".into(), frame(CLOSE, b"\x03"), 1002),
        ("a reason that is no UTF-8".into(), frame(CLOSE, b"\x03\xE8\xFF"), 1007),
        ("a byte that no UTF-8 has".into(), frame(TEXT, b"\"\xFF\""), 1007),
        ("a letter longer than it has to be".into(), frame(TEXT, b"\"\xC0\xAF\""), 1007),
        ("half of a surrogate pair".into(), frame(TEXT, b"\"\xED\xA0\x80\""), 1007),
        ("a letter beyond Unicode".into(), frame(TEXT, b"\"\xF4\x90\x80\x80\""), 1007),
        ("a letter that ends too early".into(), frame(TEXT, b"\"\xE2\x82"), 1007),
        ("the same in fragments".into(), [frame(0x01, b"\"\xE2"), frame(0x80, b"\x28\xA1\"")].concat(), 1007),
    ];
    cases.extend(
        [0x10, 0x20, 0x40].map(|bit| (format!("the reserved bit {bit:#x}"), frame(TEXT | bit, b"{}"), 1002)),
    );
    let opcodes = (0x3..=0x7).chain(0xB..=0xF);
    cases.extend(opcodes.map(|opcode| (format!("the opcode {opcode:#x}"), frame(0x80 | opcode, b""), 1002)));
    let codes = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535];
    cases.extend(codes.map(|code| (format!("the close code {code}"), close(code), 1002)));
    for (case, bytes, code) in cases {
        assert_eq!(said_to(&program, &[bytes]), [(CLOSE, code.to_be_bytes().to_vec())], "{case}");
    }
}

#[test]
fn a_message_that_does_not_end_is_given_up() {
    let program = Program::start(&[]);
    let mut raw = Raw::join(program.addr("http"));
    let mut header = vec![0x82, 0xFF];
    header.extend_from_slice(&(1_u64 << 40).to_be_bytes());
    header.extend_from_slice(&[0; 4]);
    raw.send(&header);
    let mebibyte = vec![0; 1 << 20];
    // The server may be gone before all of it is sent.
    let sent = (0..18).take_while(|_| std::io::Write::write_all(&mut raw.0, &mebibyte).is_ok()).count();
    assert!(sent >= 16, "{sent} MiB were taken");
    if let Some(frame) = raw.receive() {
        assert_eq!(frame, (CLOSE, 1009_u16.to_be_bytes().to_vec()));
    }
}
