//! The largest of what there is, for the person who runs the server. However much there is, the answer stays short.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use super::Hub;
use crate::{ChannelId, ClientId, RoomName, room::Room};

/// The largest channels and rooms, the largest first; equal ones by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Those with the most clients.
    pub channels: Vec<ChannelSize>,
    /// Those with the most members.
    pub rooms: Vec<RoomSize>,
}

/// How large a channel is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSize {
    /// Which.
    pub id: ChannelId,
    /// Clients, those whose place is only kept included.
    pub clients: usize,
    /// Rooms with members.
    pub rooms: usize,
    /// Members of all its rooms.
    pub members: usize,
}

/// How large a room is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSize {
    /// Where.
    pub channel: ChannelId,
    /// Which.
    pub name: RoomName,
    /// Members, those whose place is only kept included.
    pub members: usize,
}

/// A room from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glimpse {
    /// How many members it has.
    pub members: usize,
    /// The first of them, as they came.
    pub first: Vec<Present>,
}

/// A member from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub id: ClientId,
    /// What its application tells others about it.
    pub client_data: Option<Arc<[u8]>>,
    /// Whether it is connected, or its place only kept.
    pub connected: bool,
}

impl Hub {
    /// At most `most` channels and `most` rooms. Takes time for each room, but memory only for those it names.
    #[must_use]
    pub fn overview(&self, most: usize) -> Overview {
        let channels = self.channels.iter().map(|(id, channel)| (channel.clients.len(), Reverse(id)));
        let rooms = self.channels.iter().flat_map(|(id, channel)| {
            channel.rooms.iter().map(move |(name, room)| (room.len(), Reverse((id, name))))
        });
        let channels = largest(channels, most).into_iter().filter_map(|(clients, Reverse(id))| {
            let channel = self.channels.get(id)?;
            let (rooms, members) = (channel.rooms.len(), channel.members);
            Some(ChannelSize { id: id.clone(), clients, rooms, members })
        });
        let rooms = largest(rooms, most).into_iter().map(|(members, Reverse((channel, name)))| RoomSize {
            channel: channel.clone(),
            name: name.clone(),
            members,
        });
        Overview { channels: channels.collect(), rooms: rooms.collect() }
    }

    /// At most `most` members of a room; `None` where there is no such room.
    #[must_use]
    pub fn glimpse(&self, channel: &str, room: &str, most: usize) -> Option<Glimpse> {
        let room = self.channels.get(channel)?.rooms.find(room)?;
        Some(Glimpse { members: room.len(), first: room.present().take(most).collect() })
    }
}

/// The `most` largest items, the largest first.
fn largest<T: Ord>(items: impl Iterator<Item = T>, most: usize) -> Vec<T> {
    let mut found = BinaryHeap::with_capacity(most + 1);
    for item in items {
        if found.len() < most {
            found.push(Reverse(item));
        } else if let Some(mut least) = found.peek_mut()
            && least.0 < item
        {
            *least = Reverse(item);
        }
    }
    found.into_sorted_vec().into_iter().map(|Reverse(item)| item).collect()
}

impl Room {
    /// As they came.
    fn present(&self) -> impl Iterator<Item = Present> {
        self.seats().map(|(member, connected)| Present {
            id: member.id.clone(),
            client_data: member.client_data.clone(),
            connected,
        })
    }
}
