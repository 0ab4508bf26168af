//! The file: one ordered table, from a message's number to the message.

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, anyhow};
use redb::{Database, DatabaseError, ReadableDatabase as _, TableDefinition, backends::FileBackend};
use visavis_hub::{ClientId, Message, Record};

/// Channel, room, id, client, Unix seconds, payload.
type Row = (&'static str, &'static str, &'static str, Option<&'static str>, u64, &'static [u8]);

const MESSAGES: TableDefinition<'_, u64, Row> = TableDefinition::new("messages");
/// One row while no server works on the file, if the last one ended in order: what it said of that.
const ENDING: TableDefinition<'_, (), &str> = TableDefinition::new("ending");
/// Only the start reads; a writer touches few pages.
const CACHE: usize = 4 * 1024 * 1024;

/// What was said, on disk.
pub(crate) struct Store {
    path: PathBuf,
    /// None after a write that failed: the database asks to be opened anew.
    database: Option<Database>,
}

impl Store {
    /// Opens the file, makes it if need be, and repairs it after a crash.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        Ok(Self { path: path.to_owned(), database: Some(open(path)?) })
    }

    /// A file that is only opened when something is written.
    #[cfg(test)]
    pub(crate) fn closed(path: &Path) -> Self {
        Self { path: path.to_owned(), database: None }
    }

    /// Everything in it, in the order of the numbers.
    pub(crate) fn read(&mut self) -> anyhow::Result<Vec<Record>> {
        let read = read(self.database()?);
        read.with_context(|| format!("cannot read {}", self.path.display()))
    }

    /// What was said when the last server ended, if it ended in order; it is not said again.
    pub(crate) fn take_ending(&mut self) -> anyhow::Result<Option<String>> {
        let taken = take_ending(self.database()?);
        taken.with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Says that everything is stored, and what the next server is to know.
    pub(crate) fn end(&mut self, ending: &str) -> anyhow::Result<()> {
        let ended = end(self.database()?, ending);
        ended.with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Stores and removes, all or nothing, and comes back when the disk has it.
    pub(crate) fn write<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r Record>,
        removed: impl IntoIterator<Item = u64>,
    ) -> anyhow::Result<()> {
        let written = write(self.database()?, records, removed);
        if written.is_err() {
            self.database = None;
        }
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn database(&mut self) -> anyhow::Result<&Database> {
        let database = match self.database.take() {
            Some(database) => database,
            None => open(&self.path)?,
        };
        Ok(self.database.insert(database))
    }
}

fn read(database: &Database) -> Result<Vec<Record>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(MESSAGES) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        table => table?,
    };
    let rows = table.range::<u64>(..)?;
    rows.map(|row| row.map(|(number, row)| record(number.value(), row.value())))
        .collect::<Result<_, _>>()
        .map_err(Into::into)
}

fn take_ending(database: &Database) -> Result<Option<String>, redb::Error> {
    let transaction = database.begin_write()?;
    let taken = transaction.open_table(ENDING)?.remove(())?.map(|ending| ending.value().to_owned());
    transaction.commit()?;
    Ok(taken)
}

fn end(database: &Database, ending: &str) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(ENDING)?.insert((), ending)?;
    transaction.commit()?;
    Ok(())
}

fn write<'r>(
    database: &Database,
    records: impl IntoIterator<Item = &'r Record>,
    removed: impl IntoIterator<Item = u64>,
) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    let mut table = transaction.open_table(MESSAGES)?;
    for Record { number, channel, room, message } in records {
        let Message { id, from, timestamp, payload } = &**message;
        let from = from.as_ref().map(ClientId::as_str);
        table.insert(number, (channel.as_str(), room.as_str(), &**id, from, *timestamp, &**payload))?;
    }
    for number in removed {
        table.remove(number)?;
    }
    drop(table);
    transaction.commit()?;
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<Database> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let database = file.map_err(Into::into).and_then(|file| {
        redb::Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create_with_backend(FileBackend::new(file)?)
    });
    database.map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => {
            anyhow!(
                "cannot open {}: another visavis works on it; give this one its own --data-dir",
                path.display()
            )
        }
        error => anyhow!("cannot open {}: {error}", path.display()),
    })
}

fn record(number: u64, row: (&str, &str, &str, Option<&str>, u64, &[u8])) -> Record {
    let (channel, room, id, from, timestamp, payload) = row;
    let message =
        Message { id: id.into(), from: from.map(ClientId::from), timestamp, payload: payload.into() };
    Record { number, channel: channel.into(), room: room.into(), message: Arc::new(message) }
}
