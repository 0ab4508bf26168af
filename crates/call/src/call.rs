//! The call itself: facts in, effects out.

use visavis_clock::Now;

use crate::{Config, ConnectionEvent, ConnectionId, Effect, LinkState, Phase, Remote};

/// One person's part in one room, from the lobby to the end.
pub struct Call {}

impl Call {
    /// A call in the lobby. `seed` feeds the jitter of reconnects and nothing secret.
    #[must_use]
    pub fn new(now: Now, config: Config, seed: [u8; 32]) -> Self { unimplemented!() }

    /// Asks how many are inside, now and every few seconds while in the lobby. Opens the link.
    pub fn peek(&mut self, now: Now) { unimplemented!() }

    /// Goes in. Only from the lobby; elsewhere nothing happens.
    pub fn join(&mut self, now: Now) { unimplemented!() }

    /// Says goodbye, closes everything, and ends in [`Phase::Left`]. Also to be called on `pagehide`: its
    /// effects can all be run at once.
    pub fn leave(&mut self, now: Now) { unimplemented!() }

    /// Starts over from left, lost, full, replaced or error; while reconnecting, tries everything at once.
    pub fn retry(&mut self, now: Now) { unimplemented!() }

    /// The microphone was switched. Tells the remotes; the tracks are the driver's.
    pub fn set_microphone(&mut self, now: Now, on: bool) { unimplemented!() }

    /// The camera was switched. Tells the remotes; the tracks are the driver's.
    pub fn set_camera(&mut self, now: Now, on: bool) { unimplemented!() }

    /// The person's name changed.
    pub fn set_name(&mut self, now: Now, name: &str) { unimplemented!() }

    /// The link asked for by [`Effect::OpenLink`] is open.
    pub fn handle_link_opened(&mut self, now: Now) { unimplemented!() }

    /// A frame came on the link. Nonsense is reported and otherwise ignored.
    pub fn handle_link_frame(&mut self, now: Now, text: &str) { unimplemented!() }

    /// The link could not be opened, or closed.
    pub fn handle_link_closed(&mut self, now: Now) { unimplemented!() }

    /// Something happened to a connection.
    pub fn handle_connection(&mut self, now: Now, connection: ConnectionId, event: ConnectionEvent) { unimplemented!() }

    /// The browser says that the network is back (`online`), or the page became visible after a sleep.
    pub fn handle_online(&mut self, now: Now) { unimplemented!() }

    /// The time that [`Call::poll_timeout`] named has come. Harmless at any other time.
    pub fn handle_timeout(&mut self, now: Now) { unimplemented!() }

    /// When the call wants to be woken.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Now> { unimplemented!() }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> { unimplemented!() }

    /// Where the call stands.
    #[must_use]
    pub fn phase(&self) -> Phase { unimplemented!() }

    /// The others, in the order in which they came.
    pub fn remotes(&self) -> impl Iterator<Item = &Remote> { std::iter::empty() }

    /// How many are inside, while in the lobby, once known.
    #[must_use]
    pub fn inside(&self) -> Option<usize> { unimplemented!() }

    /// How the signaling link is.
    #[must_use]
    pub fn link(&self) -> LinkState { unimplemented!() }
}
