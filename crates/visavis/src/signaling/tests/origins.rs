//! Whose pages may use which channel.

use serde_json::json;

use super::*;
use crate::channels::Origins;

async fn error(server: &Server, channel: &str, origin: Option<&str>) -> Option<String> {
    let mut client = server.connect_from(origin).await;
    let reply = client.ask(json!({"type": "handshake", "channel": channel})).await;
    assert!(reply["client_id"].is_string());
    reply["error"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn the_pages_own_channel_takes_its_own_origin_alone() {
    let server = Server::start().await;
    let own = format!("http://{}", server.address);
    assert_eq!(error(&server, PAGE, Some(&own)).await, None);
    assert_eq!(error(&server, PAGE, None).await, None, "no browser");
    let refused = Some("Origin not allowed".to_owned());
    assert_eq!(error(&server, PAGE, Some("https://evil.example")).await, refused);
    assert_eq!(error(&server, PAGE, Some("null")).await, refused);
}

#[tokio::test]
async fn other_channels_take_any_origin_unless_they_are_told() {
    let mut options = options();
    let origins = Origins::Listed(vec!["https://app.example".to_owned()]);
    let listed = Channel { origins, ..Channel::new("listed") };
    options.channels = Channels::new([listed, Channel::new(CHANNEL)], true);
    let server = Server::start_with(options).await;
    assert_eq!(error(&server, CHANNEL, Some("http://websocket.org")).await, None);
    assert_eq!(error(&server, "made-on-first-use", Some("http://websocket.org")).await, None);
    assert_eq!(error(&server, "listed", Some("https://app.example")).await, None);
    assert!(error(&server, "listed", Some("https://evil.example")).await.is_some());
}
