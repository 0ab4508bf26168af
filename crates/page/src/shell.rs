//! What happens around a call: which screen the address asks for, and how a person gets from one to the other.

use crate::signals::*;
use crate::{
    browser::{
        clipboard, document,
        location::{self, Address},
        room, settings, storage,
    },
    driver::Driver,
    local::LocalMedia,
    model::{Device, Model, Screen},
};
use std::time::Duration;
use visavis_call::{Phase, Wish};

const TOAST: Duration = Duration::from_millis(3500);

/// Handle to the screens around the call; stands in the context beside the driver.
#[derive(Clone, Copy)]
pub(crate) struct Shell {
    /// The signals.
    pub(crate) model: Model,
    /// The call.
    pub(crate) driver: Driver,
    /// Camera and microphone.
    pub(crate) local: LocalMedia,
    /// "Link copied" stands for a moment.
    pub(crate) copied: RwSignal<bool>,
    /// Whether camera and microphone were in use when the call ended.
    wished: RwSignal<(bool, bool)>,
}

impl Shell {
    /// Goes where the address asks.
    pub(crate) fn start(model: Model, driver: Driver, address: &Address) -> Self {
        let local = LocalMedia::new(model, driver);
        let shell = Self {
            model,
            driver,
            local,
            copied: RwSignal::new(false),
            wished: RwSignal::new((false, false)),
        };
        Effect::new(move || shell.let_devices_go());
        model.name.set(address.name.clone().or_else(|| storage::read("name")).unwrap_or_default());
        model.relay.set(address.relay);
        location::on_change(move || shell.follow_address());
        shell.go(address);
        shell
    }

    fn go(self, address: &Address) {
        if !document::is_secure() {
            self.explain_insecure();
        } else if !document::has_webrtc() {
            self.model.screen.set(Screen::Unsupported);
        } else if address.room.is_empty() {
            self.model.screen.set(Screen::Landing);
        } else if address.join {
            let address = address.clone();
            spawn_local(async move {
                let auto_join = settings::fetch().await.auto_join;
                // The person may have gone elsewhere meanwhile.
                if Address::read().room == address.room {
                    self.begin(&address, auto_join);
                }
            });
        } else {
            self.begin(address, false);
        }
    }

    /// A new call: its link is copied already when the lobby opens.
    pub(crate) fn start_call(self) {
        self.open(&room::random());
        self.copy_link();
    }

    /// The call that a typed link or code stands for. Nothing happens if it stands for none.
    pub(crate) fn open_typed(self, typed: &str) {
        let room = room::from_typed(typed);
        if !room.is_empty() {
            self.open(&room);
        }
    }

    /// The lobby of that room.
    pub(crate) fn open(self, room: &str) {
        location::go(room);
        self.enter(room);
        let Address { camera, microphone, .. } = Address::read();
        self.local.open(camera, microphone);
    }

    /// Back to the landing, or to why there is none.
    pub(crate) fn go_home(self) {
        location::go("");
        self.move_to(&Address::read());
    }

    /// Into the call.
    pub(crate) fn join(self) {
        storage::remember_room(&self.model.room.get_untracked());
        self.local.resume();
        self.driver.join();
    }

    /// Into the call again; devices that were let go are asked for again.
    pub(crate) fn rejoin(self) {
        let (camera, microphone) = self.wished.get_untracked();
        self.local.open(camera, microphone);
        self.join();
    }

    /// Out of the call.
    pub(crate) fn leave(self) {
        self.driver.leave();
    }

    /// The person's name changed.
    pub(crate) fn rename(self, name: String) {
        storage::write("name", &name);
        self.model.name.set(name);
        self.driver.rename();
    }

    /// The link to send.
    pub(crate) fn link(self) -> String {
        location::link(&self.model.room.get())
    }

    /// Copies the link and says so.
    pub(crate) fn copy_link(self) {
        let link = location::link(&self.model.room.get_untracked());
        spawn_local(async move {
            if clipboard::copy(link).await {
                self.copied.set(true);
                set_timeout(move || self.copied.set(false), TOAST);
            }
        });
    }

    /// Plays what the browser held back; called from a gesture.
    pub(crate) fn play(self) {
        self.model.silenced.set(false);
        document::play_all();
    }

    /// Nothing watches or listens after a call, however it ended.
    fn let_devices_go(self) {
        if self.model.phase().is_some_and(Phase::has_ended) {
            let on = |device: RwSignal<Device>| matches!(device.get_untracked(), Device::On | Device::Asking);
            self.wished.set((on(self.model.camera), on(self.model.microphone)));
            self.local.close();
        }
    }

    fn enter(self, room: &str) {
        self.model.room.set(room.to_owned());
        self.model.inside.set(None);
        self.driver.enter();
    }

    /// Lets the present room go.
    fn move_to(self, address: &Address) {
        self.driver.close();
        self.local.close();
        self.model.room.set(String::new());
        self.model.screen.set(Screen::Landing);
        self.go(address);
    }

    /// Where a link leads.
    fn begin(self, address: &Address, auto_join: bool) {
        let Address { join, microphone, camera, .. } = *address;
        let entry = visavis_call::entry(Wish { join, microphone, camera, auto_join });
        self.enter(&address.room);
        self.local.open(entry.camera, entry.microphone);
        if entry.join {
            self.join();
        }
    }

    fn follow_address(self) {
        let address = Address::read();
        if address.room != self.model.room.get_untracked() {
            self.move_to(&address);
        }
    }

    fn explain_insecure(self) {
        self.model.screen.set(Screen::Insecure);
        spawn_local(async move {
            self.model.https.set(settings::fetch().await.https);
        });
    }
}
