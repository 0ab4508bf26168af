//! One signaling connection: what its client says on the wire, to the hub, and back.

mod authentication;
pub(crate) mod connection;
pub(crate) mod origin;

use std::sync::Arc;

use visavis_hub::{Bucket, ConnectionId, Ending, Hello, Recall, Resume, Tag, Welcome};
use visavis_signal::{
    Inbound, Malformed, Outbound, RawValue, Refusal, Reply,
    inbound::{Handshake, IceServers, Peek, Publish, Resume as WireResume, Subscribe, Unsubscribe},
};

use crate::{
    channels::Channel,
    circles::{Gone, Said, Who},
    ice::Holder,
    signaling::{End, Outbox, Signaling, state},
    stream::ConnectionInfo,
    token::Grant,
};
use authentication::Waiting;

/// The close code of RFC 6455 for a policy that was violated.
const POLICY: u16 = 1008;

/// One signaling connection. Dropping it takes it out of the hub as lost.
pub(crate) struct Session {
    signaling: Arc<Signaling>,
    info: ConnectionInfo,
    connection: ConnectionId,
    outbox: Arc<Outbox>,
    /// Bytes of one message.
    message_limit: usize,
    bytes: Bucket,
    /// Messages that the hub does not count.
    strange: Bucket,
    stage: Stage,
    waiting: Option<Waiting>,
}

/// How far a client has come.
enum Stage {
    /// Nothing that counts was said; the last refusal of a handshake, if there was any.
    Fresh(Option<Refusal>),
    /// A client of a channel, with this id, and what the last token that it has shown permits.
    Open { client: Box<str>, channel: Arc<Channel>, resumable: bool, grant: Option<Grant> },
}

impl Session {
    pub(crate) fn open(signaling: Arc<Signaling>, info: ConnectionInfo) -> Self {
        let outbox = Arc::new(Outbox::new(signaling.options.limits.queue));
        let connection = signaling.with(|state, _| state.open(Arc::clone(&outbox)));
        let message_limit = signaling.options.limits.message;
        Self {
            signaling,
            info,
            connection,
            outbox,
            message_limit,
            bytes: Bucket::default(),
            strange: Bucket::default(),
            stage: Stage::Fresh(None),
            waiting: None,
        }
    }

    /// One text or binary message. The next may come when it [is waiting](Self::is_waiting) no more.
    pub(crate) fn handle_message(&mut self, message: &str) {
        match Inbound::parse(message) {
            Ok(asked) if self.wait_for_permission(&asked, message) => {}
            Ok(message) => self.handle(message),
            Err(malformed) => self.handle_malformed(malformed),
        }
    }

    /// So many bytes came, whatever they are: more than one connection may send end it.
    pub(crate) fn admit_bytes(&mut self, count: usize) -> bool {
        let signaling = &self.signaling;
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let admitted = self.bytes.admit_many(signaling.now(), signaling.options.limits.bytes, count);
        if !admitted {
            self.refuse(None, Refusal::RateExceeded);
        }
        admitted
    }

    /// Counts what the hub does not: it knows who it has welcomed, and of them no handshake.
    fn admit_stranger(&mut self) -> bool {
        self.strange.admit(self.signaling.now(), self.signaling.options.limits.hub.messages)
    }

    /// A message that could not be read at all, or only in part.
    pub(crate) fn handle_malformed(&mut self, Malformed { callback, refusal, handshake }: Malformed) {
        let counted = self.signaling.with(|state, now| state.hub.count_message(now, self.connection));
        let admitted = match counted {
            Err(visavis_hub::Refusal::NotConnected) => self.admit_stranger(),
            counted => counted.is_ok(),
        };
        match admitted {
            false => self.refuse(callback, Refusal::RateExceeded),
            _ if handshake => self.refuse_handshake(callback, refusal),
            _ => self.refuse(callback, refusal),
        }
    }

    /// A frame of which nothing could be read.
    pub(crate) fn handle_unreadable(&mut self, refusal: Refusal) {
        self.handle_malformed(Malformed { callback: None, refusal, handshake: false });
    }

    fn handle(&mut self, message: Inbound<'_>) {
        let is_counted =
            matches!(self.stage, Stage::Open { .. }) && !matches!(message, Inbound::Handshake(_));
        if !is_counted && !self.admit_stranger() {
            return self.refuse(message.callback(), Refusal::RateExceeded);
        }
        match message {
            Inbound::Handshake(handshake) => self.handshake(&handshake),
            Inbound::Pong => self.pong(),
            message if matches!(self.stage, Stage::Fresh(_)) => {
                self.refuse(message.callback(), Refusal::HandshakeRequired);
            }
            Inbound::Authenticate(message) => self.authenticate(&message),
            Inbound::Subscribe(message) => self.subscribe(&message),
            Inbound::Unsubscribe(message) => self.unsubscribe(&message),
            Inbound::Publish(message) => self.publish(&message),
            Inbound::IceServers(message) => self.ice_servers(&message),
            Inbound::Peek(message) => self.peek(&message),
        }
    }

    fn handshake(&mut self, handshake: &Handshake<'_>) {
        let welcome = self
            .allowed(handshake)
            .and_then(|channel| self.connect(handshake, &channel).map(|welcome| (channel, welcome)));
        match welcome {
            Ok((channel, welcome)) => {
                self.reply(&Reply {
                    callback: handshake.callback,
                    client_id: Some(welcome.client.as_str().into()),
                    require_auth: Some(welcome.require_auth),
                    device: welcome.device.as_deref().map(Into::into),
                    resume: welcome.resume.as_deref().map(Into::into),
                    ..Reply::default()
                });
                if let Some(limit) = channel.max_message {
                    self.message_limit = limit;
                }
                self.stage = Stage::Open {
                    client: welcome.client.as_str().into(),
                    channel,
                    resumable: welcome.resume.is_some(),
                    grant: None,
                };
            }
            Err(refusal) => self.refuse_handshake(handshake.callback, refusal),
        }
    }

    /// Some clients take the id for granted even when they are refused.
    fn refuse_handshake(&mut self, callback: Option<i64>, refusal: Refusal) {
        let id = self.signaling.with(|state, _| {
            state.refused(refusal);
            state.hub.new_client_id()
        });
        if let Stage::Fresh(last) = &mut self.stage {
            *last = Some(refusal);
        }
        let client_id = Some(id.as_str().into());
        self.reply(&Reply { client_id, ..Reply::refused(callback, refusal.text()) });
    }

    fn allowed(&self, handshake: &Handshake<'_>) -> Result<Arc<Channel>, Refusal> {
        let options = &self.signaling.options;
        if matches!(self.stage, Stage::Open { .. }) {
            return Err(Refusal::HandshakeRepeated);
        }
        if handshake.client_data.is_some_and(|data| data.get().len() > options.limits.client_data) {
            return Err(Refusal::ClientDataTooLarge);
        }
        let channel = self.signaling.channels().find(&handshake.channel).ok_or(Refusal::UnknownChannel)?;
        if !origin::is_allowed(&self.info, &channel.origins) {
            return Err(Refusal::OriginNotAllowed);
        }
        Ok(channel)
    }

    fn connect(&self, handshake: &Handshake<'_>, channel: &Channel) -> Result<Welcome, Refusal> {
        let hello = Hello {
            channel: &handshake.channel,
            client_data: handshake.client_data.map(bytes),
            device_secret: handshake.device_secret.as_deref(),
            resume: handshake.resume.as_ref().map(|resume| match resume {
                WireResume::Ask => Resume::Ask,
                WireResume::Token(token) => Resume::Token(token),
            }),
        };
        self.signaling.with(|state, now| {
            let welcome = state.hub.handle_connect(now, self.connection, hello).map_err(wire)?;
            state.counters.handshakes += 1;
            state.counters.resumed += u64::from(welcome.resumed);
            let who = Who { client: welcome.client.as_str(), connection: self.connection };
            let (address, bound) = (self.info.remote.ip(), channel.relay_within_rooms);
            self.signaling.circles.come(now, who, address, bound);
            Ok(welcome)
        })
    }

    /// Answers nothing, means nothing; too many are too many all the same.
    fn pong(&mut self) {
        let counted = self.signaling.with(|state, now| state.hub.count_message(now, self.connection));
        if counted == Err(visavis_hub::Refusal::RateExceeded) {
            self.refuse(None, Refusal::RateExceeded);
        }
    }

    fn subscribe(&mut self, message: &Subscribe<'_>) {
        let tag = message.callback.map(Tag);
        let recall = recall(message);
        let asked = self.signaling.with(|state, now| {
            state.hub.handle_subscribe(now, self.connection, &message.room, recall, tag)?;
            if let Some((who, channel)) = self.who() {
                self.signaling.circles.enter(who, &channel.id, &message.room);
            }
            Ok(())
        });
        self.refuse_if(message.callback, asked);
    }

    fn unsubscribe(&mut self, message: &Unsubscribe<'_>) {
        let tag = message.callback.map(Tag);
        let asked = self.signaling.with(|state, now| {
            state.hub.handle_unsubscribe(now, self.connection, &message.room, tag)?;
            if let Some((who, channel)) = self.who() {
                self.signaling.circles.leave(now, who, &channel.id, &message.room);
            }
            Ok(())
        });
        self.refuse_if(message.callback, asked);
    }

    fn publish(&mut self, message: &Publish<'_>) {
        let payload = bytes(message.message);
        let bound = self.who().filter(|(_, channel)| channel.relay_within_rooms);
        let said = bound.and_then(|bound| Some((bound, Said::read(message.message.get())?)));
        let asked = self.signaling.with(|state, now| {
            state.hub.handle_publish(now, self.connection, &message.room, payload)?;
            state.counters.published += 1;
            // Before anybody hears it: who does may want to reach these addresses at once.
            if let Some(((who, channel), said)) = said {
                self.signaling.circles.say(now, who, &channel.id, &message.room, said);
            }
            Ok(())
        });
        if asked.is_ok()
            && let Some(callback) = message.callback
        {
            self.reply(&Reply::done(callback));
        }
        self.refuse_if(message.callback, asked);
    }

    fn ice_servers(&mut self, message: &IceServers) {
        let counted = self.signaling.with(|state, now| {
            state.hub.count_message(now, self.connection)?;
            state.hub.check_authenticated(now, self.connection)
        });
        if counted.is_err() {
            return self.refuse_if(message.callback, counted);
        }
        let Stage::Open { client, .. } = &self.stage else { return };
        let (ice_servers, ttl) = (self.signaling.options.ice)(&self.info, Holder::Client(client));
        self.signaling.circles.equip(client);
        let callback = message.callback;
        self.reply(&Reply { callback, ice_servers: Some(ice_servers), ttl: Some(ttl), ..Reply::default() });
    }

    fn peek(&mut self, message: &Peek<'_>) {
        let counted =
            self.signaling.with(|state, now| state.hub.handle_peek(now, self.connection, &message.room));
        match counted {
            Ok(count) => {
                let callback = message.callback;
                self.reply(&Reply { callback, count: Some(count), ..Reply::default() });
            }
            Err(refusal) => self.refuse(message.callback, wire(refusal)),
        }
    }

    fn refuse_if<T>(&self, callback: Option<i64>, asked: Result<T, visavis_hub::Refusal>) {
        if let Err(refusal) = asked {
            self.refuse(callback, wire(refusal));
        }
    }

    fn refuse(&self, callback: Option<i64>, refusal: Refusal) {
        let excessive = refusal == Refusal::RateExceeded;
        self.signaling.with(|state, _| {
            state.refused(refusal);
            state.counters.excessive += u64::from(excessive);
        });
        if excessive {
            self.leave(Ending::Left, Gone::Left);
            self.outbox.end(End::Close(POLICY, refusal.text()));
        } else {
            self.reply(&Reply::refused(callback, refusal.text()));
        }
    }

    fn reply(&self, reply: &Reply<'_>) {
        // Without a callback nobody waits for anything but errors.
        if reply.callback.is_some() || reply.error.is_some() {
            self.outbox.answer(state::text(&Outbound::Reply(reply.clone())));
        }
    }

    /// Whose connection this is, and in which channel.
    fn who(&self) -> Option<(Who<'_>, &Channel)> {
        let Stage::Open { client, channel, .. } = &self.stage else { return None };
        Some((Who { client, connection: self.connection }, channel))
    }

    /// Takes the client out of the hub, and out of its calls for the relay; once is enough.
    fn leave(&self, ending: Ending, gone: Gone) {
        self.signaling.with(|state, now| {
            state.hub.handle_disconnect(now, self.connection, ending);
            if let Some((who, _)) = self.who() {
                self.signaling.circles.go(now, who, gone);
            }
        });
    }

    /// The client said that it goes. One that can resume and gives no reason may only doubt its network.
    pub(crate) fn handle_close(&mut self, code: Option<u16>) {
        let doubting = matches!(self.stage, Stage::Open { resumable: true, .. }) && code.is_none();
        if doubting {
            self.leave(Ending::Lost, Gone::Lost);
        } else {
            self.leave(Ending::Left, Gone::Left);
        }
    }

    /// Nothing was heard for so long that no grace is left to give. Media may still flow.
    pub(crate) fn handle_silence(&mut self) {
        self.signaling.with(|state, _| state.counters.silent += 1);
        self.leave(Ending::Left, Gone::Lost);
    }

    /// The handshake took too long: who was refused is told so for good, who was slow may try again.
    pub(crate) fn handle_late(&mut self) {
        match self.stage {
            Stage::Fresh(Some(refusal)) => self.outbox.end(End::Close(POLICY, refusal.text())),
            Stage::Fresh(None) => self.outbox.end(End::Drop),
            Stage::Open { .. } => {}
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.leave(Ending::Lost, Gone::Lost);
        self.signaling.with(|state, _| state.close(self.connection));
    }
}

fn bytes(raw: &RawValue) -> Arc<[u8]> {
    raw.get().as_bytes().into()
}

/// Who knows a place asks for everything since; otherwise for the newest messages.
fn recall(message: &Subscribe<'_>) -> Recall {
    let count = message.history_count.map_or(0, |count| count as usize);
    match message.since.as_deref() {
        None => Recall::Newest(count),
        Some("") => Recall::First(count),
        Some(id) => Recall::Since(id.into(), usize::MAX),
    }
}

/// The hub's reasons in the words of the wire.
fn wire(refusal: visavis_hub::Refusal) -> Refusal {
    use visavis_hub::Refusal as Hub;
    match refusal {
        Hub::UnknownChannel => Refusal::UnknownChannel,
        Hub::ChannelFull => Refusal::ChannelFull,
        // Also a connection that was replaced and has yet to end.
        Hub::NotConnected => Refusal::HandshakeRequired,
        Hub::AlreadyConnected => Refusal::HandshakeRepeated,
        Hub::Unauthorized | Hub::Undecided => Refusal::Unauthorized,
        Hub::Expired => Refusal::TokenExpired,
        Hub::BadRoomName => Refusal::BadRoomName,
        Hub::TooManyRooms => Refusal::TooManyRooms,
        Hub::RoomFull => Refusal::RoomFull,
        Hub::TooManyRequests => Refusal::TooManyRequests,
        Hub::RateExceeded => Refusal::RateExceeded,
    }
}
