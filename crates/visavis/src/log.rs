//! Logging to standard error.

use std::io::{self, Write};

use anyhow::anyhow;
use tracing_subscriber::EnvFilter;

/// Logs what `filter` lets through from now on.
pub(crate) fn start(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(|| Escaped(io::stderr()))
        .try_init()
        .map_err(|error| anyhow!("cannot start logging: {error}"))
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
