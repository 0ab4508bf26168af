//! Who is in a call with whom: what the relay asks before the holder of a credential may reach an address, and whose allocations
//! are to end.
//!
//! A call member's credential names its client. It reaches only who is in a room with that client, by an address that one of them has
//! named as a candidate or is connected from. A stolen one reaches nobody new.

mod candidates;
mod member;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};
use visavis_hub::{ConnectionId, Now};
use visavis_relay::{IsRevoked, Relay};
use visavis_turn::Circle;

use crate::signaling::Signaling;
pub(crate) use candidates::Said;
use member::Member;

/// How long allocations outlive a goodbye: a moment, in which a member may come back.
const AFTER_GOODBYE: Duration = Duration::from_secs(3);
/// How long they outlive a connection that was lost.
const AFTER_LOSS: Duration = Duration::from_secs(90);
/// How long a member that came back may take to enter its rooms again.
const REENTRY: Duration = Duration::from_secs(20);
/// Members that are remembered. Beyond it those whose connection is lost are forgotten at once.
const MOST: usize = 100_000;
/// How often is looked for allocations that are to end.
const STEP: Duration = Duration::from_secs(1);

/// All members of all rooms, as far as the relay must know them.
#[derive(Default)]
pub(crate) struct Circles(Mutex<State>);

#[derive(Default)]
struct State {
    members: HashMap<Box<str>, Member>,
    /// Who is in a room, by `channel/room`.
    rooms: HashMap<Box<str>, HashSet<Box<str>>>,
    timers: BTreeSet<(Now, Box<str>)>,
    /// Whose allocations end, and were not told the relay yet.
    revoked: HashSet<Box<str>>,
    counts: Counts,
}

/// What has been counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Members that are remembered now.
    pub(crate) members: u64,
    /// Addresses that members named in candidates.
    pub(crate) named: u64,
    /// Of these, the ones that took the place of an older one: nobody has that many.
    pub(crate) replaced: u64,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The client said so.
    Left,
    /// It broke, or nothing was heard any more.
    Lost,
}

/// Whom a call is about: a client and its connection.
#[derive(Clone, Copy)]
pub(crate) struct Who<'a> {
    pub(crate) client: &'a str,
    pub(crate) connection: ConnectionId,
}

impl Circles {
    /// A client is connected from `address`. With `bound`, its credentials reach nobody but members of its rooms.
    pub(crate) fn come(&self, now: Now, who: Who<'_>, address: IpAddr, bound: bool) {
        let mut state = self.lock();
        if state.members.len() >= MOST && !state.members.contains_key(who.client) {
            state.forget_lost();
        }
        let member = state.members.entry(who.client.into()).or_insert_with(|| Member::new(bound));
        member.come(now, who.connection, address);
        state.wake_at(now + REENTRY, who.client);
    }

    /// A client has been given credentials: from now on it may have allocations.
    pub(crate) fn equip(&self, client: &str) {
        if let Some(member) = self.lock().members.get_mut(client) {
            member.equipped = true;
        }
    }

    /// A client enters a room.
    pub(crate) fn enter(&self, who: Who<'_>, channel: &str, room: &str) {
        let mut state = self.lock();
        let Some(member) = state.of(who) else { return };
        let key = key(channel, room);
        member.enter(&key);
        state.rooms.entry(key).or_default().insert(who.client.into());
    }

    /// A client leaves a room.
    pub(crate) fn leave(&self, now: Now, who: Who<'_>, channel: &str, room: &str) {
        let mut state = self.lock();
        let key = key(channel, room);
        let Some(member) = state.of(who) else { return };
        if member.leave(now, &key) {
            state.wake_at(now + AFTER_GOODBYE, who.client);
        }
        state.take_out(&key, who.client);
    }

    /// A client says something in a room: takes note of the addresses in it, and of a goodbye.
    pub(crate) fn say(&self, now: Now, who: Who<'_>, channel: &str, room: &str, said: Said) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(member) = state.members.get_mut(who.client) else { return };
        let named = member.say(now, &key(channel, room), said);
        state.counts.named += named.new;
        state.counts.replaced += named.replaced;
        if named.leaves {
            guard.wake_at(now + AFTER_GOODBYE, who.client);
        }
    }

    /// A client's connection has ended, unless it was replaced by another.
    pub(crate) fn go(&self, now: Now, who: Who<'_>, gone: Gone) {
        let mut state = self.lock();
        let Some(member) = state.of(who).filter(|member| !member.is_gone()) else { return };
        let delay = match gone {
            Gone::Left => AFTER_GOODBYE,
            Gone::Lost => AFTER_LOSS,
        };
        member.go(now + delay, gone);
        let is_forgotten = gone == Gone::Lost && !member.matters();
        if gone == Gone::Left || is_forgotten {
            state.clear_rooms(who.client);
        }
        if is_forgotten {
            state.members.remove(who.client);
        } else {
            state.wake_at(now + delay, who.client);
        }
    }

    /// What has been counted.
    pub(crate) fn counts(&self) -> Counts {
        let state = self.lock();
        Counts { members: state.members.len() as u64, ..state.counts }
    }

    /// Whose allocations end now, those that the relay was not told before included.
    fn due(&self, now: Now) -> HashSet<Box<str>> {
        let mut state = self.lock();
        while state.timers.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, client)) = state.timers.pop_first() else { break };
            state.look_after(now, &client);
        }
        std::mem::take(&mut state.revoked)
    }

    /// The relay could not take note of it: another time.
    fn put_back(&self, revoked: &HashSet<Box<str>>) {
        self.lock().revoked.extend(revoked.iter().cloned());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The member, if that is still its connection.
    fn of(&mut self, who: Who<'_>) -> Option<&mut Member> {
        self.members.get_mut(who.client).filter(|member| member.connection == who.connection)
    }

    fn wake_at(&mut self, at: Now, client: &str) {
        self.timers.insert((at, client.into()));
    }

    fn look_after(&mut self, now: Now, client: &str) {
        let Some(member) = self.members.get_mut(client) else { return };
        let missed = member.not_reentered(now);
        let ends = member.take_end(now);
        let is_gone = member.is_gone();
        for room in missed {
            self.take_out(&room, client);
        }
        if ends {
            self.end(client, is_gone);
        }
    }

    fn end(&mut self, client: &str, is_gone: bool) {
        self.revoked.insert(client.into());
        if is_gone {
            self.clear_rooms(client);
            self.members.remove(client);
        }
    }

    fn clear_rooms(&mut self, client: &str) {
        let rooms = self.members.get_mut(client).map(Member::take_rooms).unwrap_or_default();
        for room in rooms.into_keys() {
            self.take_out(&room, client);
        }
    }

    fn take_out(&mut self, room: &str, client: &str) {
        if let Some(clients) = self.rooms.get_mut(room) {
            clients.remove(client);
            if clients.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    fn forget_lost(&mut self) {
        let lost = self.members.iter().filter(|(_, member)| member.is_gone());
        let lost: Vec<_> = lost.map(|(client, _)| client.clone()).collect();
        lost.iter().for_each(|client| self.end(client, true));
    }

    /// Whether somebody in a room with `member` has that address.
    fn has_company_at(&self, member: &Member, peer: IpAddr) -> bool {
        let present = member.rooms.iter().filter(|(_, place)| !place.said_bye);
        present.map(|(room, _)| room).any(|room| {
            let clients = self.rooms.get(room).into_iter().flatten();
            let others = clients.filter_map(|client| self.members.get(client));
            others.filter(|other| other.is_in(room)).any(|other| other.has(peer))
        })
    }
}

impl Circle for Circles {
    fn admits(&self, username: &[u8]) -> bool {
        let Some(client) = client_of(username) else { return true };
        self.lock().members.get(client).is_some_and(Member::may_allocate)
    }

    fn holds(&self, username: &[u8], peer: IpAddr) -> bool {
        let Some(client) = client_of(username) else { return true };
        let state = self.lock();
        let Some(member) = state.members.get(client) else { return false };
        !member.bound || state.has_company_at(member, peer.to_canonical())
    }
}

/// Has the relay end what is to end, for ever.
pub(crate) async fn watch(signaling: Arc<Signaling>, relay: Arc<Relay>) {
    let mut steps = interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        steps.tick().await;
        let revoked = Arc::new(signaling.circles.due(signaling.now()));
        if revoked.is_empty() {
            continue;
        }
        let of_revoked = Arc::clone(&revoked);
        let is_revoked: Arc<IsRevoked> =
            Arc::new(move |name: &[u8]| client_of(name).is_some_and(|client| of_revoked.contains(client)));
        if !relay.revoke(&is_revoked) {
            signaling.circles.put_back(&revoked);
        }
    }
}

/// The client that a credential was made for: the name is `expiry:m:CLIENT:nonce`. None if it was made for somebody else.
pub(crate) fn client_of(username: &[u8]) -> Option<&str> {
    let (_, name) = std::str::from_utf8(username).ok()?.split_once(':')?;
    // Client ids have colons of their own.
    Some(name.strip_prefix("m:")?.rsplit_once(':')?.0)
}

fn key(channel: &str, room: &str) -> Box<str> {
    format!("{channel}/{room}").into()
}

#[cfg(test)]
mod tests;
