//! Frames of a stream.

use visavis_turn::{Frame, frame, wire::Method};

use crate::harness::{Client, channel_data};

#[test]
fn a_message_is_whole_at_its_last_byte() {
    let message = Client::new(1).bare(Method::ALLOCATE, |writer| {
        writer.attribute(0x8ff0, b"abc");
    });
    for length in 0..message.len() {
        let known = if length < 4 { 4 } else { 28 };
        assert_eq!(frame(&message[..length]), Frame::Incomplete(known), "{length}");
    }
    assert_eq!(frame(&message), Frame::Whole(28));
    assert_eq!(frame(&[&message[..], b"more"].concat()), Frame::Whole(28));
}

#[test]
fn channel_data_is_whole_with_its_padding() {
    for (length, whole) in [(0, 4), (1, 8), (3, 8), (4, 8), (5, 12)] {
        let mut buffer = channel_data(0x4000, &vec![1; length]);
        buffer.resize(whole, 0);
        for part in 0..whole {
            let known = if part < 4 { 4 } else { whole };
            assert_eq!(frame(&buffer[..part]), Frame::Incomplete(known));
        }
        assert_eq!(frame(&buffer), Frame::Whole(whole));
    }
}

#[test]
fn the_longest_frames_are_accepted() {
    let mut buffer = channel_data(0x4fff, &[]);
    buffer[2..4].copy_from_slice(&[0xff, 0xff]);
    buffer.resize(4 + 0x1_0000, 0);
    assert_eq!(frame(&buffer[..4 + 0xffff]), Frame::Incomplete(4 + 0x1_0000));
    assert_eq!(frame(&buffer), Frame::Whole(4 + 0x1_0000));
    let mut message = Client::new(1).bare(Method::ALLOCATE, |_| {});
    message[2..4].copy_from_slice(&[0xff, 0xfc]);
    message.resize(20 + 0xfffc, 0);
    assert_eq!(frame(&message), Frame::Whole(20 + 0xfffc));
}

#[test]
fn what_is_neither_is_invalid_as_soon_as_it_shows() {
    assert_eq!(frame(&[0x80]), Frame::Invalid);
    assert_eq!(frame(&[0xff]), Frame::Invalid);
    assert_eq!(frame(&[0, 1, 0, 3]), Frame::Invalid, "a length that is no multiple of four");
    assert_eq!(frame(&[0, 1, 0, 0, 0x21, 0x13]), Frame::Invalid, "not the magic cookie");
    assert_eq!(frame(&[0, 1, 0, 0, 0x21, 0x12]), Frame::Incomplete(20));
}
