//! Chromium and Firefox with fake devices and fresh profiles.

use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thirtyfour::{By, Capabilities, WebDriver, WindowHandle};

use crate::{
    ca::Authority,
    need::{self, say},
    network::{CONTROL, CONTROL_V6, Node},
    process::Process,
    until,
};

mod chromium;
mod firefox;

/// How long a page may take for anything that people wait for.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Where a driver listens, on the browser's own machine.
const DRIVER_PORT: u16 = 4444;

/// Keeps every connection of a page where a test can ask it for its statistics, and every client id that the
/// server gave it.
const KEEP: &str = "
    if (!window.__connections && window.RTCPeerConnection) {
        window.__connections = [];
        window.__clientIds = [];
        window.RTCPeerConnection = class extends window.RTCPeerConnection {
            constructor(...words) {
                super(...words);
                window.__connections.push(this);
                this.errors = [];
                this.addEventListener('icecandidateerror', ({ url, errorCode, errorText }) => {
                    this.errors.push(`${url} ${errorCode} ${errorText}`);
                });
            }
        };
        window.WebSocket = class extends window.WebSocket {
            constructor(...words) {
                super(...words);
                this.addEventListener('message', ({ data }) => {
                    const frame = JSON.parse(data);
                    if ('callback' in frame && frame.client_id) window.__clientIds.push(frame.client_id);
                });
            }
        };
    }";

/// Where each connection of a page stands, and what stood in its way.
const CONNECTIONS: &str = "
    return Promise.all((window.__connections ?? []).map(async one => {
        const reports = [...(await one.getStats()).values()];
        const candidates = type => reports.filter(report => report.type === type)
            .map(({ candidateType, protocol, address, port, url }) => [candidateType, protocol, address, port, url]);
        return {
            signaling: one.signalingState, gathering: one.iceGatheringState, ice: one.iceConnectionState,
            state: one.connectionState, errors: one.errors, servers: one.getConfiguration().iceServers?.length,
            local: candidates('local-candidate'), remote: candidates('remote-candidate'),
            pairs: reports.filter(report => report.type === 'candidate-pair')
                .map(({ state, requestsSent, responsesReceived }) => [state, requestsSent, responsesReceived]),
        };
    }));";

/// Which browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Chromium.
    Chromium,
    /// Firefox ESR.
    Firefox,
}

/// A browser and its driver, which the lab ends.
#[derive(Debug)]
pub(crate) struct Session {
    browser: Browser,
    driver: Process,
}

/// A person's browser. Commands go to the window that was chosen last.
#[derive(Debug, Clone)]
pub struct Browser {
    /// Whose it is.
    pub name: String,
    /// Its machine.
    pub node: Node,
    engine: Engine,
    driver: WebDriver,
}

impl Session {
    pub(crate) async fn start(
        engine: Engine,
        node: Node,
        name: &str,
        folder: &Path,
        authority: &Authority,
        flags: &[&str],
    ) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        let (mut command, capabilities) = match engine {
            Engine::Chromium => chromium::prepare(&node, folder, authority, flags)?,
            Engine::Firefox => firefox::prepare(&node, folder, authority, flags)?,
        };
        command.env("HOME", folder).env("XDG_CONFIG_HOME", folder.join(".config"));
        command.env_remove("XDG_DATA_HOME").env_remove("XDG_CACHE_HOME");
        let process = Process::start(command, &folder.join("driver.log"))?;
        let driver = connect(&node, capabilities).await.with_context(|| process.words())?;
        let browser = Browser { name: name.to_owned(), node, engine, driver };
        if engine == Engine::Chromium {
            browser.keep().await?;
        }
        Ok(Self { browser, driver: process })
    }

    pub(crate) fn browser(&self) -> Browser {
        self.browser.clone()
    }

    /// Says where the page stands, with a picture.
    pub(crate) async fn explain(&self, pictures: &Path, test: &str) {
        let name = &self.browser.name;
        let picture = pictures.join(format!("{}-{name}.png", test.replace("::", "-")));
        let url = self.browser.url().await.unwrap_or_default();
        let state = self.browser.state().await.unwrap_or_default();
        say(&format!("-- {name} at {url}, state {state:?}, picture {}", picture.display()));
        let _ = self.browser.picture(&picture).await;
        for line in self.browser.troubles().await.into_iter().chain(self.browser.console().await) {
            say(&format!("   {line}"));
        }
    }

    /// Ends the browser before its driver: a driver that is killed leaves its browser behind.
    pub(crate) async fn quit(mut self) {
        if self.browser.driver.quit().await.is_err() {
            say(&format!("-- the driver of {} said\n{}", self.browser.name, self.driver.words()));
        }
        self.driver.kill();
    }
}

impl Browser {
    /// Goes to an address, as a fresh load even if only the fragment differs.
    ///
    /// # Errors
    /// If the page does not load.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.driver.goto("about:blank").await?;
        self.driver.goto(url).await.with_context(|| format!("{} opens {url}", self.name))?;
        self.after_load().await
    }

    /// Loads the page again.
    ///
    /// # Errors
    /// If the page does not load.
    pub async fn reload(&self) -> Result<()> {
        self.driver.refresh().await?;
        self.after_load().await
    }

    /// Opens a further tab and chooses it.
    ///
    /// # Errors
    /// If the browser does not.
    pub async fn tab(&self) -> Result<WindowHandle> {
        let tab = self.driver.new_window().await?;
        self.choose(&tab).await?;
        if self.engine == Engine::Chromium {
            self.keep().await?;
        }
        Ok(tab)
    }

    /// Opens the page's address in a tab that starts with a copy of its session storage, and chooses it.
    ///
    /// # Errors
    /// If the browser does not.
    pub async fn copy(&self) -> Result<WindowHandle> {
        let before = self.driver.windows().await?;
        self.ask::<()>("window.open(location.href)").await?;
        let windows = self.driver.windows().await?;
        let copy = windows.into_iter().find(|window| !before.contains(window)).context("a further window")?;
        self.choose(&copy).await?;
        Ok(copy)
    }

    /// The tab that commands go to.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn chosen(&self) -> Result<WindowHandle> {
        Ok(self.driver.window().await?)
    }

    /// Sends the next commands to that tab.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn choose(&self, tab: &WindowHandle) -> Result<()> {
        Ok(self.driver.switch_to_window(tab.clone()).await?)
    }

    /// Closes the chosen tab.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn close(&self) -> Result<()> {
        Ok(self.driver.close_window().await?)
    }

    /// Clicks the element with that `data-testid` once it is there and can be clicked.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn click(&self, id: &str) -> Result<()> {
        let what = format!("{} can click {id}", self.name);
        until(&what, PATIENCE, async || {
            let element = self.driver.find(by(id)).await?;
            self.stir().await?;
            element.click().await?;
            Ok(Some(()))
        })
        .await
    }

    /// Moves the pointer a little, as buttons hide from those who only watch.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn stir(&self) -> Result<()> {
        Ok(self.driver.action_chain().move_to(40, 40).move_by_offset(10, 10).perform().await?)
    }

    /// The text of the element with that `data-testid`.
    ///
    /// # Errors
    /// If there is none.
    pub async fn text(&self, id: &str) -> Result<String> {
        Ok(self.driver.find(by(id)).await?.text().await?)
    }

    /// An attribute of the element with that `data-testid`.
    ///
    /// # Errors
    /// If there is no such element.
    pub async fn attribute(&self, id: &str, name: &str) -> Result<Option<String>> {
        Ok(self.driver.find(by(id)).await?.attr(name).await?)
    }

    /// How many elements have that `data-testid`.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn count(&self, id: &str) -> Result<usize> {
        Ok(self.driver.find_all(by(id)).await?.len())
    }

    /// The state that the page says it is in.
    ///
    /// # Errors
    /// If it does not say.
    pub async fn state(&self) -> Result<String> {
        Ok(self.attribute("status", "data-state").await?.unwrap_or_default())
    }

    /// Waits until the page says that it is in one of these states.
    ///
    /// # Errors
    /// With the state that it stayed in.
    pub async fn reaches(&self, states: &[&str]) -> Result<()> {
        self.reaches_within(PATIENCE, states).await
    }

    /// The same with a limit of one's own.
    ///
    /// # Errors
    /// With the state that it stayed in.
    pub async fn reaches_within(&self, limit: Duration, states: &[&str]) -> Result<()> {
        let what = format!("{} is {}", self.name, states.join(" or "));
        until(&what, limit, async || {
            let state = self.state().await?;
            anyhow::ensure!(states.contains(&state.as_str()), "it is {state:?}");
            Ok(Some(()))
        })
        .await
    }

    /// Opens a room and joins it from the lobby.
    ///
    /// # Errors
    /// If the lobby does not come.
    pub async fn join(&self, url: &str) -> Result<()> {
        self.open(url).await?;
        self.reaches(&["lobby"]).await?;
        self.click("join").await
    }

    /// The client ids that the server gave this page, one per signaling connection; Chromium only.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn client_ids(&self) -> Result<Vec<String>> {
        self.ask("return window.__clientIds").await
    }

    /// The page's address.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn url(&self) -> Result<String> {
        Ok(self.driver.current_url().await?.to_string())
    }

    /// Runs a function body in the page and takes what it returns, waiting for a promise.
    ///
    /// # Errors
    /// If it throws, or returns something else.
    pub async fn ask<T: DeserializeOwned>(&self, body: &str) -> Result<T> {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {body} }})().then(value => done({{ value: value ?? null }}), error => done({{ error: String(error) }}));"
        );
        let mut answer: HashMap<String, Value> =
            self.driver.execute_async(script, Vec::new()).await?.convert()?;
        if let Some(error) = answer.remove("error") {
            anyhow::bail!("the page of {} threw {error}", self.name);
        }
        let value = answer.remove("value").unwrap_or_default();
        serde_json::from_value(value).with_context(|| format!("read what the page of {} said", self.name))
    }

    /// A command of Chromium's own protocol.
    ///
    /// # Errors
    /// In other browsers.
    pub async fn chromium(&self, command: &str, words: Value) -> Result<Value> {
        Ok(self.driver.cdp().send_raw(command, words).await?)
    }

    /// Writes a picture of the page.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn picture(&self, path: &Path) -> Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        Ok(self.driver.screenshot(path).await?)
    }

    /// Where each of the page's connections stands, for whoever looks for a fault.
    pub async fn troubles(&self) -> Vec<String> {
        let connections = self.ask::<Vec<Value>>(CONNECTIONS).await.unwrap_or_default();
        connections.iter().map(Value::to_string).collect()
    }

    /// What the page has said on its console; Chromium only.
    pub async fn console(&self) -> Vec<String> {
        if self.engine == Engine::Firefox {
            return Vec::new();
        }
        let entries = self.driver.browser_log().await.unwrap_or_default();
        entries.into_iter().map(|entry| format!("{:?} {}", entry.level, entry.message)).collect()
    }

    /// Firefox cannot run scripts before a page's own; no page connects before somebody joins.
    async fn after_load(&self) -> Result<()> {
        if self.engine == Engine::Firefox {
            self.driver.execute(KEEP, Vec::new()).await?;
        }
        Ok(())
    }

    async fn keep(&self) -> Result<()> {
        let words = json!({ "source": KEEP });
        self.chromium("Page.addScriptToEvaluateOnNewDocument", words).await.map(drop)
    }
}

fn by(id: &str) -> By {
    By::Css(format!("[data-testid='{id}']"))
}

/// Waits for the driver to listen, then for the browser to start.
async fn connect(node: &Node, capabilities: Value) -> Result<WebDriver> {
    let address = SocketAddr::new(node.address, DRIVER_PORT);
    until("the driver listens", PATIENCE, async || {
        tokio::net::TcpStream::connect(address).await?;
        Ok(Some(()))
    })
    .await?;
    let Value::Object(capabilities) = capabilities else { unreachable!("capabilities are an object") };
    let url = format!("http://{address}");
    let driver =
        WebDriver::builder(url, Capabilities::from(capabilities)).request_timeout(Duration::from_secs(60));
    let driver = driver.await.context("start the browser")?;
    driver.set_script_timeout(PATIENCE).await?;
    Ok(driver)
}

/// Where a program lies, as text for a driver's capabilities.
fn shown(program: &str) -> Result<String> {
    Ok(need::program(program)?.display().to_string())
}

/// The addresses that may command a driver.
fn control() -> String {
    format!("{CONTROL},{CONTROL_V6}")
}

/// The folder of a browser's profile.
fn profile(folder: &Path) -> PathBuf {
    folder.join("profile")
}
