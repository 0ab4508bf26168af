//! The person's own camera and microphone: asked for, switched, replaced, let go.

use crate::signals::*;
use crate::{
    browser::{
        devices, document,
        media::{self, Kind},
        meter::Meter,
        storage,
    },
    driver::Driver,
    model::{Device, Model},
};
use std::time::Duration;
use web_sys::{MediaStream, MediaStreamTrack};

const METER_PERIOD: Duration = Duration::from_millis(80);

/// Handle to camera and microphone; stands in the context beside the driver.
#[derive(Clone, Copy)]
pub(crate) struct LocalMedia {
    model: Model,
    driver: Driver,
    meter: StoredValue<Option<Meter>, LocalStorage>,
}

impl LocalMedia {
    /// With nothing switched on; watches devices and permissions from now on.
    pub(crate) fn new(model: Model, driver: Driver) -> Self {
        let local = Self { model, driver, meter: StoredValue::new_local(None) };
        model.chosen.update(|chosen| {
            chosen.camera = storage::read("camera").unwrap_or_default();
            chosen.microphone = storage::read("microphone").unwrap_or_default();
            chosen.speaker = storage::read("speaker").unwrap_or_default();
        });
        devices::on_change(move || local.list());
        for (name, kind) in [("camera", Kind::Camera), ("microphone", Kind::Microphone)] {
            spawn_local(devices::on_permission(name, move || local.ask_again(kind)));
        }
        set_interval(move || local.measure(), METER_PERIOD);
        local
    }

    /// Switches on what is wished, with one question of the browser if both are.
    pub(crate) fn open(self, camera: bool, microphone: bool) {
        match (camera, microphone) {
            (true, true) => spawn_local(self.switch_both_on()),
            (true, false) => self.switch_on(Kind::Camera),
            (false, true) => self.switch_on(Kind::Microphone),
            (false, false) => {}
        }
    }

    /// Microphone on or off. Off keeps the device, so that it is back at once.
    pub(crate) fn toggle_microphone(self) {
        self.resume();
        match self.model.microphone.get_untracked() {
            Device::On => self.mute(true),
            Device::Muted => self.mute(false),
            Device::Asking => {}
            _ => self.switch_on(Kind::Microphone),
        }
    }

    /// Camera on or off. Off lets the device go: its light goes out.
    pub(crate) fn toggle_camera(self) {
        match self.model.camera.get_untracked() {
            Device::On => self.switch_off(Kind::Camera, Device::Off),
            Device::Asking => {}
            _ => self.switch_on(Kind::Camera),
        }
    }

    /// Uses that camera from now on, and next time.
    pub(crate) fn choose_camera(self, id: String) {
        storage::write("camera", &id);
        self.model.chosen.update(|chosen| chosen.camera = id);
        if self.model.camera.get_untracked() != Device::Off {
            self.switch_on(Kind::Camera);
        }
    }

    /// Uses that microphone from now on, and next time.
    pub(crate) fn choose_microphone(self, id: String) {
        storage::write("microphone", &id);
        self.model.chosen.update(|chosen| chosen.microphone = id);
        match self.model.microphone.get_untracked() {
            Device::Off => {}
            Device::Muted => spawn_local(self.ask(Kind::Microphone, Device::Muted)),
            _ => self.switch_on(Kind::Microphone),
        }
    }

    /// Uses that speaker from now on, and next time.
    pub(crate) fn choose_speaker(self, id: String) {
        storage::write("speaker", &id);
        document::set_speaker(&id);
        self.model.chosen.update(|chosen| chosen.speaker = id);
    }

    /// Lets both devices go, as after a call.
    pub(crate) fn close(self) {
        for kind in [Kind::Camera, Kind::Microphone] {
            if self.device(kind).get_untracked() != Device::Off {
                self.switch_off(kind, Device::Off);
            }
        }
    }

    /// Wakes what browsers hold back until a gesture.
    pub(crate) fn resume(self) {
        self.meter.with_value(|meter| meter.iter().for_each(Meter::resume));
    }

    async fn switch_both_on(self) {
        self.model.camera.set(Device::Asking);
        self.model.microphone.set(Device::Asking);
        let chosen = self.model.chosen.get_untracked();
        match media::ask_both(&chosen.camera, &chosen.microphone).await {
            Ok(stream) => {
                for kind in [Kind::Microphone, Kind::Camera] {
                    self.accept(kind, media::track(&stream, kind).ok_or(Device::Missing), Device::On);
                }
                self.list();
            }
            // One of the two may be missing, busy or denied: the other is still worth asking for.
            Err(_) => {
                self.ask_if_still_wished(Kind::Microphone).await;
                self.ask_if_still_wished(Kind::Camera).await;
            }
        }
    }

    /// The person may have left while the browser asked for both.
    async fn ask_if_still_wished(self, kind: Kind) {
        if self.device(kind).get_untracked() == Device::Asking {
            self.ask(kind, Device::On).await;
        }
    }

    fn switch_on(self, kind: Kind) {
        spawn_local(self.ask(kind, Device::On));
    }

    /// `then` is what the device is when it is there: on, or muted.
    async fn ask(self, kind: Kind, then: Device) {
        self.device(kind).set(Device::Asking);
        let chosen = self.model.chosen.get_untracked();
        let id = match kind {
            Kind::Camera => chosen.camera,
            Kind::Microphone => chosen.microphone,
        };
        let asked = media::ask_one(kind, &id).await;
        self.accept(kind, asked, then);
        self.list();
    }

    fn ask_again(self, kind: Kind) {
        if self.device(kind).get_untracked() == Device::Denied {
            self.switch_on(kind);
        }
    }

    /// Puts a new track, or the reason why there is none, in the place of the old one.
    fn accept(self, kind: Kind, asked: Result<MediaStreamTrack, Device>, then: Device) {
        if self.device(kind).get_untracked() != Device::Asking {
            // Let go while the browser still asked.
            asked.iter().for_each(MediaStreamTrack::stop);
            return;
        }
        let stream = self.stream();
        media::stop(&stream, kind);
        let state = match &asked {
            Ok(track) => {
                track.set_enabled(then == Device::On);
                stream.add_track(track);
                media::on_ended(track, move || self.gone(kind));
                then
            }
            Err(reason) => *reason,
        };
        self.show(kind, state);
        self.send(kind, asked.ok());
    }

    /// The device was unplugged: another one takes its place.
    fn gone(self, kind: Kind) {
        self.switch_off(kind, Device::Missing);
        self.switch_on(kind);
    }

    fn switch_off(self, kind: Kind, state: Device) {
        media::stop(&self.stream(), kind);
        self.show(kind, state);
        self.send(kind, None);
    }

    fn mute(self, muted: bool) {
        let Some(track) = media::track(&self.stream(), Kind::Microphone) else { return };
        track.set_enabled(!muted);
        self.model.microphone.set(if muted { Device::Muted } else { Device::On });
        self.send(Kind::Microphone, Some(track));
    }

    fn show(self, kind: Kind, state: Device) {
        self.device(kind).set(state);
        self.model.local_stream.notify();
        if kind == Kind::Microphone {
            self.meter.set_value((state == Device::On).then(|| Meter::new(&self.stream())).flatten());
        }
    }

    fn send(self, kind: Kind, track: Option<MediaStreamTrack>) {
        let on = self.device(kind).get_untracked().is_on();
        match kind {
            Kind::Camera => self.driver.set_camera(on, track),
            Kind::Microphone => self.driver.set_microphone(on, track),
        }
    }

    fn measure(self) {
        let on = self.model.microphone.get_untracked().is_on();
        let loudness =
            self.meter.with_value(|meter| meter.as_ref().filter(|_| on).map_or(0, Meter::loudness));
        if loudness != self.model.loudness.get_untracked() {
            self.model.loudness.set(loudness);
        }
    }

    fn list(self) {
        spawn_local(async move {
            let listed = devices::list().await;
            self.model.choices.set(listed);
            self.show_used();
        });
    }

    /// What the selects show: the devices that the tracks really come from.
    fn show_used(self) {
        let stream = self.stream();
        let id = |kind| media::track(&stream, kind).map(|track| media::device_id(&track));
        self.model.chosen.update(|chosen| {
            chosen.camera = id(Kind::Camera).unwrap_or_else(|| std::mem::take(&mut chosen.camera));
            chosen.microphone =
                id(Kind::Microphone).unwrap_or_else(|| std::mem::take(&mut chosen.microphone));
        });
    }

    fn device(self, kind: Kind) -> RwSignal<Device> {
        match kind {
            Kind::Camera => self.model.camera,
            Kind::Microphone => self.model.microphone,
        }
    }

    /// The one stream that holds the local tracks.
    fn stream(self) -> MediaStream {
        if let Some(stream) = self.model.local_stream.get_untracked() {
            return stream;
        }
        let stream = MediaStream::new().expect("every browser with WebRTC makes empty streams");
        // Not `stream.clone()`: that is the browser's, and makes a new stream.
        self.model.local_stream.set(Some(Clone::clone(&stream)));
        stream
    }
}
