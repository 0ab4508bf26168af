//! What the views read, as signals; the only place where views and driver meet.
//!
//! The driver writes [`Model::screen`] (once a room is entered), `inside`, `remotes`, `link`, `since` and
//! `trouble`; everything else is written by the views' side ([`crate::local`] for camera and microphone).
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
    /// A room is known, nobody has joined from here.
    Lobby,
    /// Joined, alone.
    Waiting,
    /// A remote is there, no media yet.
    Connecting,
    /// Media flows with at least one remote.
    InCall,
    /// The call is interrupted and comes back by itself.
    Reconnecting,
    /// Left by choice.
    Left,
    /// Given up after 60 s without the remote.
    Lost,
    /// Four are inside.
    Full,
    /// Another page of the same tab's device took the call over.
    Replaced,
    /// Refused for good; [`Model::trouble`] says why.
    Error,
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

/// The link to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Not opened, or being opened for the first time.
    Opening,
    /// Open.
    Open,
    /// Lost; resumes by itself.
    Away,
}

/// How the connection to one remote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// Never connected so far.
    Connecting,
    /// Heartbeats arrive.
    Connected,
    /// 1 s without a heartbeat.
    Unstable,
    /// 2 s without: being repaired.
    Reconnecting,
}

/// How media travels; relayed if either end relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// From browser to browser.
    Direct,
    /// Through the relay over UDP.
    RelayUdp,
    /// Through the relay over TCP.
    RelayTcp,
    /// Through the relay over TLS.
    RelayTls,
}

impl Path {
    /// The value of `data-path`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::RelayUdp => "relay-udp",
            Self::RelayTcp => "relay-tcp",
            Self::RelayTls => "relay-tls",
        }
    }
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
    pub(crate) connection: Connection,
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

/// Over which transport to the relay, where only the relay is wanted (`&relay=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelayOnly {
    /// Any transport.
    Any,
    /// UDP only.
    Udp,
    /// TCP only.
    Tcp,
    /// TLS only.
    Tls,
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
    pub(crate) link: RwSignal<Link>,
    /// Milliseconds of `performance.now()` at which the call's first media arrived.
    pub(crate) since: RwSignal<Option<f64>>,
    /// Why and since when (milliseconds of `performance.now()`) the call is interrupted, on `Screen::Reconnecting`.
    pub(crate) interrupted: RwSignal<Option<(Cause, f64)>>,
    /// What the server said, on `Screen::Error`.
    pub(crate) trouble: RwSignal<String>,

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
            link: RwSignal::new(Link::Opening),
            since: RwSignal::new(None),
            interrupted: RwSignal::new(None),
            trouble: RwSignal::new(String::new()),
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
            Screen::Unsupported | Screen::Error => "error",
            Screen::Lobby if self.is_denied() => "denied",
            Screen::Lobby => "lobby",
            Screen::Waiting => "waiting",
            Screen::Connecting => "connecting",
            Screen::InCall => "in-call",
            Screen::Reconnecting => "reconnecting",
            Screen::Left => "left",
            Screen::Lost => "lost",
            Screen::Full => "full",
            Screen::Replaced => "ended",
        }
    }

    /// Whether the person or the browser said no to camera or microphone.
    pub(crate) fn is_denied(&self) -> bool {
        self.camera.get() == Device::Denied || self.microphone.get() == Device::Denied
    }
}
