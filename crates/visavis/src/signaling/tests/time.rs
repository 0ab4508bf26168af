//! What happens because time passes. The clock is virtual: it jumps when everybody waits.

use serde_json::json;
use tokio::time::Instant;

use super::{client::Ended, *};

#[tokio::test(start_paused = true)]
async fn rule_12_a_ping_comes_every_20_s_give_or_take_a_tenth() {
    let signaling = Signaling::new(options());
    let (mut client, _) = pipe_into(&signaling, ROOM).await;
    for _ in 0..5 {
        let before = Instant::now();
        client.hear_ping().await;
        let waited = before.elapsed().as_secs_f64();
        assert!((17.9..22.1).contains(&waited), "{waited} s");
    }
    assert!(client.hear_all().await.is_empty(), "who answers pings stays");
}

#[tokio::test(start_paused = true)]
async fn rule_12_who_is_silent_for_45_s_is_gone() {
    let signaling = Signaling::new(options());
    let (mut watching, _) = pipe_into(&signaling, ROOM).await;
    let (_silent, silent_id) = pipe_into(&signaling, ROOM).await;
    let since = Instant::now();
    watching.hear().await;
    let leave = json!({"type": "observable_member_leave", "room": ROOM, "data": {"id": silent_id}});
    assert_eq!(watching.hear().await, leave);
    assert_eq!(since.elapsed().as_secs(), 45);
    assert_eq!(signaling.counters().silent, 1);
}

#[tokio::test(start_paused = true)]
async fn silence_uses_the_grace_up() {
    let signaling = Signaling::new(options());
    let (mut watching, _) = pipe_into(&signaling, ROOM).await;
    let mut silent = pipe(&signaling, 64 * 1024);
    silent.ask(json!({"type": "handshake", "channel": CHANNEL, "resume": null})).await;
    silent.subscribe(ROOM).await;
    let since = Instant::now();
    watching.hear().await;
    assert_eq!(watching.hear().await["type"], "observable_member_leave");
    assert_eq!(since.elapsed().as_secs(), 45);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_could_resume_leaves_20_s_after_its_connection_broke() {
    let signaling = Signaling::new(options());
    let (mut watching, _) = pipe_into(&signaling, ROOM).await;
    let mut lost = pipe(&signaling, 64 * 1024);
    lost.ask(json!({"type": "handshake", "channel": CHANNEL, "resume": null})).await;
    lost.subscribe(ROOM).await;
    watching.hear().await;
    let since = Instant::now();
    drop(lost);
    assert_eq!(watching.hear().await["type"], "observable_member_leave");
    assert_eq!(since.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn who_shakes_no_hands_for_5_s_is_dropped_and_may_try_again() {
    let signaling = Signaling::new(options());
    let mut client = pipe(&signaling, 64 * 1024);
    let since = Instant::now();
    assert_eq!(client.hear_end().await, Ended::WithoutCloseFrame);
    assert_eq!(since.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn whose_handshake_was_refused_is_closed_for_good_after_5_s() {
    let signaling = Signaling::new(options());
    let mut client = pipe(&signaling, 64 * 1024);
    client.ask(json!({"type": "handshake", "channel": "nowhere"})).await;
    assert_eq!(client.hear_end().await, Ended::With(1008, "Channel not found".to_owned()));
}
