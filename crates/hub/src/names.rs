//! Names of channels, rooms, clients and connections.

use std::{fmt, sync::Arc};

use rand_chacha::ChaCha12Rng;
use rand_core::Rng;

/// A channel: the tenant that rooms belong to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(Arc<str>);

/// A room within a channel.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Arc<str>);

/// A client within a channel, and the id of its membership in rooms. Consists of `[A-Za-z0-9:]` only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Arc<str>);

/// A connection, as the shell numbers them. A number may be used again once its connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub usize);

macro_rules! name {
    ($name:ident) => {
        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name!(ChannelId);
name!(RoomName);
name!(ClientId);

impl RoomName {
    /// Whether members of this room are told about each other.
    #[must_use]
    pub fn is_observable(&self) -> bool {
        self.0.starts_with("observable-")
    }
}

impl ClientId {
    /// What every client id starts with.
    const PREFIX: &str = "b58:";
    /// 58 to the 11th is a little more than 64 bits.
    const LENGTH: usize = 11;

    /// Makes an id that nobody guesses.
    pub(crate) fn random(random: &mut ChaCha12Rng) -> Self {
        let mut id = String::with_capacity(Self::PREFIX.len() + Self::LENGTH);
        id.push_str(Self::PREFIX);
        id.extend((0..Self::LENGTH).map(|_| base58_letter(random)));
        Self(id.into())
    }

    /// Whether `text` has the shape of an id made here.
    pub(crate) fn has_shape(text: &str) -> bool {
        text.strip_prefix(Self::PREFIX)
            .is_some_and(|rest| rest.len() == Self::LENGTH && rest.bytes().all(|byte| BASE58.contains(&byte)))
    }
}

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

fn base58_letter(random: &mut ChaCha12Rng) -> char {
    loop {
        let index = (random.next_u32() >> 26) as usize;
        if let Some(&letter) = BASE58.get(index) {
            return char::from(letter);
        }
    }
}
