//! Runs the effects of a [`Call`] with the browser's objects, and shows in the [`Model`] what came of it.

mod effects;
mod identity;
mod show;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use crate::signals::{GetUntracked, GetValue, LocalStorage, StoredValue};
use visavis_call::{Call, Config, ConnectionEvent, ConnectionId, Now, Phase, Wishes};
use web_sys::MediaStreamTrack;

use crate::{
    browser::{
        connection::{Connection, Tracks},
        event::Listener,
        link::Link,
        timer::{Frame, Timer, now, window},
    },
    model::Model,
};

/// How often a connection is measured.
const MEASURE: Duration = Duration::from_secs(2);
/// How often a young connection is looked at for its first media.
const LOOK: Duration = Duration::from_millis(500);

/// The handle that the views give commands to.
#[derive(Clone, Copy)]
pub(crate) struct Driver(StoredValue<Rc<Session>, LocalStorage>);

impl Driver {
    /// Begins to listen to the window; nothing is opened before [`Driver::enter`].
    pub(crate) fn new(model: Model) -> Self {
        let session = Rc::new(Session::new(model));
        session.listen();
        Self(StoredValue::new_local(session))
    }

    /// Opens the link for the model's room and asks how many are inside; the lobby.
    pub(crate) fn enter(self) {
        self.session().enter();
    }

    /// Goes in, or in again.
    pub(crate) fn join(self) {
        self.session().tell(|call, now| match call.phase() {
            Phase::Lobby => call.join(now),
            _ => call.retry(now),
        });
    }

    /// Says bye and closes the connections.
    pub(crate) fn leave(self) {
        self.session().tell(Call::leave);
    }

    /// Forgets the room and the link.
    pub(crate) fn close(self) {
        self.session().close();
    }

    /// Tries at once what would be tried later.
    pub(crate) fn retry(self) {
        self.session().tell(Call::retry);
    }

    /// Tells the others the model's name.
    pub(crate) fn rename(self) {
        let session = self.session();
        let name = session.model.name.get_untracked();
        session.tell(move |call, now| call.set_name(now, &name));
    }

    /// What the microphone gives from now on; muted, it keeps its disabled track.
    pub(crate) fn set_microphone(self, on: bool, track: Option<MediaStreamTrack>) {
        let session = self.session();
        session.sending.borrow_mut().microphone = track;
        session.wish(|wishes| wishes.microphone = on);
        session.tell(move |call, now| call.set_microphone(now, on));
    }

    /// What the camera gives from now on; off, it has no track.
    pub(crate) fn set_camera(self, on: bool, track: Option<MediaStreamTrack>) {
        let session = self.session();
        session.sending.borrow_mut().camera = track;
        session.wish(|wishes| wishes.camera = on);
        session.tell(move |call, now| call.set_camera(now, on));
    }

    fn session(self) -> Rc<Session> {
        self.0.get_value()
    }
}

type Fact = Box<dyn FnOnce(&mut Call, Now)>;

/// Everything that lives as long as the page.
///
/// No `RefCell` here stays borrowed while the browser or a signal is called: either may call back.
struct Session {
    model: Model,
    /// One random name per page load.
    name: String,
    call: RefCell<Option<Call>>,
    /// Facts that came while the effects of an earlier one were being run.
    facts: RefCell<VecDeque<Fact>>,
    busy: Cell<bool>,
    link: RefCell<Option<Link>>,
    connections: RefCell<Vec<(ConnectionId, Rc<Connection>)>>,
    sending: RefCell<Tracks>,
    wishes: Cell<Wishes>,
    alarm: RefCell<Option<(Now, Timer)>>,
    measuring: RefCell<Vec<Timer>>,
    listeners: RefCell<Vec<Listener>>,
    /// What is to be drawn next, if anything changed.
    frame: RefCell<Option<Frame>>,
    shown: show::Shown,
}

impl Session {
    fn new(model: Model) -> Self {
        Self {
            model,
            name: identity::name(),
            call: RefCell::default(),
            facts: RefCell::default(),
            busy: Cell::default(),
            link: RefCell::default(),
            connections: RefCell::default(),
            sending: RefCell::default(),
            wishes: Cell::default(),
            alarm: RefCell::default(),
            measuring: RefCell::default(),
            listeners: RefCell::default(),
            frame: RefCell::default(),
            shown: show::Shown::default(),
        }
    }

    fn listen(self: &Rc<Self>) {
        let on = |target: &web_sys::EventTarget, name, react: fn(&Rc<Self>)| {
            let session = Rc::downgrade(self);
            Listener::new(target, name, move |_| {
                if let Some(session) = session.upgrade() {
                    react(&session);
                }
            })
        };
        let window = window();
        let mut listeners = vec![
            on(&window, "online", |session| session.tell(Call::handle_online)),
            on(&window, "pagehide", Self::hang_up),
        ];
        if let Some(document) = window.document() {
            listeners.push(on(&document, "visibilitychange", Self::wake));
        }
        self.listeners.replace(listeners);
    }

    fn enter(self: &Rc<Self>) {
        self.close();
        let config = Config {
            room: self.model.room.get_untracked(),
            device_secret: identity::device_secret(),
            session: self.name.clone(),
            name: self.model.name.get_untracked(),
            relay: self.model.relay.get_untracked(),
            wishes: self.wishes.get(),
        };
        self.call.replace(Some(Call::new(now(), config, identity::random())));
        self.measure_regularly();
        self.tell(Call::peek);
    }

    fn close(self: &Rc<Self>) {
        self.tell(Call::leave);
        self.call.take();
        self.link.take();
        self.connections.take();
        self.alarm.take();
        self.measuring.take();
        self.frame.take();
        self.shown.clear(&self.model);
    }

    /// The page goes away: whoever is inside hears it now and not after a grace.
    fn hang_up(self: &Rc<Self>) {
        let inside = self.call.borrow().as_ref().is_some_and(|call| call.phase().is_inside());
        if inside {
            self.tell(Call::leave);
        }
    }

    /// Timers slept with the page.
    fn wake(self: &Rc<Self>) {
        if is_hidden() {
            self.show();
        } else {
            self.tell(Call::handle_online);
        }
    }

    fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        let mut wishes = self.wishes.get();
        change(&mut wishes);
        self.wishes.set(wishes);
        let tracks = self.sending.borrow().clone();
        for connection in self.open_connections() {
            connection.set_tracks(&tracks);
        }
    }

    fn open_connections(&self) -> Vec<Rc<Connection>> {
        self.connections.borrow().iter().map(|(_, connection)| connection.clone()).collect()
    }

    fn connection(&self, id: ConnectionId) -> Option<Rc<Connection>> {
        self.connections
            .borrow()
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(_, connection)| connection.clone())
    }

    /// Hands a fact to the call, if there is one, and does what follows from it.
    fn tell(self: &Rc<Self>, fact: impl FnOnce(&mut Call, Now) + 'static) {
        self.tell_boxed(Box::new(fact));
    }

    fn tell_boxed(self: &Rc<Self>, fact: Fact) {
        self.facts.borrow_mut().push_back(fact);
        if self.busy.replace(true) {
            return;
        }
        while self.hand_in_next() {
            while let Some(effect) = self.next_effect() {
                self.run(effect);
            }
        }
        self.busy.set(false);
        self.expect_pictures();
        self.set_alarm();
        self.show_soon();
    }

    fn expect_pictures(&self) {
        if let Some(call) = &*self.call.borrow() {
            for remote in call.remotes() {
                if let Some(connection) = remote.connection.and_then(|id| self.connection(id)) {
                    connection.expect_picture(remote.camera);
                }
            }
        }
    }

    /// Shows with the next frame of the screen: what the network does meanwhile does not wait for the views,
    /// and of many facts only the outcome is drawn. A page out of sight has no frames, but a title.
    fn show_soon(self: &Rc<Self>) {
        if is_hidden() {
            return self.show();
        }
        let session = Rc::downgrade(self);
        self.frame.borrow_mut().get_or_insert_with(|| {
            Frame::next(move || {
                if let Some(session) = session.upgrade() {
                    session.show();
                }
            })
        });
    }

    fn hand_in_next(&self) -> bool {
        let Some(fact) = self.facts.borrow_mut().pop_front() else { return false };
        if let Some(call) = self.call.borrow_mut().as_mut() {
            fact(call, now());
        }
        true
    }

    fn next_effect(&self) -> Option<visavis_call::Effect> {
        self.call.borrow_mut().as_mut()?.poll_effect()
    }

    fn tell_event(self: &Rc<Self>, connection: ConnectionId, event: ConnectionEvent) {
        self.tell(move |call, now| call.handle_connection(now, connection, event));
    }

    /// One timer, for the moment that the call names.
    fn set_alarm(self: &Rc<Self>) {
        let wanted = self.call.borrow().as_ref().and_then(Call::poll_timeout);
        let set = self.alarm.borrow().as_ref().map(|(moment, _)| *moment);
        if wanted == set {
            return;
        }
        let alarm = wanted.map(|moment| {
            let session = Rc::downgrade(self);
            let timer = Timer::once(moment.since(now()), move || {
                if let Some(session) = session.upgrade() {
                    session.alarm.take();
                    session.tell(Call::handle_timeout);
                }
            });
            (moment, timer)
        });
        self.alarm.replace(alarm);
    }

    fn measure_regularly(self: &Rc<Self>) {
        let every = |period, read: fn(&Rc<Connection>)| {
            let session = Rc::downgrade(self);
            Timer::every(period, move || {
                let connections = session.upgrade().map(|session| session.open_connections());
                connections.unwrap_or_default().iter().for_each(read);
            })
        };
        self.measuring
            .replace(vec![every(MEASURE, Connection::measure), every(LOOK, Connection::look_for_media)]);
    }
}

fn is_hidden() -> bool {
    window().document().is_some_and(|document| document.hidden())
}
