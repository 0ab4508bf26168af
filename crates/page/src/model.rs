//! What the views read, as signals; the only place where views and driver meet.
//!
//! The driver writes [`Model::screen`] (once a room is entered), `inside`, `remotes`, `link` and `since`;
//! everything else is written by the views' side ([`crate::local`] for camera and microphone).
//!
//! Commands go the other way, as methods of the `Copy` handle `driver::Driver` that stands in the context:
//!
//! ```text
//! Driver::new(model) -> Driver       once, in main
//! enter(self)                        model.room is set: open the link and peek; screen becomes Lobby
//! join(self)                         from Lobby, Left, Lost, Full, Replaced or Error: go in (again)
//! leave(self)                        say bye, close connections; screen becomes Left
//! close(self)                        forget room and link altogether; the views show the landing next
//! retry(self)                        from Reconnecting: try now
//! rename(self)                       model.name changed
//! set_microphone(self, on: bool, track: Option<MediaStreamTrack>)
//! set_camera(self, on: bool, track: Option<MediaStreamTrack>)
//!                                    what to send from now on: replaceTrack on every connection, and `state`.
//!                                    May be called before `enter`; the driver keeps the latest. A muted microphone
//!                                    keeps its (disabled) track; a camera that is off has none.
//! ```

use crate::signals::*;
use visavis_call::{LinkState, Path, Phase, RelayOnly, RemoteState};
use web_sys::MediaStream;

/// A signal whose value stays on the page's one thread, as browser objects must.
pub(crate) type Local<T> = RwSignal<T, LocalStorage>;

/// Which screen stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// No room yet.
    Landing,
    /// The page is not a secure context: there is no camera API.
    Insecure,
    /// The browser has no `RTCPeerConnection`.
    Unsupported,
    /// In a room, or before or behind its door.
    Room(Phase),
}

/// Why a call is interrupted: each is worded apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// This computer has no network.
    Network,
    /// The server is away and no media flows.
    Server,
    /// The remote's side is silent.
    Remote,
}

/// One other person in the call, in the order in which tiles stand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Remote {
    /// Member id: the tile's key.
    pub(crate) member: String,
    /// Empty until known.
    pub(crate) name: String,
    /// Says that its microphone is off.
    pub(crate) muted: bool,
    /// Says that its camera is on.
    pub(crate) camera: bool,
    /// All its tracks, for `srcObject`. The same object as long as it stands.
    pub(crate) stream: Option<MediaStream>,
    /// How its connection stands.
    pub(crate) state: RemoteState,
    /// Unknown until measured.
    pub(crate) path: Option<Path>,
    /// Bars, 1 to 4; unknown until measured.
    pub(crate) quality: Option<u8>,
}

/// The state of the camera or of the microphone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    /// Not asked for so far, or switched off and let go.
    Off,
    /// The browser asks the person, or starts the device.
    Asking,
    /// Live.
    On,
    /// Live but muted (microphone only).
    Muted,
    /// The person or the browser's settings said no.
    Denied,
    /// There is none.
    Missing,
    /// Another program holds it.
    Busy,
}

impl Device {
    /// Whether the device gives sound or pictures now.
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }

    /// Whether something keeps it from being switched on.
    pub(crate) fn is_blocked(self) -> bool {
        matches!(self, Self::Denied | Self::Missing | Self::Busy)
    }
}

/// One entry of a choice of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// `deviceId`.
    pub(crate) id: String,
    /// As the browser names it; empty before permission.
    pub(crate) label: String,
}

/// The devices that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    /// `videoinput`.
    pub(crate) cameras: Vec<Choice>,
    /// `audioinput`.
    pub(crate) microphones: Vec<Choice>,
    /// `audiooutput`; empty where the browser cannot choose.
    pub(crate) speakers: Vec<Choice>,
}

/// The devices in use, by `deviceId`; empty is the browser's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Camera.
    pub(crate) camera: String,
    /// Microphone.
    pub(crate) microphone: String,
    /// Speaker.
    pub(crate) speaker: String,
}

/// Every signal the views read.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    /// Which screen stands.
    pub(crate) screen: RwSignal<Screen>,
    /// The room, without `observable-`; empty on the landing.
    pub(crate) room: RwSignal<String>,
    /// The person's own name; may be empty.
    pub(crate) name: RwSignal<String>,
    /// Relay only, if the link asks for it.
    pub(crate) relay: RwSignal<Option<RelayOnly>>,
    /// How many are inside, from `peek`; unknown until answered.
    pub(crate) inside: RwSignal<Option<usize>>,
    /// The others.
    pub(crate) remotes: Local<Vec<Remote>>,
    /// The link to the server.
    pub(crate) link: RwSignal<LinkState>,
    /// Milliseconds of `performance.now()` at which the call's first media arrived.
    pub(crate) since: RwSignal<Option<f64>>,
    /// Why and since when (milliseconds of `performance.now()`) the call is interrupted, on `Phase::Reconnecting`.
    pub(crate) interrupted: RwSignal<Option<(Cause, f64)>>,

    /// The tracks that the preview and the self view show.
    pub(crate) local_stream: Local<Option<MediaStream>>,
    /// The microphone.
    pub(crate) microphone: RwSignal<Device>,
    /// The camera.
    pub(crate) camera: RwSignal<Device>,
    /// Loudness of the microphone, 0 to 100.
    pub(crate) loudness: RwSignal<u8>,
    /// What devices there are.
    pub(crate) choices: RwSignal<Choices>,
    /// What devices are used.
    pub(crate) chosen: RwSignal<Chosen>,
    /// The browser refused to play sound before a gesture.
    pub(crate) silenced: RwSignal<bool>,
    /// The https address of this server, on `Screen::Insecure`.
    pub(crate) https: RwSignal<Option<String>>,
}

impl Model {
    /// Everything as it is before the address was read.
    pub(crate) fn new() -> Self {
        Self {
            screen: RwSignal::new(Screen::Landing),
            room: RwSignal::new(String::new()),
            name: RwSignal::new(String::new()),
            relay: RwSignal::new(None),
            inside: RwSignal::new(None),
            remotes: RwSignal::new_local(Vec::new()),
            link: RwSignal::new(LinkState::Idle),
            since: RwSignal::new(None),
            interrupted: RwSignal::new(None),
            local_stream: RwSignal::new_local(None),
            microphone: RwSignal::new(Device::Off),
            camera: RwSignal::new(Device::Off),
            loudness: RwSignal::new(0),
            choices: RwSignal::new(Choices::default()),
            chosen: RwSignal::new(Chosen::default()),
            silenced: RwSignal::new(false),
            https: RwSignal::new(None),
        }
    }

    /// The value of the status element's `data-state`.
    pub(crate) fn state(&self) -> &'static str {
        match self.screen.get() {
            Screen::Landing => "landing",
            Screen::Insecure => "insecure",
            Screen::Unsupported => "error",
            Screen::Room(phase) => match phase {
                Phase::Lobby if self.is_denied() => "denied",
                Phase::Lobby => "lobby",
                Phase::Waiting => "waiting",
                Phase::Connecting => "connecting",
                Phase::InCall => "in-call",
                Phase::Reconnecting => "reconnecting",
                Phase::Left => "left",
                Phase::Lost => "lost",
                Phase::Full => "full",
                Phase::Replaced => "ended",
                Phase::Error(_) => "error",
            },
        }
    }

    /// How the call of the room stands, if there is a room.
    pub(crate) fn phase(&self) -> Option<Phase> {
        match self.screen.get() {
            Screen::Room(phase) => Some(phase),
            _ => None,
        }
    }

    /// Whether the call stands so.
    pub(crate) fn is(&self, phase: Phase) -> bool {
        self.phase() == Some(phase)
    }

    /// Whether the person or the browser said no to camera or microphone.
    pub(crate) fn is_denied(&self) -> bool {
        self.camera.get() == Device::Denied || self.microphone.get() == Device::Denied
    }
}
