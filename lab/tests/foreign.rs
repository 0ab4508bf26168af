//! Clients and back ends with Scaledrone's own packages, as they come from their registries: nothing but the address is ours.
#![allow(clippy::unwrap_used)]

use std::{fs, time::Duration};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use visavis_lab::{
    Lab, lab,
    need::conclude,
    network::Node,
    script::{self, Language, Script},
    server,
};

const CHANNEL: &str = "KtJ2qzn3CF3svSFe";
const SECRET: &str = "PH3tYvBnZ0gkLmrXw5dVQu8JcE1sAf7R";
const ROOM: &str = "observable-blue";
const SOON: Duration = Duration::from_secs(5);
/// What Debian's Node and Python need to start beside everything else that runs.
const STARTS: Duration = Duration::from_secs(15);

#[test]
fn the_package_for_node_calls_and_is_called() {
    run(Language::Node, "the_package_for_node_calls_and_is_called", "history = true", async |lab| {
        enters_speaks_and_leaves(lab, "scaledrone-node").await
    });
}

#[test]
fn the_package_for_node_of_before_calls_and_is_called() {
    run(
        Language::Node,
        "the_package_for_node_of_before_calls_and_is_called",
        "history = true",
        async |lab| enters_speaks_and_leaves(lab, "scaledrone-node-1.4").await,
    );
}

#[test]
fn the_package_for_react_native_calls_and_is_called() {
    run(Language::Node, "the_package_for_react_native_calls_and_is_called", "history = true", async |lab| {
        enters_speaks_and_leaves(lab, "scaledrone-react-native").await
    });
}

#[test]
fn each_package_authenticates() {
    run(Language::Node, "each_package_authenticates", "require-auth = true", async |lab| {
        for sdk in ["scaledrone-node", "scaledrone-node-1.4", "scaledrone-react-native"] {
            let with = json!({ "secret": SECRET });
            let (mut alice, id) = enter(&lab.machine(&format!("a-{sdk}"))?, "alice", sdk, &with).await?;
            ensure!(alice.hears("authenticate", SOON).await?.is_null(), "{sdk}: {:?}", alice.seen);
            let members = alice.hears("members", SOON).await?;
            let own =
                json!([{ "id": id, "authData": { "from": "a token" }, "clientData": { "name": "alice" } }]);
            ensure!(members == own, "{sdk}: {members}");
            alice.command(&json!(["publish", 1]))?;
            alice.hears("data", SOON).await?;

            let with = json!({ "secret": "another secret of the same length" });
            let (mut mallory, _) = enter(&lab.machine(&format!("m-{sdk}"))?, "mallory", sdk, &with).await?;
            let refusal = mallory.hears("authenticate", SOON).await?;
            ensure!(refusal == "JWT signature does not match", "{sdk}: {refusal}");
        }
        Ok(())
    });
}

#[test]
fn the_back_ends_package_for_node_says_and_asks_everything() {
    run(Language::Node, "the_back_ends_package_for_node_says_and_asks_everything", "", async |lab| {
        let (mut member, id) = member(lab).await?;
        let machine = lab.machine("back-end")?;
        let mut back = push(&machine, (Language::Node, "push.js"), SECRET)?;
        for _ in 0..3 {
            back.hears("publish", STARTS).await?;
        }
        heard(&mut member, &[json!({ "from": "a back end" }), json!("a text"), json!({ "to": "two" })])
            .await?;
        for (method, expected) in [
            ("channelStats", json!({ "users_count": 1 })),
            ("members", json!([id])),
            ("rooms", json!([ROOM])),
            ("roomMembers", json!([id])),
            ("allRoomMembers", json!({ ROOM: [id] })),
        ] {
            let answer = back.hears(method, SOON).await?;
            ensure!(answer == expected, "{method}: {answer}");
        }
        let mut mallory = push(&machine, (Language::Node, "push.js"), "no secret of the channel's")?;
        // What is wrong with an object, the package itself makes unreadable.
        mallory.hears("publish", STARTS).await?;
        let refusal = mallory.hears("publish", SOON).await?;
        ensure!(refusal == "Unauthorized", "{refusal}");
        Ok(())
    });
}

#[test]
fn the_back_ends_package_for_python_says_and_asks_everything() {
    run(Language::Python, "the_back_ends_package_for_python_says_and_asks_everything", "", async |lab| {
        let (mut member, id) = member(lab).await?;
        let machine = lab.machine("back-end")?;
        let mut back = push(&machine, (Language::Python, "push.py"), SECRET)?;
        for (method, expected) in [
            ("publish", json!([200, {}])),
            ("publish", json!([200, {}])),
            ("channel_stats", json!([200, { "users_count": 1 }])),
            ("members_list", json!([200, [id]])),
            ("rooms_list", json!([200, [ROOM]])),
            ("room_members_list", json!([200, [id]])),
            ("all_room_members_list", json!([200, { ROOM: [id] }])),
        ] {
            let answer = back.hears(method, STARTS).await?;
            ensure!(answer == expected, "{method}: {answer}");
        }
        heard(&mut member, &[json!({ "from": "a back end" }), json!({ "to": "two" })]).await?;
        let mut mallory = push(&machine, (Language::Python, "push.py"), "no secret of the channel's")?;
        let refusal = mallory.hears("publish", STARTS).await?;
        ensure!(refusal == json!([401, { "message": "Unauthorized" }]), "{refusal}");
        Ok(())
    });
}

/// Everything that such a client does, once.
async fn enters_speaks_and_leaves(lab: &mut Lab, sdk: &str) -> Result<()> {
    let (mut alice, alice_id) = enter(&lab.machine("alice")?, "alice", sdk, &json!({})).await?;
    let members = alice.hears("members", SOON).await?;
    ensure!(members == json!([person(&alice_id, "alice")]), "{members}");
    alice.hears("room_open", SOON).await?;

    alice.command(&json!(["publish", "before Bob"]))?;
    alice.hears("data", SOON).await?;
    let (mut bob, bob_id) = enter(&lab.machine("bob")?, "bob", sdk, &json!({ "history": 5 })).await?;
    let members = bob.hears("members", SOON).await?;
    ensure!(members == json!([person(&bob_id, "bob"), person(&alice_id, "alice")]), "{members}");
    let joined = alice.hears("member_join", SOON).await?;
    ensure!(joined == person(&bob_id, "bob"), "{joined}");
    let past = bob.hears("history_message", SOON).await?;
    ensure!(past["data"] == "before Bob" && past["clientId"] == alice_id, "{past}");

    alice.command(&json!(["publish", { "sdp": "…", "list": [1, 2.5, null] }]))?;
    for listener in [&mut alice, &mut bob] {
        // The older event, which all of them have; the newer one comes before it.
        let older = listener.hears("data", SOON).await?;
        let member = person(&alice_id, "alice");
        ensure!(
            older == json!({ "data": { "sdp": "…", "list": [1, 2.5, null] }, "member": member }),
            "{older}"
        );
        let Some([_, message]) = listener.seen.iter().rfind(|event| event[0] == "message").map(pair) else {
            ensure!(sdk == "scaledrone-node-1.4", "{sdk} has that event: {:?}", listener.seen);
            continue;
        };
        ensure!(message["data"] == json!({ "sdp": "…", "list": [1, 2.5, null] }), "{message}");
        ensure!(message["clientId"] == alice_id && message["member"] == member, "{message}");
        ensure!(
            message["timestamp"].as_u64() > Some(1_700_000_000) && message["id"].is_string(),
            "{message}"
        );
    }

    bob.command(&json!(["leave"]))?;
    let left = alice.hears("member_leave", SOON).await?;
    ensure!(left == person(&bob_id, "bob"), "{left}");
    Ok(())
}

/// Installs the packages where the machine's network is, then runs the test with a server and a channel.
fn run<F>(language: Language, name: &str, settings: &'static str, test: F)
where
    F: AsyncFnOnce(&mut Lab) -> Result<()> + Send + 'static,
{
    let installed = script::install(language).and_then(|()| script::install(Language::Node));
    if let Err(error) = installed {
        return conclude(name, Err(error));
    }
    lab::run(async move |lab| {
        let file = lab.folder().join("visavis.toml");
        fs::write(&file, format!("[channels.{CHANNEL}]\nsecret = \"{SECRET}\"\n{settings}\n"))?;
        lab.server(&["--config", &file.display().to_string()]).await?;
        test(lab).await
    });
}

async fn enter(machine: &Node, name: &str, sdk: &str, options: &Value) -> Result<(Script, String)> {
    let mut member = Script::member(machine, name, sdk, (CHANNEL, ROOM), options)?;
    let id = member.hears("open", STARTS).await?;
    Ok((member, id.as_str().unwrap_or_default().to_owned()))
}

/// Somebody who is there.
async fn member(lab: &mut Lab) -> Result<(Script, String)> {
    let (mut member, id) = enter(&lab.machine("alice")?, "alice", "scaledrone-node", &json!({})).await?;
    member.hears("room_open", SOON).await?;
    Ok((member, id))
}

fn push(machine: &Node, script: (Language, &str), secret: &str) -> Result<Script> {
    let url = server::insecure_origin();
    Script::start(machine, "a back end", script, &[&url, CHANNEL, secret, ROOM])
}

async fn heard(member: &mut Script, expected: &[Value]) -> Result<()> {
    for data in expected {
        let message = member.hears("message", SOON).await?;
        ensure!(message["data"] == *data && message["clientId"].is_null(), "{message}");
    }
    Ok(())
}

fn pair(event: &Value) -> [Value; 2] {
    [event[0].clone(), event[1].clone()]
}

fn person(id: &str, name: &str) -> Value {
    json!({ "id": id, "clientData": { "name": name } })
}
