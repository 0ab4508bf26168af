//! All words of the live view. A language is one table: a missing text does not compile.

mod en;
mod zh;

use crate::{language::Words, signals::*};

/// The words of one language.
pub(crate) struct Text {
    /// BCP 47 tag.
    pub(crate) tag: &'static str,
    /// What the language calls itself.
    pub(crate) language: &'static str,
    pub(crate) languages: &'static str,
    pub(crate) title: &'static str,

    pub(crate) loading: &'static str,
    pub(crate) serving: &'static str,
    pub(crate) ending: &'static str,
    pub(crate) lost: &'static str,
    pub(crate) up: fn(&str) -> String,

    pub(crate) connections: &'static str,
    pub(crate) websockets: fn(&str) -> String,
    pub(crate) clients: &'static str,
    pub(crate) in_channels: fn(&str, u64) -> String,
    pub(crate) rooms: &'static str,
    pub(crate) members: fn(&str, u64) -> String,
    pub(crate) messages: &'static str,
    pub(crate) delivered: fn(&str) -> String,
    pub(crate) relayed: &'static str,
    pub(crate) allocations: fn(&str, u64) -> String,

    pub(crate) chart: &'static str,
    pub(crate) chart_most: fn(&str) -> String,
    pub(crate) room: &'static str,
    pub(crate) channel: &'static str,
    pub(crate) member_count: &'static str,
    pub(crate) largest: fn(&str, &str) -> String,
    pub(crate) nobody: &'static str,
    pub(crate) everybody_left: &'static str,
    pub(crate) away: &'static str,
    pub(crate) further: fn(&str) -> String,
    pub(crate) channels: &'static str,
    pub(crate) errors: &'static str,
    pub(crate) no_errors: &'static str,
    pub(crate) ago: fn(&str) -> String,
    /// Where something went wrong: the server's word for it, and that of the language.
    pub(crate) sources: [(&'static str, &'static str); 7],
    /// What went wrong, where the server names it by a word; other texts are shown as they are.
    pub(crate) troubles: [(&'static str, &'static str); 9],

    pub(crate) seconds: fn(u64) -> String,
    pub(crate) minutes: fn(u64) -> String,
    pub(crate) hours: fn(u64, u64) -> String,
    pub(crate) days: fn(u64, u64) -> String,
}

impl Text {
    /// The word for where something went wrong.
    pub(crate) fn source(&self, word: &str) -> String {
        said(&self.sources, word)
    }

    /// The words for what went wrong.
    pub(crate) fn trouble(&self, word: &str) -> String {
        said(&self.troubles, word)
    }
}

fn said(table: &[(&str, &str)], word: &str) -> String {
    table.iter().find(|(known, _)| *known == word).map_or(word, |(_, said)| said).to_owned()
}

impl Words for Text {
    const ALL: &'static [&'static Self] = &[&en::TEXT, &zh::TEXT];

    fn tag(&self) -> &'static str {
        self.tag
    }

    fn language(&self) -> &'static str {
        self.language
    }
}

/// The words to use in a view.
pub(crate) fn words() -> &'static Text {
    expect_context::<&'static Text>()
}
