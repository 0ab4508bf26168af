//! Numbers in Prometheus' text format.

use std::{
    fmt::{Display, Write as _},
    sync::Arc,
};

use visavis_relay::{Relay, Stats};

use crate::connections::Connections;

/// Where the numbers come from.
pub(crate) struct Metrics {
    pub(crate) relay: Arc<Relay>,
    pub(crate) connections: Arc<Connections>,
}

impl Metrics {
    /// All of them, now.
    pub(crate) fn exposition(&self) -> String {
        let mut text = Exposition::default();
        text.gauge(
            "visavis_build_info",
            "The version that runs",
            [(label("version", env!("CARGO_PKG_VERSION")), 1)],
        );
        let (open, refused) = self.connections.counters();
        text.gauge(
            "visavis_http_connections",
            "Open connections of HTTP and signaling",
            [(none(), open as u64)],
        );
        text.counter("visavis_connections_refused_total", "Connections beyond the caps", [(none(), refused)]);
        turn(&mut text, &self.relay.stats());
        text.0
    }
}

fn turn(text: &mut Exposition, stats: &Stats) {
    let turn = &stats.turn;
    text.gauge("visavis_turn_allocations", "Live allocations", [(none(), turn.allocations)]);
    text.counter("visavis_turn_allocations_total", "Allocations created", [(none(), turn.created)]);
    text.counter("visavis_turn_bindings_total", "Binding requests answered", [(none(), turn.bindings)]);
    text.counter(
        "visavis_turn_limited_total",
        "Answers to strangers withheld by the rate limit",
        [(none(), turn.limited)],
    );
    text.counter(
        "visavis_turn_bind_failures_total",
        "Relay ports that could not be bound",
        [(none(), turn.bind_failures)],
    );
    let both = |to_peers, to_clients| [(label("to", "peer"), to_peers), (label("to", "client"), to_clients)];
    text.counter(
        "visavis_turn_relayed_packets_total",
        "Datagrams passed on",
        both(turn.to_peers.packets, turn.to_clients.packets),
    );
    text.counter(
        "visavis_turn_relayed_bytes_total",
        "Bytes of payload passed on",
        both(turn.to_peers.bytes, turn.to_clients.bytes),
    );
    let labelled = |(cause, count)| (label("cause", cause), count);
    text.counter("visavis_turn_drops_total", "Packets not passed on", turn.drops.iter().map(labelled));
    text.counter("visavis_turn_refusals_total", "Error responses", turn.refusals.iter().map(labelled));
    let sockets = &stats.sockets;
    let drops = [
        ("not_received", sockets.not_received),
        ("buffer_full", sockets.buffer_full),
        ("refused", sockets.refused),
        ("crossings", sockets.crossings),
    ];
    text.counter(
        "visavis_relay_socket_drops_total",
        "Packets lost at a socket or queue",
        drops.map(labelled),
    );
    let streams = &stats.streams;
    text.gauge("visavis_relay_streams", "TURN streams over TCP and TLS", [(none(), streams.live)]);
    let events = [
        ("opened", streams.opened),
        ("turned_away", streams.turned_away),
        ("idle", streams.idle),
        ("frames_dropped", streams.frames_dropped),
    ];
    let events = events.map(|(event, count)| (label("event", event), count));
    text.counter("visavis_relay_stream_events_total", "What happened to TURN streams", events);
}

/// The text, metric by metric.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn gauge(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (String, u64)>) {
        self.metric("gauge", name, help, samples);
    }

    fn counter(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (String, u64)>) {
        self.metric("counter", name, help, samples);
    }

    fn metric(
        &mut self,
        kind: &str,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, u64)>,
    ) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
        for (labels, value) in samples {
            self.line(format_args!("{name}{labels} {value}"));
        }
    }

    fn line(&mut self, line: impl Display) {
        writeln!(self.0, "{line}").expect("writing into a text cannot fail");
    }
}

fn none() -> String {
    String::new()
}

fn label(name: &str, value: &str) -> String {
    format!("{{{name}=\"{value}\"}}")
}
