//! A stream of a TURN client: it is cut into the same frames however it arrives.

use std::{
    net::{Ipv4Addr, SocketAddr},
    ops::Range,
};

use visavis_turn::{
    FiveTuple, Frame, Transport, frame,
    wire::{ChannelData, HEADER},
};

use crate::server::{Limited, stranger};

const LONGEST_FRAME: usize = 20 + 0xffff;

/// Takes the first byte as how many bytes arrive at once, and the rest as the stream.
pub fn framing(data: &[u8]) {
    let Some((&piece, stream)) = data.split_first() else { return };
    let whole = cut(stream);
    assert_eq!(cut_in_pieces(stream, usize::from(piece) + 1), whole);
    let (frames, _) = whole;
    let client = FiveTuple {
        client: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 40_000)),
        server: SocketAddr::from((Ipv4Addr::new(5, 6, 7, 8), 3478)),
        transport: Transport::Tcp,
    };
    let mut server = stranger(Limited::No);
    for range in frames {
        let bytes = &stream[range];
        is_one_frame(bytes);
        // Who has no allocation gets answers at most.
        let answer = server.handle_client(visavis_clock::Now::ZERO, client, bytes);
        assert!(matches!(answer, visavis_turn::FromClient::Nothing | visavis_turn::FromClient::Reply(_)));
    }
    assert!(server.poll_action().is_none());
}

/// Where the frames of a stream are, and whether it can be read on behind them.
type Cut = (Vec<Range<usize>>, bool);

fn cut(stream: &[u8]) -> Cut {
    let (mut frames, mut start) = (Vec::new(), 0);
    loop {
        match frame(&stream[start..]) {
            Frame::Incomplete(_) => return (frames, true),
            Frame::Invalid => return (frames, false),
            Frame::Whole(length) => {
                frames.push(start..start + length);
                start += length;
            }
        }
    }
}

/// What a shell does: keeps what is not yet a whole frame until more arrives.
fn cut_in_pieces(stream: &[u8], piece: usize) -> Cut {
    let (mut frames, mut start, mut kept) = (Vec::new(), 0, Vec::new());
    for arrived in stream.chunks(piece) {
        kept.extend_from_slice(arrived);
        let (found, can_go_on) = cut(&kept);
        let consumed = found.last().map_or(0, |last| last.end);
        frames.extend(found.into_iter().map(|range| start + range.start..start + range.end));
        if !can_go_on {
            return (frames, false);
        }
        kept.drain(..consumed);
        start += consumed;
        assert!(kept.len() < LONGEST_FRAME, "what is kept has an end");
    }
    (frames, true)
}

fn is_one_frame(bytes: &[u8]) {
    assert_eq!(frame(bytes), Frame::Whole(bytes.len()));
    assert!(bytes.len().is_multiple_of(4) && (4..=LONGEST_FRAME).contains(&bytes.len()));
    for length in [0, 1, 3, 4, HEADER, bytes.len() / 2, bytes.len() - 1] {
        if length < bytes.len() {
            let more = length + 1..=bytes.len();
            assert!(matches!(frame(&bytes[..length]), Frame::Incomplete(known) if more.contains(&known)));
        }
    }
    if bytes[0] >= 0x40 {
        let payload = ChannelData::parse(bytes).unwrap().payload;
        assert_eq!(payload.len().next_multiple_of(4) + 4, bytes.len());
    }
}
