//! What two pages say to each other inside room messages while they agree on a call.
//!
//! The bodies are those of the tutorial page, `{"sdp":{…}}` and `{"candidate":{…}}`, plus fields and further
//! bodies that such a page ignores. Every extra field is optional, so that its messages are read as well.

use serde::{Deserialize, Deserializer, Serialize};

/// One signal and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Envelope {
    /// The member it is meant for; a tutorial page leaves it out.
    pub to: Option<String>,
    /// The sender's session: random, new with each load of its page.
    pub session: Option<String>,
    /// The receiver's session, once the sender knows it. On the wire `for`.
    pub for_session: Option<String>,
    /// The sender's device: random, the same as long as its tab lives.
    pub device: Option<String>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// An `RTCSdpType`: `offer`, `answer`, `pranswer` or `rollback`. On the wire `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The SDP; empty for a rollback.
    #[serde(default)]
    pub sdp: String,
}

/// An `RTCIceCandidateInit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
        Self { to: None, session: None, for_session: None, device: None, generation: None, body }
    }

    /// Reads a room message.
    ///
    /// # Errors
    /// The message is something else, or from a version that says what this one does not know.
    pub fn parse(message: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(message)
    }

    /// The room message that carries this signal.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always serialize")
    }
}

/// The JSON object, one optional field per body.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Wire {
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    for_session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sdp: Option<Description>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "candidate_or_end")]
    candidate: Option<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bye: Option<bool>,
}

/// A browser's `onicecandidate` ends with `null`; an empty candidate says the same.
fn candidate_or_end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Candidate>, D::Error> {
    Ok(Some(Option::deserialize(deserializer)?.unwrap_or_default()))
}

impl TryFrom<Wire> for Envelope {
    type Error = NoSignal;

    fn try_from(wire: Wire) -> Result<Self, NoSignal> {
        let body = match (wire.sdp, wire.candidate, wire.state, wire.bye) {
            (Some(description), ..) => Body::Sdp(description),
            (_, Some(candidate), ..) => Body::Candidate(candidate),
            (_, _, Some(state), _) => Body::State(state),
            (_, _, _, Some(true)) => Body::Bye,
            _ => return Err(NoSignal),
        };
        let Wire { to, session, for_session, device, generation, .. } = wire;
        Ok(Self { to, session, for_session, device, generation, body })
    }
}

impl From<Envelope> for Wire {
    fn from(envelope: Envelope) -> Self {
        let Envelope { to, session, for_session, device, generation, body } = envelope;
        let mut wire = Self { to, session, for_session, device, generation, ..Self::default() };
        match body {
            Body::Sdp(description) => wire.sdp = Some(description),
            Body::Candidate(candidate) => wire.candidate = Some(candidate),
            Body::State(state) => wire.state = Some(state),
            Body::Bye => wire.bye = Some(true),
        }
        wire
    }
}
