//! Clients that cannot run here, by what is on the wire: `C>` is a text frame of theirs, `B>` a binary one, and `S>` what they are
//! answered with. A text that begins with `$` stands for a value that the server chooses, the same wherever it is named.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::authentication::{LOCKED, claims, sign_as_the_channel, start};

#[tokio::test]
async fn the_client_for_java_gets_what_it_reads() {
    replay(include_str!("transcripts/java.txt")).await;
}

#[tokio::test]
async fn the_client_for_swift_gets_what_it_reads() {
    replay(include_str!("transcripts/swift.txt")).await;
}

#[tokio::test]
async fn the_client_for_swift_is_refused_with_a_client_id() {
    replay(include_str!("transcripts/swift-refused.txt")).await;
}

async fn replay(transcript: &str) {
    let server = start().await;
    let message = json!("from a back end").to_string().into_bytes().into();
    server.signaling.with(|state, _| state.hub.handle_post(LOCKED, &["observable-room"], &message)).unwrap();
    let mut client = server.connect().await;
    let mut known: HashMap<String, Value> = HashMap::new();
    for line in transcript.lines().filter(|line| !line.starts_with('#')) {
        let (who, frame) = line.split_at(3);
        match who {
            "S> " => {
                let heard = client.hear().await;
                assert_same(&serde_json::from_str(frame).unwrap(), &heard, &mut known);
                if let Some(me) = known.get("$me").and_then(Value::as_str) {
                    let permissions = json!({".*": {"publish": true, "subscribe": true, "history": 100}});
                    let mut claims = claims(LOCKED, me, &permissions);
                    claims["data"] = json!({"from": "a token"});
                    known.insert("$token".to_owned(), sign_as_the_channel(&claims).into());
                }
            }
            _ => {
                let mut frame = frame.to_owned();
                for (name, value) in &known {
                    frame = frame.replace(&format!("\"{name}\""), &value.to_string());
                }
                assert!(!frame.contains('$'), "{frame}");
                match who {
                    "C> " => client.say_text(&frame).await,
                    "B> " => client.say_bytes(frame.into_bytes()).await,
                    _ => panic!("{line}"),
                }
            }
        }
    }
    assert_eq!(client.hear_all().await, [] as [Value; 0], "and with nothing else");
}

/// Compares all that is there, and takes down what the server chose.
fn assert_same(expected: &Value, heard: &Value, known: &mut HashMap<String, Value>) {
    match (expected, heard) {
        (Value::String(name), _) if name.starts_with('$') => {
            assert!(heard.is_string() || heard.is_u64(), "{heard}");
            assert_eq!(known.entry(name.clone()).or_insert_with(|| heard.clone()), heard, "{name}");
        }
        (Value::Object(expected), Value::Object(fields)) => {
            assert!(expected.keys().eq(fields.keys()), "{expected:?} or {heard}");
            expected.iter().for_each(|(key, value)| assert_same(value, &fields[key], known));
        }
        (Value::Array(expected), Value::Array(values)) => {
            assert_eq!(expected.len(), values.len(), "{heard}");
            expected.iter().zip(values).for_each(|(expected, value)| assert_same(expected, value, known));
        }
        _ => assert_eq!(expected, heard),
    }
}
