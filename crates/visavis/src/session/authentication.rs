//! Tokens on a connection, and what they permit. Finding that out may take long, and everybody else goes on
//! meanwhile; the messages of this connection wait, because they are handled in order.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use visavis_hub::Permission;
use visavis_signal::{Inbound, Refusal, Reply, inbound::Authenticate};

use super::{Session, Stage, wire};
use crate::token::{Grant, Holder};

/// What the next messages of a connection wait for.
pub(super) type Waiting = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What was found out.
pub(super) enum Answer {
    Authentication {
        callback: Option<i64>,
        ttl: bool,
        grant: Result<Grant, Refusal>,
    },
    /// What may be done in a room, and the message that asked for it.
    Permission {
        room: String,
        permission: Permission,
        message: String,
    },
}

impl Session {
    pub(super) fn authenticate(&mut self, message: &Authenticate<'_>) {
        let (callback, ttl) = (message.callback, message.ttl);
        let counted = self.signaling.with(|state, now| state.hub.count_authentication(now, self.connection));
        let Stage::Open { client, channel, .. } = &self.stage else { return };
        let channel = match counted {
            Ok(()) => self.signaling.channels().find(&channel.id).ok_or(Refusal::UnknownChannel),
            Err(refusal) => Err(wire(refusal)),
        };
        match channel {
            Ok(channel) => {
                let verified = channel.authenticate(&message.token, Holder::Client(client), unix_time());
                self.waiting =
                    Some(Box::pin(
                        async move { Answer::Authentication { callback, ttl, grant: verified.await } },
                    ));
            }
            Err(refusal) => self.refuse(callback, refusal),
        }
    }

    /// Waits with a message until it is known what its sender may do in that room; whether that is not known yet.
    pub(super) fn wait_for_permission(&mut self, message: &Inbound<'_>, text: &str) -> bool {
        let Stage::Open { grant: Some(grant), .. } = &self.stage else { return false };
        let room = match message {
            Inbound::Subscribe(message) => &message.room,
            Inbound::Publish(message) => &message.room,
            Inbound::Peek(message) => &message.room,
            _ => return false,
        };
        let undecided = self.signaling.with(|state, now| state.hub.is_undecided(now, self.connection, room));
        if undecided {
            let (permission, room, message) = (grant.permission(room), room.to_string(), text.to_owned());
            self.waiting =
                Some(Box::pin(
                    async move { Answer::Permission { permission: permission.await, room, message } },
                ));
        }
        undecided
    }

    /// Whether messages have to wait.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Goes on as soon as what is waited for is there.
    pub(crate) fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(waiting) = &mut self.waiting {
            let answer = ready!(waiting.as_mut().poll(cx));
            self.waiting = None;
            self.handle_answer(answer);
        }
        Poll::Ready(())
    }

    fn handle_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Authentication { callback, ttl, grant: Ok(grant) } => self.accept(callback, ttl, grant),
            Answer::Authentication { callback, grant: Err(refusal), .. } => self.refuse(callback, refusal),
            Answer::Permission { room, permission, message } => {
                self.signaling
                    .with(|state, _| state.hub.handle_permission(self.connection, &room, permission));
                self.handle_message(&message);
            }
        }
    }

    fn accept(&mut self, callback: Option<i64>, ttl: bool, accepted: Grant) {
        let auth_data = accepted.auth_data.clone();
        let rest = accepted.expiry.saturating_sub(unix_time());
        let asked = self.signaling.with(|state, now| {
            state.hub.handle_authenticate(self.connection, now + rest, auth_data)?;
            state.counters.authenticated += 1;
            Ok(())
        });
        if let Err(refusal) = asked {
            return self.refuse(callback, wire(refusal));
        }
        if let Stage::Open { grant, .. } = &mut self.stage {
            *grant = Some(accepted);
        }
        let ttl = ttl.then_some(rest.as_secs());
        self.reply(&Reply { callback, ttl, ..Reply::default() });
    }
}

fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
