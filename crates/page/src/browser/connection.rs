//! One `RTCPeerConnection`: what the call asks of it, and what it tells the call.

mod configuration;
mod first_frame;
mod script;
mod slots;
mod stats;

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

use visavis_call::{
    Candidate, ConnectionEvent, ConnectionState, DATA_CHANNEL_ID, DATA_CHANNEL_LABEL, Description, IceServer,
    Now, SignalingState, Step,
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Event, MediaStream, MediaStreamTrack, MessageEvent, RtcDataChannel, RtcDataChannelInit,
    RtcPeerConnection, RtcPeerConnectionIceEvent, RtcSignalingState, RtcTrackEvent,
};

use self::{first_frame::FirstFrame, slots::Slots};
use super::{
    event::Listener,
    timer::{Timer, now},
};

/// What the person sends now.
#[derive(Clone, Default)]
pub(crate) struct Tracks {
    /// The microphone's track, disabled while muted.
    pub(crate) microphone: Option<MediaStreamTrack>,
    /// The camera's track; none while it is off.
    pub(crate) camera: Option<MediaStreamTrack>,
}

/// What stays the same for the life of a connection.
pub(crate) struct Options {
    /// `iceTransportPolicy: "relay"`.
    pub(crate) relay_only: bool,
    /// This side makes the transceivers.
    pub(crate) offerer: bool,
    /// A page of the tutorial: two transceivers, no data channel.
    pub(crate) foreign: bool,
}

/// What a connection tells.
pub(crate) enum Report {
    /// A fact for the call.
    Event(ConnectionEvent),
    /// [`Connection::stream`] changed.
    Stream,
}

/// For how long a connection is young.
const YOUNG: Duration = Duration::from_secs(10);
/// For how long the camera's picture is sent small.
const SMALL_AT_FIRST: Duration = Duration::from_secs(2);

type Tell = Box<dyn Fn(Report)>;

/// One connection. Dropping it closes it, and nothing more is heard of it.
pub(crate) struct Connection {
    options: Options,
    rtc: RtcPeerConnection,
    slots: RefCell<Slots>,
    channel: RefCell<Option<RtcDataChannel>>,
    listeners: RefCell<Vec<Listener>>,
    tracks: RefCell<Tracks>,
    stream: MediaStream,
    first_frame: RefCell<Option<FirstFrame>>,
    /// The remote says that its camera is on.
    picture: Cell<bool>,
    media_came: Cell<bool>,
    growth: RefCell<Option<Timer>>,
    opened: Now,
    tell: Tell,
}

impl Connection {
    /// Makes an `RTCPeerConnection` and, as the offerer, everything it will ever send and receive.
    ///
    /// # Errors
    /// What the browser said, if it refuses the servers or has no more connections to give.
    pub(crate) fn new(
        options: Options,
        ice_servers: &[IceServer],
        tracks: Tracks,
        tell: impl Fn(Report) + 'static,
    ) -> Result<Rc<Self>, JsValue> {
        let rtc = configuration::open(ice_servers, options.relay_only)?;
        let connection = Rc::new(Self {
            options,
            rtc,
            slots: RefCell::new(Slots::new()?),
            channel: RefCell::default(),
            listeners: RefCell::default(),
            tracks: RefCell::new(tracks),
            stream: MediaStream::new()?,
            first_frame: RefCell::default(),
            picture: Cell::default(),
            media_came: Cell::new(false),
            growth: RefCell::default(),
            opened: now(),
            tell: Box::new(tell),
        });
        connection.listen();
        if connection.options.offerer {
            connection.slots.borrow_mut().offer(&connection.rtc, connection.options.foreign)?;
            connection.send_tracks();
            connection.open_channel();
        }
        Ok(connection)
    }

    /// The remote's sound and picture, once there is a track. The same object for the connection's life.
    pub(crate) fn stream(&self) -> Option<MediaStream> {
        // Not `stream.clone()`: that is the browser's, and makes a new stream.
        (self.stream.get_tracks().length() > 0).then(|| Clone::clone(&self.stream))
    }

    /// Whether a picture is to be expected of the remote, or only sound.
    pub(crate) fn expect_picture(&self, expected: bool) {
        self.picture.set(expected);
    }

    /// Sends these from now on, without a renegotiation.
    pub(crate) fn set_tracks(&self, tracks: &Tracks) {
        self.tracks.replace(tracks.clone());
        self.send_tracks();
    }

    /// The parameterless `setLocalDescription()`.
    pub(crate) fn set_local_description(self: &Rc<Self>) {
        let rtc = self.rtc.clone();
        self.spawn(async move |connection: Weak<Self>| {
            let done = script::set_local_description(&rtc).await;
            let description = done.ok().and_then(|()| rtc.local_description()).map(|it| Description {
                kind: script::text_at(&it, "type").unwrap_or_default(),
                sdp: it.sdp(),
            });
            tell(
                &connection,
                match description {
                    Some(description) => ConnectionEvent::LocalDescription(description),
                    None => ConnectionEvent::Failed { what: Step::LocalDescription },
                },
            );
        });
    }

    /// `setRemoteDescription(description)`; an offer's transceivers are taken over before this is reported.
    pub(crate) fn set_remote_description(self: &Rc<Self>, description: &Description) {
        let is_offer = description.kind == "offer";
        let rtc = self.rtc.clone();
        let description = script::object(description);
        self.spawn(async move |connection: Weak<Self>| {
            let done = script::set_remote_description(&rtc, &description).await;
            let Some(connection) = connection.upgrade() else { return };
            if done.is_err() {
                return connection.event(ConnectionEvent::Failed { what: Step::RemoteDescription });
            }
            if is_offer {
                connection.adopt();
            }
            connection.event(ConnectionEvent::RemoteDescriptionSet);
        });
    }

    /// `addIceCandidate(candidate)`.
    pub(crate) fn add_candidate(self: &Rc<Self>, candidate: &Candidate) {
        let rtc = self.rtc.clone();
        let candidate = script::object(candidate);
        self.spawn(async move |connection: Weak<Self>| {
            if script::add_candidate(&rtc, &candidate).await.is_err() {
                tell(&connection, ConnectionEvent::Failed { what: Step::Candidate });
            }
        });
    }

    /// `restartIce()`.
    pub(crate) fn restart_ice(&self) {
        script::restart_ice(&self.rtc);
    }

    /// Uses these servers from the next gathering on.
    pub(crate) fn set_ice_servers(&self, ice_servers: &[IceServer]) {
        let configuration = configuration::configuration(ice_servers, self.options.relay_only);
        // Refused only by a closed connection.
        let _ = self.rtc.set_configuration_with_configuration(&configuration);
    }

    /// Sends one message on the data channel, if it is open.
    pub(crate) fn send(&self, text: &str) {
        if let Some(channel) = &*self.channel.borrow() {
            let _ = channel.send_with_str(text);
        }
    }

    /// Reads `getStats` and reports it.
    pub(crate) fn measure(self: &Rc<Self>) {
        let rtc = self.rtc.clone();
        self.spawn(async move |connection: Weak<Self>| {
            let Some(measured) = stats::measure(&rtc).await else { return };
            let Some(connection) = connection.upgrade() else { return };
            if measured.plays {
                connection.first_frame();
            }
            connection.event(ConnectionEvent::Stats(measured.stats));
        });
    }

    /// Looks whether media plays, for a young connection that has shown none so far. Sound has no first frame.
    pub(crate) fn look_for_media(self: &Rc<Self>) {
        if self.media_came.get() || now().since(self.opened) > YOUNG {
            return;
        }
        let rtc = self.rtc.clone();
        self.spawn(async move |connection: Weak<Self>| {
            let plays = stats::measure(&rtc).await.is_some_and(|measured| measured.plays);
            if let Some(connection) = connection.upgrade().filter(|_| plays) {
                connection.first_frame();
            }
        });
    }

    fn event(&self, event: ConnectionEvent) {
        (self.tell)(Report::Event(event));
    }

    fn spawn<F: Future<Output = ()> + 'static>(self: &Rc<Self>, work: impl FnOnce(Weak<Self>) -> F) {
        wasm_bindgen_futures::spawn_local(work(Rc::downgrade(self)));
    }

    fn listen(self: &Rc<Self>) {
        let rtc = self.rtc.clone();
        let on = |name, react: fn(&Rc<Self>, &Event)| {
            let connection = Rc::downgrade(self);
            Listener::new(&rtc, name, move |event| {
                if let Some(connection) = connection.upgrade() {
                    react(&connection, &event);
                }
            })
        };
        let mut listeners = vec![
            on("negotiationneeded", |connection, _| connection.event(ConnectionEvent::NegotiationNeeded)),
            on("signalingstatechange", |connection, _| connection.report_signaling_state()),
            on("icecandidate", Self::report_candidate),
            on("track", Self::take_track),
        ];
        // Firefox before 113 knows only the state of ICE.
        let (name, react): (_, fn(&Rc<Self>, &Event)) = if script::text_at(&rtc, "connectionState").is_some()
        {
            ("connectionstatechange", |connection, _| connection.report_state("connectionState"))
        } else {
            ("iceconnectionstatechange", |connection, _| connection.report_state("iceConnectionState"))
        };
        listeners.push(on(name, react));
        self.listeners.replace(listeners);
    }

    fn report_signaling_state(&self) {
        let state = match self.rtc.signaling_state() {
            RtcSignalingState::HaveLocalOffer => SignalingState::HaveLocalOffer,
            RtcSignalingState::HaveRemoteOffer => SignalingState::HaveRemoteOffer,
            RtcSignalingState::Closed => SignalingState::Closed,
            // Provisional answers are neither made nor taken here.
            _ => SignalingState::Stable,
        };
        self.event(ConnectionEvent::SignalingState(state));
    }

    fn report_candidate(self: &Rc<Self>, event: &Event) {
        let Some(candidate) = event.unchecked_ref::<RtcPeerConnectionIceEvent>().candidate() else { return };
        // Firefox ends with an empty one; the end of candidates is not told.
        if candidate.candidate().is_empty() {
            return;
        }
        self.event(ConnectionEvent::Candidate(Candidate {
            candidate: candidate.candidate(),
            sdp_mid: candidate.sdp_mid(),
            sdp_m_line_index: candidate.sdp_m_line_index(),
            username_fragment: script::text_at(&candidate, "usernameFragment"),
        }));
    }

    fn report_state(self: &Rc<Self>, property: &str) {
        let state = script::text_at(&self.rtc, property);
        let state = match state.as_deref() {
            Some("connecting" | "checking") => ConnectionState::Connecting,
            Some("connected" | "completed") => ConnectionState::Connected,
            Some("disconnected") => ConnectionState::Disconnected,
            Some("failed") => ConnectionState::Failed,
            Some("closed") => ConnectionState::Closed,
            _ => ConnectionState::New,
        };
        self.event(ConnectionEvent::ConnectionState(state));
        if state == ConnectionState::Connected {
            self.measure();
            self.grow_later();
        }
    }

    /// The first pictures are small; by then the sender has learned what the network takes.
    fn grow_later(self: &Rc<Self>) {
        let connection = Rc::downgrade(self);
        let timer = Timer::once(SMALL_AT_FIRST, move || {
            if let Some(connection) = connection.upgrade() {
                connection.slots.borrow().send_full_size();
            }
        });
        self.growth.borrow_mut().get_or_insert(timer);
    }

    fn take_track(self: &Rc<Self>, event: &Event) {
        let event: &RtcTrackEvent = event.unchecked_ref();
        let track = event.track();
        if !slots::is_first_of_its_kind(&self.rtc, &event.transceiver()) {
            return;
        }
        if track.kind() == "video" && track.muted() && !self.picture.get() {
            self.add_when_unmuted(&track);
        } else {
            self.stream.add_track(&track);
        }
        if track.kind() == "video" {
            let connection = Rc::downgrade(self);
            let wait = FirstFrame::of(&track, move || {
                if let Some(connection) = connection.upgrade() {
                    connection.first_frame();
                }
            });
            self.first_frame.replace(wait);
        }
        (self.tell)(Report::Stream);
    }

    /// Chromium plays no sound of a stream whose picture has not come so far: with the camera off, it never does.
    fn add_when_unmuted(self: &Rc<Self>, track: &MediaStreamTrack) {
        let connection = Rc::downgrade(self);
        let added: MediaStreamTrack = Clone::clone(track);
        let listener = Listener::new(track, "unmute", move |_| {
            if let Some(connection) = connection.upgrade() {
                connection.stream.add_track(&added);
                (connection.tell)(Report::Stream);
            }
        });
        self.listeners.borrow_mut().push(listener);
    }

    fn first_frame(&self) {
        self.first_frame.take();
        if !self.media_came.replace(true) {
            self.event(ConnectionEvent::FirstFrame);
        }
    }

    fn adopt(self: &Rc<Self>) {
        self.slots.borrow_mut().adopt(&self.rtc);
        self.send_tracks();
        self.open_channel();
    }

    fn send_tracks(&self) {
        let tracks = self.tracks.borrow();
        self.slots.borrow().send(&tracks);
    }

    fn open_channel(self: &Rc<Self>) {
        if self.options.foreign || self.channel.borrow().is_some() {
            return;
        }
        let init = RtcDataChannelInit::new();
        init.set_negotiated(true);
        init.set_id(DATA_CHANNEL_ID);
        let channel = self.rtc.create_data_channel_with_data_channel_dict(DATA_CHANNEL_LABEL, &init);
        let opened = Rc::downgrade(self);
        let received = Rc::downgrade(self);
        self.listeners.borrow_mut().extend([
            Listener::new(&channel, "open", move |_| tell(&opened, ConnectionEvent::DataOpen)),
            Listener::new(&channel, "message", move |event| {
                if let Some(text) = event.unchecked_ref::<MessageEvent>().data().as_string() {
                    tell(&received, ConnectionEvent::Data(text));
                }
            }),
        ]);
        self.channel.replace(Some(channel));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.listeners.get_mut().clear();
        self.rtc.close();
    }
}

fn tell(connection: &Weak<Connection>, event: ConnectionEvent) {
    if let Some(connection) = connection.upgrade() {
        connection.event(event);
    }
}
