//! What ICMP says of peers: told to the client of the relayed address that sent to them, and harming nobody else.

use visavis_turn::{PeerAddr, RelayKey};

use super::Shard;
use crate::error_queue;

/// Errors of one relay socket in one turn.
const ERRORS: usize = 16;

impl Shard {
    /// Reads what is in the error queue of a relay socket.
    pub(super) fn serve_errors(&mut self, key: RelayKey) {
        for _ in 0..ERRORS {
            let Some(relayed) = self.sockets.relay(key) else { return };
            let Ok(entry) = error_queue::next(&relayed.udp.socket) else { return };
            let Some((peer, icmp)) = entry else { continue };
            if let Some(told) = self.server.handle_icmp(self.now, key, PeerAddr(peer), icmp) {
                self.sockets.send_to_client(self.now, told.to, told.bytes);
            }
            self.apply_actions();
        }
        if let Some(relayed) = self.sockets.relay(key) {
            relayed.failed = true;
        }
    }
}
