//! Tokens good and bad.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_790_000_000;
const CLIENT: &str = "b58:fnaJaEfh7Qz";
const ANYTHING: &str = r#"{".*":{"publish":true,"subscribe":true,"history":100}}"#;

fn secret(text: &str) -> ChannelSecret {
    ChannelSecret::new(text)
}

/// Two secrets are good for it.
fn channel() -> Channel {
    Channel { secrets: vec![secret("the old secret"), secret("the new secret")], ..Channel::new("Chat") }
}

fn claims() -> Value {
    let permissions: Value = serde_json::from_str(ANYTHING).unwrap();
    json!({"channel": "Chat", "client": CLIENT, "permissions": permissions, "exp": NOW + 180})
}

/// Good claims, but for one.
fn but(name: &str, value: Value) -> String {
    let mut claims = claims();
    claims[name] = value;
    token(&claims.to_string())
}

fn without(name: &str) -> String {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    token(&claims.to_string())
}

fn token(claims: &str) -> String {
    sign(&secret("the new secret"), claims)
}

/// A token whose header is something else, signed all the same.
fn with_header(header: &str) -> String {
    let signed =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims().to_string()));
    let signature = mac(&secret("the new secret"), &signed).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn show(token: &str) -> Result<Grant, Refusal> {
    channel().authenticate(token, Holder::Client(CLIENT), Duration::from_secs(NOW)).await
}

#[tokio::test]
async fn a_token_of_either_secret_is_good() {
    for text in ["the old secret", "the new secret"] {
        let grant = show(&sign(&secret(text), &claims().to_string())).await.unwrap();
        assert_eq!(grant.permission("any room").await, Permission { history: 100, ..Permission::ALL });
        assert_eq!(grant.auth_data, None);
    }
}

#[tokio::test]
async fn a_token_that_another_program_made_is_good() {
    // Made with Python's hmac, hashlib and base64 alone.
    let made = "eyJhbGciOiAiSFMyNTYiLCAidHlwIjogIkpXVCJ9.eyJjbGllbnQiOiAiYjU4OmZuYUphRWZoN1F6IiwgImNoYW5uZWwiOiAiQ2hhdCIsICJwZXJtaXNzaW9ucyI6IHsiXm5ld3MkIjogeyJwdWJsaXNoIjogZmFsc2UsICJzdWJzY3JpYmUiOiB0cnVlLCAiaGlzdG9yeSI6IDV9fSwgImV4cCI6IDE3OTAwMDAxODAwMDAsICJkYXRhIjogeyJuYW1lIjogIkFkYSJ9fQ.GLZcKN2s8p7md7uxovEqgAqxsjV4Mm6Zlp8t01uM1D0";
    let grant = show(made).await.unwrap();
    let news = Permission { publish: false, subscribe: true, history: 5 };
    assert_eq!(grant.permission("news").await, news);
    assert_eq!(grant.auth_data.as_deref(), Some(&br#"{"name": "Ada"}"#[..]));
}

#[tokio::test]
async fn times_are_in_seconds_or_milliseconds() {
    for (name, value) in [
        ("exp", json!(NOW + 1)),
        ("exp", json!((NOW + 1) * 1000)),
        ("exp", json!(NOW as f64 + 0.5)),
        ("exp", json!(9_007_199_254_740_991_u64)),
        ("nbf", json!(NOW + 59)),
        ("iat", json!((NOW + 59) * 1000)),
        ("iat", Value::Null),
    ] {
        assert!(show(&but(name, value.clone())).await.is_ok(), "{name} {value}");
    }
}

#[tokio::test]
async fn every_attack_is_refused() {
    use Refusal::*;
    let good = token(&claims().to_string());
    let parts: Vec<_> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { unreachable!() };
    let flipped = format!(
        "{header}.{payload}.{}{}",
        if signature.starts_with('A') { "B" } else { "A" },
        &signature[1..]
    );
    let other_claims = URL_SAFE_NO_PAD.encode(claims().to_string().replace(CLIENT, "b58:somebody"));
    let standard = base64::engine::general_purpose::STANDARD.encode(claims().to_string());
    let twice = |pair: &str| {
        let claims = claims().to_string();
        token(&format!("{{{pair},{}", &claims[1..]))
    };
    let many: serde_json::Map<_, _> =
        (0..65).map(|n| (format!("^r{n}$"), json!({"publish": true}))).collect();
    let cases = [
        // No token at all.
        (String::new(), TokenParts),
        ("a.b".to_owned(), TokenParts),
        (format!("{good}.{signature}"), TokenParts),
        ("..".to_owned(), BadToken),
        (format!("{good}\n"), BadToken),
        (format!("{good}="), BadToken),
        (format!("{header}.{standard}=.{signature}"), TokenSignature),
        ("ä.b.c".to_owned(), BadToken),
        (format!("{header}.{payload}.{}", "A".repeat(9000)), TokenTooLarge),
        // Signed in another way, by somebody else, or not at all.
        (format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#)), TokenAlgorithm),
        (with_header(r#"{"alg":"none"}"#), TokenAlgorithm),
        (with_header(r#"{"alg":"None"}"#), TokenAlgorithm),
        (with_header(r#"{"alg":"hs256"}"#), TokenAlgorithm),
        (with_header(r#"{"alg":"HS512"}"#), TokenAlgorithm),
        (with_header(r#"{"alg":"RS256"}"#), TokenAlgorithm),
        (with_header(r#"{"alg":["HS256"]}"#), BadToken),
        (with_header(r#"{"typ":"JWT"}"#), TokenAlgorithm),
        (with_header(r#"{"alg":"HS256","alg":"HS256"}"#), BadToken),
        (with_header(r#"{"alg":"HS256","crit":["exp"]}"#), BadToken),
        (with_header(r#"{"alg":"HS256","typ":"JWE"}"#), BadToken),
        (with_header(r#"["HS256"]"#), BadToken),
        (format!("{header}.{payload}."), TokenSignature),
        (flipped, TokenSignature),
        (format!("{header}.{payload}.{}", &signature[..signature.len() - 3]), TokenSignature),
        (format!("{header}.{other_claims}.{signature}"), TokenSignature),
        (sign(&secret("another secret"), &claims().to_string()), TokenSignature),
        (sign(&secret(""), &claims().to_string()), TokenSignature),
        // For others.
        (but("channel", json!("chat")), TokenChannel),
        (but("channel", json!("Other")), TokenChannel),
        (but("channel", json!(["Chat"])), BadToken),
        (without("channel"), BadToken),
        (but("client", json!("b58:somebody")), TokenClient),
        (but("client", json!(CLIENT.to_uppercase())), TokenClient),
        (but("client", json!("")), TokenClient),
        (but("client", Value::Null), TokenClient),
        (without("client"), TokenClient),
        // At another time.
        (but("exp", json!(NOW)), TokenExpired),
        (but("exp", json!(NOW * 1000)), TokenExpired),
        (but("exp", json!(0)), TokenExpired),
        (but("exp", json!(-1)), BadToken),
        (but("exp", json!((NOW + 60).to_string())), BadToken),
        (but("exp", json!(1e300)), BadToken),
        (without("exp"), BadToken),
        (token(&claims().to_string().replace(&(NOW + 180).to_string(), "1e999")), BadToken),
        (but("nbf", json!(NOW + 61)), TokenTooEarly),
        (but("nbf", json!((NOW + 61) * 1000)), TokenTooEarly),
        (but("iat", json!(NOW + 86_400)), TokenTooEarly),
        (but("iat", json!(1e300)), BadToken),
        (but("iat", json!("now")), BadToken),
        // Said twice, once for each reader.
        (twice(r#""client":"b58:somebody""#), BadToken),
        (twice(r#""\u0063lient":"b58:somebody""#), BadToken),
        (twice(r#""exp":9999999999"#), BadToken),
        (token("[]"), BadToken),
        (token("{"), BadToken),
        (token(""), BadToken),
        (token(&format!("{} ", "[".repeat(4000))), BadToken),
        // Permissions that are none.
        (without("permissions"), BadToken),
        (but("permissions", json!([])), TokenPermissions),
        (but("permissions", json!("all")), TokenPermissions),
        (but("permissions", Value::Object(many)), TokenPermissions),
        (but("permissions", json!({".*": true})), TokenPermissions),
        (but("permissions", json!({".*": [true, true, 5]})), TokenPermissions),
        (but("permissions", json!({".*": {"publish": 1}})), TokenPermissions),
        (but("permissions", json!({".*": {"publish": "true"}})), TokenPermissions),
        (but("permissions", json!({".*": {"history": -1}})), TokenPermissions),
        (but("permissions", json!({".*": {"history": 2.5}})), TokenPermissions),
        (but("permissions", json!({"(": {"publish": true}})), TokenPermissions),
        (but("permissions", json!({"*": {"publish": true}})), TokenPermissions),
        (but("permissions", json!({"x".repeat(1025): {"publish": true}})), TokenPermissions),
        (but("permissions", json!({"(x{1000}){1000}": {"publish": true}})), TokenPermissions),
        (but("data", json!("x".repeat(4096))), TokenTooLarge),
    ];
    for (token, refusal) in cases {
        let shown = show(&token).await;
        assert_eq!(shown.map(|_| ()), Err(refusal), "{token}");
    }
    let rules = claims().to_string().replace("\".*\":{", "\".*\":{\"publish\":false},\".*\":{");
    let rules = token(&rules);
    assert_ne!(rules, good);
    assert_eq!(show(&rules).await.map(|_| ()), Err(TokenPermissions));
}

#[tokio::test]
async fn a_client_and_a_program_have_tokens_of_their_own() {
    let show = async |token: &str, holder| {
        channel().authenticate(token, holder, Duration::from_secs(NOW)).await.map(|_| ())
    };
    assert_eq!(show(&without("client"), Holder::Program).await, Ok(()));
    assert_eq!(show(&token(&claims().to_string()), Holder::Program).await, Err(Refusal::TokenClient));
}

#[tokio::test]
async fn a_channel_without_a_secret_knows_no_token() {
    for text in ["", "the new secret"] {
        let token = sign(&secret(text), &claims().to_string());
        let channel = Channel { secrets: Vec::new(), ..channel() };
        let shown = channel.authenticate(&token, Holder::Client(CLIENT), Duration::from_secs(NOW)).await;
        assert_eq!(shown.map(|_| ()), Err(Refusal::NoAuthentication));
    }
}

fn permission(rules: &str, room: &str) -> (bool, bool, usize) {
    let rules = Rules::read(rules).unwrap();
    assert!(rules.are_sound());
    let permission = rules.permission(room);
    (permission.publish, permission.subscribe, permission.history)
}

#[test]
fn what_a_matching_rule_allows_and_none_denies_is_allowed() {
    let rules = r#"{
        "^news$": {"publish": false, "subscribe": true, "history": 5},
        "^chat-": {"publish": true, "subscribe": true},
        "^chat-read-only$": {"publish": false, "history": 7},
        "^chat-forgetful$": {"history": 0},
        "forgetful": {"history": 9},
        "observable": {"subscribe": true, "history": 3, "colour": "red"},
        "^observable-(?!private)[a-z]+$": {"publish": true, "history": 8},
        "^silent$": {}
    }"#;
    for (room, permitted) in [
        ("news", (false, true, 5)),
        ("news2", (false, false, 0)),
        ("chat-1", (true, true, 0)),
        ("chat-read-only", (false, true, 7)),
        ("chat-forgetful", (true, true, 0)),
        ("my-observable-room", (false, true, 3)),
        ("observable-public", (true, true, 3)),
        ("observable-private", (false, true, 3)),
        ("silent", (false, false, 0)),
        ("CHAT-1", (false, false, 0)),
        ("news\n", (false, false, 0)),
    ] {
        assert_eq!(permission(rules, room), permitted, "{room:?}");
    }
    assert_eq!(permission("{}", "news"), (false, false, 0));
}

#[test]
fn a_room_that_no_text_can_name_opens_no_other() {
    for rules in [r#"{"^\ud800x$": {"publish": true}}"#, r#"{"a": {"publish": true, "\udc00": true}}"#] {
        assert!(Rules::read(rules).is_none(), "{rules}");
    }
}

#[test]
fn expressions_are_perls() {
    for (pattern, room, matches) in [
        (r"^(?=.*\d)(?=.*[a-z])\w{2,20}$", "a1", true),
        (r"^(?=.*\d)(?=.*[a-z])\w{2,20}$", "aa", false),
        (r"^(\w+)-\1$", "one-one", true),
        (r"^(\w+)-\1$", "one-two", false),
        (r"(?<!private-)room", "private-room", false),
        (r"^(?i)ROOM$", "room", true),
        (r"^r(?>o+)m$", "rooom", true),
        (r"^[^/]+$", "ünïcødé", true),
        (r"^\p{L}+$", "ünïcødé", true),
    ] {
        let rules = json!({ pattern: {"publish": true} }).to_string();
        assert_eq!(permission(&rules, room).0, matches, "{pattern} {room}");
    }
}

#[test]
fn a_rule_that_takes_too_long_ends_the_token() {
    let evil = r#"{".*": {"publish": true}, "((a*)*)*(?!a)b": {"subscribe": true}}"#;
    let rules = Rules::read(evil).unwrap();
    assert!(rules.are_sound());
    assert_eq!(rules.permission("short"), Permission { publish: true, ..Permission::default() });
    let started = Instant::now();
    assert_eq!(rules.permission(&"a".repeat(256)), Permission::default());
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(rules.permission("short"), Permission::default());
}

/// Found by trying what is largest within each bound. The machine may be busy and the build slow; without the bounds
/// each of them takes minutes.
#[test]
fn no_rule_is_large_and_goes_back_often() {
    let repeated = |part: &str| part.repeat(1000 / part.len());
    let evil = [
        "(?:(?!(?:[ab]{0,10}){1,10}c)a)*b".to_owned(),
        "(?:(?!(?:[ab]{0,20}){1,20}c)a)*b".to_owned(),
        "(?:(?!(?:[ab]{0,40}){1,40}c)a)*b".to_owned(),
        "(?:(?=(?:[ab]{0,90}){1,90}c)|a)*$".to_owned(),
        repeated("(?=(?:a?b?a?){0,400}c?)"),
        repeated("(?=(?:a?b?a?){0,2000}c?)"),
        "(?:[ab]{0,90}){1,90}c|(?:[ab]{0,90}){1,90}d".to_owned(),
        // Loops that never go back.
        r"^()(?:\1){9999999999999999}b".to_owned(),
        r"^()(?:(?:(?:(?:\1){999}){999}){999}){9}b".to_owned(),
        "^(?>a?){300000000}b".to_owned(),
        "^(?:a?+){300000000}b".to_owned(),
        r"(?:(?:()\1){9999}c|a)*b".to_owned(),
        "(?:(?=(?:[ab]{0,40}){1,40}){200}c|a)*b".to_owned(),
        "(?:(?=(?:[ab]{0,9}){1,9}){9000}c|a)*b".to_owned(),
        // Parts that call one another.
        r"(?<x0>a?)(?<x1>\g<x0>\g<x0>)(?<x2>\g<x1>\g<x1>)(?<x3>\g<x2>\g<x2>)b".to_owned(),
    ];
    for pattern in evil {
        let rules = Rules::read(&json!({ &*pattern: { "publish": true } }).to_string()).unwrap();
        let started = rules::worked();
        rules.permission(&"a".repeat(256));
        let took = rules::worked() - started;
        assert!(took < Duration::from_secs(20), "{took:?} for {pattern}");
    }
}

#[test]
fn usual_names_of_rooms_can_be_described() {
    let described = [
        (r"^observable-\w{1,32}$", "observable-Grüße"),
        (r"^observable-[\w-]{1,40}$", "observable-a-b"),
        (r"^(?!private-)[a-zA-Z0-9_-]{1,64}$", "lobby"),
        (r"^(?!admin|private)\p{L}[\p{L}\d_-]*$", "Zürich-1"),
        (r"^(\w+)-\1$", "tick-tick"),
        (r"^chat-(?:(?!secret).)*$", "chat-about-nothing"),
    ];
    for (pattern, name) in described {
        let rules = Rules::read(&json!({ pattern: { "publish": true } }).to_string()).unwrap();
        assert!(rules.are_sound() && rules.permission(name).publish, "{pattern}");
        assert!(!rules.permission("private-").publish, "{pattern}");
    }
}

#[test]
fn secrets_and_tokens_are_never_printed() {
    let rules = Arc::new(Rules::read(ANYTHING).unwrap());
    let grant =
        Grant { rules, lane: Lane::new(), expiry: Duration::MAX, auth_data: Some((*b"hunter2").into()) };
    assert_eq!(format!("{grant:?}"), "Grant(…)");
}
