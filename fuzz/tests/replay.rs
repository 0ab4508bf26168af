//! What the fuzzer has found worth keeping is tried again on every run, without the fuzzer.
#![allow(clippy::unwrap_used)]

use std::{fs, panic, path::Path};

/// Tries every file of a corpus; a failure names the file.
fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut tried = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        tried += 1;
        assert!(panic::catch_unwind(|| body(&bytes)).is_ok(), "{} breaks a promise", path.display());
    }
    assert!(tried >= 10, "the corpus of {target} has only {tried} files");
}

#[test]
fn every_message_of_the_corpus_is_read() {
    replay("message", visavis_fuzz::message);
}

#[test]
fn every_stream_of_the_corpus_is_cut_the_same_however_it_arrives() {
    replay("framing", visavis_fuzz::framing);
}

#[test]
fn every_play_of_the_corpus_keeps_the_promises_of_the_server() {
    replay("server", visavis_fuzz::server);
}
