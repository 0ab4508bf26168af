//! Clients in the languages that others wrote them in: scripts of Node and Python with packages from their registries.

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
    server, until,
};

/// A folder of scripts with the list of packages that they use: `lab/node`, `lab/peers`, `lab/python`.
pub fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What a script is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// JavaScript: `lab/node`.
    Node,
    /// Python: `lab/python`.
    Python,
}

impl Language {
    fn folder(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
        }
    }

    /// A program that is to run a script with the packages of its language.
    fn interpreter(self, node: &Node) -> Result<Command> {
        let installed = target_dir().canonicalize()?.join(format!("lab-{}", self.folder()));
        let (program, variable, packages) = match self {
            Self::Node => ("node", "NODE_PATH", installed.join("node_modules")),
            Self::Python => ("python3", "PYTHONPATH", installed.join(PYTHON_PACKAGES)),
        };
        let mut command = node.command(program)?;
        command.env(variable, packages);
        Ok(command)
    }
}

/// Where pip puts the packages of a folder.
const PYTHON_PACKAGES: &str = "packages";

/// Installs the packages that scripts in that language use. Call it where the machine's network is.
///
/// # Errors
/// If the language's packager is missing or its registry cannot be reached.
pub fn install(language: Language) -> Result<()> {
    installed(language.folder()).map(drop)
}

/// A copy of such a folder with its packages beside the scripts, exactly as locked.
///
/// # Errors
/// If the packager is missing or its registry cannot be reached.
pub fn installed(name: &str) -> Result<PathBuf> {
    let folder = target_dir().join(format!("lab-{name}"));
    fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    for file in fs::read_dir(sources(name))? {
        let file = file?;
        fs::copy(file.path(), folder.join(file.file_name()))?;
    }
    let is_python = folder.join("requirements.txt").exists();
    let lock = folder.join(if is_python { "requirements.txt" } else { "package-lock.json" });
    let lock = fs::read_to_string(&lock).with_context(|| format!("read {}", lock.display()))?;
    if fs::read_to_string(folder.join("installed")).is_ok_and(|installed| installed == lock) {
        return Ok(folder);
    }
    let (packager, words) = if is_python {
        let words = ["install", "--quiet", "--upgrade", "--requirement", "requirements.txt", "--target"];
        ("pip3", [&words[..], &[PYTHON_PACKAGES]].concat())
    } else {
        ("npm", vec!["ci", "--no-audit", "--no-fund"])
    };
    run(Command::new(need::program(packager)?).args(words).current_dir(&folder))?;
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
    /// Starts a script on a machine, as somebody of that name.
    ///
    /// # Errors
    /// If what runs it is missing.
    pub fn start(
        node: &Node,
        name: &str,
        (language, script): (Language, &str),
        words: &[&str],
    ) -> Result<Self> {
        let mut command = language.interpreter(node)?;
        command.arg(sources(language.folder()).join(script)).args(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("start {script}"))?;
        let input = child.stdin.take().context("the input of the script")?;
        let output = BufReader::new(child.stdout.take().context("the output of the script")?);
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

    /// Starts `lab/node/member.js` on a machine: a member of a room of the lab's server, through `sdk`, which is
    /// `visavis` or the name of a package. What `options` may be stands there.
    ///
    /// # Errors
    /// If Node is missing.
    pub fn member(
        node: &Node,
        name: &str,
        sdk: &str,
        (channel, room): (&str, &str),
        options: &Value,
    ) -> Result<Self> {
        let words = [sdk, &server::signaling_url(), channel, room, name, &options.to_string()];
        Self::start(node, name, (Language::Node, "member.js"), &words)
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
