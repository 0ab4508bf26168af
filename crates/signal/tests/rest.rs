//! Which call a path means, and what answers look like.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::to_string;
use visavis_signal::{
    IceServer,
    rest::{Call, Failure, IceServers, RestRefusal, Stats, What},
};

fn what(path: &str) -> Option<Result<What<'_>, RestRefusal>> {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    Call::read(path, query).map(|call| {
        call.map(|call| {
            assert_eq!(call.channel, "c");
            call.what
        })
    })
}

fn publish<const N: usize>(rooms: [&str; N]) -> Option<Result<What<'_>, RestRefusal>> {
    Some(Ok(What::Publish(rooms.map(Into::into).to_vec())))
}

#[test]
fn each_path_means_its_call() {
    let cases = [
        ("/c/stats", What::Stats),
        ("/c/users", What::Users),
        ("/c/members", What::Members),
        ("/c/rooms", What::Rooms),
        ("/c/room-members", What::RoomsAndMembers),
        ("/c/ice-servers", What::IceServers),
        ("/c/r/members", What::RoomMembers("r".into())),
        ("/%63/stats?x=1", What::Stats),
    ];
    for (path, expected) in cases {
        assert_eq!(what(path), Some(Ok(expected)), "{path}");
    }
    for path in
        ["/", "/c", "/c/", "/c/r", "/c/stats/", "/c/r/other", "/c/r/publish/x", "c/stats", "/c/r/members/"]
    {
        assert_eq!(what(path), None, "{path}");
    }
}

#[test]
fn a_call_to_publish_names_one_room_or_several() {
    assert_eq!(what("/c/r/publish"), publish(["r"]));
    assert_eq!(what("/c/publish/publish"), publish(["publish"]));
    assert_eq!(what("/c/observable-%2Fa%20b+c/publish"), publish(["observable-/a b+c"]));
    assert_eq!(what("/c/%C3%A4/publish"), publish(["ä"]));
    assert_eq!(what("/c//publish"), publish([""]));
    assert_eq!(what("/c/publish/rooms?r=a&r=b"), publish(["a", "b"]));
    assert_eq!(what("/c/publish/rooms?r[]=a&x=y&r%5B%5D=b+c%2B"), publish(["a", "b c+"]));
    assert_eq!(what("/c/publish/rooms"), publish([]));
    for path in ["/c/%/publish", "/c/%2/publish", "/c/%zz/publish", "/c/%ff/publish", "/c/publish/rooms?r=%"]
    {
        assert_eq!(what(path), Some(Err(RestRefusal::BadEncoding)), "{path}");
    }
    assert_eq!(Call::read("/c/r/publish", None).unwrap().unwrap().method(), "POST");
    assert_eq!(Call::read("/c/stats", None).unwrap().unwrap().method(), "GET");
}

#[test]
fn answers_are_written_as_they_are() {
    let ice = IceServers {
        ice_servers: vec![IceServer {
            urls: vec!["turn:a.example:3478?transport=udp".into()],
            username: Some("1790000000:b58:fnaJaEfh".into()),
            credential: Some("c2VjcmV0".into()),
        }],
        ttl: 3600,
    };
    let answers = [
        to_string(&Stats { users_count: 20 }).unwrap(),
        to_string(&Failure { message: RestRefusal::Unauthorized.text() }).unwrap(),
        to_string(&ice).unwrap(),
    ];
    assert_eq!(answers.to_vec(), include_str!("golden/rest.jsonl").lines().collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn garbage_never_panics(path in any::<String>(), query in any::<Option<String>>()) {
        let _ = Call::read(&path, query.as_deref());
    }

    #[test]
    fn any_name_can_be_encoded(room in any::<String>()) {
        let encoded: String = room.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/c/{encoded}/publish");
        prop_assert_eq!(what(&path), Some(Ok(What::Publish(vec![room.into()]))));
    }
}
