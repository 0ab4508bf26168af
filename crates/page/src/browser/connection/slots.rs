//! The places in which media is sent: microphone, camera, and later the screen's picture and sound.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    MediaStream, RtcPeerConnection, RtcRtpSender, RtcRtpTransceiver, RtcRtpTransceiverDirection,
    RtcRtpTransceiverInit,
};

use super::{Tracks, script};

/// The kinds of the places, in the order of their m-lines; a foreign page has the first two only.
const KINDS: [&str; 4] = ["audio", "video", "video", "audio"];
const MICROPHONE: usize = 0;
const CAMERA: usize = 1;
const SCREEN: usize = 2;
/// By how much the first pictures are scaled down each way. Before it knows the network, a browser throws away
/// frames that seem too large for it, one after the other, until it has found a smaller size by itself.
const SMALL: f64 = 2.0;

/// Who sends in which place.
pub(super) struct Slots {
    senders: [Option<RtcRtpSender>; 4],
    /// Says to the remote which tracks belong together: the person's, and the screen's.
    streams: [MediaStream; 2],
}

impl Slots {
    pub(super) fn new() -> Result<Self, JsValue> {
        Ok(Self { senders: [const { None }; 4], streams: [MediaStream::new()?, MediaStream::new()?] })
    }

    /// Makes the transceivers of an offerer.
    pub(super) fn offer(&mut self, rtc: &RtcPeerConnection, foreign: bool) -> Result<(), JsValue> {
        let places = if foreign { SCREEN } else { KINDS.len() };
        for (place, kind) in KINDS.iter().enumerate().take(places) {
            let init = RtcRtpTransceiverInit::new();
            init.set_direction(RtcRtpTransceiverDirection::Sendrecv);
            init.set_streams(&Array::of1(self.stream(place)));
            let sender = rtc.add_transceiver_with_str_and_init(kind, &init).sender();
            self.take(place, sender);
        }
        Ok(())
    }

    /// Takes over the transceivers of an applied offer: each goes to the first free place of its kind.
    pub(super) fn adopt(&mut self, rtc: &RtcPeerConnection) {
        let mut taken = [false; KINDS.len()];
        for transceiver in transceivers(rtc) {
            let kind = transceiver.receiver().track().kind();
            let Some(place) = (0..KINDS.len()).find(|&place| KINDS[place] == kind && !taken[place]) else {
                continue;
            };
            taken[place] = true;
            if self.senders[place].is_none() {
                let sender = transceiver.sender();
                script::set_streams(&sender, self.stream(place));
                transceiver.set_direction(RtcRtpTransceiverDirection::Sendrecv);
                self.take(place, sender);
            }
        }
    }

    fn take(&mut self, place: usize, sender: RtcRtpSender) {
        if place == CAMERA {
            script::scale_down(&sender, SMALL);
        }
        self.senders[place] = Some(sender);
    }

    /// Sends these tracks.
    pub(super) fn send(&self, tracks: &Tracks) {
        for (place, track) in [(MICROPHONE, &tracks.microphone), (CAMERA, &tracks.camera)] {
            if let Some(sender) = &self.senders[place] {
                script::replace_track(sender, track.as_ref());
            }
        }
    }

    /// Sends the camera's picture in its own size from now on.
    pub(super) fn send_full_size(&self) {
        if let Some(camera) = &self.senders[CAMERA] {
            script::scale_down(camera, 1.0);
        }
    }

    fn stream(&self, place: usize) -> &MediaStream {
        &self.streams[usize::from(place >= SCREEN)]
    }
}

/// Whether `transceiver` carries the person, and not the screen.
pub(super) fn is_first_of_its_kind(rtc: &RtcPeerConnection, transceiver: &RtcRtpTransceiver) -> bool {
    let kind = transceiver.receiver().track().kind();
    let first = transceivers(rtc).find(|other| other.receiver().track().kind() == kind);
    first.as_ref() == Some(transceiver)
}

fn transceivers(rtc: &RtcPeerConnection) -> impl Iterator<Item = RtcRtpTransceiver> {
    rtc.get_transceivers().into_iter().map(JsCast::unchecked_into)
}
