//! What the small commands print: a new channel, a token, a credential for TURN.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use visavis_turn::{Secret, time_limited_credential};

use crate::{
    config::{Config, channel_id, lifetime},
    data_dir::{self, DataDir},
    token,
};

/// What is to be made.
pub(crate) enum Make {
    /// An entry for the configuration file.
    Channel { id: Option<String> },
    /// A token of a channel.
    Token(TokenWishes),
    /// A time-limited credential (draft-uberti-behave-turn-rest).
    TurnCredential { name: String, ttl: String },
}

/// What a token is to say, as the person wrote it.
pub(crate) struct TokenWishes {
    pub(crate) channel: String,
    pub(crate) client: Option<String>,
    pub(crate) permissions: String,
    pub(crate) data: Option<String>,
    pub(crate) ttl: String,
}

impl Make {
    /// Makes it, with the server's settings where it needs them.
    pub(crate) fn run(self, settings: impl FnOnce() -> anyhow::Result<Config>) -> anyhow::Result<String> {
        match self {
            Self::Channel { id } => new_channel(id),
            Self::Token(wishes) => wishes.sign(&settings()?),
            Self::TurnCredential { name, ttl } => turn_credential(&name, &ttl, &settings()?),
        }
    }
}

fn new_channel(id: Option<String>) -> anyhow::Result<String> {
    let id = match id {
        Some(id) => id,
        None => letters(),
    };
    channel_id(&id).map_err(|right| anyhow!("channel new {id:?}: {right}"))?;
    let secret = URL_SAFE_NO_PAD.encode(data_dir::random::<24>());
    Ok(format!("[channels.{id}]\nsecret = \"{secret}\"\n# require-auth = true\n# history = true\n"))
}

/// Sixteen random letters and digits, as Scaledrone's ids are.
fn letters() -> String {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    std::iter::repeat_with(data_dir::random::<1>)
        .flatten()
        .filter(is_letter)
        .map(char::from)
        .take(16)
        .collect()
}

impl TokenWishes {
    fn sign(&self, settings: &Config) -> anyhow::Result<String> {
        let id = &self.channel;
        let channel = settings
            .channels
            .find(id)
            .with_context(|| format!("--channel {id:?}: there is no such channel"))?;
        let Some(secret) = channel.secrets.first() else {
            bail!("--channel {id:?} has no secret; name one with --secret-file, or --config FILE that does");
        };
        let mut claims = json!({ "channel": id, "exp": expiry(&self.ttl)? });
        if let Some(client) = &self.client {
            claims["client"] = client.as_str().into();
        }
        if let Some(data) = &self.data {
            claims["data"] = parse("data", data)?;
        }
        if !token::permits(&self.permissions) {
            bail!(
                "--permissions {:?}: expected such as {{\"^room$\":{{\"publish\":true,\"subscribe\":true,\"history\":10}}}}",
                self.permissions
            );
        }
        claims["permissions"] = parse("permissions", &self.permissions)?;
        Ok(token::sign(secret, &claims.to_string()) + "\n")
    }
}

fn parse(name: &str, json: &str) -> anyhow::Result<Value> {
    serde_json::from_str(json).map_err(|error| anyhow!("--{name} {json:?}: no JSON: {error}"))
}

fn turn_credential(name: &str, ttl: &str, settings: &Config) -> anyhow::Result<String> {
    let secret = match &settings.turn_secret {
        Some(secret) => secret.clone(),
        None => kept_secret(settings)?,
    };
    let (username, credential) = time_limited_credential(&secret, expiry(ttl)?, name);
    Ok(json!({ "username": username, "credential": credential }).to_string() + "\n")
}

fn kept_secret(settings: &Config) -> anyhow::Result<Secret> {
    let data_dir = DataDir::find(settings.data_dir.as_deref())?;
    let text = data_dir.read(data_dir::TURN_SECRET)?.with_context(|| {
        format!("there is no secret in {} yet: the server makes it when it starts", data_dir.path().display())
    })?;
    Ok(Secret::new(text.trim_ascii()))
}

/// When something ends that begins now, in seconds since 1970.
fn expiry(ttl: &str) -> anyhow::Result<u64> {
    let lifetime = lifetime(ttl).map_err(|right| anyhow!("--ttl {ttl:?}: {right}"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    Ok((now + lifetime).as_secs())
}
