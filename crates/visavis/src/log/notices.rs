//! The last warnings and errors, for the person who looks at the live view.

use std::{
    collections::VecDeque,
    fmt::{self, Write as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// How many are kept.
const MOST: usize = 20;
/// Characters of one.
const LONGEST: usize = 300;

/// What was logged as a warning or an error: the last of it, and how much in all.
#[derive(Default)]
pub(crate) struct Notices(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    last: VecDeque<Notice>,
    counts: Logged,
}

/// How much was logged since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) warnings: u64,
    pub(crate) errors: u64,
}

/// Something that was logged, perhaps several times in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) is_error: bool,
    pub(crate) text: String,
    pub(crate) count: u64,
    /// When it was logged last, in Unix seconds.
    pub(crate) last: u64,
}

impl Notices {
    /// The last of them, in the order in which they came.
    pub(crate) fn last(&self) -> Vec<Notice> {
        self.lock().last.iter().cloned().collect()
    }

    /// How much was logged.
    pub(crate) fn counts(&self) -> Logged {
        self.lock().counts
    }

    fn add(&self, is_error: bool, text: String, unix_time: u64) {
        let mut kept = self.lock();
        let Kept { last, counts } = &mut *kept;
        let count = if is_error { &mut counts.errors } else { &mut counts.warnings };
        *count += 1;
        if let Some(notice) = last.back_mut()
            && notice.text == text
        {
            notice.count += 1;
            notice.last = unix_time;
            return;
        }
        if last.len() == MOST {
            last.pop_front();
        }
        last.push_back(Notice { is_error, text, count: 1, last: unix_time });
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts what is logged into `notices`.
pub(super) fn layer<S: Subscriber>(notices: Arc<Notices>) -> impl Layer<S> {
    Keeper(notices)
}

struct Keeper(Arc<Notices>);

impl<S: Subscriber> Layer<S> for Keeper {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let unix_time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.0.add(*event.metadata().level() == Level::ERROR, words.text(), unix_time);
    }
}

/// An event as one text: the message, then its fields.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Words {
    fn text(self) -> String {
        let text = self.message + &self.fields;
        text.chars()
            .map(|character| if character.is_control() { ' ' } else { character })
            .take(LONGEST)
            .collect()
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
        written.expect("writing into a text cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn notices(log: impl FnOnce()) -> Arc<Notices> {
        let notices = Arc::new(Notices::default());
        let subscriber = tracing_subscriber::registry().with(layer(Arc::clone(&notices)));
        tracing::subscriber::with_default(subscriber, log);
        notices
    }

    #[test]
    fn what_is_said_again_is_counted_and_not_repeated() {
        let notices = notices(|| {
            tracing::error!(shard = 1, "it broke");
            tracing::error!(shard = 1, "it broke");
            tracing::warn!("it creaks\n");
        });
        let shown: Vec<_> =
            notices.last().into_iter().map(|one| (one.is_error, one.text, one.count)).collect();
        assert_eq!(shown, [(true, "it broke shard=1".to_owned(), 2), (false, "it creaks ".to_owned(), 1)]);
        assert_eq!(notices.counts(), Logged { warnings: 1, errors: 2 });
    }

    #[test]
    fn the_last_ones_are_kept_and_none_is_long() {
        let notices = notices(|| (0..100).for_each(|number| tracing::warn!("{number} {}", "x".repeat(1000))));
        let last = notices.last();
        assert_eq!(last.len(), MOST);
        assert!(last[0].text.starts_with("80 ") && last[MOST - 1].text.starts_with("99 "));
        assert!(last.iter().all(|notice| notice.text.len() == LONGEST));
        assert_eq!(notices.counts().warnings, 100);
    }
}
