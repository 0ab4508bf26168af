//! Putting the parts together: what starts in which order, and how it ends.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, anyhow, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
};
use visavis_relay::{Options, Relay, StartError};
use visavis_turn::{Limits, PeerPolicy, PortRange, Secret};

use crate::{
    addresses::Addresses,
    circles::{self, Circles},
    config::Config,
    connections::Connections,
    data_dir::{self, DataDir},
    http::{self, Site, admin::Admin},
    ice::IceServers,
    listen::{self, Doors, Speaks},
    live::Live,
    log::Notices,
    metrics::Metrics,
    rates::Rates,
    signaling::{self, Signaling, SignalingOptions, options::SignalingLimits},
    start_up::StartUp,
    tls::Tls,
};

/// How long the place of a signaling client is kept that lost its connection.
const GRACE: Duration = Duration::from_secs(20);

/// Everything that listens, not yet serving.
struct App {
    bound: Bound,
    doors: Arc<Doors>,
    admin: Arc<Admin>,
    tls: Option<Arc<Tls>>,
    signaling: Arc<Signaling>,
}

/// Runs the server until a signal ends it. `reread` says what the settings are by then.
pub(crate) fn run(
    config: &Config,
    notices: Arc<Notices>,
    reread: impl Fn() -> anyhow::Result<Config>,
) -> anyhow::Result<()> {
    allow_many_files();
    let runtime = Runtime::new().context("cannot start the runtime")?;
    let relay = runtime.block_on(async {
        let signals = Signals::watch()?;
        let app = App::open(config, notices)?;
        Ok::<_, anyhow::Error>(app.serve(config, signals, reread).await)
    })?;
    // Ends every connection as it stands: a client that sees no Close frame comes back.
    runtime.shutdown_timeout(Duration::from_millis(500));
    drop(relay);
    Ok(())
}

/// Every connection and every relayed address takes a descriptor; shells allow 1,024 at first.
fn allow_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it was");
    }
}

impl App {
    /// Opens whatever can fail to open, and tells the person what came of it.
    fn open(config: &Config, notices: Arc<Notices>) -> anyhow::Result<Self> {
        let data_dir = DataDir::open(config.data_dir.as_deref())?;
        let addresses = Addresses::find(&config.public_ips)?;
        let tls = open_tls(config, &data_dir, &addresses)?;
        let secret = turn_secret(config, &data_dir)?;
        let bound = Bound::open(config)?;
        let ice = Arc::new(ice_servers(secret.clone(), &addresses, &bound, tls.clone())?);
        let signaling = start_signaling(config, &data_dir, Arc::clone(&ice))?;
        let circles = Arc::clone(&signaling.circles);
        let relay = Arc::new(start_relay(config, &data_dir, &addresses, &secret, circles, &bound)?);
        let site = Site {
            auto_join: config.auto_join,
            https_port: ice.https.first().map(SocketAddr::port),
            signaling: Arc::clone(&signaling),
            new_websockets: Rates::new(config.quotas.new_websockets),
            requests: Rates::new(config.quotas.requests),
        };
        let site = Arc::new(site);
        let connections = Connections::new(&config.quotas);
        let metrics = Metrics {
            relay: Arc::clone(&relay),
            connections: Arc::clone(&connections),
            signaling: Arc::clone(&signaling),
            site: Arc::clone(&site),
            notices,
        };
        StartUp {
            config,
            addresses: &addresses,
            data_dir: &data_dir,
            ice: &ice,
            tls: tls.as_deref(),
            admin: &local_addrs(&bound.admin)?,
        }
        .print();
        Ok(Self {
            bound,
            doors: Arc::new(Doors { relay, router: http::router(Arc::clone(&site)), connections }),
            admin: Arc::new(Admin {
                ready: AtomicBool::new(true),
                live: Arc::new(Live::new(metrics)),
                host_name: host_name(),
            }),
            tls,
            signaling,
        })
    }

    /// Serves until a signal says otherwise. The relay goes on until it is dropped.
    async fn serve(
        self,
        config: &Config,
        mut signals: Signals,
        reread: impl Fn() -> anyhow::Result<Config>,
    ) -> Arc<Relay> {
        let Self { bound, doors, admin, tls, signaling } = self;
        let accept = |listeners: Vec<TcpListener>, speaks: &Speaks| {
            for listener in listeners {
                tokio::spawn(listen::accept(listener, speaks.clone(), Arc::clone(&doors)));
            }
        };
        accept(bound.http, &Speaks::Http);
        accept(bound.turn, &Speaks::Turn);
        if let Some(tls) = &tls {
            accept(bound.https, &Speaks::Https(Arc::clone(tls)));
        }
        if !bound.admin.is_empty() {
            tokio::spawn(Arc::clone(&admin.live).watch());
        }
        for listener in bound.admin {
            tokio::spawn(axum::serve(listener, http::admin::router(Arc::clone(&admin))).into_future());
        }
        tokio::spawn(signaling::follow_clock(Arc::clone(&signaling)));
        tokio::spawn(circles::watch(Arc::clone(&signaling), Arc::clone(&doors.relay)));
        let reload = || {
            reload_certificate(config, tls.as_deref());
            reload_channels(&signaling, &reread);
        };
        signals.end(reload).await;
        tracing::info!("ending");
        admin.ready.store(false, Ordering::Relaxed);
        signaling.end();
        Arc::clone(&doors.relay)
    }
}

/// The listening sockets.
struct Bound {
    http: Vec<TcpListener>,
    https: Vec<TcpListener>,
    turn: Vec<TcpListener>,
    admin: Vec<TcpListener>,
}

impl Bound {
    fn open(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            http: listen::bind(&config.http, true)?,
            https: listen::bind(&config.https, true)?,
            turn: listen::bind_turn(&config.turn)?,
            admin: listen::bind(&config.admin, true)?,
        })
    }
}

fn local_addrs(listeners: &[TcpListener]) -> anyhow::Result<Vec<SocketAddr>> {
    listeners
        .iter()
        .map(|listener| listener.local_addr().context("a listening socket has no address"))
        .collect()
}

fn open_tls(config: &Config, data_dir: &DataDir, addresses: &Addresses) -> anyhow::Result<Option<Arc<Tls>>> {
    if let Some((certificate, key)) = &config.tls {
        let tls = Tls::from_files(certificate, key)?;
        return Ok((!config.https.addrs.is_empty()).then(|| Arc::new(tls)));
    }
    if config.https.addrs.is_empty() {
        return Ok(None);
    }
    let host_name: Vec<_> = host_name().into_iter().collect();
    let public = addresses.relays.iter().map(|relay| relay.advertised);
    let reachable: Vec<IpAddr> = addresses.reachable().chain(public).collect();
    Ok(Some(Arc::new(Tls::self_signed(data_dir, &host_name, &reachable)?)))
}

/// What this machine calls itself.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"));
    name.ok().map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty() && name != "(none)")
}

fn turn_secret(config: &Config, data_dir: &DataDir) -> anyhow::Result<Secret> {
    match &config.turn_secret {
        Some(secret) => Ok(secret.clone()),
        // The file's text is the secret, so that other programs can mint credentials with it.
        None => Ok(Secret::new(STANDARD_NO_PAD.encode(data_dir.key(data_dir::TURN_SECRET)?))),
    }
}

fn start_relay(
    config: &Config,
    data_dir: &DataDir,
    addresses: &Addresses,
    secret: &Secret,
    circles: Arc<Circles>,
    bound: &Bound,
) -> anyhow::Result<Relay> {
    let (started, unix_time) = (Instant::now(), SystemTime::now());
    let (first, last) = config.relay_ports;
    let peers = PeerPolicy::new(&addresses.forbidden_peers(), &config.allow_peer, &config.deny_peer);
    let turn = visavis_turn::Config {
        realm: config.realm.clone(),
        secrets: vec![secret.clone()],
        accounts: config.turn_accounts.clone(),
        nonce_key: data_dir.key("nonce-key")?,
        relays: addresses.relays.clone(),
        ports: PortRange::new(first, last),
        peers: peers.within(circles),
        limits: if config.limits { Limits::default() } else { Limits::off() },
        unix_time_at_zero: unix_time.duration_since(UNIX_EPOCH).context("the clock stands before 1970")?,
    };
    let udp = local_addrs(&bound.turn)?;
    let options = Options { udp, shards: shards(config)?, config: turn, seed: data_dir::random(), started };
    Relay::start(options).map_err(|error| match error {
        StartError::InUse { address } => anyhow!(
            "{} \"{address}\": cannot listen: another program has that UDP port already; choose another port",
            config.turn.place
        ),
        error => anyhow!("{}: {error}", config.turn.place),
    })
}

/// One for each core, but no more than there are pairs of relay ports to share out.
fn shards(config: &Config) -> anyhow::Result<usize> {
    let (first, last) = config.relay_ports;
    let pairs = usize::from(last / 2 - first / 2) + 1;
    match config.threads.map(usize::from) {
        Some(threads) if threads > pairs => {
            bail!(
                "--threads \"{threads}\": --relay-ports {first}-{last} is too small to share out; at most {pairs} threads"
            )
        }
        Some(threads) => Ok(threads),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from).min(pairs).min(256)),
    }
}

fn ice_servers(
    secret: Secret,
    addresses: &Addresses,
    bound: &Bound,
    tls: Option<Arc<Tls>>,
) -> anyhow::Result<IceServers> {
    let advertised = addresses.relays.iter().map(|relay| relay.advertised);
    Ok(IceServers {
        secret,
        public: advertised.filter(|_| addresses.configured).collect(),
        here: addresses.relays.iter().map(|relay| relay.local).collect(),
        turn: local_addrs(&bound.turn)?,
        http: local_addrs(&bound.http)?,
        https: local_addrs(&bound.https)?,
        tls,
    })
}

fn start_signaling(
    config: &Config,
    data_dir: &DataDir,
    ice: Arc<IceServers>,
) -> anyhow::Result<Arc<Signaling>> {
    let signaling = Signaling::new(SignalingOptions {
        channels: config.channels.clone(),
        history: Some(data_dir.path().join("history")),
        ice: Arc::new(move |info, holder| ice.for_holder(info, holder)),
        grace: GRACE,
        seed: data_dir::random(),
        resume_key: data_dir.key("resume-key")?,
        limits: if config.limits { SignalingLimits::within(&config.quotas) } else { SignalingLimits::off() },
    });
    signaling.keep_history(&config.channels)?;
    Ok(signaling)
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn watch() -> anyhow::Result<Self> {
        let watch = |kind| signal(kind).context("cannot watch for signals");
        Ok(Self {
            terminate: watch(SignalKind::terminate())?,
            interrupt: watch(SignalKind::interrupt())?,
            hang_up: watch(SignalKind::hangup())?,
        })
    }

    /// Waits for the one that ends the server; `reload`s at each of the other kind.
    async fn end(&mut self, reload: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => reload(),
            }
        }
    }
}

fn reload_certificate(config: &Config, tls: Option<&Tls>) {
    let (Some(tls), Some((certificate, key))) = (tls, &config.tls) else { return };
    match tls.reload(certificate, key) {
        Ok(()) => tracing::info!("the certificate was read anew"),
        Err(error) => tracing::error!("the certificate stays as it was: {error:#}"),
    }
}

fn reload_channels(signaling: &Signaling, reread: &impl Fn() -> anyhow::Result<Config>) {
    let reloaded = reread().and_then(|config| {
        config.warn();
        signaling.set_channels(config.channels)
    });
    match reloaded {
        Ok(()) => tracing::info!("the channels were read anew; other settings are those of the start"),
        Err(error) => tracing::error!("the channels stay as they were: {error:#}"),
    }
}
