//! The channels in the settings: `--channel ID[:SECRET-FILE]` and the sections `[channels.ID]` of the file.

use std::{collections::BTreeMap, ops::RangeInclusive, path::Path, time::Duration};

use anyhow::{anyhow, bail};
use toml::Value;
use visavis_hub::{ChannelSettings, HistoryBounds};
use zeroize::Zeroizing;

use super::{read_secret, switch};
use crate::{
    channels::{Channel, ChannelSecret, Channels, Origins, PAGE_CHANNEL, RESERVED, is_channel_id},
    data_dir,
    host::Host,
    keys::CHANNEL_KEYS,
    values::{Origin, Section, Values},
};

/// The page's own channel is for people who follow a link, from this server's pages alone, and leaves nothing behind.
const PAGE_KEYS: [&str; 2] = ["max-message", "max-connections"];

/// For so long at most is anything kept, and by default.
const LONGEST: Duration = Duration::from_hours(30 * 24);
const KEPT_BY_DEFAULT: HistoryBounds = HistoryBounds { lifetime: LONGEST, bytes: 64 * 1024 * 1024 };

/// All channels that the settings name.
pub(super) fn channels(values: &Values, warnings: &mut Vec<String>) -> anyhow::Result<Channels> {
    let mut channels = BTreeMap::new();
    for section in &values.channels {
        channels.insert(section.id.clone(), from_section(section, warnings)?);
    }
    for text in &values.of("channel").texts {
        let wrong = |right: String| values.wrong("channel", text, right);
        let (id, file) = text.split_once(':').map_or((text.as_str(), None), |(id, file)| (id, Some(file)));
        check_id(id).map_err(wrong)?;
        let channel = channels.entry(id.to_owned()).or_insert_with(|| Channel::new(id));
        let Some(file) = file else { continue };
        if file.is_empty() {
            return Err(wrong("expected ID, or ID:SECRET-FILE".to_owned()));
        }
        if id == PAGE_CHANNEL {
            return Err(wrong("the page's own channel cannot have a secret".to_owned()));
        }
        if file.starts_with('=') {
            return Err(wrong(
                "expected ID:SECRET-FILE; a secret itself stands in the file alone".to_owned(),
            ));
        }
        if matches!(values.of("channel").origin, Origin::File(_)) && !channel.secrets.is_empty() {
            return Err(wrong(format!("[channels.{id}] gives it a secret already")));
        }
        channel.secrets = secrets_in(Path::new(file), &values.place("channel"), warnings).map_err(wrong)?;
    }
    Ok(Channels::new(channels.into_values(), switch(values, "open-channels")?))
}

/// Whether a channel may be called so.
pub(crate) fn check_id(id: &str) -> Result<(), String> {
    if RESERVED.contains(&id) {
        return Err(format!("this id is reserved, as are {}", RESERVED.join(", ")));
    }
    if is_channel_id(id) { Ok(()) } else { Err("expected 1 to 64 letters, digits, `-` and `_`".to_owned()) }
}

fn from_section(section: &Section, warnings: &mut Vec<String>) -> anyhow::Result<Channel> {
    check_id(&section.id)
        .map_err(|right| anyhow!("[channels.{}] in {}: {right}", section.id, section.path.display()))?;
    for key in section.table.keys() {
        if !CHANNEL_KEYS.contains(&key.as_str()) {
            bail!("{}: there is no such key; there are {}", section.place(key), CHANNEL_KEYS.join(", "));
        }
        if section.id == PAGE_CHANNEL && !PAGE_KEYS.contains(&key.as_str()) {
            bail!(
                "{}: the page's own channel takes {} alone; give your application a channel of its own",
                section.place(key),
                PAGE_KEYS.join(" and ")
            );
        }
    }
    let reading = Reading { section, warnings };
    reading.channel().map_err(|Wrong(key, right)| anyhow!("{}: {right}", section.place(key)))
}

/// The key that is wrong, and what would be right.
struct Wrong(&'static str, String);

/// A section that is being read.
struct Reading<'a> {
    section: &'a Section,
    warnings: &'a mut Vec<String>,
}

impl<'a> Reading<'a> {
    fn channel(mut self) -> Result<Channel, Wrong> {
        let secrets = self.secrets()?;
        let require_auth = self.boolean("require-auth")?;
        if require_auth && secrets.is_empty() {
            return Err(Wrong("require-auth", "needs a secret that tokens are signed with".to_owned()));
        }
        let new = Channel::new(&self.section.id);
        Ok(Channel {
            secrets,
            origins: self.origins()?.unwrap_or(new.origins),
            public_listing: self.boolean("public-listing")?,
            relay_within_rooms: self.boolean("relay-within-rooms")? || new.relay_within_rooms,
            max_message: self.number("max-message", &MESSAGE)?.map(|bytes| bytes as usize),
            hub: ChannelSettings {
                require_auth,
                history: self.history()?,
                clients: self.number("max-connections", &CONNECTIONS)?.map(|count| count as usize),
            },
            lane: new.lane,
            id: new.id,
        })
    }

    fn secrets(&mut self) -> Result<Vec<ChannelSecret>, Wrong> {
        let one = self.text("secret")?.map(|text| ("secret", text));
        let many = self.texts("secrets")?.unwrap_or_default().into_iter().map(|text| ("secrets", text));
        let inline = one.into_iter().chain(many);
        let inline = inline.map(|(key, text)| secret(text).map_err(|right| Wrong(key, right)));
        let mut secrets = inline.collect::<Result<Vec<_>, _>>()?;
        if !secrets.is_empty() {
            self.warn_if_open();
        }
        if let Some(file) = self.text("secret-file")? {
            let place = self.section.place("secret-file");
            let read = secrets_in(Path::new(file), &place, self.warnings);
            secrets.extend(read.map_err(|right| Wrong("secret-file", right))?);
        }
        match secrets.len() {
            0..=MOST_SECRETS => Ok(secrets),
            _ => Err(Wrong("secrets", TOO_MANY_SECRETS.to_owned())),
        }
    }

    fn warn_if_open(&mut self) {
        let path = &self.section.path;
        let warning = format!(
            "{0} holds secrets and can be read by others; `chmod 600 {0}` keeps them secret",
            path.display()
        );
        if data_dir::others_may_read(path) && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn origins(&self) -> Result<Option<Origins>, Wrong> {
        let Some(texts) = self.texts("origins")? else { return Ok(None) };
        let origins = texts.into_iter().map(|text| {
            origin(text).ok_or_else(|| {
                let right = "expected origins such as https://app.example or http://localhost:3000";
                Wrong("origins", format!("{text:?}: {right}"))
            })
        });
        Ok(Some(Origins::Listed(origins.collect::<Result<_, _>>()?)))
    }

    fn history(&self) -> Result<Option<HistoryBounds>, Wrong> {
        let lifetime = self.number("history-ttl", &LIFETIME)?.map(Duration::from_secs);
        let bytes = self.number("history-bytes", &BYTES)?;
        let bounds = HistoryBounds {
            lifetime: lifetime.unwrap_or(KEPT_BY_DEFAULT.lifetime),
            bytes: bytes.unwrap_or(KEPT_BY_DEFAULT.bytes),
        };
        Ok(self.boolean("history")?.then_some(bounds))
    }

    fn boolean(&self, key: &'static str) -> Result<bool, Wrong> {
        match self.section.table.get(key) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| Wrong(key, "expected true or false".to_owned())),
        }
    }

    fn text(&self, key: &'static str) -> Result<Option<&'a str>, Wrong> {
        let expected = || Wrong(key, "expected one text".to_owned());
        self.section.table.get(key).map(|value| value.as_str().ok_or_else(expected)).transpose()
    }

    fn texts(&self, key: &'static str) -> Result<Option<Vec<&'a str>>, Wrong> {
        let expected = || Wrong(key, "expected a list of texts".to_owned());
        let Some(value) = self.section.table.get(key) else { return Ok(None) };
        let texts = value.as_array().ok_or_else(expected)?.iter().map(Value::as_str);
        texts.collect::<Option<_>>().map(Some).ok_or_else(expected)
    }

    fn number(&self, key: &'static str, quantity: &Quantity) -> Result<Option<u64>, Wrong> {
        let Some(value) = self.section.table.get(key) else { return Ok(None) };
        let number = match value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::String(text) => quantity.read(text),
            _ => None,
        };
        let right = || Wrong(key, format!("{value}: expected {}", quantity.right));
        number.filter(|number| quantity.range.contains(number)).map(Some).ok_or_else(right)
    }
}

/// A number with its units and bounds.
struct Quantity {
    units: &'static [(&'static str, u64)],
    range: RangeInclusive<u64>,
    right: &'static str,
}

const SIZES: &[(&str, u64)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
const TIMES: &[(&str, u64)] = &[("s", 1), ("m", 60), ("h", 3600), ("d", 24 * 3600)];

const MESSAGE: Quantity =
    Quantity { units: SIZES, range: 1024..=1 << 20, right: "a size from 1 KiB to 1 MiB, such as \"64 KiB\"" };
const BYTES: Quantity = Quantity {
    units: SIZES,
    range: 1024..=1 << 40,
    right: "a size from 1 KiB to 1024 GiB, such as \"64 MiB\"",
};
const LIFETIME: Quantity = Quantity {
    units: TIMES,
    range: 1..=LONGEST.as_secs(),
    right: "a time up to 30 days, such as \"12h\" or \"30d\"",
};
const CONNECTIONS: Quantity =
    Quantity { units: &[], range: 1..=1_000_000, right: "a number from 1 to 1000000" };

impl Quantity {
    fn read(&self, text: &str) -> Option<u64> {
        let units = self.units.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, *size)));
        let (number, size) = units.unwrap_or((text, 1));
        number.trim().parse::<u64>().ok()?.checked_mul(size)
    }
}

/// A time of up to 30 days.
pub(crate) fn lifetime(text: &str) -> Result<Duration, String> {
    let seconds = LIFETIME.read(text).filter(|seconds| LIFETIME.range.contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| format!("expected {}", LIFETIME.right))
}

const MOST_SECRETS: usize = 2;
const TOO_MANY_SECRETS: &str = "at most two secrets can be valid at once, the old one and the new one";

fn secret(text: &str) -> Result<ChannelSecret, String> {
    if !(16..=1024).contains(&text.len()) || text.trim() != text || text.contains(char::is_control) {
        return Err("expected a secret of 16 to 1024 bytes without spaces around it".to_owned());
    }
    Ok(ChannelSecret::new(text))
}

/// The secrets in a file, one on each line.
fn secrets_in(path: &Path, place: &str, warnings: &mut Vec<String>) -> Result<Vec<ChannelSecret>, String> {
    let text = Zeroizing::new(read_secret(path, place, warnings)?);
    let text = str::from_utf8(&text).map_err(|_| format!("{} is not UTF-8", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets = lines.map(secret).collect::<Result<Vec<_>, _>>();
    let secrets = secrets.map_err(|right| format!("{}: {right}", path.display()))?;
    if secrets.len() > MOST_SECRETS {
        return Err(format!("{}: {TOO_MANY_SECRETS}", path.display()));
    }
    Ok(secrets)
}

/// An origin as browsers write it: in lower case, and without the default port of its scheme.
fn origin(text: &str) -> Option<String> {
    let (scheme, authority) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let host = Host::read(authority).filter(|_| is_scheme)?;
    let default = match scheme.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    let port = host.port.filter(|port| Some(*port) != default);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{}{port}", host.name.in_url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        for (quantity, text, number) in [
            (&MESSAGE, "64 KiB", Some(65_536)),
            (&MESSAGE, "1MiB", Some(1 << 20)),
            (&MESSAGE, "2048", Some(2048)),
            (&MESSAGE, "64 kB", None),
            (&MESSAGE, "-1", None),
            (&BYTES, "99999999999999999999", None),
            (&BYTES, "17179869184 GiB", None),
            (&LIFETIME, "30d", Some(30 * 86_400)),
            (&LIFETIME, "90 m", Some(5400)),
            (&LIFETIME, "1.5h", None),
            (&CONNECTIONS, "10", Some(10)),
            (&CONNECTIONS, "10 KiB", None),
        ] {
            assert_eq!(quantity.read(text), number, "{text:?}");
        }
    }

    #[test]
    fn origins_are_kept_as_browsers_write_them() {
        for (text, kept) in [
            ("https://App.Example", Some("https://app.example")),
            ("https://app.example:443", Some("https://app.example")),
            ("http://app.example:443", Some("http://app.example:443")),
            ("http://[::1]:3000", Some("http://[::1]:3000")),
            ("capacitor://localhost", Some("capacitor://localhost")),
            ("app.example", None),
            ("https://app.example/", None),
            ("https://*.example", None),
            ("https://", None),
            ("null", None),
            ("*", None),
        ] {
            assert_eq!(origin(text).as_deref(), kept, "{text:?}");
        }
    }
}
