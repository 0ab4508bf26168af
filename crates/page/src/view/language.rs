//! Which language is shown, and the switch between them.

use super::element::{View, button, el};
use crate::{
    browser::{document, storage},
    signals::*,
};

/// The words of one language, as one program has them.
pub(crate) trait Words: Sync + 'static {
    /// Every language, in the order of the switch.
    const ALL: &'static [&'static Self];

    /// BCP 47 tag.
    fn tag(&self) -> &'static str;

    /// What the language calls itself.
    fn language(&self) -> &'static str;
}

const STORED: &str = "lang";

/// The language that the address asks for, else the one chosen before, else the browser's first that is here.
pub(crate) fn wanted<W: Words>(asked: Option<String>) -> &'static W {
    let wanted = asked.into_iter().chain(storage::read(STORED)).chain(document::languages());
    wanted.into_iter().find_map(|tag| named(&tag)).unwrap_or(W::ALL[0])
}

/// The language with that tag, `zh-CN` counting as `zh`.
fn named<W: Words>(tag: &str) -> Option<&'static W> {
    let tag = tag.to_ascii_lowercase();
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    W::ALL.iter().copied().find(|words| words.tag() == primary)
}

/// Buttons that change the language and remember it.
pub(crate) fn switch<W: Words>(current: RwSignal<&'static W>, label: &str) -> View {
    let choice = |words: &'static W| {
        button("language")
            .attr("lang", words.tag())
            .attr_of(
                "aria-pressed",
                move || if current.get().tag() == words.tag() { "true" } else { "false" },
            )
            .on_click(move || {
                storage::write(STORED, words.tag());
                current.set(words);
            })
            .text(words.language())
    };
    el("div", "languages")
        .attr("role", "group")
        .attr("aria-label", label)
        .children(W::ALL.iter().copied().map(choice))
}
