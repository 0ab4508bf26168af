//! Who a client has shown to be, and what it may do.

use std::{collections::HashMap, sync::Arc};

use visavis_clock::Now;

use super::Hub;
use crate::{ConnectionId, Permission, Refusal, permission::Standing};

impl Hub {
    /// Counts an attempt to authenticate.
    ///
    /// # Errors
    /// The connection was not welcomed, or tries too often.
    pub fn count_authentication(&mut self, now: Now, connection: ConnectionId) -> Result<(), Refusal> {
        self.count_message(now, connection)?;
        let rate = self.config.limits.authentications;
        let asking = self.connections.get_mut(&connection).ok_or(Refusal::NotConnected)?;
        asking.authentications.admit(now, rate).then_some(()).ok_or(Refusal::TooManyRequests)
    }

    /// A connection has shown who it is, which counts `until` then. What it was permitted before counts no more;
    /// where it is, it stays.
    /// Members of rooms that it enters from now on are told `auth_data`.
    ///
    /// # Errors
    /// The connection was not welcomed.
    pub fn handle_authenticate(
        &mut self,
        connection: ConnectionId,
        until: Now,
        auth_data: Option<Arc<[u8]>>,
    ) -> Result<(), Refusal> {
        let found = self.connections.get_mut(&connection).ok_or(Refusal::NotConnected)?;
        if !matches!(found.standing, Standing::Free) {
            found.standing = Standing::Authenticated { until, decided: HashMap::new() };
        }
        let channel = self.channels.get_mut(&found.channel);
        if let Some(client) = channel.and_then(|channel| channel.clients.get_mut(&found.client)) {
            client.auth_data = auth_data;
        }
        Ok(())
    }

    /// Whether a connection may do anything at all.
    ///
    /// # Errors
    /// Its channel requires authentication first, or what it has shown has expired, or it was not welcomed.
    pub fn check_authenticated(&self, now: Now, connection: ConnectionId) -> Result<(), Refusal> {
        self.connections.get(&connection).ok_or(Refusal::NotConnected)?.standing.check(now)
    }

    /// Whether nothing can be said to a request about a room before [`Hub::handle_permission`] was: it would be
    /// [`Refusal::Undecided`].
    #[must_use]
    pub fn is_undecided(&self, now: Now, connection: ConnectionId, room: &str) -> bool {
        let Some(asking) = self.connections.get(&connection) else { return false };
        self.check_room(room).is_ok() && asking.standing.permission(now, room) == Err(Refusal::Undecided)
    }

    /// What an authenticated connection may do in a room.
    pub fn handle_permission(&mut self, connection: ConnectionId, room: &str, permission: Permission) {
        if self.check_room(room).is_ok()
            && let Some(asking) = self.connections.get_mut(&connection)
        {
            asking.standing.decide(room, permission);
        }
    }
}
