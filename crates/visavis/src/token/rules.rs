//! The permissions of a token: rooms as regular expressions, and what may be done in those that match.
//!
//! Expressions come from whoever signs tokens and names from whoever asks, so that both may be hostile: everything
//! here is bounded, and runs where it keeps nobody else waiting.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use fancy_regex::{Expr, Regex, RegexBuilder};
use rustix::time::{ClockId, clock_gettime};
use visavis_hub::Permission;
use visavis_signal::Object;

/// Rules of one token.
const RULES: usize = 64;
/// Bytes of one expression.
const PATTERN: usize = 1024;
/// How often an expression may go back and try another way in one name, if its parts become so many bytes at most:
/// each time may take the longer the more there are. Nothing can be interrupted, so this bounds the time. Divided by
/// what may be done without going back.
const STEPS: [(usize, usize); 4] =
    [(16 * KIB, 10_000), (64 * KIB, 1_000), (256 * KIB, 200), (1024 * KIB, 20)];
/// Bytes that an expression may become which never goes back.
const PLAIN: usize = 4096 * KIB;
/// Bytes of memory that one part of an expression may take while it is being matched.
const MATCHING: usize = 1024 * KIB;
const KIB: usize = 1024;
/// How long all rules of a token may work on one name before the next has its turn, or become expressions. Waiting for
/// a busy machine does not count.
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
        let rules = fields.map(|(pattern, what)| Rule::read(pattern, what.get())).collect::<Option<_>>()?;
        Some(Self { rules, spoilt: AtomicBool::new(false) })
    }

    /// Whether each is an expression that can be matched. Takes long.
    pub(super) fn are_sound(&self) -> bool {
        let started = worked();
        self.rules.iter().all(|rule| rule.compile().is_ok() && is_patient(started))
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
            if !is_patient(started) {
                return Err(Undecidable);
            }
        }
        Ok(matching)
    }
}

fn is_patient(started: Duration) -> bool {
    worked().saturating_sub(started) <= PATIENCE
}

/// For how long this thread has worked so far.
pub(super) fn worked() -> Duration {
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
        let tree = Expr::parse_tree(&self.pattern).map_err(|_| Undecidable)?;
        let work = work(&tree.expr).ok_or(Undecidable)?.max(1);
        let bounds =
            STEPS.into_iter().map(|(size, steps)| (size, steps / work)).filter(|(_, steps)| *steps > 0);
        let plain = (!tree.expr.has_descendant_or_self(goes_back)).then_some((PLAIN, 0));
        bounds.chain(plain).find_map(|(size, steps)| self.compile_within(size, steps)).ok_or(Undecidable)
    }

    fn compile_within(&self, size: usize, steps: usize) -> Option<Regex> {
        let mut builder = RegexBuilder::new(&self.pattern);
        builder.backtrack_limit(steps).delegate_size_limit(size).delegate_dfa_size_limit(MATCHING);
        builder.build().ok()
    }

    fn matches(&self, room: &str) -> Result<bool, Undecidable> {
        self.compile()?.is_match(room).map_err(|_| Undecidable)
    }
}

/// Whether matching may have to go back for this part, of those that have a [`work`].
fn goes_back(part: &Expr) -> bool {
    matches!(part, Expr::Backref { .. } | Expr::LookAround(..) | Expr::AtomicGroup(_))
}

/// How many parts may be matched one after the other without going back: counted loops do not. None for what no
/// expression of Perl's needs to name rooms, and what can do without end: calls of parts, verbs, and the like.
fn work(part: &Expr) -> Option<usize> {
    let within =
        || part.children_iter().try_fold(0_usize, |sum, child| Some(sum.saturating_add(work(child)?)));
    Some(match part {
        Expr::Empty
        | Expr::Any { .. }
        | Expr::Assertion(_)
        | Expr::Literal { .. }
        | Expr::Delegate { .. } => 0,
        Expr::Concat(_) | Expr::Alt(_) => within()?,
        Expr::Backref { .. } => 1,
        Expr::Group(_) | Expr::LookAround(..) | Expr::AtomicGroup(_) => within()?.saturating_add(1),
        Expr::Repeat { lo: 0 | 1, .. } => within()?,
        Expr::Repeat { lo, .. } => within()?.max(1).saturating_mul(*lo),
        _ => return None,
    })
}
