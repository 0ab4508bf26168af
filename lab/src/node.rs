//! Clients in Node: Scaledrone's own package, and our SDK on the same WebSocket.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::{
    need::{self, target_dir},
    network::Node,
    process::run,
    until,
};

/// A folder of scripts with the list of packages that they use: `lab/node`, `lab/peers`.
pub fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Installs the packages that the tests' scripts use. Call it where the machine's network is.
///
/// # Errors
/// If Node is missing or the registry cannot be reached.
pub fn install() -> Result<()> {
    installed("node").map(drop)
}

/// A copy of such a folder with its packages beside the scripts, exactly as locked.
///
/// # Errors
/// If Node is missing or the registry cannot be reached.
pub fn installed(name: &str) -> Result<PathBuf> {
    let folder = target_dir().join(format!("lab-{name}"));
    fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    for file in fs::read_dir(sources(name))? {
        let file = file?;
        fs::copy(file.path(), folder.join(file.file_name()))?;
    }
    let lock = fs::read_to_string(folder.join("package-lock.json")).context("read package-lock.json")?;
    if fs::read_to_string(folder.join("installed")).is_ok_and(|installed| installed == lock) {
        return Ok(folder);
    }
    run(Command::new(need::program("npm")?).args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    fs::write(folder.join("installed"), lock)?;
    Ok(folder)
}

/// A running script: it prints one JSON array per event, and takes one command per line.
#[derive(Debug)]
pub struct Script {
    name: String,
    child: Child,
    input: ChildStdin,
    events: mpsc::UnboundedReceiver<Value>,
    /// Every event so far that was waited past.
    pub seen: Vec<Value>,
}

impl Script {
    /// Starts `lab/node/member.js` on a machine: a member of `room`, through `sdk`, which is `scaledrone` or `visavis`.
    ///
    /// # Errors
    /// If Node is missing.
    pub fn member(node: &Node, name: &str, sdk: &str, url: &str, channel: &str, room: &str) -> Result<Self> {
        let mut command = node.command("node")?;
        command.arg(sources("node").join("member.js")).args([sdk, url, channel, room, name]);
        command.env("NODE_PATH", target_dir().canonicalize()?.join("lab-node/node_modules"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("start node")?;
        let input = child.stdin.take().context("the input of node")?;
        let output = BufReader::new(child.stdout.take().context("the output of node")?);
        let (sender, events) = mpsc::unbounded_channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Ok(Self { name: name.to_owned(), child, input, events, seen: Vec::new() })
    }

    /// Waits for the next event of that name and returns what came with it.
    ///
    /// # Errors
    /// With the events that came instead.
    pub async fn hears(&mut self, event: &str, limit: Duration) -> Result<Value> {
        let what = format!("{} hears {event}", self.name);
        let found = until(&what, limit, async || {
            while let Ok(next) = self.events.try_recv() {
                self.seen.push(next.clone());
                if next[0] == event {
                    return Ok(Some(next[1].clone()));
                }
            }
            ensure!(false, "it heard {:?}", self.seen);
            Ok(None)
        });
        found.await
    }

    /// Takes whatever has come meanwhile, without waiting.
    pub fn meanwhile(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while let Ok(next) = self.events.try_recv() {
            events.push(next);
        }
        self.seen.extend(events.iter().cloned());
        events
    }

    /// Gives the script a command: a JSON array.
    ///
    /// # Errors
    /// If the script has ended.
    pub fn command(&mut self, command: &Value) -> Result<()> {
        Ok(writeln!(self.input, "{command}")?)
    }

    /// Kills the process; the kernel closes its connection.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.kill();
    }
}
