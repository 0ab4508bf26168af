//! What can still be said about a frame that is no message.

use serde::de::IgnoredAny;

use crate::Refusal;

/// A frame that is no message: what to answer, and to which callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The callback that waits for an answer, where it could be read.
    pub callback: Option<i64>,
    /// What was wrong.
    pub refusal: Refusal,
    /// It was to be a handshake, whose refusal carries a client id.
    pub handshake: bool,
}

impl Malformed {
    /// Judges a frame that did not deserialize.
    pub(super) fn of(frame: &str) -> Self {
        let refusal = match serde_json::from_str::<IgnoredAny>(frame) {
            Err(_) => Refusal::NotJson,
            Ok(_) if !frame.trim_ascii_start().starts_with('{') => Refusal::NotAnObject,
            Ok(_) => Refusal::BadField,
        };
        Self { callback: scan_callback(frame.as_bytes()), refusal, handshake: false }
    }
}

/// Finds `"callback": INTEGER` among the outermost object's own keys, however broken the rest is.
fn scan_callback(frame: &[u8]) -> Option<i64> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = frame.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(frame, at + 1)?;
                if depth == 1
                    && &frame[at..end] == b"\"callback\""
                    && let Some(callback) = integer_after_colon(&frame[end..])
                {
                    return Some(callback);
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The index behind the closing quote of the string whose content starts at `at`.
fn string_end(frame: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match frame.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn integer_after_colon(rest: &[u8]) -> Option<i64> {
    let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let sign = usize::from(value.starts_with(b"-"));
    let digits = value[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    str::from_utf8(&value[..sign + digits]).ok()?.parse().ok()
}
