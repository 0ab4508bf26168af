//! JSON objects of tokens, read strictly: a key that is there twice could mean one thing here and another to who
//! signed it.

use std::{borrow::Cow, collections::BTreeMap, fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use visavis_signal::Refusal;

/// Above this a time is in milliseconds: in seconds it would be the year 5138.
const SECONDS_AT_MOST: f64 = 1e11;
/// Later than this is no time that anybody means, in seconds.
const END_OF_TIME: f64 = 1e13;

/// The fields of an object, each still raw. A field that is `null` is not there.
pub(super) struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    /// Reads an object, and nothing else.
    pub(super) fn read(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// Every field, `null` too.
    pub(super) fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.get()))
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|value| value.get()).filter(|value| *value != "null")
    }

    /// Unless it is something else.
    pub(super) fn string(&self, key: &str) -> Result<Option<Cow<'a, str>>, Refusal> {
        let read = |value| serde_json::from_str::<String>(value).map(Cow::Owned);
        self.value(key).map(read).transpose().map_err(|_| Refusal::BadToken)
    }

    /// `true`, `false` or a whole number that is not negative, unless it is something else.
    pub(super) fn plain<T: std::str::FromStr>(&self, key: &str) -> Result<Option<T>, T::Err> {
        self.value(key).map(str::parse).transpose()
    }

    /// A time since 1970, in seconds or milliseconds.
    pub(super) fn time(&self, key: &str) -> Result<Option<Duration>, Refusal> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number: f64 = serde_json::from_str(value).map_err(|_| Refusal::BadToken)?;
        let seconds = if number > SECONDS_AT_MOST { number / 1000.0 } else { number };
        let sane = (0.0..=END_OF_TIME).contains(&seconds);
        if sane { Ok(Some(Duration::from_secs_f64(seconds))) } else { Err(Refusal::BadToken) }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields).map(Self)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = BTreeMap<String, &'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((key, value)) = map.next_entry()? {
            if fields.insert(key, value).is_some() {
                return Err(A::Error::custom("a key is there twice"));
            }
        }
        Ok(fields)
    }
}
