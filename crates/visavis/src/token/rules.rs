//! The permissions of a token: rooms as regular expressions, and what may be done in those that match.
//!
//! Expressions come from whoever signs tokens and names from whoever asks, so that both may be hostile: everything
//! here is bounded, and runs where it keeps nobody else waiting.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use fancy_regex::{Regex, RegexBuilder};
use rustix::time::{ClockId, clock_gettime};
use visavis_hub::Permission;
use visavis_signal::Object;

/// Rules of one token.
const RULES: usize = 64;
/// Bytes of one expression.
const PATTERN: usize = 1024;
/// How often one expression may go back and try another way in one name.
const STEPS: usize = 10_000;
/// Bytes that one expression may become, and as much while it is being matched.
const COMPILED: usize = 1024 * 1024;
/// How long all rules of a token may work on one name. Waiting for a busy machine does not count.
const PATIENCE: Duration = Duration::from_secs(1);

/// The rules of one token.
pub(crate) struct Rules {
    rules: Vec<Rule>,
    /// One of them took too long over some name. From then on they permit nothing more.
    spoilt: AtomicBool,
}

/// What may be done in rooms whose name matches. What is not said is neither allowed nor denied.
struct Rule {
    pattern: String,
    publish: Option<bool>,
    subscribe: Option<bool>,
    history: Option<usize>,
}

/// A rule took too long, or is no expression.
struct Undecidable;

impl Rules {
    /// Reads the claim; none if it is something else, or too much.
    pub(super) fn read(permissions: &str) -> Option<Self> {
        let permissions = Object::read_strictly(permissions).ok()?;
        let fields = permissions.fields();
        if fields.len() > RULES {
            return None;
        }
        let rules = fields.map(|(pattern, what)| Rule::read(&pattern, what.get())).collect::<Option<_>>()?;
        Some(Self { rules, spoilt: AtomicBool::new(false) })
    }

    /// Whether each is an expression that can be matched. Takes long.
    pub(super) fn are_sound(&self) -> bool {
        self.rules.iter().all(|rule| rule.compile().is_ok())
    }

    /// What they permit in a room: what some rule that matches allows and none denies. Takes long.
    pub(super) fn permission(&self, room: &str) -> Permission {
        let matching =
            if self.spoilt.load(Ordering::Relaxed) { Err(Undecidable) } else { self.matching(room) };
        let Ok(matching) = matching else {
            self.spoilt.store(true, Ordering::Relaxed);
            return Permission::default();
        };
        let all = |of: fn(&Rule) -> Option<bool>| {
            let mut said = matching.iter().filter_map(|rule| of(rule)).peekable();
            said.peek().is_some() && said.all(|allows| allows)
        };
        let history = matching.iter().filter_map(|rule| rule.history);
        Permission {
            publish: all(|rule| rule.publish),
            subscribe: all(|rule| rule.subscribe),
            history: history.min().unwrap_or(0),
        }
    }

    fn matching(&self, room: &str) -> Result<Vec<&Rule>, Undecidable> {
        let started = worked();
        let mut matching = Vec::new();
        for rule in &self.rules {
            if rule.matches(room)? {
                matching.push(rule);
            }
            if worked().saturating_sub(started) > PATIENCE {
                return Err(Undecidable);
            }
        }
        Ok(matching)
    }
}

/// For how long this thread has worked so far.
fn worked() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

impl Rule {
    fn read(pattern: &str, what: &str) -> Option<Self> {
        let what = Object::read_strictly(what).ok()?;
        let fits = pattern.len() <= PATTERN;
        fits.then_some(Self {
            pattern: pattern.to_owned(),
            publish: what.plain("publish").ok()?,
            subscribe: what.plain("subscribe").ok()?,
            history: what.plain("history").ok()?,
        })
    }

    /// Compiled for each name anew: an idle connection keeps no more than the text.
    fn compile(&self) -> Result<Regex, Undecidable> {
        let mut builder = RegexBuilder::new(&self.pattern);
        builder.backtrack_limit(STEPS).delegate_size_limit(COMPILED).delegate_dfa_size_limit(COMPILED);
        builder.build().map_err(|_| Undecidable)
    }

    fn matches(&self, room: &str) -> Result<bool, Undecidable> {
        self.compile()?.is_match(room).map_err(|_| Undecidable)
    }
}
