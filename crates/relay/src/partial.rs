//! The beginning of a frame that a read of a stream has cut.

use visavis_turn::{Frame, frame};

use crate::{batch::HEADROOM, stream::InvalidFrame};

/// The beginning of a frame, until its rest arrives.
///
/// The memory is kept while frames are cut, so that none costs an allocation, and [given back](Partial::give_back) when
/// they are not.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    /// Headroom and what is there of the frame; nothing at all if there is none.
    bytes: Vec<u8>,
    /// Whether it held something since [`Partial::give_back`].
    is_used: bool,
}

impl Partial {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is there of the frame.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(HEADROOM..).unwrap_or_default()
    }

    /// The same behind headroom.
    pub(crate) fn with_headroom(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Takes what the frame lacks from the beginning of `bytes`, and no more: how many that were.
    pub(crate) fn complete(&mut self, bytes: &[u8]) -> Result<usize, InvalidFrame> {
        let mut taken = 0;
        loop {
            let have = self.as_slice();
            let whole = match frame(have) {
                Frame::Whole(_) => return Ok(taken),
                Frame::Invalid => return Err(InvalidFrame),
                Frame::Incomplete(whole) => whole,
            };
            let more = (whole - have.len()).min(bytes.len() - taken);
            if more == 0 {
                return Ok(taken);
            }
            self.bytes.extend_from_slice(&bytes[taken..taken + more]);
            taken += more;
        }
    }

    /// Keeps the beginning of a frame.
    pub(crate) fn keep(&mut self, beginning: &[u8]) {
        self.is_used = true;
        self.bytes.resize(HEADROOM, 0);
        self.bytes.extend_from_slice(beginning);
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Gives back memory that was not needed since the last time.
    pub(crate) fn give_back(&mut self) {
        if !std::mem::take(&mut self.is_used) && self.is_empty() {
            self.bytes = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_completed_and_what_follows_is_left() {
        let channel_data = [&[0x40, 1, 0, 5][..], &[7; 8]].concat();
        let stun = [&[0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42][..], &[9; 20]].concat();
        for whole in [channel_data, stun] {
            for at in 1..whole.len() {
                let mut partial = Partial::default();
                partial.keep(&whole[..at]);
                for byte in &whole[at..whole.len() - 1] {
                    assert_eq!(partial.complete(&[*byte]).unwrap(), 1);
                }
                let left = whole.len() - at;
                let rest = [&whole[whole.len() - left.min(1)..], &[0; 99]].concat();
                assert_eq!(partial.complete(&rest).unwrap(), 1);
                assert_eq!(partial.as_slice(), whole);

                let mut partial = Partial::default();
                partial.keep(&whole[..at]);
                assert_eq!(partial.complete(&[&whole[at..], &[0; 99]].concat()).unwrap(), left);
                assert_eq!(partial.as_slice(), whole);
            }
        }
    }

    #[test]
    fn what_is_no_frame_is_found_out() {
        let mut partial = Partial::default();
        partial.keep(&[0x40]);
        assert!(partial.complete(&[1, 0]).is_ok());
        partial.clear();
        partial.keep(&[0, 1, 0]);
        assert!(partial.complete(&[0, 1, 1, 1, 1, 1]).is_err());
    }

    #[test]
    fn memory_is_given_back_when_no_frame_is_cut() {
        let mut partial = Partial::default();
        partial.keep(&[0x40; 1000]);
        partial.give_back();
        assert_eq!(partial.as_slice(), [0x40; 1000]);
        partial.clear();
        partial.keep(&[0x40]);
        partial.clear();
        partial.give_back();
        assert!(partial.bytes.capacity() > 1000);
        partial.give_back();
        assert_eq!(partial.bytes.capacity(), 0);
    }
}
