//! What a client is shown of what was said before.

use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::time::Instant;
use visavis_hub::{ChannelSettings, HistoryBounds};

use super::{client::Ended, *};

/// Signaling whose application's channel keeps its history.
fn keeping() -> Arc<Signaling> {
    start(true, None)
}

fn start(keeps: bool, path: Option<&Path>) -> Arc<Signaling> {
    let bounds = HistoryBounds { lifetime: Duration::from_hours(24), bytes: 16 * 1024 * 1024 };
    let hub = ChannelSettings { history: keeps.then_some(bounds), ..ChannelSettings::default() };
    let channels = Channels::new([Channel { hub, ..Channel::new(CHANNEL) }], false);
    let history = path.map(Path::to_owned);
    let signaling = Signaling::new(SignalingOptions { channels: channels.clone(), history, ..options() });
    signaling.keep_history(&channels).unwrap();
    signaling
}

fn say_from_outside(signaling: &Signaling, room: &str, message: &Value) {
    let payload = message.to_string().into_bytes().into();
    signaling.with(|state, _| state.hub.handle_post(CHANNEL, &[room], &payload)).unwrap();
}

async fn ask_for_history<S>(client: &mut Client<S>, room: &str, count: Value)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    client.say(json!({"type": "subscribe", "room": room, "history_count": count, "callback": 7})).await;
    assert_eq!(client.hear().await, json!({"callback": 7}));
}

#[tokio::test]
async fn rule_8_history_follows_the_reply_oldest_first_and_counts_from_zero() {
    let signaling = keeping();
    let (mut first, first_id) = pipe_into(&signaling, "news").await;
    say_from_outside(&signaling, "news", &json!("through REST"));
    let mut live = vec![first.hear().await];
    for number in 0..5 {
        first.publish("news", json!({"number": number})).await;
        live.push(first.hear().await);
    }
    let mut second = pipe(&signaling, 64 * 1024);
    second.shake_hands(CHANNEL).await;
    ask_for_history(&mut second, "news", json!(100)).await;
    for (index, mut expected) in live.iter().cloned().enumerate() {
        expected["type"] = json!("history_message");
        expected["index"] = json!(index);
        assert_eq!(second.hear().await, expected, "the same message but for type and index");
        let from = expected.get("client_id").and_then(Value::as_str);
        assert_eq!(from, (index > 0).then_some(&*first_id));
    }
    assert!(second.hear_all().await.is_empty());
    second.say(json!({"type": "subscribe", "room": "news", "history": 2, "callback": 8})).await;
    let again = second.hear_all().await;
    assert_eq!(again.len(), 3, "the other spelling, and once more: {again:?}");
    assert_eq!((&again[1]["index"], &again[1]["message"]["number"]), (&json!(0), &json!(3)));
    assert_eq!((&again[2]["index"], &again[2]["message"]["number"]), (&json!(1), &json!(4)));
}

#[tokio::test]
async fn rule_8_members_come_before_the_reply_and_history_behind_it() {
    let signaling = keeping();
    say_from_outside(&signaling, ROOM, &json!("nobody was here"));
    let mut client = pipe(&signaling, 64 * 1024);
    client.shake_hands(CHANNEL).await;
    client.say(json!({"type": "subscribe", "room": ROOM, "history_count": 5, "callback": 3})).await;
    assert_eq!(client.hear().await["type"], "observable_members");
    assert_eq!(client.hear().await, json!({"callback": 3}));
    let message = client.hear().await;
    assert_eq!(
        (&message["type"], &message["message"]),
        (&json!("history_message"), &json!("nobody was here"))
    );
}

#[tokio::test]
async fn a_channel_that_keeps_nothing_shows_nothing() {
    let signaling = Signaling::new(options());
    say_from_outside(&signaling, "news", &json!(1));
    let (mut client, _) = pipe_into(&signaling, "news").await;
    client.publish("news", json!(2)).await;
    client.hear().await;
    ask_for_history(&mut client, "news", json!(100)).await;
    assert!(client.hear_all().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn between_history_and_live_nothing_is_lost_and_nothing_comes_twice() {
    const LAST: u64 = 999;
    let signaling = keeping();
    let says = tokio::spawn({
        let signaling = Arc::clone(&signaling);
        async move {
            for number in 0..=LAST {
                say_from_outside(&signaling, "news", &json!(number));
                tokio::task::yield_now().await;
            }
        }
    });
    let listens = (0..20).map(|_| {
        let signaling = Arc::clone(&signaling);
        tokio::spawn(async move {
            let mut client = pipe(&signaling, 64 * 1024);
            client.shake_hands(CHANNEL).await;
            ask_for_history(&mut client, "news", json!(100)).await;
            let mut heard = vec![client.hear().await["message"].as_u64().unwrap()];
            while heard.last() != Some(&LAST) {
                heard.push(client.hear().await["message"].as_u64().unwrap());
            }
            heard
        })
    });
    let listens: Vec<_> = listens.collect();
    says.await.unwrap();
    for listen in listens {
        let heard = listen.await.unwrap();
        assert_eq!(heard, (heard[0]..=LAST).collect::<Vec<_>>());
    }
}

/// More than a connection may have waiting, by far.
fn say_a_megabyte(signaling: &Signaling) -> usize {
    let long = json!("x".repeat(60_000));
    for _ in 0..16 {
        say_from_outside(signaling, "news", &long);
    }
    16
}

#[tokio::test]
async fn history_is_sent_as_the_client_takes_it_and_live_messages_wait_behind_it() {
    let signaling = keeping();
    let count = say_a_megabyte(&signaling);
    let mut slow = pipe(&signaling, 64 * 1024);
    slow.shake_hands(CHANNEL).await;
    ask_for_history(&mut slow, "news", json!(100)).await;
    for number in 0..20 {
        say_from_outside(&signaling, "news", &json!(number));
    }
    for index in 0..count {
        let message = slow.hear().await;
        assert_eq!((&message["type"], &message["index"]), (&json!("history_message"), &json!(index)));
    }
    for number in 0..20 {
        let message = slow.hear().await;
        assert_eq!((&message["type"], &message["message"]), (&json!("publish"), &json!(number)));
    }
    assert_eq!(signaling.counters().slow, 0);
}

#[tokio::test]
async fn what_is_said_behind_a_request_for_history_is_answered_behind_it() {
    let signaling = keeping();
    let count = say_a_megabyte(&signaling);
    let mut client = pipe(&signaling, 64 * 1024);
    client.shake_hands(CHANNEL).await;
    for callback in 1..=3 {
        client
            .say(json!({"type": "subscribe", "room": "news", "history_count": 100, "callback": callback}))
            .await;
    }
    client.publish("news", json!("at last")).await;
    for callback in 1..=3 {
        assert_eq!(client.hear().await, json!({"callback": callback}));
        for index in 0..count {
            assert_eq!(client.hear().await["index"], index);
        }
    }
    assert_eq!(client.hear().await["message"], "at last");
}

#[tokio::test]
async fn who_takes_no_history_holds_up_nobody_and_is_dropped_when_too_much_waits() {
    let signaling = keeping();
    say_a_megabyte(&signaling);
    let mut slow = pipe(&signaling, 64 * 1024);
    slow.shake_hands(CHANNEL).await;
    ask_for_history(&mut slow, "news", json!(100)).await;
    let (mut fast, _) = pipe_into(&signaling, "news").await;
    for _ in 0..8 {
        fast.publish("news", json!("x".repeat(60_000))).await;
        fast.hear().await;
    }
    assert_eq!(signaling.counters().slow, 1, "8 times 60 kB wait behind the history");
    let mut heard = 0;
    while let Some(Ok(_)) = futures_util::StreamExt::next(&mut slow.socket).await {
        heard += 1;
    }
    assert!(heard < 16);
}

#[tokio::test(start_paused = true)]
async fn who_takes_history_slowly_is_not_silent() {
    let signaling = keeping();
    let count = say_a_megabyte(&signaling);
    let mut slow = pipe(&signaling, 64 * 1024);
    slow.shake_hands(CHANNEL).await;
    ask_for_history(&mut slow, "news", json!(100)).await;
    let since = Instant::now();
    for index in 0..count {
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(slow.hear().await["index"], index);
    }
    assert_eq!(since.elapsed().as_secs(), 160);
    assert!(slow.hear_all().await.is_empty(), "and is served as before");
    assert_eq!(signaling.counters().silent, 0);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_of_its_history_is_gone_after_the_silence() {
    let signaling = keeping();
    say_a_megabyte(&signaling);
    let mut silent = pipe(&signaling, 64 * 1024);
    silent.shake_hands(CHANNEL).await;
    ask_for_history(&mut silent, "news", json!(100)).await;
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!((signaling.counters().silent, signaling.counters().connections), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_thrown_away_by_itself() {
    let signaling = keeping();
    say_from_outside(&signaling, "news", &json!(1));
    assert_eq!(signaling.counters().kept, 1);
    tokio::time::sleep(Duration::from_hours(24) + Duration::from_secs(61)).await;
    assert_eq!(signaling.counters().kept, 0);
}

#[tokio::test]
async fn history_survives_a_restart_and_goes_with_the_setting() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("history");
    start(false, Some(&path));
    assert!(!path.exists(), "no file where nothing is kept");
    let signaling = start(true, Some(&path));
    let (mut client, id) = pipe_into(&signaling, "news").await;
    client.publish("news", json!({"a": 1.0})).await;
    let live = client.hear().await;
    signaling.end();

    let signaling = start(true, Some(&path));
    say_from_outside(&signaling, "news", &json!("later"));
    let mut client = pipe(&signaling, 64 * 1024);
    client.shake_hands(CHANNEL).await;
    ask_for_history(&mut client, "news", json!(100)).await;
    let heard = client.hear_all().await;
    assert_eq!((heard.len(), &heard[0]["id"], &heard[0]["client_id"]), (2, &live["id"], &json!(id)));
    assert_eq!((&heard[0]["message"], &heard[1]["message"]), (&json!({"a": 1.0}), &json!("later")));
    assert_ne!(heard[0]["id"], heard[1]["id"]);
    signaling.end();

    start(false, Some(&path)).end();
    let signaling = start(true, Some(&path));
    assert_eq!(signaling.counters().kept, 0, "what is not to be kept is not kept");
}

#[tokio::test]
async fn the_connection_of_who_missed_something_is_dropped_so_that_it_comes_back() {
    let signaling = keeping();
    let (mut client, _) = pipe_into(&signaling, "news").await;
    signaling.with(|state, _| {
        state.hub.handle_post(CHANNEL, &["news"], &Arc::from(*b"1")).unwrap();
        let lost = state.hub.poll_request().unwrap();
        state.bus.order(lost, 0);
    });
    say_from_outside(&signaling, "news", &json!(2));
    assert_eq!(client.hear_end().await, Ended::WithoutCloseFrame);
}

#[tokio::test]
async fn what_was_posted_is_on_the_disk() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("history");
    let signaling = start(true, Some(&path));
    let (mut client, _) = pipe_into(&signaling, "a").await;
    signaling.post(CHANNEL, &["a", "b"], Arc::from(*b"1")).await.unwrap();
    assert_eq!(client.hear().await["message"], 1);
    let refused = signaling.post(CHANNEL, &["a", ""], Arc::from(*b"2")).await;
    assert_eq!(refused, Err(NotPosted::Refused(Refusal::BadRoomName)), "in all rooms or in none");
    assert!(client.hear_all().await.is_empty());
    let copy = folder.path().join("copy");
    std::fs::copy(&path, &copy).unwrap();
    let stored = Store::open(&copy).unwrap().read().unwrap();
    assert_eq!(stored.iter().map(|record| record.room.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    signaling.end();
    let late = signaling.post(CHANNEL, &["a"], Arc::from(*b"3")).await;
    assert_eq!(late, Err(NotPosted::Ending), "what is said while the server ends is not acknowledged");
}

#[tokio::test]
async fn what_the_disk_does_not_take_is_said_to_everybody_and_not_acknowledged() {
    let folder = tempdir().unwrap();
    let signaling = keeping();
    let journal = Journal::start(Store::closed(&folder.path().join("missing/history"))).unwrap();
    signaling.with(|state, _| state.journal = Some(journal));
    let (mut client, _) = pipe_into(&signaling, "a").await;
    let posted = signaling.post(CHANNEL, &["a"], Arc::from(*b"1")).await;
    assert_eq!(posted, Err(NotPosted::NotStored));
    assert_eq!(client.hear().await["message"], 1);
    assert!(signaling.counters().store_failures > 0);
    signaling.end();
}
