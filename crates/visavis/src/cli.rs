//! The command line: `visavis [serve] [FLAGS]`, and the small commands beside it.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use anyhow::anyhow;
use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::{PossibleValuesParser, StyledStr},
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    keys::{KEYS, Key, Shape},
    make::{Make, TokenWishes},
};

/// What the command line said.
pub(crate) enum Said {
    /// To run, or to print what would hold.
    Run(Flags),
    /// To make something and print it. The flags say where the server's settings are.
    Make(Make, Flags),
    /// Only this text was asked for.
    Text(String),
}

/// The flags as they were given.
#[derive(Clone, Default)]
pub(crate) struct Flags {
    pub(crate) config: Option<PathBuf>,
    pub(crate) print_config: bool,
    pub(crate) values: BTreeMap<&'static str, Vec<String>>,
}

/// Reads the command line, the program's name in front.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Said> {
    let mut matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Said::Text(error.to_string()));
        }
        Err(error) => return Err(anyhow!(one_line(&error))),
    };
    if let Some((name, mut matches)) = matches.remove_subcommand() {
        return Ok(made(&name, &mut matches));
    }
    let mut flags = Flags {
        config: matches.remove_one::<String>("config").map(PathBuf::from),
        print_config: matches.get_flag("print-config"),
        values: BTreeMap::new(),
    };
    for key in KEYS {
        if let Some(values) = matches.remove_many::<String>(key.name) {
            flags.values.insert(key.name, values.collect());
        }
    }
    Ok(Said::Run(flags))
}

fn made(name: &str, matches: &mut ArgMatches) -> Said {
    let mut flags = Flags::default();
    if name == "channel" {
        let mut new = matches.remove_subcommand().map(|(_, matches)| matches).expect("clap requires it");
        return Said::Make(Make::Channel { id: new.remove_one("id") }, flags);
    }
    let mut text = |name| matches.remove_one::<String>(name);
    flags.config = text("config").map(PathBuf::from);
    let mut set = |name, value: Option<String>| {
        flags.values.extend(value.map(|value| (name, vec![value])));
    };
    let ttl = text("ttl").expect("has a default");
    if name == "token" {
        let channel = text("channel").expect("clap requires it");
        set("channel", text("secret-file").map(|file| format!("{channel}:{file}")));
        let (client, permissions) = (text("client"), text("permissions").expect("has a default"));
        return Said::Make(
            Make::Token(TokenWishes { channel, client, permissions, data: text("data"), ttl }),
            flags,
        );
    }
    set("turn-secret-file", text("turn-secret-file"));
    set("data-dir", text("data-dir"));
    Said::Make(Make::TurnCredential { name: text("name").expect("has a default"), ttl }, flags)
}

fn command() -> Command {
    Command::new("visavis")
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .after_help(
            "Each flag is also an environment variable (--relay-ports: VISAVIS_RELAY_PORTS) and a key of the file\n\
             (relay-ports = \"50000-50999\"). A flag goes before the environment, the environment before the file.",
        )
        .arg(Arg::new("serve").value_parser(PossibleValuesParser::new(["serve"])).help("Run the server, as without it"))
        .arg(Arg::new("config").long("config").value_name("FILE").help("Read settings from this file (TOML)"))
        .arg(
            Arg::new("print-config")
                .long("print-config")
                .action(ArgAction::SetTrue)
                .help("Print the settings that hold, secrets masked, and end"),
        )
        .args(KEYS.iter().map(argument))
        .subcommand_help_heading("Others")
        .subcommands([channel_command(), token_command(), turn_credential_command()])
        .disable_help_subcommand(true)
}

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn config_option() -> Arg {
    option("config", "FILE", "The server's settings (TOML)")
}

fn ttl_option(default: &'static str) -> Arg {
    option("ttl", "TIME", "How long it is good, such as 90s, 3m or 12h").default_value(default)
}

fn channel_command() -> Command {
    let id = Arg::new("id").value_name("ID").help("Its id; a random one if none is given");
    let new =
        Command::new("new").about("Print a new channel with a secret, for the configuration file").arg(id);
    Command::new("channel").about("Channels of applications").subcommand_required(true).subcommand(new)
}

fn token_command() -> Command {
    Command::new("token")
        .about("Print a token (JWT) that a client of a channel shows")
        .arg(option("channel", "ID", "The channel").required(true))
        .arg(option("client", "CLIENT-ID", "The client's id on its connection; none for REST"))
        .arg(
            option("permissions", "JSON", "What is permitted where, rooms as regular expressions")
                .default_value(r#"{".*":{"publish":true,"subscribe":true,"history":100}}"#),
        )
        .arg(option("data", "JSON", "What the other members are told about the client"))
        .arg(ttl_option("3m"))
        .arg(option("secret-file", "FILE", "The channel's secret; else it is taken from the settings"))
        .arg(config_option())
}

fn turn_credential_command() -> Command {
    Command::new("turn-credential")
        .about("Print a name and a password for TURN that end by themselves, as JSON")
        .arg(option("name", "NAME", "What the name ends with").default_value("visavis"))
        .arg(ttl_option("12h"))
        .arg(option("turn-secret-file", "FILE", "The secret that the server shares with other programs"))
        .arg(option("data-dir", "DIR", "Where the server keeps its secret, if it has made one itself"))
        .arg(config_option())
}

fn argument(key: &'static Key) -> Arg {
    let argument = Arg::new(key.name).long(key.name).help(help(key));
    match key.shape {
        Shape::One => argument.value_name(key.value).action(ArgAction::Set),
        Shape::Many => argument.value_name(key.value).action(ArgAction::Append),
        Shape::Switch => argument
            .value_name("true|false")
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
    }
}

fn help(key: &Key) -> StyledStr {
    let default = if key.default.is_empty() || key.shape == Shape::Switch {
        String::new()
    } else {
        format!(" [default: {}]", key.default.join(" "))
    };
    let many = if key.shape == Shape::Many { " (repeatable)" } else { "" };
    format!("{}{many}{default}", key.meaning).into()
}

/// What clap found wrong, as one line.
fn one_line(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.escape_debug().to_string()),
        Some(ContextValue::Strings(texts)) => texts.first().map(|text| text.escape_debug().to_string()),
        _ => None,
    };
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => match context(ContextKind::SuggestedArg) {
            Some(similar) => {
                format!("there is no flag {argument}; did you mean {similar}? `visavis --help` lists them")
            }
            None if argument.starts_with('-') => {
                format!("there is no flag {argument}; `visavis --help` lists them")
            }
            None => format!("{argument:?} is one word too many; `visavis --help` shows what is understood"),
        },
        ErrorKind::InvalidValue => match context(ContextKind::InvalidValue).filter(|value| !value.is_empty())
        {
            Some(value) => no_command(&value),
            None => format!("{argument}: a value is missing"),
        },
        ErrorKind::InvalidSubcommand => {
            no_command(&context(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::MissingSubcommand => "expected `channel new`".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("{argument} is missing"),
        ErrorKind::ArgumentConflict => format!("{argument}: given more than once"),
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        }
    }
}

fn no_command(name: &str) -> String {
    format!("there is no command {name:?}; there are `serve`, `channel new`, `token` and `turn-credential`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_settings_makes_a_sound_command() {
        command().debug_assert();
    }
}
