//! `--limit NAME=NUMBER`: how much one connection, one address and all together may ask of this server.

use visavis_hub::Rate;

/// How many seconds' worth may come at once.
const BURST: u32 = 10;

/// How much may be asked of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quotas {
    /// Open connections in all.
    pub(crate) connections: usize,
    /// Open connections from one address.
    pub(crate) connections_per_address: PerAddress<usize>,
    /// New WebSockets from one address.
    pub(crate) new_websockets: PerAddress<Rate>,
    /// REST requests from one address.
    pub(crate) requests: PerAddress<Rate>,
    /// Signaling messages on one connection.
    pub(crate) messages: Rate,
    /// Bytes on one signaling connection.
    pub(crate) bytes: Rate,
    /// Rooms that one client is in.
    pub(crate) subscriptions: usize,
}

/// What one IPv4 address or one IPv6 /64 may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PerAddress<T> {
    pub(crate) share: T,
    /// Nobody has set it: then this computer has none, since a proxy on it speaks for everybody.
    pub(crate) by_default: bool,
}

/// The names that a limit can have, and what holds by default.
const NAMES: [(&str, u32); 7] = [
    ("connections", 20_000),
    ("connections-per-address", 512),
    ("new-websockets", 40),
    ("requests", 50),
    ("messages", 100),
    ("bytes", 2 * 1024 * 1024),
    ("subscriptions", 64),
];

impl Quotas {
    /// What was set, over what holds by default; nothing is limited where limits are off.
    pub(crate) fn new(on: bool, set: &[(&'static str, u32)]) -> Self {
        let of = |name: &str| {
            let given = set.iter().rev().find(|(given, _)| *given == name).map(|(_, number)| *number);
            let default = NAMES.iter().find(|(known, _)| *known == name).map_or(u32::MAX, |(_, most)| *most);
            (given.unwrap_or(default), given.is_none())
        };
        let count = |name| if on { of(name).0 as usize } else { usize::MAX };
        let rate = |name| if on { per_second(of(name).0) } else { Rate::OFF };
        let by_default = |name| of(name).1;
        Self {
            connections: count("connections"),
            connections_per_address: PerAddress {
                share: count("connections-per-address"),
                by_default: by_default("connections-per-address"),
            },
            new_websockets: PerAddress {
                share: rate("new-websockets"),
                by_default: by_default("new-websockets"),
            },
            requests: PerAddress { share: rate("requests"), by_default: by_default("requests") },
            messages: rate("messages"),
            bytes: rate("bytes"),
            subscriptions: count("subscriptions"),
        }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self::new(true, &[])
    }
}

fn per_second(number: u32) -> Rate {
    Rate::new(number.saturating_mul(BURST), number)
}

/// One `NAME=NUMBER`.
pub(super) fn limit(text: &str) -> Result<(&'static str, u32), String> {
    let known = || NAMES.map(|(name, most)| format!("{name}={most}")).join(", ");
    let right = || format!("expected a name and a number from 1 to 1000000000; by default {}", known());
    let (name, number) = text.split_once('=').ok_or_else(right)?;
    let (name, _) = NAMES.into_iter().find(|(known, _)| *known == name.trim()).ok_or_else(right)?;
    match number.trim().parse() {
        Ok(number @ 1..=1_000_000_000) => Ok((name, number)),
        _ => Err(right()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_holds_and_the_rest_is_as_by_default() {
        let quotas = Quotas::new(true, &[limit("messages=7").unwrap(), limit("requests = 2").unwrap()]);
        assert_eq!(quotas.messages, Rate::new(70, 7));
        assert_eq!(quotas.requests, PerAddress { share: Rate::new(20, 2), by_default: false });
        assert_eq!(Quotas { messages: Quotas::default().messages, ..quotas }.subscriptions, 64);
        assert_eq!(Quotas::new(false, &[limit("messages=7").unwrap()]).messages, Rate::OFF);
    }

    #[test]
    fn a_wrong_limit_is_told_what_would_be_right() {
        for text in ["messages", "speed=1", "messages=0", "messages=-1", "messages=many", "=1"] {
            assert!(limit(text).unwrap_err().contains("messages=100"), "{text}");
        }
    }
}
