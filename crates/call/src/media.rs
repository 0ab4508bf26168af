//! What each end says of its media: muted, camera, name, path.

use visavis_signal::call::State;

use crate::{Config, Path, Remote, name};

/// What this side says of itself.
pub(crate) fn state(config: &Config, path: Option<Path>) -> State {
    State {
        name: Some(name::person(&config.name)),
        muted: Some(!config.wishes.microphone),
        camera: Some(config.wishes.camera),
        path: path.map(|path| path.as_str().to_owned()),
    }
}

/// Takes over what a remote says of itself; what it leaves out stays as it was.
pub(crate) fn apply(state: State, remote: &mut Remote, told_path: &mut Option<Path>) {
    if let Some(name) = state.name {
        remote.name = Some(name::person(&name)).filter(|name| !name.is_empty());
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
