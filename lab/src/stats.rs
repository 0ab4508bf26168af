//! What a browser's own statistics prove about a call.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::{Browser, browser::PATIENCE, until};

/// How long a call may take to stand and to show moving pictures.
const STANDS_WITHIN: Duration = Duration::from_secs(30);

/// More than the noise of a codec that was given silence.
const AUDIBLE: f64 = 1e-6;

/// One connected RTCPeerConnection of a page.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Pictures decoded, of all incoming video.
    pub frames: u64,
    /// Energy of all incoming sound.
    pub energy: f64,
    /// Our end of the candidate pair in use.
    pub local: Candidate,
    /// The other end of it.
    pub remote: Candidate,
}

/// One end of the candidate pair in use.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// `host`, `srflx`, `prflx` or `relay`.
    pub candidate_type: String,
    /// How we reach our relay: `udp`, `tcp` or `tls`. Of our own relay candidates only.
    pub relay_protocol: Option<String>,
}

/// The way that media takes from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    /// No relay of ours in between.
    Direct,
    /// Through our relay, reached over this transport.
    Relay(String),
}

impl Connection {
    /// The way that what we send takes first.
    pub fn path(&self) -> Path {
        match self.local.candidate_type.as_str() {
            "relay" => Path::Relay(self.local.relay_protocol.clone().unwrap_or_default()),
            _ => Path::Direct,
        }
    }

    /// Whether neither end uses a relay.
    pub fn is_direct(&self) -> bool {
        self.path() == Path::Direct && self.remote.candidate_type != "relay"
    }
}

impl Browser {
    /// The statistics of every connection that stands.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn connections(&self) -> Result<Vec<Connection>> {
        self.ask(READ).await
    }

    /// Waits until exactly `count` connections stand on which pictures come in and sound is heard.
    ///
    /// # Errors
    /// With what the statistics said last.
    pub async fn flows(&self, count: usize) -> Result<Vec<Connection>> {
        let what = format!("{} sees and hears {count}", self.name);
        self.moves(&what, count, |earlier, now| now.shows_since(earlier) && now.sounds_since(earlier)).await
    }

    /// The same for a call without pictures.
    ///
    /// # Errors
    /// With what the statistics said last.
    pub async fn hears(&self, count: usize) -> Result<Vec<Connection>> {
        self.moves(&format!("{} hears {count}", self.name), count, |earlier, now| now.sounds_since(earlier))
            .await
    }

    /// Waits for the only connection, with pictures and sound.
    ///
    /// # Errors
    /// With what the statistics said last.
    pub async fn sees_and_hears(&self) -> Result<Connection> {
        self.flows(1).await?.pop().context("one connection")
    }

    /// Waits until the page names one of these paths to the person in front of it.
    ///
    /// # Errors
    /// With the path that it named instead.
    pub async fn says_path(&self, paths: &[&str]) -> Result<()> {
        let what = format!("{} says {}", self.name, paths.join(" or "));
        until(&what, PATIENCE, async || {
            let path = self.attribute("quality", "data-path").await?.unwrap_or_default();
            ensure!(paths.contains(&path.as_str()), "it says {path:?}");
            Ok(Some(()))
        })
        .await
    }

    async fn moves(
        &self,
        what: &str,
        count: usize,
        moves: impl Fn(&Connection, &Connection) -> bool,
    ) -> Result<Vec<Connection>> {
        let mut before: Option<Vec<Connection>> = None;
        until(what, STANDS_WITHIN, async || {
            let now = self.connections().await?;
            let earlier = before.get_or_insert_with(|| now.clone());
            if earlier.len() != now.len() {
                before = Some(now.clone());
                return Ok(None);
            }
            ensure!(now.len() == count, "{} connections stand", now.len());
            let all = earlier.iter().zip(&now).all(|(earlier, now)| moves(earlier, now));
            ensure!(all, "from {earlier:?} to {now:?}");
            Ok(Some(now))
        })
        .await
    }
}

impl Connection {
    fn shows_since(&self, earlier: &Self) -> bool {
        self.frames > earlier.frames + 1
    }

    fn sounds_since(&self, earlier: &Self) -> bool {
        self.energy > earlier.energy && self.energy > AUDIBLE
    }
}

const READ: &str = "
    const standing = (window.__connections ?? []).filter(one => one.connectionState === 'connected');
    return Promise.all(standing.map(async connection => {
        const all = await connection.getStats();
        const reports = [...all.values()];
        const incoming = kind => reports.filter(one => one.type === 'inbound-rtp' && one.kind === kind);
        const sum = (list, key) => list.reduce((total, one) => total + (one[key] ?? 0), 0);
        const transport = reports.find(one => one.type === 'transport');
        const pair = all.get(transport?.selectedCandidatePairId)
            ?? reports.find(one => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
        return {
            frames: sum(incoming('video'), 'framesDecoded'),
            energy: sum(incoming('audio'), 'totalAudioEnergy'),
            local: all.get(pair.localCandidateId),
            remote: all.get(pair.remoteCandidateId),
        };
    }));";
