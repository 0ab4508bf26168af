//! Where questions wait that may take long.

use std::sync::Arc;

use tokio::{sync::Semaphore, task::spawn_blocking};

/// A channel's way to the threads that serve nobody. One question of a channel is answered after the other, so that
/// a channel whose questions are hard holds up itself alone.
#[derive(Clone, Debug)]
pub(crate) struct Lane(Arc<Semaphore>);

impl Lane {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// The answer, when all that were asked before are answered; none if there was a fault.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = Arc::clone(&self.0).acquire_owned().await.ok()?;
        let answer = spawn_blocking(move || {
            // Also when nobody waits for the answer any more.
            let _turn = turn;
            question()
        });
        answer.await.inspect_err(|_| tracing::error!("a question about permissions broke off")).ok()
    }
}
