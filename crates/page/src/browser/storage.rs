//! What stays on this device: the name, the recent calls, the language, the chosen devices.

use web_sys::Storage;

const PREFIX: &str = "visavis.";
const RECENT: &str = "recent";
const RECENT_AT_MOST: usize = 5;

/// The value under that key, unless storage is off.
pub(crate) fn read(key: &str) -> Option<String> {
    storage()?.get_item(&(PREFIX.to_owned() + key)).ok().flatten()
}

/// Keeps the value; where storage is off, it lasts as long as the page. An empty value is removed.
pub(crate) fn write(key: &str, value: &str) {
    let Some(storage) = storage() else { return };
    let key = PREFIX.to_owned() + key;
    // A full storage is no reason to disturb a call.
    let _ = if value.is_empty() { storage.remove_item(&key) } else { storage.set_item(&key, value) };
}

/// Rooms that were joined here, the newest first.
pub(crate) fn recent_rooms() -> Vec<String> {
    let rooms = read(RECENT).unwrap_or_default();
    rooms.lines().filter(|room| !room.is_empty()).take(RECENT_AT_MOST).map(str::to_owned).collect()
}

/// Puts a room at the head of [`recent_rooms`].
pub(crate) fn remember_room(room: &str) {
    let mut rooms = recent_rooms();
    rooms.retain(|other| other != room);
    rooms.insert(0, room.to_owned());
    rooms.truncate(RECENT_AT_MOST);
    write(RECENT, &rooms.join("\n"));
}

/// Empties [`recent_rooms`].
pub(crate) fn forget_rooms() {
    write(RECENT, "");
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}
