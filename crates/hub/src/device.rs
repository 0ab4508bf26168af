//! Names of devices.
//!
//! A name is a digest of a secret that its device alone knows. All members of a room see the name; none of them can
//! bear it on a connection of its own. It depends on nothing of this server, so it stays the same over restarts.

use std::{fmt::Write as _, sync::Arc};

use sha2::{Digest, Sha256};

/// Enough of a digest that no other secret with the same one can be found.
const BYTES: usize = 16;

/// The name of the device that has this secret.
pub(crate) fn name(secret: &str) -> Arc<str> {
    let digest = Sha256::new().chain_update("visavis device\0").chain_update(secret).finalize();
    let mut name = String::with_capacity(2 * BYTES);
    for byte in &digest[..BYTES] {
        write!(name, "{byte:02x}").expect("writing to a String cannot fail");
    }
    name.into()
}
