//! Calls as the relay must see them, in virtual time.

use super::*;

const ALICE: Who<'static> = Who { client: "b58:alice", connection: ConnectionId(1) };
const BOB: Who<'static> = Who { client: "b58:bob", connection: ConnectionId(2) };
const CHANNEL: &str = "visavis";

struct World {
    circles: Circles,
    now: Now,
}

impl World {
    /// Alice and Bob are in the room `blue`, at 9.9.9.1 and 9.9.9.2.
    fn with_two() -> Self {
        let world = Self { circles: Circles::default(), now: Now::ZERO };
        for (who, address) in [(ALICE, "9.9.9.1"), (BOB, "9.9.9.2")] {
            world.come(who, address);
            world.circles.enter(who, CHANNEL, "blue");
            world.circles.equip(who.client);
        }
        world
    }

    fn come(&self, who: Who<'_>, address: &str) {
        self.circles.come(self.now, who, ip(address), true);
    }

    fn reaches(&self, who: Who<'_>, peer: &str) -> bool {
        self.circles.holds(name(who).as_bytes(), ip(peer))
    }

    fn admits(&self, who: Who<'_>) -> bool {
        self.circles.admits(name(who).as_bytes())
    }

    fn candidate(&self, who: Who<'_>, room: &str, address: &str) {
        let candidate = format!("candidate:1 1 udp 1 {address} 5000 typ host");
        let message = format!(r#"{{"candidate":{{"candidate":"{candidate}"}}}}"#);
        self.circles.say(self.now, who, CHANNEL, room, Said::read(&message).unwrap());
    }

    fn bye(&self, who: Who<'_>) {
        self.circles.say(self.now, who, CHANNEL, "blue", Said::Bye);
    }

    /// Lets time pass second by second: after how many it was said that the client's allocations end.
    fn ends_after(&mut self, who: Who<'_>, most: u64) -> Option<u64> {
        (1..=most).find(|_| {
            self.now += Duration::from_secs(1);
            self.circles.due(self.now).contains(who.client)
        })
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn name(who: Who<'_>) -> String {
    format!("1700000000:m:{}:0123456789abcdef", who.client)
}

#[test]
fn a_member_reaches_the_addresses_of_its_room_and_no_other() {
    let world = World::with_two();
    world.candidate(BOB, "blue", "8.8.8.8");
    world.candidate(BOB, "blue", "2a00:1450::1");
    for peer in ["9.9.9.1", "9.9.9.2", "::ffff:9.9.9.2", "8.8.8.8", "2a00:1450::1"] {
        assert!(world.reaches(ALICE, peer), "{peer}");
    }
    for peer in ["9.9.9.3", "8.8.8.9", "2a00:1450::2"] {
        assert!(!world.reaches(ALICE, peer), "{peer}");
    }
    assert_eq!((world.circles.counts().named, world.circles.counts().members), (2, 2));
}

#[test]
fn another_room_is_another_call() {
    let world = World::with_two();
    let carol = Who { client: "b58:carol", connection: ConnectionId(3) };
    world.come(carol, "9.9.9.3");
    world.circles.enter(carol, CHANNEL, "red");
    world.candidate(carol, "red", "8.8.8.8");
    assert!(
        !world.reaches(ALICE, "9.9.9.3")
            && !world.reaches(ALICE, "8.8.8.8")
            && !world.reaches(carol, "9.9.9.1")
    );
    // Nobody becomes a member by talking.
    world.candidate(carol, "blue", "8.8.4.4");
    assert!(!world.reaches(ALICE, "8.8.4.4"));
    // A room of the same name in another channel is another room.
    world.circles.enter(carol, "other", "blue");
    assert!(!world.reaches(ALICE, "9.9.9.3"));
    world.circles.enter(carol, CHANNEL, "blue");
    assert!(world.reaches(ALICE, "9.9.9.3") && world.reaches(ALICE, "8.8.8.8"));
    world.circles.leave(world.now, carol, CHANNEL, "blue");
    assert!(!world.reaches(ALICE, "9.9.9.3"));
}

#[test]
fn credentials_that_were_not_made_for_a_member_are_not_bound() {
    let circles = Circles::default();
    for free in ["alice", "1700000000:alice", "1700000000:backend:m:x", "1700000000:m", "1700000000:m:alice"]
    {
        assert!(circles.holds(free.as_bytes(), ip("8.8.8.8")) && circles.admits(free.as_bytes()), "{free}");
    }
    assert!(!circles.holds(name(ALICE).as_bytes(), ip("8.8.8.8")));
    assert!(!circles.admits(name(ALICE).as_bytes()));
}

#[test]
fn clients_of_a_channel_that_is_not_bound_reach_everybody_and_end_like_others() {
    let mut world = World { circles: Circles::default(), now: Now::ZERO };
    world.circles.come(world.now, ALICE, ip("9.9.9.1"), false);
    world.circles.equip(ALICE.client);
    assert!(world.reaches(ALICE, "8.8.8.8"));
    world.circles.go(world.now, ALICE, Gone::Left);
    assert_eq!(world.ends_after(ALICE, 10), Some(3));
}

#[test]
fn a_member_names_so_many_addresses_and_the_oldest_give_way() {
    let world = World::with_two();
    for n in 0..100 {
        world.candidate(BOB, "blue", &format!("8.8.8.{n}"));
        world.candidate(BOB, "blue", &format!("8.8.8.{n}"));
    }
    let reached = (0..100).filter(|n| world.reaches(ALICE, &format!("8.8.8.{n}"))).collect::<Vec<_>>();
    assert_eq!(reached, (36..100).collect::<Vec<_>>());
    let Counts { named, replaced, .. } = world.circles.counts();
    assert_eq!((named, replaced), (100, 36));
}

#[test]
fn allocations_end_soon_after_each_kind_of_goodbye() {
    let goodbyes: [fn(&World); 3] = [
        |world| world.bye(BOB),
        |world| world.circles.leave(world.now, BOB, CHANNEL, "blue"),
        |world| world.circles.go(world.now, BOB, Gone::Left),
    ];
    for goodbye in goodbyes {
        let mut world = World::with_two();
        goodbye(&world);
        assert!(!world.reaches(ALICE, "9.9.9.2") && !world.reaches(BOB, "9.9.9.1"));
        assert_eq!(world.ends_after(BOB, 200), Some(3));
        assert_eq!(world.ends_after(BOB, 200), None, "it is said once");
    }
}

#[test]
fn a_member_in_two_rooms_may_leave_one() {
    let mut world = World::with_two();
    world.circles.enter(BOB, CHANNEL, "red");
    world.circles.leave(world.now, BOB, CHANNEL, "blue");
    assert_eq!(world.ends_after(BOB, 200), None);
}

#[test]
fn who_comes_back_at_once_keeps_everything() {
    let mut world = World::with_two();
    world.bye(BOB);
    assert_eq!(world.ends_after(BOB, 2), None);
    world.candidate(BOB, "blue", "8.8.8.8");
    assert_eq!(world.ends_after(BOB, 200), None);
    assert!(world.reaches(ALICE, "8.8.8.8") && world.reaches(ALICE, "9.9.9.2"));
    world.circles.leave(world.now, BOB, CHANNEL, "blue");
    world.circles.enter(BOB, CHANNEL, "blue");
    assert_eq!(world.ends_after(BOB, 200), None);
}

#[test]
fn a_lost_connection_costs_the_allocations_after_ninety_seconds() {
    let mut world = World::with_two();
    world.circles.go(world.now, BOB, Gone::Lost);
    assert_eq!(world.ends_after(BOB, 60), None);
    assert!(world.admits(BOB) && world.reaches(BOB, "9.9.9.1") && world.reaches(ALICE, "9.9.9.2"));
    assert_eq!(world.ends_after(BOB, 60), Some(30));
    assert!(!world.admits(BOB) && !world.reaches(ALICE, "9.9.9.2"));
    assert_eq!(world.circles.counts().members, 1);
}

#[test]
fn who_resumes_in_time_keeps_them() {
    let mut world = World::with_two();
    world.circles.go(world.now, BOB, Gone::Lost);
    assert_eq!(world.ends_after(BOB, 89), None);
    let again = Who { connection: ConnectionId(7), ..BOB };
    world.come(again, "9.9.9.7");
    world.circles.enter(again, CHANNEL, "blue");
    assert_eq!(world.ends_after(BOB, 200), None);
    assert!(world.reaches(ALICE, "9.9.9.7") && !world.reaches(ALICE, "9.9.9.2"));
}

#[test]
fn the_connection_that_was_replaced_ends_nothing() {
    let mut world = World::with_two();
    let again = Who { connection: ConnectionId(7), ..BOB };
    world.come(again, "9.9.9.7");
    world.circles.enter(again, CHANNEL, "blue");
    world.circles.go(world.now, BOB, Gone::Left);
    world.circles.leave(world.now, BOB, CHANNEL, "blue");
    assert_eq!(world.ends_after(BOB, 200), None);
    assert!(world.reaches(ALICE, "9.9.9.7"));
}

#[test]
fn who_comes_back_and_does_not_enter_again_is_out_after_a_while() {
    let mut world = World::with_two();
    world.circles.go(world.now, BOB, Gone::Lost);
    world.come(Who { connection: ConnectionId(7), ..BOB }, "9.9.9.7");
    assert!(world.reaches(ALICE, "9.9.9.7"));
    world.ends_after(BOB, 21);
    assert!(!world.reaches(ALICE, "9.9.9.7") && !world.reaches(BOB, "9.9.9.1"));
}

#[test]
fn nothing_is_left_of_those_who_went() {
    let mut world = World::with_two();
    for n in 0..1000 {
        let client = format!("client-{n}");
        let who = Who { client: &client, connection: ConnectionId(100 + n) };
        world.come(who, "9.9.9.3");
        world.circles.enter(who, CHANNEL, &format!("room-{n}"));
        world.circles.go(world.now, who, if n % 2 == 0 { Gone::Left } else { Gone::Lost });
    }
    world.circles.go(world.now, ALICE, Gone::Left);
    world.circles.go(world.now, BOB, Gone::Lost);
    world.ends_after(BOB, 200);
    let state = world.circles.lock();
    assert!(state.members.is_empty() && state.rooms.is_empty() && state.revoked.is_empty());
    assert!(state.timers.len() < 10_000);
    drop(state);
    world.ends_after(BOB, 200);
    assert!(world.circles.lock().timers.is_empty());
}
