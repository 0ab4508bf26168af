//! Logging to standard error, and what of it is kept for the live view.

mod notices;

use std::{
    io::{self, Write},
    sync::Arc,
};

use anyhow::anyhow;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

pub(crate) use notices::{Logged, Notice, Notices};

/// Logs what `filter` lets through from now on. Warnings and errors are kept too, whatever the filter says.
pub(crate) fn start(filter: &str) -> anyhow::Result<Arc<Notices>> {
    let filter = EnvFilter::try_new(filter)?;
    let lines = fmt::layer().with_ansi(false).with_writer(|| Escaped(io::stderr()));
    let notices = Arc::new(Notices::default());
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(notices::layer(Arc::clone(&notices)).with_filter(LevelFilter::WARN))
        .try_init()
        .map_err(|error| anyhow!("cannot start logging: {error}"))?;
    Ok(notices)
}
/// Writes each event as one line: control characters in what strangers sent are escaped.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let mut escaped = String::with_capacity(text.len());
        for character in line.chars() {
            if character.is_control() {
                escaped.extend(character.escape_default());
            } else {
                escaped.push(character);
            }
        }
        escaped.push('\n');
        self.0.write_all(escaped.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_write_a_line_of_their_own() {
        let mut out = Vec::new();
        Escaped(&mut out).write_all(b"room \"x\x1b[2J\nERROR forged\"\n").unwrap();
        assert_eq!(out, b"room \"x\\u{1b}[2J\\nERROR forged\"\n");
    }
}
