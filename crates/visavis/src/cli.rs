//! The command line: `visavis [serve] [FLAGS]`.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use anyhow::anyhow;
use clap::{
    Arg, ArgAction, Command,
    builder::{PossibleValuesParser, StyledStr},
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::keys::{KEYS, Key, Shape};

/// What the command line said.
pub(crate) enum Said {
    /// To run, or to print what would hold.
    Run(Flags),
    /// Only this text was asked for.
    Text(String),
}

/// The flags as they were given.
#[derive(Default)]
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
            None => format!("there is no flag {argument}; `visavis --help` lists them"),
        },
        ErrorKind::InvalidValue => match context(ContextKind::InvalidValue).filter(|value| !value.is_empty())
        {
            Some(value) => format!("there is no command {value:?}; the only one is `serve`"),
            None => format!("{argument}: a value is missing"),
        },
        ErrorKind::ArgumentConflict => format!("{argument}: given more than once"),
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_settings_makes_a_sound_command() {
        command().debug_assert();
    }
}
