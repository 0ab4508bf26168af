//! Noticing the first picture of a remote.

use wasm_bindgen::JsCast;
use web_sys::{HtmlVideoElement, MediaStream, MediaStreamTrack};

use crate::browser::{event::Listener, timer::window};

/// A video element that is shown nowhere and waits for a track's first frame.
///
/// The tile's own element may not stand yet, or be hidden; and a track's `unmute` says only that packets came.
pub(super) struct FirstFrame {
    video: HtmlVideoElement,
    _listener: Listener,
}

impl FirstFrame {
    /// Calls `callback` when the first frame of `track` is decoded.
    pub(super) fn of(track: &MediaStreamTrack, mut callback: impl FnMut() + 'static) -> Option<Self> {
        let video: HtmlVideoElement = window().document()?.create_element("video").ok()?.unchecked_into();
        let stream = MediaStream::new().ok()?;
        stream.add_track(track);
        video.set_muted(true);
        video.set_autoplay(true);
        let _ = video.set_attribute("playsinline", "");
        let listener = Listener::new(&video, "loadeddata", move |_| callback());
        video.set_src_object(Some(&stream));
        Some(Self { video, _listener: listener })
    }
}

impl Drop for FirstFrame {
    fn drop(&mut self) {
        self.video.set_src_object(None);
    }
}
