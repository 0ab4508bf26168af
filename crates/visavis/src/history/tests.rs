//! The journal with real files.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use tempfile::tempdir;
use visavis_hub::{Message, Record};

use super::*;

fn record(number: u64, text: &str) -> Record {
    let from = number.is_multiple_of(2).then(|| "b58:A".into());
    let message = Message { id: text.into(), from, timestamp: 7, payload: text.as_bytes().into() };
    Record { number, channel: "channel".into(), room: "a room".into(), message: Arc::new(message) }
}

#[tokio::test]
async fn what_is_stored_is_there_when_the_file_is_opened_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("history");
    let journal = Journal::start(Store::open(&path).unwrap()).unwrap();
    let records: Vec<_> = (0..300).map(|number| record(number, &format!("text {number}"))).collect();
    for record in &records {
        journal.submit(vec![record.clone()], Vec::new());
    }
    journal.submit(Vec::new(), (0..100).collect());
    journal.stored(journal.ticket()).await.unwrap();
    journal.stored(journal.ticket()).await.expect("nothing is left to wait for");
    drop(journal);
    assert_eq!(Store::open(&path).unwrap().read().unwrap(), records[100..]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_left_is_written_at_the_end() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("history");
    let journal = Journal::start(Store::open(&path).unwrap()).unwrap();
    journal.submit(vec![record(5, "last")], Vec::new());
    drop(journal);
    assert_eq!(Store::open(&path).unwrap().read().unwrap(), [record(5, "last")]);
}

#[tokio::test]
async fn a_write_that_fails_is_said_and_tried_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("not there yet").join("history");
    let journal = Journal::start(Store::closed(&path)).unwrap();
    journal.submit(vec![record(1, "one"), record(2, "two")], Vec::new());
    let ticket = journal.ticket();
    assert_eq!(journal.stored(ticket).await, Err(NotStored));
    assert!(journal.failures() >= 1);
    fs::create_dir(path.parent().unwrap()).unwrap();
    journal.submit(vec![record(3, "three")], vec![1]);
    journal.stored(journal.ticket()).await.unwrap();
    journal.stored(ticket).await.expect("it has been stored after all");
    drop(journal);
    assert_eq!(Store::open(&path).unwrap().read().unwrap(), [record(2, "two"), record(3, "three")]);
}

#[test]
fn an_end_in_order_is_said_once_and_only_where_everything_is_stored() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("history");
    let ending = || Store::open(&path).unwrap().take_ending().unwrap();
    let end = |store, ending: Option<&str>| {
        let mut journal = Journal::start(store).unwrap();
        journal.submit(vec![record(1, "one")], Vec::new());
        if let Some(ending) = ending {
            journal.end(ending.into()).unwrap().join().unwrap();
        }
    };
    assert_eq!(ending(), None, "a new file");
    end(Store::open(&path).unwrap(), Some("7f"));
    assert_eq!((ending(), ending()), (Some("7f".to_owned()), None));
    end(Store::open(&path).unwrap(), None);
    assert_eq!(ending(), None, "dropped");
    let nowhere = folder.path().join("not there").join("history");
    end(Store::closed(&nowhere), Some("7f"));
    fs::create_dir(nowhere.parent().unwrap()).unwrap();
    assert_eq!(Store::open(&nowhere).unwrap().take_ending().unwrap(), None, "the message was never written");
}

#[test]
fn a_file_is_for_one_server_and_for_nothing_else() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("history");
    let first = Store::open(&path).unwrap();
    let error = Store::open(&path).err().unwrap().to_string();
    assert!(error.contains("another visavis works on it"), "{error}");
    drop(first);
    let other = folder.path().join("notes");
    fs::write(&other, "something else".repeat(1000)).unwrap();
    let error = Store::open(&other).err().unwrap().to_string();
    assert!(error.contains("cannot open") && error.contains("notes"), "{error}");
}

#[test]
fn the_file_does_not_grow_with_what_was_removed() {
    const KEPT: u64 = 500;
    const BATCH: u64 = 50;
    let folder = tempdir().unwrap();
    let path = folder.path().join("history");
    let mut store = Store::open(&path).unwrap();
    let text = "x".repeat(1024);
    let mut sizes = Vec::new();
    for end in (BATCH..=10 * KEPT).step_by(BATCH as usize) {
        let records: Vec<_> = (end - BATCH..end).map(|number| record(number, &text)).collect();
        let removed = end.saturating_sub(KEPT + BATCH)..end.saturating_sub(KEPT);
        store.write(&records, removed).unwrap();
        sizes.push(fs::metadata(&path).unwrap().len());
    }
    assert_eq!(store.read().unwrap().len(), KEPT as usize);
    let (half, last) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
    assert_eq!(half, last, "it has grown from 5 to 10 times what is kept");
    assert!(last < 5 * KEPT * 2 * text.len() as u64, "{last} bytes");
}
