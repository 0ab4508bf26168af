//! Numbers in Prometheus' text format.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    sync::Arc,
};

use visavis_relay::{Relay, Stats};
use visavis_turn::Transport;

use crate::{
    circles,
    connections::Connections,
    http::Site,
    log::{Logged, Notices},
    signaling::{Counters, Signaling},
};

/// Where the numbers come from.
pub(crate) struct Metrics {
    pub(crate) relay: Arc<Relay>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) signaling: Arc<Signaling>,
    pub(crate) site: Arc<Site>,
    pub(crate) notices: Arc<Notices>,
}

/// All of them at one moment.
pub(crate) struct Figures {
    /// Connections of HTTP and signaling that are open.
    pub(crate) open: usize,
    /// Connections beyond the caps.
    pub(crate) turned_away: u64,
    /// How often the system had no room for one more.
    pub(crate) not_accepted: u64,
    /// WebSockets that were answered 429.
    pub(crate) websockets_limited: u64,
    /// REST calls that were answered 429.
    pub(crate) requests_limited: u64,
    pub(crate) signaling: Counters,
    /// What signaling refused, by the text that the client was told.
    pub(crate) refusals: BTreeMap<&'static str, u64>,
    pub(crate) relay: Stats,
    pub(crate) circles: circles::Counts,
    /// Warnings and errors that were logged.
    pub(crate) logged: Logged,
}

impl Metrics {
    /// All of them, now.
    pub(crate) fn figures(&self) -> Figures {
        let (open, turned_away) = self.connections.counters();
        Figures {
            open,
            turned_away,
            not_accepted: self.connections.not_accepted(),
            websockets_limited: self.site.new_websockets.refused(),
            requests_limited: self.site.requests.refused(),
            signaling: self.signaling.counters(),
            refusals: self.signaling.refusals(),
            relay: self.relay.stats(),
            circles: self.signaling.circles.counts(),
            logged: self.notices.counts(),
        }
    }

    /// The same as text.
    pub(crate) fn exposition(&self) -> String {
        let figures = self.figures();
        let mut text = Exposition::default();
        text.gauge(
            "visavis_build_info",
            "The version that runs",
            [(label("version", env!("CARGO_PKG_VERSION")), 1)],
        );
        http(&mut text, &figures);
        signaling(&mut text, &figures);
        turn(&mut text, &figures.relay);
        circles(&mut text, &figures.circles);
        let Logged { warnings, errors } = figures.logged;
        let logged = [(label("level", "warning"), warnings), (label("level", "error"), errors)];
        text.counter("visavis_logged_total", "Warnings and errors that were logged", logged);
        text.0
    }
}

fn http(text: &mut Exposition, figures: &Figures) {
    let open = figures.open as u64;
    text.gauge("visavis_http_connections", "Open connections of HTTP and signaling", [(none(), open)]);
    let turned_away = [(none(), figures.turned_away)];
    text.counter("visavis_connections_refused_total", "Connections beyond the caps", turned_away);
    text.counter(
        "visavis_accept_failures_total",
        "Times that the system had no descriptor or memory for one more connection",
        [(none(), figures.not_accepted)],
    );
    let limited = [
        (label("what", "websocket"), figures.websockets_limited),
        (label("what", "request"), figures.requests_limited),
    ];
    text.counter("visavis_http_limited_total", "Answers 429 to addresses that ask too often", limited);
}

fn signaling(text: &mut Exposition, figures: &Figures) {
    let counters = &figures.signaling;
    let gauges = [
        ("visavis_signaling_connections", "Open WebSockets", counters.connections),
        ("visavis_signaling_channels", "Channels", counters.channels),
        ("visavis_signaling_clients", "Clients, those whose place is only kept included", counters.clients),
        ("visavis_signaling_rooms", "Rooms with members", counters.rooms),
        ("visavis_signaling_members", "Members of all rooms", counters.members),
        ("visavis_history_messages", "Messages kept in the history", counters.kept),
    ];
    for (name, help, value) in gauges {
        text.gauge(name, help, [(none(), value as u64)]);
    }
    text.gauge("visavis_history_bytes", "Bytes of them", [(none(), counters.kept_bytes)]);
    let totals = [
        ("visavis_history_recalled_total", "Messages of the history sent out", counters.recalled),
        (
            "visavis_history_write_failures_total",
            "Writes of the history that failed",
            counters.store_failures,
        ),
        ("visavis_signaling_handshakes_total", "Handshakes accepted", counters.handshakes),
        (
            "visavis_signaling_resumed_total",
            "Handshakes that got back an earlier client id",
            counters.resumed,
        ),
        ("visavis_signaling_authenticated_total", "Tokens accepted", counters.authenticated),
        ("visavis_signaling_published_total", "Messages published", counters.published),
        ("visavis_signaling_delivered_total", "Copies of messages sent out", counters.delivered),
    ];
    for (name, help, value) in totals {
        text.counter(name, help, [(none(), value)]);
    }
    let refused = figures.refusals.iter().map(|(reason, count)| (label("reason", reason), *count));
    text.counter("visavis_signaling_refused_total", "Requests refused", refused);
    let dropped = [("slow", counters.slow), ("silent", counters.silent), ("excessive", counters.excessive)];
    let dropped = dropped.map(|(cause, count)| (label("cause", cause), count));
    text.counter("visavis_signaling_dropped_total", "Connections ended by the server", dropped);
}

fn turn(text: &mut Exposition, stats: &Stats) {
    let turn = &stats.turn;
    text.gauge("visavis_turn_allocations", "Live allocations", [(none(), turn.allocations)]);
    text.gauge("visavis_turn_permissions", "Permissions held for them", [(none(), turn.permissions)]);
    text.gauge("visavis_turn_channels", "Channels held for them", [(none(), turn.channels)]);
    text.counter("visavis_turn_allocations_total", "Allocations created", [(none(), turn.created)]);
    text.counter("visavis_turn_bindings_total", "Binding requests answered", [(none(), turn.bindings)]);
    text.counter(
        "visavis_turn_limited_total",
        "Answers to strangers withheld by the rate limit",
        [(none(), turn.limited)],
    );
    text.counter(
        "visavis_turn_outside_circle_total",
        "Requests of call members refused with 403 because of whom they wanted to reach, or because they had left",
        [(none(), turn.outside_circle)],
    );
    text.counter(
        "visavis_turn_revoked_total",
        "Allocations ended because their member left",
        [(none(), turn.revoked)],
    );
    text.counter(
        "visavis_turn_bind_failures_total",
        "Relay ports that could not be bound",
        [(none(), turn.bind_failures)],
    );
    text.counter("visavis_turn_icmp_total", "ICMP errors that clients were told", [(none(), turn.icmp)]);
    let by_transport = turn.by_transport().map(|(transport, ways)| (transport_name(transport), ways));
    text.counter(
        "visavis_turn_relayed_packets_total",
        "Datagrams passed on, by what carries them between client and server",
        by_transport.iter().flat_map(|(name, ways)| {
            [(way(name, "peer"), ways.packets_to_peers), (way(name, "client"), ways.packets_to_clients)]
        }),
    );
    text.counter(
        "visavis_turn_relayed_bytes_total",
        "Bytes of payload passed on, likewise",
        by_transport.iter().flat_map(|(name, ways)| {
            [(way(name, "peer"), ways.bytes_to_peers), (way(name, "client"), ways.bytes_to_clients)]
        }),
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

fn circles(text: &mut Exposition, counts: &circles::Counts) {
    let members = [(none(), counts.members)];
    text.gauge(
        "visavis_circle_members",
        "Clients that the relay is told about, whether bound to their rooms or not",
        members,
    );
    let named = [(label("what", "named"), counts.named), (label("what", "replaced"), counts.replaced)];
    text.counter(
        "visavis_circle_addresses_total",
        "Addresses named in candidates, and replaced beyond 64",
        named,
    );
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

pub(crate) const fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

fn way(transport: &str, to: &str) -> String {
    format!("{{transport=\"{transport}\",to=\"{to}\"}}")
}

fn none() -> String {
    String::new()
}

fn label(name: &str, value: &str) -> String {
    format!("{{{name}=\"{value}\"}}")
}
