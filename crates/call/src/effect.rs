//! What a call asks of its driver, and what the driver tells it about connections.

use visavis_signal::{
    call::{Candidate, Description},
    outbound::IceServer,
};

use crate::Stats;

/// Names one `RTCPeerConnection` over the life of a [`Call`](crate::Call). Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

/// Work for the driver, to be done in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open the signaling link: a WebSocket to `path` on the page's own origin. Answered by
    /// [`handle_link_opened`](crate::Call::handle_link_opened) or
    /// [`handle_link_closed`](crate::Call::handle_link_closed).
    OpenLink {
        /// Where on the origin, see [`LINK_PATH`](crate::LINK_PATH).
        path: &'static str,
    },
    /// Send one text frame on the link.
    SendFrame(String),
    /// Close the link and tell nothing more about it; `handle_link_closed` is not expected.
    CloseLink,
    /// Make an `RTCPeerConnection`.
    ///
    /// As the offerer, make all transceivers at once, sendrecv, in this order: audio, video and, unless
    /// `foreign`, screen video, screen audio; then, unless `foreign`, the negotiated data channel.
    ///
    /// As the answerer, make nothing yet: when the first offer has been set, take over its transceivers in
    /// order (direction `sendrecv`, own tracks by `replaceTrack`), make the negotiated data channel unless
    /// `foreign`, and only then report [`ConnectionEvent::RemoteDescriptionSet`].
    Connect {
        /// Its name from now on.
        connection: ConnectionId,
        /// The remote's member id, as in [`Remote::member`](crate::Remote::member).
        member: String,
        /// STUN and TURN servers, already cut down to the transport that the person asked for.
        ice_servers: Vec<IceServer>,
        /// `iceTransportPolicy: "relay"`.
        relay_only: bool,
        /// This side makes the transceivers.
        offerer: bool,
        /// The other side is a page of the tutorial: two transceivers, no data channel.
        foreign: bool,
    },
    /// Close the connection and forget it.
    Disconnect {
        /// Which.
        connection: ConnectionId,
    },
    /// Call the parameterless `setLocalDescription()`. Answered by [`ConnectionEvent::LocalDescription`],
    /// or by [`ConnectionEvent::Failed`] with [`Step::LocalDescription`].
    SetLocalDescription {
        /// Which.
        connection: ConnectionId,
    },
    /// Call `setRemoteDescription(description)`; an offer set over an own offer rolls that back. Answered
    /// by [`ConnectionEvent::RemoteDescriptionSet`], or by [`ConnectionEvent::Failed`] with
    /// [`Step::RemoteDescription`].
    SetRemoteDescription {
        /// Which.
        connection: ConnectionId,
        /// An offer or an answer.
        description: Description,
    },
    /// Call `addIceCandidate`. A failure may be reported and is harmless.
    AddCandidate {
        /// Which.
        connection: ConnectionId,
        /// The remote's candidate; empty at the end of its candidates.
        candidate: Candidate,
    },
    /// Call `restartIce()`. `negotiationneeded` follows by itself.
    RestartIce {
        /// Which.
        connection: ConnectionId,
    },
    /// Call `setConfiguration` with these servers, whose credentials last longer.
    SetIceServers {
        /// Which.
        connection: ConnectionId,
        /// As in [`Effect::Connect`].
        ice_servers: Vec<IceServer>,
    },
    /// Send a text over the data channel; drop it if the channel is not open.
    SendData {
        /// Which.
        connection: ConnectionId,
        /// One message.
        text: String,
    },
    /// A line for the report that a person may copy, and for the console at debug level. It holds no
    /// address, description, room or name; control characters are escaped.
    Report(String),
}

/// What happened to a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectionEvent {
    /// `negotiationneeded` fired.
    NegotiationNeeded,
    /// `signalingstatechange` fired.
    SignalingState(SignalingState),
    /// `setLocalDescription()` succeeded; this is `localDescription` as it stands then.
    LocalDescription(Description),
    /// `setRemoteDescription()` succeeded, and what [`Effect::Connect`] says of an answerer is done.
    RemoteDescriptionSet,
    /// A step failed.
    Failed {
        /// Which of them.
        what: Step,
    },
    /// `icecandidate` fired. The end of candidates (`null` or empty) may be handed in or left out.
    Candidate(Candidate),
    /// `connectionstatechange` fired (or `iceconnectionstatechange`, mapped, where there is none).
    ConnectionState(ConnectionState),
    /// The data channel opened.
    DataOpen,
    /// A text came over the data channel.
    Data(String),
    /// The first video frame of the remote was presented, or its audio began to play where there is no
    /// video.
    FirstFrame,
    /// What `getStats` says, about every 2 s while connected.
    Stats(Stats),
}

/// W3C's `RTCSignalingState`, as far as perfect negotiation meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalingState {
    /// `stable`
    Stable,
    /// `have-local-offer`
    HaveLocalOffer,
    /// `have-remote-offer`
    HaveRemoteOffer,
    /// `closed`
    Closed,
}

/// W3C's `RTCPeerConnectionState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// `new`
    New,
    /// `connecting`
    Connecting,
    /// `connected`
    Connected,
    /// `disconnected`
    Disconnected,
    /// `failed`
    Failed,
    /// `closed`
    Closed,
}

/// A step that the driver was asked for and that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Making the connection itself.
    Connect,
    /// `setLocalDescription()`
    LocalDescription,
    /// `setRemoteDescription()`
    RemoteDescription,
    /// `addIceCandidate()`
    Candidate,
}
