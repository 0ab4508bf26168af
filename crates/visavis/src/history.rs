//! History on disk: what rooms keep survives restarts and crashes.
//!
//! The messages that count are in memory, where [`visavis_hub::History`] bounds them; the file is only read at the
//! start. A thread of its own writes it: whatever has come up while one commit was on its way to the disk goes into
//! the next, so that neither signaling nor the number of messages waits for the disk.

mod journal;
mod store;

pub(crate) use journal::{Journal, NotStored};
pub(crate) use store::Store;

#[cfg(test)]
mod tests;
