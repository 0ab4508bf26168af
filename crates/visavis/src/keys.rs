//! Every setting there is: one row makes a flag, an environment variable, a key of the file and a line of `--print-config`.

/// One setting.
pub(crate) struct Key {
    /// As a flag and in the file.
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// What stands for the value in the help.
    pub(crate) value: &'static str,
    /// What holds when nobody says otherwise; empty where that is found out at the start.
    pub(crate) default: &'static [&'static str],
    pub(crate) meaning: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    One,
    /// May be given several times; in the environment, separated by spaces or commas.
    Many,
    /// On without a value.
    Switch,
}

impl Key {
    /// The environment variable of the same meaning.
    pub(crate) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_uppercase().replace('-', "_"))
    }
}

/// What the environment variables of this program begin with.
pub(crate) const PREFIX: &str = "VISAVIS_";

const fn key(
    name: &'static str,
    shape: Shape,
    value: &'static str,
    default: &'static [&'static str],
    meaning: &'static str,
) -> Key {
    Key { name, shape, value, default, meaning }
}

/// In the order of the help.
pub(crate) const KEYS: &[Key] = &[
    key(
        "http",
        Shape::Many,
        "ADDR",
        &["[::]:8080"],
        "Address and port for the page, signaling and TURN over TCP, without TLS; `off` for none",
    ),
    key("https", Shape::Many, "ADDR", &["[::]:8443"], "The same over TLS; `off` for none"),
    key(
        "turn",
        Shape::Many,
        "ADDR",
        &["0.0.0.0:3478", "[::]:3478"],
        "STUN and TURN over UDP and TCP; `off` for none",
    ),
    key(
        "admin",
        Shape::One,
        "ADDR",
        &["127.0.0.1:9478"],
        "Address and port of the live view, /healthz, /readyz and /metrics; `off` for none",
    ),
    key(
        "public-ip",
        Shape::Many,
        "PUBLIC[/LOCAL]",
        &[],
        "The address by which others see this server, and the interface address it stands for",
    ),
    key("relay-ports", Shape::One, "A-B", &["49152-65535"], "UDP ports of relayed addresses"),
    key("realm", Shape::One, "NAME", &["visavis"], "The realm of TURN credentials"),
    key(
        "turn-secret-file",
        Shape::One,
        "FILE",
        &[],
        "The secret behind time-limited TURN credentials; without it one is made and kept in the data directory",
    ),
    key(
        "turn-user",
        Shape::Many,
        "NAME:PASSWORD-FILE",
        &[],
        "A lasting TURN account; `NAME:=PASSWORD` in the environment or the file only",
    ),
    key(
        "allow-peer",
        Shape::Many,
        "CIDR",
        &[],
        "Addresses that may be relayed to although they are special, such as 192.168.0.0/16",
    ),
    key(
        "deny-peer",
        Shape::Many,
        "CIDR",
        &[],
        "Addresses that may not be relayed to; the most specific rule wins",
    ),
    key("tls-cert", Shape::One, "FILE", &[], "Certificate chain (PEM); without it a self-signed one is made"),
    key("tls-key", Shape::One, "FILE", &[], "Private key of the certificate (PEM)"),
    key(
        "channel",
        Shape::Many,
        "ID[:SECRET-FILE]",
        &["visavis"],
        "Signaling channel that clients may open, and its secret; more in the file, under [channels.ID]",
    ),
    key("open-channels", Shape::Switch, "", &["false"], "Accept any channel id, made on first use"),
    key(
        "auto-join",
        Shape::Switch,
        "",
        &["false"],
        "Let links with ?join=1 switch camera and microphone on at once (kiosks)",
    ),
    key(
        "data-dir",
        Shape::One,
        "DIR",
        &[],
        "Where secrets, the self-signed certificate and the history are kept; else $STATE_DIRECTORY, else the platform's data directory",
    ),
    key(
        "limit",
        Shape::Many,
        "NAME=NUMBER",
        &[],
        "How much one connection or address may ask for: connections, connections-per-address, new-websockets, requests, messages, bytes, subscriptions",
    ),
    key("limits", Shape::One, "on|off", &["on"], "Rate limits and quotas; `off` for load tests only"),
    key("threads", Shape::One, "N", &[], "Relay shards; else one for each core"),
    key("log", Shape::One, "FILTER", &["info"], "What is logged, such as debug or visavis=debug,info"),
];

/// What can be said about a channel, in a section `[channels.ID]` of the file.
pub(crate) const CHANNEL_KEYS: [&str; 12] = [
    "secret",
    "secrets",
    "secret-file",
    "require-auth",
    "history",
    "history-ttl",
    "history-bytes",
    "origins",
    "public-listing",
    "relay-within-rooms",
    "max-message",
    "max-connections",
];

/// The setting of that name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}
