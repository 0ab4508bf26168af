//! What each end says of its media: muted, camera, name, path.

use visavis_signal::call::State;

use crate::{Config, Path, Remote};

/// Characters of a name that are kept.
const NAME: usize = 80;

/// What this side says of itself.
pub(crate) fn state(config: &Config, path: Option<Path>) -> State {
    State {
        name: Some(config.name.clone()),
        muted: Some(!config.wishes.microphone),
        camera: Some(config.wishes.camera),
        path: path.map(|path| path.as_str().to_owned()),
    }
}

/// Takes over what a remote says of itself; what it leaves out stays as it was.
pub(crate) fn apply(state: State, remote: &mut Remote, told_path: &mut Option<Path>) {
    if let Some(name) = state.name {
        let name: String = name.chars().filter(|c| !c.is_control()).take(NAME).collect();
        remote.name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    }
    if let Some(muted) = state.muted {
        remote.muted = muted;
    }
    if let Some(camera) = state.camera {
        remote.camera = camera;
    }
    if let Some(path) = state.path.as_deref().and_then(Path::parse) {
        *told_path = Some(path);
    }
}
