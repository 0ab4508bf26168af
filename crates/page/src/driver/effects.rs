//! What each effect of the call does in the browser.

use std::rc::Rc;

use visavis_call::{Call, ConnectionEvent, ConnectionId, Effect, IceServer, Step};

use super::Session;
use crate::browser::{
    connection::{Connection, Options, Report},
    link::{Link, LinkEvent},
};

impl Session {
    pub(super) fn run(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::OpenLink { path } => self.open_link(path),
            Effect::SendFrame(text) => self.send_frame(&text),
            Effect::CloseLink => drop(self.link.take()),
            Effect::Connect { connection, ice_servers, relay_only, offerer, foreign, .. } => {
                self.connect(connection, Options { relay_only, offerer, foreign }, &ice_servers);
            }
            Effect::Disconnect { connection } => self.disconnect(connection),
            Effect::SetLocalDescription { connection } => {
                self.with(connection, Connection::set_local_description);
            }
            Effect::SetRemoteDescription { connection, description } => {
                self.with(connection, |it| it.set_remote_description(&description));
            }
            Effect::AddCandidate { connection, candidate } => {
                self.with(connection, |it| it.add_candidate(&candidate));
            }
            Effect::RestartIce { connection } => self.with(connection, |it| it.restart_ice()),
            Effect::SetIceServers { connection, ice_servers } => {
                self.with(connection, |it| it.set_ice_servers(&ice_servers));
            }
            Effect::SendData { connection, text } => self.with(connection, |it| it.send(&text)),
            Effect::Report(line) => web_sys::console::debug_1(&line.into()),
        }
    }

    fn with(&self, id: ConnectionId, act: impl FnOnce(&Rc<Connection>)) {
        if let Some(connection) = self.connection(id) {
            act(&connection);
        }
    }

    fn open_link(self: &Rc<Self>, path: &str) {
        let session = Rc::downgrade(self);
        let link = Link::open(path, move |event| {
            if let Some(session) = session.upgrade() {
                session.hear(event);
            }
        });
        if link.is_none() {
            self.tell(Call::handle_link_closed);
        }
        self.link.replace(link);
    }

    fn hear(self: &Rc<Self>, event: LinkEvent) {
        match event {
            LinkEvent::Opened => self.tell(Call::handle_link_opened),
            LinkEvent::Frame(text) => self.tell(move |call, now| call.handle_link_frame(now, &text)),
            LinkEvent::Closed => self.tell(Call::handle_link_closed),
        }
    }

    fn send_frame(&self, text: &str) {
        if let Some(link) = &*self.link.borrow() {
            link.send(text);
        }
    }

    fn connect(self: &Rc<Self>, id: ConnectionId, options: Options, ice_servers: &[IceServer]) {
        let session = Rc::downgrade(self);
        let tracks = self.sending.borrow().clone();
        let made = Connection::new(options, ice_servers, tracks, move |report| {
            let Some(session) = session.upgrade() else { return };
            match report {
                Report::Event(event) => session.tell_event(id, event),
                Report::Stream => session.show_soon(),
            }
        });
        match made {
            Ok(connection) => self.connections.borrow_mut().push((id, connection)),
            Err(why) => {
                web_sys::console::warn_1(&why);
                self.tell_event(id, ConnectionEvent::Failed { what: Step::Connect });
            }
        }
    }

    fn disconnect(&self, id: ConnectionId) {
        let mut gone = Vec::new();
        self.connections.borrow_mut().retain(|(known, connection)| {
            let keep = *known != id;
            if !keep {
                gone.push(connection.clone());
            }
            keep
        });
        // Closed here, after the list is free again.
        drop(gone);
    }
}
