//! Scaledrone's REST interface under `/{channel}/…`, and ICE servers for back ends.

mod access;
mod listing;

use std::{future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Extension, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use hyper::body::Body as _;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::timeout;
use visavis_signal::rest::{Call, Failure, IceServers, RestRefusal, Stats, What};

use super::{Site, bundle};
use crate::{
    channels::Channel,
    ice::Holder,
    session::origin,
    signaling::{NotPosted, Signaling},
    stream::ConnectionInfo,
};

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of a body that is too large, this much is read before it is refused.
const SKIPPED_AT_MOST: usize = 16 * 1024 * 1024;
/// Rooms that one call may publish into.
const ROOMS: usize = 100;

/// Answers a call of the REST interface, and anything else with the file of that path.
pub(super) async fn serve(
    State(site): State<Arc<Site>>,
    Extension(info): Extension<ConnectionInfo>,
    request: Request,
) -> Response {
    let uri = request.uri().clone();
    let Some(call) = Call::read(uri.path(), uri.query()) else { return bundle::serve(request).await };
    let (head, body) = request.into_parts();
    let answer = match call {
        _ if !site.requests.admit_many(info.remote.ip(), weight(&call)) => Err(RestRefusal::TooManyRequests),
        Ok(call) => {
            Exchange { signaling: &site.signaling, info: &info, head: &head }.answer(&call, body).await
        }
        Err(refusal) => Err(refusal),
    };
    let mut response = answer.unwrap_or_else(failure);
    response.headers_mut().extend(CROSS_ORIGIN.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// What a call counts: each room that it says something in is as much as a call of its own.
fn weight(call: &Result<Call<'_>, RestRefusal>) -> usize {
    match call {
        Ok(Call { what: What::Publish(rooms), .. }) => rooms.len().clamp(1, ROOMS),
        _ => 1,
    }
}

/// Pages of every origin may read answers, refusals too. Whether they may ask is for the channel to say.
const CROSS_ORIGIN: [(HeaderName, &str); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
];

/// What a browser wants to know before it sends a call of another origin's page.
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
    (header::ACCESS_CONTROL_MAX_AGE, "7200"),
];

/// One call, and who makes it.
struct Exchange<'a> {
    signaling: &'a Arc<Signaling>,
    info: &'a ConnectionInfo,
    head: &'a Parts,
}

impl Exchange<'_> {
    /// From the cheapest check to the dearest: a rate would be the first, and nothing is read for who may not ask.
    async fn answer(&self, call: &Call<'_>, body: Body) -> Result<Response, RestRefusal> {
        let channel = self.signaling.channels().find(&call.channel).ok_or(RestRefusal::UnknownChannel)?;
        if !origin::is_allowed(self.info, &channel.origins) {
            return Err(RestRefusal::OriginNotAllowed);
        }
        let method = &self.head.method;
        if method == Method::OPTIONS {
            return Ok((StatusCode::NO_CONTENT, PREFLIGHT).into_response());
        }
        if method != call.method() && !(method == Method::HEAD && call.method() == "GET") {
            return Err(RestRefusal::WrongMethod);
        }
        access::check(&call.what, &channel, &self.head.headers).await?;
        match &call.what {
            What::Publish(rooms) => self.publish(&channel, rooms, body).await,
            What::IceServers => Ok(self.ice_servers()),
            What::Stats => {
                let count = self.signaling.with(|state, _| state.hub.connections_of(&channel.id));
                Ok(json(&Stats { users_count: count.map_err(refusal)? }))
            }
            list => listing::answer(self.signaling, &channel.id, list),
        }
    }

    async fn publish(
        &self,
        channel: &Channel,
        rooms: &[impl AsRef<str>],
        body: Body,
    ) -> Result<Response, RestRefusal> {
        match rooms.len() {
            0 => return Err(RestRefusal::NoRooms),
            1..=ROOMS => {}
            _ => return Err(RestRefusal::TooManyRooms),
        }
        let limit = channel.max_message.unwrap_or(self.signaling.options.limits.message);
        let body = timeout(PATIENCE, read(body, limit)).await.map_err(|_| RestRefusal::TooSlow)??;
        let payload = payload(&self.head.headers, &body)?;
        if payload.len() > limit {
            return Err(RestRefusal::MessageTooLarge);
        }
        let rooms: Vec<_> = rooms.iter().map(AsRef::as_ref).collect();
        self.signaling.post(&channel.id, &rooms, payload).await.map_err(|not_posted| match not_posted {
            NotPosted::Refused(why) => refusal(why),
            NotPosted::NotStored => RestRefusal::NotStored,
            NotPosted::Ending => RestRefusal::Ending,
        })?;
        Ok(json(&serde_json::Map::new()))
    }

    fn ice_servers(&self) -> Response {
        let (ice_servers, ttl) = (self.signaling.options.ice)(self.info, Holder::Guest);
        json(&IceServers { ice_servers, ttl })
    }
}

/// The whole body. One that is too large is read all the same, as far as that is sane: many clients look for the
/// answer only when they have sent everything.
async fn read(mut body: Body, limit: usize) -> Result<Vec<u8>, RestRefusal> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        // Whose body breaks off reads no answer.
        let Ok(data) = frame.map_err(|_| RestRefusal::TooSlow)?.into_data() else { continue };
        length += data.len();
        if length <= limit {
            bytes.extend_from_slice(&data);
        } else if length > SKIPPED_AT_MOST {
            break;
        }
    }
    if length > limit { Err(RestRefusal::MessageTooLarge) } else { Ok(bytes) }
}

/// The body as a message: JSON as it stands if it is said to be JSON, else a text.
fn payload(headers: &HeaderMap, body: &[u8]) -> Result<Arc<[u8]>, RestRefusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        let message: &RawValue = serde_json::from_slice(body).map_err(|_| RestRefusal::NotJson)?;
        return Ok(message.get().as_bytes().into());
    }
    let text = str::from_utf8(body).map_err(|_| RestRefusal::NotText)?;
    Ok(serde_json::to_vec(text).expect("texts are JSON").into())
}

fn refusal(refusal: visavis_hub::Refusal) -> RestRefusal {
    match refusal {
        visavis_hub::Refusal::BadRoomName => RestRefusal::BadRoomName,
        visavis_hub::Refusal::UnknownChannel => RestRefusal::UnknownChannel,
        _ => RestRefusal::NotPermitted,
    }
}

fn failure(refusal: RestRefusal) -> Response {
    let mut response = json(&Failure { message: refusal.text() });
    *response.status_mut() = StatusCode::from_u16(refusal.status()).expect("refusals have statuses of HTTP");
    let headers = response.headers_mut();
    match refusal {
        // Not `Basic`: browsers would ask people for a password.
        RestRefusal::Unauthorized | RestRefusal::BadToken(_) => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"visavis\""));
        }
        RestRefusal::WrongMethod => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST, OPTIONS"));
        }
        _ => {}
    }
    response
}

fn json(answer: &impl Serialize) -> Response {
    let text = serde_json::to_string(answer).expect("texts and numbers are JSON");
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
