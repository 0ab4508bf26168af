//! Numbers, sizes and times as people read them.

use js_sys::Number;

use crate::text::words;

/// A count, with the digits grouped as the language does it.
pub(crate) fn count(count: u64) -> String {
    rate(count as f64)
}

/// A rate: small ones to a tenth, others to a whole.
pub(crate) fn rate(rate: f64) -> String {
    let shown = if rate < 10.0 { rate } else { rate.round() };
    String::from(Number::from(shown).to_locale_string(words().tag))
}

/// Bytes in each second.
pub(crate) fn bytes(bytes: f64) -> String {
    let (mut rest, mut unit) = (bytes, "B/s");
    for larger in ["kB/s", "MB/s", "GB/s"] {
        if rest < 1000.0 {
            break;
        }
        (rest, unit) = (rest / 1000.0, larger);
    }
    // A narrow space that does not break.
    format!("{}\u{202f}{unit}", rate(rest))
}

/// A time in its two largest units, in the words of the language.
pub(crate) fn time(seconds: u64) -> String {
    let [days, hours, minutes] = [86_400, 3_600, 60].map(|unit| seconds / unit);
    let text = words();
    match (days, hours, minutes) {
        (0, 0, 0) => (text.seconds)(seconds),
        (0, 0, minutes) => (text.minutes)(minutes),
        (0, hours, minutes) => (text.hours)(hours, minutes % 60),
        (days, hours, _) => (text.days)(days, hours % 24),
    }
}
