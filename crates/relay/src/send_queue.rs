//! What waits to be written to a stream: bounded in bytes and in time, because old media is worth nothing.

use std::{collections::VecDeque, io::IoSlice, time::Duration};

use visavis_clock::Now;

/// What may wait for one stream: a quarter of a second at the bandwidth of one allocation.
const BYTES: usize = 256 << 10;
/// Responses that may wait: more than a client has reason to ask for at once. One that only asks and never reads, as
/// a stranger may without a credential, must not fill the memory.
const RESPONSES: usize = 256;
/// How long data may wait.
const AGE: Duration = Duration::from_secs(1);
/// Frames written in one go.
const SLICES: usize = 32;

/// What a frame is, which decides what is dropped when the stream is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// ChannelData or a Data indication: may be dropped, like a datagram.
    Data,
    /// A response: the client waits for it. Never dropped for data.
    Response,
}

#[derive(Debug)]
struct Frame {
    bytes: Box<[u8]>,
    queued: Now,
    kind: Kind,
}

/// Whole frames in order, the first perhaps partly written.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    frames: VecDeque<Frame>,
    bytes: usize,
    responses: usize,
    /// How much of the first frame is written: it can no longer be dropped.
    written: usize,
}

impl SendQueue {
    /// Adds a frame, dropping the oldest data to make room, else the frame itself; a response too many is dropped at
    /// once. How many were dropped.
    pub(crate) fn push(&mut self, now: Now, bytes: &[u8], kind: Kind) -> u64 {
        if kind == Kind::Response && self.responses >= RESPONSES {
            return 1;
        }
        let mut dropped = 0;
        while self.bytes + bytes.len() > BYTES {
            if !self.drop_oldest() {
                return dropped + 1;
            }
            dropped += 1;
        }
        self.bytes += bytes.len();
        self.responses += usize::from(kind == Kind::Response);
        self.frames.push_back(Frame { bytes: bytes.into(), queued: now, kind });
        dropped
    }

    /// Drops data that has waited too long. How many were dropped.
    pub(crate) fn expire(&mut self, now: Now) -> u64 {
        let mut dropped = 0;
        while let Some(index) = self.oldest_data()
            && now.since(self.frames[index].queued) > AGE
        {
            self.remove(index);
            dropped += 1;
        }
        dropped
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The bytes to write next; how many of the slices are filled.
    pub(crate) fn slices<'s>(&'s self, slices: &mut [IoSlice<'s>; SLICES]) -> usize {
        let mut filled = 0;
        let mut skip = self.written;
        for (slice, frame) in slices.iter_mut().zip(&self.frames) {
            *slice = IoSlice::new(&frame.bytes[skip..]);
            skip = 0;
            filled += 1;
        }
        filled
    }

    /// As many empty slices as [`SendQueue::slices`] fills.
    pub(crate) fn empty_slices<'s>() -> [IoSlice<'s>; SLICES] {
        [IoSlice::new(&[]); SLICES]
    }

    /// Takes away `count` written bytes.
    pub(crate) fn advance(&mut self, count: usize) {
        self.written += count;
        while let Some(first) = self.frames.front()
            && self.written >= first.bytes.len()
        {
            self.written -= first.bytes.len();
            self.remove(0);
        }
    }

    /// Takes the first frame away, whole. Only for queues that never [`advance`](SendQueue::advance).
    pub(crate) fn pop(&mut self) -> Option<Box<[u8]>> {
        self.remove(0)
    }

    fn drop_oldest(&mut self) -> bool {
        self.oldest_data().is_some_and(|index| self.remove(index).is_some())
    }

    /// The oldest frame that may be dropped and is not begun. Responses before it are few.
    fn oldest_data(&self) -> Option<usize> {
        let begun = usize::from(self.written > 0);
        let found = self.frames.iter().skip(begun).position(|frame| frame.kind == Kind::Data)?;
        Some(found + begun)
    }

    fn remove(&mut self, index: usize) -> Option<Box<[u8]>> {
        let frame = self.frames.remove(index)?;
        self.bytes -= frame.bytes.len();
        self.responses -= usize::from(frame.kind == Kind::Response);
        Some(frame.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(queue: &SendQueue) -> Vec<u8> {
        queue.frames.iter().map(|frame| frame.bytes[0]).collect()
    }

    #[test]
    fn oldest_data_gives_way_and_responses_stay() {
        let mut queue = SendQueue::default();
        assert_eq!(queue.push(Now::ZERO, &[1; 100], Kind::Response), 0);
        assert_eq!(queue.push(Now::ZERO, &[2; BYTES / 2], Kind::Data), 0);
        assert_eq!(queue.push(Now::ZERO, &[3; BYTES / 4], Kind::Data), 0);
        assert_eq!(queue.push(Now::ZERO, &[4; BYTES / 2], Kind::Data), 1);
        assert_eq!(contents(&queue), [1, 3, 4]);
    }

    #[test]
    fn a_frame_that_is_partly_written_is_never_dropped() {
        let mut queue = SendQueue::default();
        queue.push(Now::ZERO, &[1; BYTES], Kind::Data);
        queue.advance(1);
        assert_eq!(queue.push(Now::ZERO, &[2; 10], Kind::Data), 1);
        assert_eq!(queue.expire(Now::after(AGE * 2)), 0);
        assert_eq!(contents(&queue), [1]);
        queue.advance(BYTES - 1);
        assert!(queue.is_empty());
        assert_eq!(queue.push(Now::ZERO, &[3; BYTES], Kind::Data), 0);
    }

    /// A stranger asks for free and need not read.
    #[test]
    fn a_client_that_never_reads_its_responses_has_few_of_them_waiting() {
        let mut queue = SendQueue::default();
        let dropped: u64 = (0..10_000).map(|_| queue.push(Now::ZERO, &[1; 32], Kind::Response)).sum();
        assert_eq!(queue.frames.len(), RESPONSES);
        assert_eq!(dropped + RESPONSES as u64, 10_000);
        queue.advance(32);
        assert_eq!(queue.push(Now::ZERO, &[2; 32], Kind::Response), 0);
        queue.pop();
        assert_eq!(queue.push(Now::ZERO, &[3; 32], Kind::Response), 0);
    }

    #[test]
    fn data_older_than_a_second_is_dropped_and_responses_stay() {
        let mut queue = SendQueue::default();
        queue.push(Now::ZERO, &[1], Kind::Data);
        queue.push(Now::ZERO, &[2], Kind::Response);
        let later = Now::after(AGE);
        queue.push(later, &[3], Kind::Data);
        assert_eq!(queue.expire(later), 0);
        assert_eq!(queue.expire(later + Duration::from_millis(1)), 1);
        assert_eq!(contents(&queue), [2, 3]);
    }

    #[test]
    fn written_bytes_span_frames() {
        let mut queue = SendQueue::default();
        queue.push(Now::ZERO, &[1; 3], Kind::Data);
        queue.push(Now::ZERO, &[2; 3], Kind::Data);
        queue.advance(4);
        let mut slices = SendQueue::empty_slices();
        assert_eq!(queue.slices(&mut slices), 1);
        assert_eq!(&*slices[0], [2, 2]);
    }
}
