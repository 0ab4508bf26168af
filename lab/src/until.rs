//! Waiting for a condition instead of for a time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

/// Asks again and again until there is an answer, and fails with what was awaited after `limit`.
///
/// An error counts as "not yet": pages reload and servers start while they are asked. The last one is part of
/// the failure.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        let last = match ask().await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if start.elapsed() >= limit {
            let why = last.unwrap_or_else(|| anyhow!("it never was so"));
            return Err(why.context(format!("waited {} s until {what}", limit.as_secs_f32())));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Looks at a condition for the whole of `time` and fails as soon as it does not hold.
pub async fn throughout(
    what: &str,
    time: Duration,
    mut holds: impl AsyncFnMut() -> Result<bool>,
) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < time {
        if !holds().await.with_context(|| what.to_owned())? {
            return Err(anyhow!("no longer after {} ms: {what}", start.elapsed().as_millis()));
        }
        tokio::time::sleep(INTERVAL).await;
    }
    Ok(())
}
