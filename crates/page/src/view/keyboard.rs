//! Everything that a key does, and the list of it.

use super::{
    call::dialog,
    element::{View, el},
};
use crate::signals::*;
use crate::{browser::document, model::Screen, shell::Shell, text::words};
use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;

/// Whether the list stands open.
#[derive(Clone, Copy)]
struct ListOpen(RwSignal<bool>);

/// Listens for as long as the views of this language stand.
pub(crate) fn listen() {
    let shell = expect_context::<Shell>();
    let open = RwSignal::new(false);
    provide_context(ListOpen(open));
    let listener =
        window_event_listener_untyped("keydown", move |event| press(shell, open, event.unchecked_ref()));
    on_cleanup(move || listener.remove());
}

fn press(shell: Shell, open: RwSignal<bool>, event: &KeyboardEvent) {
    // After the call nothing on the screen would show that a device is on.
    let has_devices = matches!(shell.model.screen.get_untracked(), Screen::Room(phase) if !phase.has_ended());
    match command(event) {
        Some(Command::Microphone) if has_devices => shell.local.toggle_microphone(),
        Some(Command::Camera) if has_devices => shell.local.toggle_camera(),
        Some(Command::List) => open.update(|open| *open = !*open),
        _ => return,
    }
    event.prevent_default();
}

enum Command {
    Microphone,
    Camera,
    List,
}

/// Single letters count only while nothing is typed into a field.
fn command(event: &KeyboardEvent) -> Option<Command> {
    if event.alt_key() || event.meta_key() || event.repeat() {
        return None;
    }
    let key = event.key().to_ascii_lowercase();
    match (event.ctrl_key(), key.as_str()) {
        (true, "d") => Some(Command::Microphone),
        (true, "e") => Some(Command::Camera),
        (true, _) => None,
        _ if document::is_typing() => None,
        (false, "m") => Some(Command::Microphone),
        (false, "v") => Some(Command::Camera),
        (false, "?") => Some(Command::List),
        _ => None,
    }
}

/// The list of keys, opened by `?`.
pub(crate) fn list() -> View {
    let ListOpen(open) = expect_context::<ListOpen>();
    let text = words();
    let keys = |names: &[&str]| el("dt", "").children(names.iter().map(|name| el("kbd", "").text(name)));
    let meaning = |words| el("dd", "").text(words);
    let list = el("dl", "keys")
        .child(keys(&["M", "Ctrl D"]))
        .child(meaning(text.keys_microphone))
        .child(keys(&["V", "Ctrl E"]))
        .child(meaning(text.keys_camera))
        .child(keys(&["?"]))
        .child(meaning(text.keys_list));
    dialog(open, text.keys, list)
}
