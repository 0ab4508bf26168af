//! JSON objects, read field by field.
//!
//! A page downloads its reader before it can call anybody: one reader for all messages is far smaller than a
//! derived one for each.

use std::{borrow::Cow, collections::BTreeSet, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::{Error, value::RawValue};

/// The fields of one object, each value still raw. Fields that nobody asks for mean nothing.
#[derive(Clone, Debug)]
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads one object.
    ///
    /// # Errors
    /// It is not JSON, or something else than an object, or a key is no text: half a surrogate pair stands for nothing.
    pub fn read(json: &'a str) -> Result<Self, Error> {
        serde_json::from_str(json)
    }

    /// Reads one object in which no key is there twice: such a one means one thing here and may mean another to who
    /// wrote it.
    ///
    /// # Errors
    /// It is not JSON, something else than an object, or has a key twice.
    pub fn read_strictly(json: &'a str) -> Result<Self, Error> {
        let object = Self::read(json)?;
        let mut known = BTreeSet::new();
        if object.fields().all(|(key, _)| known.insert(key)) {
            Ok(object)
        } else {
            Err(Error::custom("a key is there twice"))
        }
    }

    /// Every field, `null` too, in the order in which they stand.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, value)| (&**key, *value))
    }

    /// A field as it stands, `null` too.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.fields().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// A field that may be missing; `null` says the same.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a RawValue> {
        self.raw(name).filter(|value| value.get() != "null")
    }

    /// A text that may be missing.
    ///
    /// # Errors
    /// It is something else.
    pub fn string(&self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        self.value(name).map(|value| string(value).ok_or_else(wrong_type)).transpose()
    }

    /// A whole number, `true` or `false` that may be missing.
    ///
    /// # Errors
    /// It is something else, or does not fit.
    pub fn plain<T: FromStr>(&self, name: &str) -> Result<Option<T>, Error> {
        self.value(name).map(|value| value.get().parse().map_err(|_| wrong_type())).transpose()
    }

    /// An object that may be missing.
    ///
    /// # Errors
    /// It is something else.
    pub fn object(&self, name: &str) -> Result<Option<Self>, Error> {
        self.value(name).map(|value| Self::read(value.get())).transpose()
    }

    /// An array that may be missing.
    ///
    /// # Errors
    /// It is something else.
    pub fn array(&self, name: &str) -> Result<Option<Vec<&'a RawValue>>, Error> {
        self.value(name).map(|value| serde_json::from_str(value.get())).transpose()
    }
}

/// What a message cannot do without.
pub(crate) fn needed<T>(field: Option<T>) -> Result<T, Error> {
    field.ok_or_else(|| Error::custom("a field is missing"))
}

/// A JSON string, copied only if something in it is escaped.
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let quoted = raw.get();
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

pub(crate) fn wrong_type() -> Error {
    Error::custom("a field has the wrong type")
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields).map(Self)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, value)) = map.next_entry::<&RawValue, _>()? {
            fields.push((string(key).ok_or_else(|| A::Error::custom("a key is no text"))?, value));
        }
        Ok(fields)
    }
}
