//! The settings as texts, layer over layer: flag before environment before file before default.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};

use crate::{
    cli::Flags,
    keys::{self, CHANNEL_KEYS, KEYS, Key, PREFIX, Shape},
};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Environment,
    File(PathBuf),
    Default,
}

/// What was said about one setting, in one place.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) origin: Origin,
    pub(crate) texts: Vec<String>,
}

/// What the file says about one channel, its keys spelt with hyphens.
pub(crate) struct Section {
    pub(crate) id: String,
    pub(crate) table: toml::Table,
    pub(crate) path: PathBuf,
}

impl Section {
    /// One of its keys, for complaints.
    pub(crate) fn place(&self, key: &str) -> String {
        format!("channels.{}.{key} in {}", self.id, self.path.display())
    }
}

/// What holds for every setting.
pub(crate) struct Values {
    given: BTreeMap<&'static str, Given>,
    /// The file's sections about channels.
    pub(crate) channels: Vec<Section>,
    /// Variables that look like ours and are not.
    pub(crate) unknown_variables: Vec<String>,
}

impl Values {
    /// Lays the flags over the environment over the file over the defaults.
    pub(crate) fn collect(
        flags: Flags,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> anyhow::Result<Self> {
        let (environment, from_environment, unknown_variables) = read_environment(environment)?;
        let mut given: BTreeMap<_, _> = KEYS
            .iter()
            .map(|key| {
                let texts = key.default.iter().map(|&text| text.to_owned()).collect();
                (key.name, Given { origin: Origin::Default, texts })
            })
            .collect();
        let mut channels = Vec::new();
        if let Some(path) = flags.config.or(from_environment) {
            let (layer, sections) = read_file(&path)?;
            channels = sections;
            for (name, texts) in layer {
                given.insert(name, Given { origin: Origin::File(path.clone()), texts });
            }
        }
        for (name, texts) in environment {
            given.insert(name, Given { origin: Origin::Environment, texts });
        }
        for (name, texts) in flags.values {
            given.insert(name, Given { origin: Origin::Flag, texts });
        }
        Ok(Self { given, channels, unknown_variables })
    }

    /// What holds for that setting.
    pub(crate) fn of(&self, name: &'static str) -> &Given {
        self.given.get(name).expect("every setting has at least its default")
    }

    /// The complaint that this value of that setting is wrong.
    pub(crate) fn wrong(&self, name: &'static str, text: &str, right: impl fmt::Display) -> anyhow::Error {
        let text = masked(name, text);
        anyhow!("{} {text:?}: {right}", self.place(name))
    }

    /// The setting, named as the person wrote it.
    pub(crate) fn place(&self, name: &'static str) -> String {
        let key = keys::find(name).expect("only settings of the table are asked for");
        match &self.of(name).origin {
            Origin::Flag | Origin::Default => format!("--{name}"),
            Origin::Environment => key.variable(),
            Origin::File(path) => format!("{name} in {}", path.display()),
        }
    }

    /// The settings that hold as a file that could be read again, but for the secrets.
    pub(crate) fn print(&self) -> String {
        let settings = KEYS.iter().map(|key| line(key, self.of(key.name)));
        settings.chain(self.channels.iter().map(section_lines)).collect()
    }
}

type Layer = BTreeMap<&'static str, Vec<String>>;

fn read_environment(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<(Layer, Option<PathBuf>, Vec<String>)> {
    let mut layer = Layer::new();
    let mut config = None;
    let mut unknown = Vec::new();
    for (variable, value) in environment {
        let Some(variable) = variable.to_str().filter(|variable| variable.starts_with(PREFIX)) else {
            continue;
        };
        if variable == "VISAVIS_CONFIG" {
            config = Some(PathBuf::from(value));
            continue;
        }
        let Some(key) = KEYS.iter().find(|key| key.variable() == variable) else {
            unknown.push(variable.to_owned());
            continue;
        };
        let value = value.into_string().map_err(|_| anyhow!("{variable}: not valid UTF-8"))?;
        layer.insert(key.name, split(key, &value));
    }
    Ok((layer, config, unknown))
}

/// A list in the environment is separated by spaces or commas; a password may contain a comma.
fn split(key: &Key, value: &str) -> Vec<String> {
    if key.shape != Shape::Many {
        return vec![value.to_owned()];
    }
    let separates = |c: char| c.is_whitespace() || (c == ',' && key.name != "turn-user");
    value.split(separates).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

fn read_file(path: &Path) -> anyhow::Result<(Layer, Vec<Section>)> {
    let text =
        fs::read_to_string(path).with_context(|| format!("--config {:?}", path.display().to_string()))?;
    let mut table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().map_or("", |span| &text[..span.start.min(text.len())]);
        let line = before.lines().count().max(1);
        anyhow!("{}, line {line}: {}", path.display(), error.message().replace('\n', "; "))
    })?;
    let sections = table.remove("channels").map_or(Ok(Vec::new()), |channels| sections(channels, path))?;
    let mut layer = Layer::new();
    for (name, value) in table {
        let Some(key) = keys::find(&name) else {
            let known: Vec<_> = KEYS.iter().map(|key| key.name).collect();
            bail!("{name:?} in {}: there is no such key; there are {}", path.display(), known.join(", "));
        };
        layer.insert(
            key.name,
            texts(key, value).map_err(|right| anyhow!("{name} in {}: {right}", path.display()))?,
        );
    }
    Ok((layer, sections))
}

fn sections(channels: toml::Value, path: &Path) -> anyhow::Result<Vec<Section>> {
    let expected =
        |what: &str| anyhow!("{what} in {}: expected sections such as [channels.chat]", path.display());
    let toml::Value::Table(channels) = channels else { bail!(expected("channels")) };
    let section = |(id, value): (String, toml::Value)| {
        let toml::Value::Table(table) = value else { bail!(expected(&format!("channels.{id}"))) };
        let mut section = Section { id, table: toml::Table::new(), path: path.to_owned() };
        for (key, value) in table {
            let spelt = key.replace('_', "-");
            if section.table.insert(spelt, value).is_some() {
                bail!("{}: spelt in two ways, given twice", section.place(&key));
            }
        }
        Ok(section)
    };
    channels.into_iter().map(section).collect()
}

/// The value of a file's key as the texts that flags would have been.
fn texts(key: &Key, value: toml::Value) -> Result<Vec<String>, String> {
    match (key.shape, value) {
        (Shape::Many, toml::Value::Array(values)) => {
            values.into_iter().map(|value| scalar(value).ok_or_else(|| expected(key))).collect()
        }
        (Shape::Switch, toml::Value::Boolean(on)) => Ok(vec![on.to_string()]),
        (Shape::Switch, _) => Err(expected(key)),
        (_, value) => scalar(value).map(|text| vec![text]).ok_or_else(|| expected(key)),
    }
}

fn scalar(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

fn expected(key: &Key) -> String {
    match key.shape {
        Shape::One => format!("expected one text, such as {} = \"{}\"", key.name, key.value),
        Shape::Many => format!("expected a list of texts, such as {} = [\"{}\"]", key.name, key.value),
        Shape::Switch => "expected true or false".to_owned(),
    }
}

fn line(key: &Key, given: &Given) -> String {
    let origin = match &given.origin {
        Origin::Flag => "flag".to_owned(),
        Origin::Environment => key.variable(),
        Origin::File(path) => path.display().to_string(),
        Origin::Default => "default".to_owned(),
    };
    let quoted = |text: &String| toml::Value::String(masked(key.name, text)).to_string();
    match (key.shape, given.texts.as_slice()) {
        (Shape::One, []) => format!("# {} is not set\n", key.name),
        (Shape::Switch, [text]) => format!("{} = {text} # {origin}\n", key.name),
        (Shape::One, [text]) => format!("{} = {} # {origin}\n", key.name, quoted(text)),
        (_, texts) => {
            format!(
                "{} = [{}] # {origin}\n",
                key.name,
                texts.iter().map(quoted).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

fn section_lines(section: &Section) -> String {
    let known = CHANNEL_KEYS.iter().filter_map(|&key| Some((key, section.table.get(key)?)));
    let lines = known.map(|(key, value)| match key {
        "secret" => format!("{key} = \"***\"\n"),
        "secrets" => format!("{key} = [\"***\"]\n"),
        _ => format!("{key} = {value}\n"),
    });
    let head = format!("\n[channels.{}] # {}\n", section.id, section.path.display());
    std::iter::once(head).chain(lines).collect()
}

/// The text without the password that may stand in it.
fn masked(name: &str, text: &str) -> String {
    match text.split_once(":=") {
        Some((account, _)) if matches!(name, "turn-user" | "channel") => format!("{account}:=***"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(name: &'static str, text: &str) -> Flags {
        Flags { values: [(name, vec![text.to_owned()])].into(), ..Flags::default() }
    }

    fn environment(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn a_flag_goes_before_the_environment() {
        let values =
            Values::collect(flags("realm", "flag"), environment(&[("VISAVIS_REALM", "variable")])).unwrap();
        assert_eq!(values.of("realm").texts, ["flag"]);
    }

    #[test]
    fn lists_in_the_environment_are_separated_by_spaces_or_commas() {
        let environment =
            environment(&[("VISAVIS_HTTP", "a:1, b:2 c:3"), ("VISAVIS_TURN_USER", "ann:=p,w bob:=x")]);
        let values = Values::collect(Flags::default(), environment).unwrap();
        assert_eq!(values.of("http").texts, ["a:1", "b:2", "c:3"]);
        assert_eq!(values.of("turn-user").texts, ["ann:=p,w", "bob:=x"]);
    }

    #[test]
    fn passwords_are_masked_wherever_values_are_shown() {
        let environment = environment(&[("VISAVIS_TURN_USER", "ann:=hunter2")]);
        let values = Values::collect(Flags::default(), environment).unwrap();
        assert!(!values.print().contains("hunter2"));
        assert!(!values.wrong("turn-user", "ann:=hunter2", "no").to_string().contains("hunter2"));
    }

    #[test]
    fn what_is_printed_can_be_read_again() {
        let values = Values::collect(flags("realm", "a \"b\""), []).unwrap();
        let table: toml::Table = values.print().parse().unwrap();
        assert_eq!(table["realm"].as_str(), Some("a \"b\""));
    }

    #[test]
    fn a_variable_that_only_looks_like_ours_is_reported() {
        let values = Values::collect(Flags::default(), environment(&[("VISAVIS_HTPP", "x")])).unwrap();
        assert_eq!(values.unknown_variables, ["VISAVIS_HTPP"]);
    }
}
