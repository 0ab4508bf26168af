//! Who is inside: members of the room, and the remotes that they are.

use visavis_clock::Now;

use crate::{
    CAPACITY, ConnectionId, Quality, Remote, RemoteState,
    connection::Connection,
    media,
    recovery::{FIRST_FRAME, GIVE_UP, OFFER, RESTART, SECOND_AGAIN, SECOND_GIVEN, UNSTABLE},
};

/// Members that are kept track of; a room of calls never has that many.
const MEMBERS: usize = 64;

/// A member of the signaling room.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Present {
    pub(crate) id: String,
    /// The name of its device, for which the server vouches; `None` for a page of the tutorial.
    pub(crate) device: Option<String>,
    /// Has said goodbye and only has to leave.
    pub(crate) parted: bool,
}

impl Present {
    /// Whether the two are the same device, as far as can be told.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.id == other.id || self.is_of(other.device.as_deref())
    }

    /// Whether it is of that device, if there is one.
    pub(crate) fn is_of(&self, device: Option<&str>) -> bool {
        device.is_some() && self.device.as_deref() == device
    }
}

/// The members of the room, this side's own included, newest first.
#[derive(Debug, Default)]
pub(crate) struct Members(Vec<Present>);

impl Members {
    pub(crate) fn replace(&mut self, members: Vec<Present>) {
        self.0 = members;
        self.0.truncate(MEMBERS);
    }

    pub(crate) fn join(&mut self, member: Present) {
        self.leave(&member.id);
        self.0.insert(0, member);
        self.0.truncate(MEMBERS);
    }

    pub(crate) fn leave(&mut self, id: &str) {
        self.0.retain(|member| member.id != id);
    }

    pub(crate) fn part(&mut self, id: &str) {
        if let Some(member) = self.0.iter_mut().find(|member| member.id == id) {
            member.parted = true;
        }
    }

    /// One that has said goodbye speaks again: it came back without having left the room.
    pub(crate) fn return_of(&mut self, id: &str) -> Option<Present> {
        let member = self.0.iter_mut().find(|member| member.id == id && member.parted)?;
        member.parted = false;
        Some(member.clone())
    }

    /// One member for each device that is not this one, newest first; a ghost behind a newer member of
    /// its device does not count.
    pub(crate) fn others(&self, own_device: Option<&str>, own_ids: &[String]) -> Vec<Present> {
        let mut others: Vec<Present> = Vec::new();
        for member in &self.0 {
            let own = own_ids.contains(&member.id) || member.is_of(own_device);
            if !own && !member.parted && !others.iter().any(|other| other.is(member)) {
                others.push(member.clone());
            }
        }
        others
    }

    pub(crate) fn same_device(&self, own_device: Option<&str>) -> impl Iterator<Item = &Present> {
        self.0.iter().filter(move |member| member.is_of(own_device))
    }
}

/// One remote: what is shown of it, and the one or two connections to it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) remote: Remote,
    pub(crate) device: Option<String>,
    pub(crate) session: Option<String>,
    /// When it left the room without a goodbye.
    pub(crate) absent: Option<Now>,
    /// Since when an offer is expected, or may be made.
    pub(crate) awaited: Now,
    /// This side came later and makes the first offer.
    pub(crate) offers: bool,
    /// The greatest generation of the remote's own that was taken up; older ones are stale.
    pub(crate) floor: u32,
    /// When connections to it broke on a description.
    pub(crate) broken: Vec<Now>,
    /// When there was last reason to hope.
    pub(crate) hope: Now,
    /// When a second connection was last begun.
    pub(crate) seconded: Option<Now>,
    /// This end's part of the path, as told to the remote.
    pub(crate) own_path: Option<crate::Path>,
    /// What the remote says of its path.
    pub(crate) told_path: Option<crate::Path>,
    pub(crate) primary: Option<Connection>,
    /// On its way beside the primary, to take over when it stands.
    pub(crate) second: Option<Connection>,
}

impl Entry {
    pub(crate) fn new(now: Now, member: &Present, offers: bool) -> Self {
        Self {
            remote: Remote {
                member: member.id.clone(),
                connection: None,
                state: RemoteState::Connecting,
                since: now,
                name: None,
                muted: false,
                camera: true,
                foreign: member.device.is_none(),
                path: None,
                quality: None,
            },
            device: member.device.clone(),
            session: None,
            absent: None,
            awaited: now,
            offers,
            floor: 0,
            broken: Vec::new(),
            hope: now,
            seconded: None,
            own_path: None,
            told_path: None,
            primary: None,
            second: None,
        }
    }

    /// Whether a member of the room is this remote, perhaps under a new id.
    pub(crate) fn is(&self, member: &Present) -> bool {
        self.remote.member == member.id || self.device.is_some() && self.device == member.device
    }

    pub(crate) fn open_channels(&self) -> impl Iterator<Item = ConnectionId> {
        self.connections().filter(|connection| connection.life.data_open()).map(|connection| connection.id)
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.primary.iter().chain(&self.second)
    }

    pub(crate) fn connections_mut(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.primary.iter_mut().chain(&mut self.second)
    }

    pub(crate) fn connection_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections_mut().find(|connection| connection.id == id)
    }

    /// The connection that a signal means. Between pages of ours it names a generation.
    pub(crate) fn generation_mut(&mut self, generation: Option<u32>) -> Option<&mut Connection> {
        self.connections_mut().find(|connection| connection.generation == generation)
    }

    /// Something of it lives, whatever signaling says.
    pub(crate) fn lives(&self, now: Now) -> bool {
        self.connections().any(|connection| connection.life.lives(now))
    }

    /// It left the room and nothing of it lives, or it has been away for too long.
    pub(crate) fn gone(&self, now: Now) -> bool {
        self.absent.is_some_and(|absent| !self.lives(now) || now.since(absent) >= GIVE_UP)
    }

    /// Everything about connections starts anew, as with a page that was loaded again.
    pub(crate) fn start_over(&mut self, now: Now) -> Vec<ConnectionId> {
        let dropped = self.connections().map(|connection| connection.id).collect();
        self.primary = None;
        self.second = None;
        self.awaited = now;
        self.hope = now;
        self.seconded = None;
        self.own_path = None;
        self.remote.connection = None;
        self.remote.quality = None;
        self.remote.path = None;
        self.told_path = None;
        self.show(now, RemoteState::Connecting);
        dropped
    }

    /// The remote still tries: one chance more, and no attempts of this side's own meanwhile, or two ends
    /// would keep each other trying for ever.
    pub(crate) fn revive(&mut self, now: Now) {
        if self.remote.state == RemoteState::Lost {
            self.hope = now - (GIVE_UP - SECOND_GIVEN);
            self.seconded = Some(now);
            self.show(now, RemoteState::Connecting);
        }
    }

    /// Something has changed for the better: what was given up is tried anew.
    pub(crate) fn hope_again(&mut self, now: Now) {
        if self.remote.state == RemoteState::Lost {
            self.hope = now;
            self.offers = true;
            self.show(now, RemoteState::Connecting);
        }
    }

    pub(crate) fn show(&mut self, now: Now, state: RemoteState) {
        if self.remote.state != state {
            self.remote.state = state;
            self.remote.since = now;
        }
    }

    /// What the state of the primary amounts to for a person.
    pub(crate) fn assess(&mut self, now: Now) {
        self.remote.connection = self.primary.as_ref().map(|connection| connection.id);
        let state = self.state(now);
        if matches!(state, RemoteState::Reconnecting | RemoteState::Lost) && self.remote.quality.is_some() {
            self.remote.quality = Some(Quality(0));
        }
        self.show(now, state);
    }

    fn state(&self, now: Now) -> RemoteState {
        let Some(connection) = &self.primary else {
            return self.remote.state;
        };
        let quiet = connection.life.quiet(now);
        match connection.life.stood {
            None => RemoteState::Connecting,
            Some(_) if quiet >= RESTART || connection.life.broken() => RemoteState::Reconnecting,
            Some(stood) if !self.flows(connection, now, stood) => RemoteState::Connecting,
            Some(_) if quiet >= UNSTABLE => RemoteState::Unstable,
            Some(_) => RemoteState::Connected,
        }
    }

    /// Media is there to be seen, or there is none to wait for.
    fn flows(&self, connection: &Connection, now: Now, stood: Now) -> bool {
        let shown = matches!(
            self.remote.state,
            RemoteState::Connected | RemoteState::Unstable | RemoteState::Reconnecting
        );
        shown || connection.life.first_frame || !self.remote.camera || now.since(stood) >= FIRST_FRAME
    }

    /// Takes over what the remote says of itself.
    pub(crate) fn tell(&mut self, state: visavis_signal::call::State) {
        media::apply(state, &mut self.remote, &mut self.told_path);
    }

    /// The first moment after `now` at which something here may become due.
    pub(crate) fn wake(&self, now: Now) -> Now {
        let absent = self.absent.map(|absent| absent + GIVE_UP);
        let awaited = [OFFER, GIVE_UP].map(|time| self.awaited + time);
        let connections = self.connections().map(|connection| connection.wake(now));
        let hope = Some(self.hope + GIVE_UP);
        let second = self.seconded.map(|at| at + SECOND_AGAIN);
        let all = connections.chain(absent).chain(hope).chain(second).chain(awaited).filter(|&at| at > now);
        all.min().unwrap_or(now + GIVE_UP)
    }
}

/// How many remotes fit beside this side.
pub(crate) const REMOTES: usize = CAPACITY - 1;
