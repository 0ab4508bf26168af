//! The real program, started for a test on ports of its own, and ended with it.

#![allow(dead_code)]

use std::{
    env,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A directory that goes away with its owner.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// An empty one.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("visavis-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and says where it is.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running server.
pub(crate) struct Program {
    child: Child,
    /// What it printed at its start.
    pub start_up: String,
    folder: Folder,
    /// Whether the test has looked at the errors that it logged.
    errors_seen: bool,
}

impl Program {
    /// Starts it on loopback, on ports that the system chooses, with `flags` besides.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_in(Folder::new(), flags)
    }

    /// The same in a folder that has been used before.
    pub(crate) fn start_in(folder: Folder, flags: &[&str]) -> Self {
        let listen = ["--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--turn", "127.0.0.1:0"];
        Self::start_listening(folder, &[&listen[..], &["--admin", "127.0.0.1:0"]].concat(), flags)
    }

    /// The same on ports of the test's choice.
    pub(crate) fn start_listening(folder: Folder, listen: &[&str], flags: &[&str]) -> Self {
        let log = File::create(folder.path().join("log")).unwrap();
        let mut child = command()
            .args(listen)
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let start_up = until_ready(child.stdout.take().unwrap());
        assert!(
            start_up.contains("Ready"),
            "{start_up}\n{}",
            fs::read_to_string(folder.path().join("log")).unwrap()
        );
        Self { child, start_up, folder, errors_seen: false }
    }

    /// Where it listens for `kind`: http, https, turn or admin.
    pub(crate) fn addr(&self, kind: &str) -> SocketAddr {
        let of_kind = |line: &str| {
            line.split_whitespace().nth(1).filter(|_| line.trim().starts_with(kind))?.parse().ok()
        };
        let listening = self.start_up.split("Listening:").nth(1).unwrap();
        listening.lines().find_map(of_kind).unwrap_or_else(|| panic!("no {kind} in {}", self.start_up))
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Errors in its log are what the test wants.
    pub(crate) fn expect_errors(&mut self) {
        self.errors_seen = true;
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its process id.
    #[allow(dead_code, reason = "not every test asks for it")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Ends it with SIGKILL, which nothing can prepare for; its folder.
    pub(crate) fn kill(mut self) -> Folder {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.folder, Folder::new())
    }

    /// Ends it with SIGTERM; how it ended, and its folder.
    pub(crate) fn end(mut self) -> (ExitStatus, Folder) {
        self.signal("TERM");
        let status = wait(&mut self.child);
        let folder = std::mem::replace(&mut self.folder, Folder::new());
        (status, folder)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = self.log();
        if !thread::panicking() {
            assert!(self.errors_seen || !log.contains(" ERROR "), "an error was logged:\n{log}");
        }
    }
}

/// The program with nothing of this environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visavis"));
    command.env_clear().env("HOME", "/nonexistent");
    command
}

/// Waits until it ends by itself; fails if it does not.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let (ended, end) = mpsc::channel::<()>();
    let id = child.id().to_string();
    let watch = thread::spawn(move || {
        if end.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
        }
    });
    let status = child.wait().unwrap();
    drop(ended);
    watch.join().unwrap();
    assert!(status.code().is_some(), "it did not end by itself: {status}");
    status
}

fn until_ready(stdout: impl std::io::Read + Send + 'static) -> String {
    let (line, lines) = mpsc::channel();
    thread::spawn(move || {
        for text in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = line.send(text);
        }
    });
    let mut start_up = String::new();
    while let Ok(text) = lines.recv_timeout(PATIENCE) {
        start_up.push_str(&text);
        start_up.push('\n');
        if text.starts_with("Ready") {
            break;
        }
    }
    start_up
}
