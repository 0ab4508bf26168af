//! Which core runs what.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Number of a core.
pub(crate) type Core = usize;

/// Keeps the calling thread, and what it starts from now on, to one core.
pub(crate) fn pin(core: Core) -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("use core {core}"))
}

/// Starts something on a core, and returns to the first one.
pub(crate) fn pinned<T>(core: Core, start: impl FnOnce() -> Result<T>) -> Result<T> {
    pin(core)?;
    let started = start();
    pin(0)?;
    started
}
