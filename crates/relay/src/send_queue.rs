//! What waits to be written to a stream: bounded in bytes and in time, because old media is worth nothing.

use std::{collections::VecDeque, io::IoSlice, mem, time::Duration};

use visavis_clock::Now;

/// What may wait for one stream: a quarter of a second at the bandwidth of one allocation.
const BYTES: usize = 256 << 10;
/// Frames that may wait for one stream, whatever their length: what is noted of each takes memory too.
const FRAMES: usize = 4096;
/// Responses that may wait: more than a client has reason to ask for at once. One that only asks and never reads, as
/// a stranger may without a credential, must not fill the memory.
const RESPONSES: usize = 256;
/// How long data may wait.
const AGE: Duration = Duration::from_secs(1);
/// The least memory that is asked for.
const LEAST: usize = 4 << 10;
/// Bytes of dead frames, from which on it pays to move what lies before them.
const DEAD: usize = 32 << 10;

/// What a frame is, which decides what is dropped when the stream is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// ChannelData or a Data indication: may be dropped, like a datagram.
    Data,
    /// A response: the client waits for it. Never dropped for data.
    Response,
}

/// What is known of a frame in the ring.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Bytes still to be written.
    length: usize,
    queued: Now,
    /// None if it was dropped and its bytes still lie between others: dead ones side by side are one.
    kind: Option<Kind>,
}

/// Whole frames in order in one ring of bytes, the first perhaps partly written.
///
/// The memory is kept while frames come, so that none costs an allocation, and [given back](SendQueue::give_back)
/// when they do not.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    /// The frames' bytes, those of dead ones among them. The bound holds for all.
    ring: VecDeque<u8>,
    frames: VecDeque<Frame>,
    responses: usize,
    /// Bytes of dead frames. These lie before all other data, and never at the front.
    dead: usize,
    /// Whether the first frame is partly written: it can no longer be dropped.
    is_begun: bool,
    /// The most bytes that waited since [`SendQueue::give_back`].
    most: usize,
}

impl SendQueue {
    /// Adds a frame, dropping the oldest data to make room, else the frame itself; a response too many is dropped at
    /// once. How many were dropped. Behind something that must stay more is dropped than the frame needs: up to what
    /// pays for moving that.
    pub(crate) fn push(&mut self, now: Now, bytes: &[u8], kind: Kind) -> u64 {
        if kind == Kind::Response && self.responses >= RESPONSES {
            return 1;
        }
        let mut dropped = 0;
        while !self.has_room(bytes.len()) {
            if self.dead < DEAD && self.drop_oldest() {
                dropped += 1;
            } else if self.dead > 0 {
                self.bury();
            } else {
                return dropped + 1;
            }
        }
        let length = self.ring.len() + bytes.len();
        if length > self.ring.capacity() {
            self.ring.reserve_exact(memory(length) - self.ring.len());
        }
        self.ring.extend(bytes);
        self.most = self.most.max(length);
        self.responses += usize::from(kind == Kind::Response);
        self.frames.push_back(Frame { length: bytes.len(), queued: now, kind: Some(kind) });
        dropped
    }

    /// Drops data that has waited too long. How many were dropped.
    pub(crate) fn expire(&mut self, now: Now) -> u64 {
        let mut dropped = 0;
        while let Some(index) = self.oldest_data()
            && now.since(self.frames[index].queued) > AGE
        {
            self.drop_data(index);
            dropped += 1;
        }
        dropped
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// The bytes to write next, at most `most` of them, and how many of the slices are filled. All that waits, but
    /// for what is behind a dead frame.
    pub(crate) fn slices(&self, most: usize) -> ([IoSlice<'_>; 2], usize) {
        let living = match self.dead {
            0 => self.ring.len(),
            _ => self.frames.iter().take_while(|frame| frame.kind.is_some()).map(|frame| frame.length).sum(),
        };
        let (first, second) = self.ring.as_slices();
        let length = living.min(most);
        let first = &first[..length.min(first.len())];
        let second = &second[..length - first.len()];
        (
            [IoSlice::new(first), IoSlice::new(second)],
            usize::from(!first.is_empty()) + usize::from(!second.is_empty()),
        )
    }

    /// Takes away `count` written bytes of those that [`SendQueue::slices`] gave.
    pub(crate) fn advance(&mut self, mut count: usize) {
        self.ring.drain(..count);
        while let Some(first) = self.frames.front_mut() {
            match first.kind {
                // Now at the front, where its bytes can go.
                None => {
                    self.dead -= first.length;
                    self.ring.drain(..first.length);
                }
                Some(_) if count == 0 => return,
                Some(_) if count < first.length => {
                    first.length -= count;
                    self.is_begun = true;
                    return;
                }
                Some(kind) => {
                    count -= first.length;
                    self.responses -= usize::from(kind == Kind::Response);
                    self.is_begun = false;
                }
            }
            self.frames.pop_front();
        }
    }

    /// Gives back memory that was not needed since the last time.
    pub(crate) fn give_back(&mut self) {
        let needed = memory(mem::replace(&mut self.most, self.ring.len()));
        // What is needed differs from time to time: less than half would be had again at once.
        if self.ring.capacity() > 2 * needed {
            self.ring.shrink_to(needed);
            self.frames.shrink_to(needed / LEAST);
        }
    }

    fn has_room(&self, length: usize) -> bool {
        self.ring.len() + length <= BYTES && self.frames.len() < FRAMES
    }

    fn drop_oldest(&mut self) -> bool {
        let oldest = self.oldest_data();
        oldest.into_iter().for_each(|index| self.drop_data(index));
        oldest.is_some()
    }

    /// The oldest frame that may be dropped and is not begun. Responses before it are few.
    fn oldest_data(&self) -> Option<usize> {
        let begun = usize::from(self.is_begun);
        let found = self.frames.iter().skip(begun).position(|frame| frame.kind == Some(Kind::Data))?;
        Some(found + begun)
    }

    /// Drops the oldest data. Its bytes go at once if they are at the front, and are dead if something before them
    /// must stay.
    fn drop_data(&mut self, index: usize) {
        let length = self.frames[index].length;
        let Some(before) = index.checked_sub(1) else {
            self.ring.drain(..length);
            self.frames.pop_front();
            return;
        };
        self.dead += length;
        if self.frames[before].kind.is_none() {
            self.frames[before].length += length;
            self.frames.remove(index);
        } else {
            self.frames[index].kind = None;
        }
    }

    /// Moves what must stay over the dead bytes behind it. These are many by then, and what is moved is not: responses,
    /// and perhaps a frame that is begun.
    fn bury(&mut self) {
        let is_dead = |frame: &Frame| frame.kind.is_none();
        let Some(last) = self.frames.iter().rposition(is_dead) else { return };
        let mut from: usize = self.frames.range(..=last).map(|frame| frame.length).sum();
        let mut to = from;
        for frame in self.frames.range(..=last).rev() {
            from -= frame.length;
            if !is_dead(frame) {
                to -= frame.length;
                move_bytes(&mut self.ring, from, to, frame.length);
            }
        }
        self.ring.drain(..to);
        self.frames.retain(|frame| !is_dead(frame));
        self.dead = 0;
    }
}

/// How much memory to have for so many bytes.
fn memory(length: usize) -> usize {
    match length {
        0 => 0,
        _ => length.next_power_of_two().clamp(LEAST, BYTES),
    }
}

/// Moves bytes towards the end.
fn move_bytes(ring: &mut VecDeque<u8>, from: usize, to: usize, length: usize) {
    let (first, second) = ring.as_mut_slices();
    let seam = first.len();
    if to + length <= seam {
        first.copy_within(from..from + length, to);
    } else if from >= seam {
        second.copy_within(from - seam..from - seam + length, to - seam);
    } else {
        for offset in (0..length).rev() {
            ring[to + offset] = ring[from + offset];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first byte that is left of each living frame.
    fn contents(queue: &SendQueue) -> Vec<u8> {
        let mut from = 0;
        let first = |frame: &Frame| {
            let first = queue.ring[from];
            from += frame.length;
            frame.kind.map(|_| first)
        };
        queue.frames.iter().filter_map(first).collect()
    }

    /// Writes all that waits, in pieces of at most `most` bytes.
    fn written(queue: &mut SendQueue, most: usize) -> Vec<u8> {
        let mut written = Vec::new();
        while !queue.is_empty() {
            let (slices, filled) = queue.slices(most);
            let before = written.len();
            slices[..filled].iter().for_each(|slice| written.extend_from_slice(slice));
            let count = written.len() - before;
            assert!((1..=most).contains(&count));
            queue.advance(count);
        }
        assert_eq!((queue.frames.len(), queue.responses, queue.dead), (0, 0, 0));
        written
    }

    #[test]
    fn oldest_data_gives_way_and_responses_stay() {
        let mut queue = SendQueue::default();
        assert_eq!(queue.push(Now::ZERO, &[1; 100], Kind::Response), 0);
        assert_eq!(queue.push(Now::ZERO, &[2; BYTES / 2], Kind::Data), 0);
        assert_eq!(queue.push(Now::ZERO, &[3; BYTES / 4], Kind::Data), 0);
        assert_eq!(queue.push(Now::ZERO, &[4; BYTES / 2], Kind::Data), 1);
        assert_eq!(contents(&queue), [1, 3, 4]);
        let expected = [&[1; 100][..], &[3; BYTES / 4], &[4; BYTES / 2]].concat();
        assert_eq!(written(&mut queue, 1000), expected);
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
        assert_eq!(queue.push(Now::ZERO, &[3; 32], Kind::Response), 1);
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
        let (slices, filled) = queue.slices(usize::MAX);
        assert_eq!(filled, 1);
        assert_eq!(&*slices[0], [2, 2]);
    }

    #[test]
    fn many_small_frames_take_no_more_memory_than_few_large_ones() {
        let mut queue = SendQueue::default();
        let dropped: u64 = (0..10_000).map(|_| queue.push(Now::ZERO, &[1; 4], Kind::Data)).sum();
        assert_eq!((queue.frames.len() as u64, dropped), (FRAMES as u64, 10_000 - FRAMES as u64));
    }

    #[test]
    fn memory_that_is_not_needed_is_given_back() {
        let mut queue = SendQueue::default();
        queue.push(Now::ZERO, &[1; BYTES], Kind::Data);
        assert_eq!(queue.ring.capacity(), BYTES);
        queue.give_back();
        assert_eq!(queue.ring.capacity(), BYTES);
        assert_eq!(written(&mut queue, usize::MAX).len(), BYTES);
        queue.give_back();
        queue.push(Now::ZERO, &[1; 100], Kind::Data);
        assert_eq!(written(&mut queue, usize::MAX).len(), 100);
        assert_eq!(queue.ring.capacity(), BYTES);
        queue.give_back();
        assert_eq!(queue.ring.capacity(), LEAST);
        queue.give_back();
        assert_eq!((queue.ring.capacity(), queue.frames.capacity()), (0, 0));
    }

    /// Frames as boxes in a row, to compare with.
    #[derive(Default)]
    struct Model {
        frames: Vec<(Vec<u8>, Kind)>,
        written: Vec<u8>,
        is_begun: bool,
    }

    impl Model {
        fn push(&mut self, frame: Vec<u8>, kind: Kind, dropped: u64) {
            let responses = self.frames.iter().filter(|(_, kind)| *kind == Kind::Response).count();
            if kind == Kind::Response && responses == RESPONSES {
                return assert_eq!(dropped, 1);
            }
            let others = (0..dropped).filter(|_| self.drop_oldest()).count() as u64;
            if others == dropped {
                self.frames.push((frame, kind));
            }
        }

        /// Whether there was data to drop.
        fn drop_oldest(&mut self) -> bool {
            let begun = usize::from(self.is_begun);
            let oldest = self.frames.iter().skip(begun).position(|(_, kind)| *kind == Kind::Data);
            oldest.is_some_and(|oldest| !self.frames.remove(oldest + begun).0.is_empty())
        }

        fn advance(&mut self, count: usize) {
            for _ in 0..count {
                let (first, _) = &mut self.frames[0];
                self.written.push(first.remove(0));
                self.is_begun = !first.is_empty();
                if first.is_empty() {
                    self.frames.remove(0);
                }
            }
        }
    }

    /// Whatever comes and however slowly it goes: what is written is what was not dropped, oldest data first, whole and
    /// in order, and the memory is bounded.
    #[test]
    fn what_is_written_is_what_boxes_in_a_row_would_give() {
        let (mut queue, mut model, mut all) = (SendQueue::default(), Model::default(), Vec::new());
        let mut drops = 0;
        let mut state = 1_u32;
        let mut random = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        for round in 0..6000_usize {
            let kind = if random(8) == 0 { Kind::Response } else { Kind::Data };
            let length = 1 + random(if kind == Kind::Response { 200 } else { 4000 });
            let frame = vec![round as u8; length];
            let dropped = queue.push(Now::ZERO, &frame, kind);
            drops += dropped;
            model.push(frame, kind, dropped);
            assert!(queue.ring.len() <= BYTES && queue.ring.capacity() <= BYTES);
            // For a while nothing is read, then a little, then much.
            if round % 2000 > 700 {
                let (slices, filled) = queue.slices(1 + random(if round % 2000 > 1400 { 9000 } else { 900 }));
                let count = slices[..filled].iter().map(|slice| slice.len()).sum();
                slices[..filled].iter().for_each(|slice| all.extend_from_slice(slice));
                queue.advance(count);
                model.advance(count);
            }
        }
        all.extend(written(&mut queue, 10_000));
        let left = model.frames.iter().map(|(frame, _)| frame.len()).sum();
        model.advance(left);
        assert!(all == model.written && drops > 1000);
    }
}
