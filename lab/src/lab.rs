//! One test's world, from its networks to its browsers.

use std::{
    any,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;
use tokio::runtime;

use crate::{
    Browser, Connection, Engine, Server,
    browser::Session,
    ca::Authority,
    need::{self, say, target_dir},
    network::{NAME, Network, Node, SERVER, SERVER_V6},
    server,
};

/// Browsers share few cores: one test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What a test may use. All of it ends with the test.
#[derive(Debug)]
pub struct Lab {
    sessions: Vec<Session>,
    server: Option<Server>,
    authority: Authority,
    // Namespaces go after the processes in them, and the folder that these write to last.
    network: Network,
    machines: u8,
    folder: TempDir,
}

/// Runs a test on a thread that stands on the test's own internet.
///
/// # Panics
/// If the test fails, or needs something that is missing where nothing may be.
pub fn run<F>(test: F)
where
    F: AsyncFnOnce(&mut Lab) -> Result<()> + Send + 'static,
{
    let name = any::type_name::<F>().trim_end_matches("::{{closure}}").to_owned();
    let one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let shown = name.clone();
    let ended = thread::spawn(move || inside(&shown, test)).join();
    drop(one);
    need::conclude(&name, ended.unwrap_or_else(|_| Err(anyhow!("it panicked"))));
}

fn inside<F>(name: &str, test: F) -> Result<()>
where
    F: AsyncFnOnce(&mut Lab) -> Result<()>,
{
    let mut lab = Lab::new()?;
    lab.network.enter()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("start a runtime")?;
    runtime.block_on(async {
        let result = test(&mut lab).await;
        if result.is_err() {
            lab.explain(name).await;
        }
        lab.quit().await;
        result
    })
}

impl Lab {
    fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("visavis-lab-").tempdir().context("make a folder")?;
        let authority = Authority::new(NAME, folder.path())?;
        Ok(Self {
            sessions: Vec::new(),
            server: None,
            authority,
            network: Network::new()?,
            machines: 0,
            folder,
        })
    }

    /// Starts the server with these flags besides those that every test needs, and waits until it can be used.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn server(&mut self, flags: &[&str]) -> Result<&mut Server> {
        self.server_at(&[SERVER.into()], flags).await
    }

    /// The same on a machine that has an IPv6 address as well. Its name means both.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn dual_server(&mut self, flags: &[&str]) -> Result<&mut Server> {
        self.server_at(&[SERVER.into(), SERVER_V6.into()], flags).await
    }

    async fn server_at(&mut self, addresses: &[IpAddr], flags: &[&str]) -> Result<&mut Server> {
        let folder = self.folder.path();
        self.network.publish(addresses);
        let node = self.network.add("server", addresses, folder)?;
        let server = Server::start(node, addresses, folder, &self.authority, flags)?;
        let server = self.server.insert(server);
        server.is_ready().await?;
        Ok(server)
    }

    /// The server that was started.
    ///
    /// # Panics
    /// If none was.
    pub fn the_server(&mut self) -> &mut Server {
        self.server.as_mut().expect("the test starts a server first")
    }

    /// Adds a machine, directly on the internet.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn machine(&mut self, name: &str) -> Result<Node> {
        self.machines += 1;
        let address = Ipv4Addr::new(203, 0, 113, 10 + self.machines);
        self.network.add(name, &[address.into()], self.folder.path())
    }

    /// The same with an IPv6 address and no other.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn machine_v6(&mut self, name: &str) -> Result<Node> {
        self.machines += 1;
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0x113, 0, 0, 0, 0, 0x10 + u16::from(self.machines));
        self.network.add(name, &[address.into()], self.folder.path())
    }

    /// Adds a machine behind a link that carries no larger packets than `mtu`.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn machine_behind(&mut self, name: &str, mtu: u16) -> Result<Node> {
        self.network.add_behind(name, mtu)
    }

    /// Starts a browser on a machine of its own.
    ///
    /// # Errors
    /// If it is missing or does not start.
    pub async fn browser(&mut self, engine: Engine, name: &str) -> Result<Browser> {
        self.browser_with(engine, name, &[]).await
    }

    /// The same with further flags for the browser.
    ///
    /// # Errors
    /// If it is missing or does not start.
    pub async fn browser_with(&mut self, engine: Engine, name: &str, flags: &[&str]) -> Result<Browser> {
        let node = self.machine(name)?;
        self.browser_on(node, engine, name, flags).await
    }

    /// The same on a machine that was made before.
    ///
    /// # Errors
    /// If it is missing or does not start.
    pub async fn browser_on(
        &mut self,
        node: Node,
        engine: Engine,
        name: &str,
        flags: &[&str],
    ) -> Result<Browser> {
        let folder = self.folder.path().join(name);
        let session = Session::start(engine, node, name, &folder, &self.authority, flags).await?;
        let browser = session.browser();
        self.sessions.push(session);
        Ok(browser)
    }

    /// A place for files of this test.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// The authority that every browser here trusts.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The link to a room on the server's page.
    pub fn room(&self, room: &str) -> String {
        self.link("/", room)
    }

    /// The link to a room on another page of the server, or with a query: `/?relay=tcp`.
    pub fn link(&self, page: &str, room: &str) -> String {
        format!("{}{page}#{room}", server::origin())
    }

    /// Both join a room on that page from its lobby, the second one later, and their call is proven from both sides.
    ///
    /// # Errors
    /// If the call does not stand.
    pub async fn call(&self, first: &Browser, second: &Browser, page: &str) -> Result<[Connection; 2]> {
        first.join(&self.link(page, "blue")).await?;
        first.reaches(&["waiting"]).await?;
        second.join(&self.link(page, "blue")).await?;
        let ends = [first.sees_and_hears().await?, second.sees_and_hears().await?];
        first.reaches(&["in-call"]).await?;
        second.reaches(&["in-call"]).await?;
        Ok(ends)
    }

    /// What was going on when a test failed.
    async fn explain(&self, name: &str) {
        if let Some(server) = &self.server {
            say(&format!("-- the server said\n{}", server.words()));
        }
        let pictures = target_dir().join("lab");
        for session in &self.sessions {
            session.explain(&pictures, name).await;
        }
    }

    async fn quit(&mut self) {
        for session in self.sessions.drain(..) {
            session.quit().await;
        }
    }
}
