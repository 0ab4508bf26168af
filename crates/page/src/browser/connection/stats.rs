//! What `getStats` says, cut down to what a call wants to know.

use std::time::Duration;

use js_sys::Map;
use visavis_call::{Path, Stats};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::RtcPeerConnection;

use super::script::{at, number_at, text_at};

/// One reading.
pub(super) struct Measured {
    /// For the call.
    pub(super) stats: Stats,
    /// Pictures are decoded, or sound is where there is no picture.
    pub(super) plays: bool,
}

/// Reads the statistics; `None` from a closed connection.
pub(super) async fn measure(rtc: &RtcPeerConnection) -> Option<Measured> {
    let report: Map = rtc.get_stats().await.ok()?.unchecked_into();
    let mut reading = Reading::default();
    report.for_each(&mut |entry, _| reading.add(entry));
    let pair = reading.selected.take().map(|id| report.get(&id)).or(reading.succeeded.take());
    if let Some(pair) = pair {
        reading.add_pair(&report, &pair);
    }
    Some(Measured { plays: reading.frames > 0.0 || reading.audio_only(), stats: reading.stats })
}

#[derive(Default)]
struct Reading {
    stats: Stats,
    frames: f64,
    video_packets: f64,
    audio_packets: f64,
    /// Id of the pair that the transport names.
    selected: Option<JsValue>,
    /// The pair to go by where no transport names one.
    succeeded: Option<JsValue>,
}

impl Reading {
    fn add(&mut self, entry: JsValue) {
        match text_at(&entry, "type").as_deref() {
            Some("inbound-rtp") => self.add_inbound(&entry),
            Some("remote-inbound-rtp") => self.add_remote_inbound(&entry),
            Some("transport") => {
                let id = at(&entry, "selectedCandidatePairId");
                self.selected = id.is_string().then_some(id).or(self.selected.take());
            }
            Some("candidate-pair") if is_in_use(&entry) => self.succeeded = Some(entry),
            _ => {}
        }
    }

    fn add_inbound(&mut self, entry: &JsValue) {
        let number = |property| number_at(entry, property).unwrap_or_default();
        let packets = number("packetsReceived");
        self.stats.packets_received += whole(packets);
        self.stats.packets_lost += number("packetsLost") as i64;
        if text_at(entry, "kind").as_deref() == Some("video") {
            self.video_packets += packets;
            self.frames += number("framesDecoded");
            self.stats.freezes += whole(number("freezeCount"));
        } else {
            self.audio_packets += packets;
            self.stats.samples_concealed += whole(number("concealedSamples"));
            self.stats.samples_received += whole(number("totalSamplesReceived"));
        }
    }

    /// The worst of what the remote misses, over all that is sent to it.
    fn add_remote_inbound(&mut self, entry: &JsValue) {
        if let Some(lost) = number_at(entry, "fractionLost") {
            let worst = self.stats.fraction_lost_there.unwrap_or_default().max(lost);
            self.stats.fraction_lost_there = Some(worst);
        }
    }

    fn add_pair(&mut self, report: &Map, pair: &JsValue) {
        let round_trip = number_at(pair, "currentRoundTripTime");
        self.stats.round_trip = round_trip.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let local = report.get(&at(pair, "localCandidateId"));
        let remote = report.get(&at(pair, "remoteCandidateId"));
        self.stats.path = text_at(&local, "candidateType").map(|kind| path(&kind, &local));
        self.stats.remote_relayed = text_at(&remote, "candidateType").as_deref() == Some("relay");
    }

    fn audio_only(&self) -> bool {
        self.audio_packets > 0.0 && self.video_packets == 0.0
    }
}

/// Firefox marks the pair with `selected`; the others say `nominated`.
fn is_in_use(pair: &JsValue) -> bool {
    let is = |property| at(pair, property).is_truthy();
    is("selected") || is("nominated") && text_at(pair, "state").as_deref() == Some("succeeded")
}

fn path(kind: &str, local: &JsValue) -> Path {
    if kind != "relay" {
        return Path::Direct;
    }
    match text_at(local, "relayProtocol").as_deref() {
        Some("tcp") => Path::RelayTcp,
        Some("tls") => Path::RelayTls,
        _ => Path::RelayUdp,
    }
}

fn whole(count: f64) -> u64 {
    count as u64
}
