//! What two pages say to each other inside room messages while they agree on a call.
//!
//! The bodies are those of the tutorial page, `{"sdp":{…}}` and `{"candidate":{…}}`, plus fields and further
//! bodies that such a page ignores. Every extra field is optional, so that its messages are read as well.

use std::borrow::Cow;

use serde::{Serialize, de::Error as _};
use serde_json::Error;

use crate::object::{Object, needed};

/// One signal and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "Wire")]
pub struct Envelope {
    /// The member it is meant for; a tutorial page leaves it out.
    pub to: Option<String>,
    /// The sender's session: random, new with each load of its page.
    pub session: Option<String>,
    /// The receiver's session, once the sender knows it. On the wire `for`.
    pub for_session: Option<String>,
    /// Counts the `RTCPeerConnection`s between the two sessions.
    pub generation: Option<u32>,
    /// The signal itself.
    pub body: Body,
}

/// A signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A description to set: `{"sdp":{"type":"offer","sdp":"…"}}`.
    Sdp(Description),
    /// A candidate to add: `{"candidate":{"candidate":"…","sdpMid":"0","sdpMLineIndex":0}}`.
    Candidate(Candidate),
    /// What the sender's side of the call looks like: `{"state":{…}}`.
    State(State),
    /// The sender leaves the call on purpose: `{"bye":true}`.
    Bye,
}

/// An `RTCSessionDescription`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// An `RTCSdpType`: `offer`, `answer`, `pranswer` or `rollback`. On the wire `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The SDP; empty for a rollback.
    pub sdp: String,
}

/// An `RTCIceCandidateInit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The candidate attribute; empty at the end of candidates.
    pub candidate: String,
    /// The media description it belongs to, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The media description it belongs to, by place.
    #[serde(rename = "sdpMLineIndex", skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE generation it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

impl Candidate {
    /// Whether this says that no further candidates come.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.candidate.is_empty()
    }
}

/// What the sender's side of the call looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// The name the person chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The microphone is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// The camera is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<bool>,
    /// How media reaches the sender, in a word: later versions may have words that this one has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// A room message that is no signal of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSignal;

impl std::fmt::Display for NoSignal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no signal of a call")
    }
}

impl std::error::Error for NoSignal {}

impl Envelope {
    /// A signal with nothing around it, as a tutorial page sends it.
    #[must_use]
    pub fn bare(body: Body) -> Self {
        Self { to: None, session: None, for_session: None, generation: None, body }
    }

    /// Reads a room message.
    ///
    /// # Errors
    /// The message is something else, or from a version that says what this one does not know.
    pub fn parse(message: &str) -> Result<Self, Error> {
        let fields = Object::read(message)?;
        Ok(Self {
            body: Body::read(&fields)?,
            to: owned(&fields, "to")?,
            session: owned(&fields, "session")?,
            for_session: owned(&fields, "for")?,
            generation: fields.plain("generation")?,
        })
    }

    /// The room message that carries this signal.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always serialize")
    }
}

/// The JSON object, one optional field per body.
#[derive(Clone, Default, Serialize)]
struct Wire {
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    for_session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sdp: Option<Description>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bye: Option<bool>,
}

impl Body {
    fn read(fields: &Object<'_>) -> Result<Self, Error> {
        let candidate = fields.raw("candidate").map(|_| fields.object("candidate"));
        if let Some(description) = fields.object("sdp")? {
            Description::read(&description).map(Self::Sdp)
        } else if let Some(candidate) = candidate {
            // A browser's `onicecandidate` ends with `null`; an empty candidate says the same.
            let read = candidate?.map(|candidate| Candidate::read(&candidate));
            Ok(Self::Candidate(read.transpose()?.unwrap_or_default()))
        } else if let Some(state) = fields.object("state")? {
            State::read(&state).map(Self::State)
        } else if fields.plain("bye")? == Some(true) {
            Ok(Self::Bye)
        } else {
            Err(Error::custom(NoSignal))
        }
    }
}

impl Description {
    fn read(fields: &Object<'_>) -> Result<Self, Error> {
        Ok(Self { kind: needed(owned(fields, "type")?)?, sdp: owned(fields, "sdp")?.unwrap_or_default() })
    }
}

impl Candidate {
    fn read(fields: &Object<'_>) -> Result<Self, Error> {
        Ok(Self {
            candidate: owned(fields, "candidate")?.unwrap_or_default(),
            sdp_mid: owned(fields, "sdpMid")?,
            sdp_m_line_index: fields.plain("sdpMLineIndex")?,
            username_fragment: owned(fields, "usernameFragment")?,
        })
    }
}

impl State {
    fn read(fields: &Object<'_>) -> Result<Self, Error> {
        Ok(Self {
            name: owned(fields, "name")?,
            muted: fields.plain("muted")?,
            camera: fields.plain("camera")?,
            path: owned(fields, "path")?,
        })
    }
}

fn owned(fields: &Object<'_>, name: &str) -> Result<Option<String>, Error> {
    Ok(fields.string(name)?.map(Cow::into_owned))
}

impl From<Envelope> for Wire {
    fn from(envelope: Envelope) -> Self {
        let Envelope { to, session, for_session, generation, body } = envelope;
        let mut wire = Self { to, session, for_session, generation, ..Self::default() };
        match body {
            Body::Sdp(description) => wire.sdp = Some(description),
            Body::Candidate(candidate) => wire.candidate = Some(candidate),
            Body::State(state) => wire.state = Some(state),
            Body::Bye => wire.bye = Some(true),
        }
        wire
    }
}
