//! The two address families, and what there is one of for each.

use std::{
    net::IpAddr,
    ops::{Index, IndexMut},
};

use crate::wire::attribute::{IPV4, IPV6};

/// Which kind of address (RFC 8656 section 18.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) const BOTH: [Self; 2] = [Self::V4, Self::V6];

    pub(crate) const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// How attributes name it.
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::V4 => IPV4,
            Self::V6 => IPV6,
        }
    }

    pub(crate) fn named(byte: u8) -> Option<Self> {
        Self::BOTH.into_iter().find(|family| family.byte() == byte)
    }
}

/// One of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ByFamily<T> {
    pub(crate) v4: T,
    pub(crate) v6: T,
}

impl<T> Index<Family> for ByFamily<T> {
    type Output = T;

    fn index(&self, family: Family) -> &T {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

impl<T> IndexMut<Family> for ByFamily<T> {
    fn index_mut(&mut self, family: Family) -> &mut T {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }
}

impl<T> ByFamily<Option<T>> {
    /// Those that are there, IPv4 first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Family, &T)> {
        let v4 = self.v4.iter().map(|value| (Family::V4, value));
        v4.chain(self.v6.iter().map(|value| (Family::V6, value)))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.v4.is_none() && self.v6.is_none()
    }
}
