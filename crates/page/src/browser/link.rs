//! The signaling link: a WebSocket to the server that the page came from.

use wasm_bindgen::JsCast;
use web_sys::{Event, MessageEvent, WebSocket};

use super::{event::Listener, timer::window};

/// What happens on a link.
pub(crate) enum LinkEvent {
    /// It is open.
    Opened,
    /// A text frame came.
    Frame(String),
    /// It could not be opened, or was closed by the other side or by the network.
    Closed,
}

/// One WebSocket. Dropping it closes it, and nothing more is heard of it.
pub(crate) struct Link {
    socket: WebSocket,
    _listeners: [Listener; 3],
}

impl Link {
    /// Opens a WebSocket to `path` on the page's own origin; `None` if the browser refuses at once.
    pub(crate) fn open(path: &str, report: impl Fn(LinkEvent) + Clone + 'static) -> Option<Self> {
        let socket = WebSocket::new(&address(path)?).ok()?;
        let on_frame = report.clone();
        let on_close = report.clone();
        let listeners = [
            Listener::new(&socket, "open", move |_| report(LinkEvent::Opened)),
            Listener::new(&socket, "message", move |event| {
                if let Some(text) = text_of(&event) {
                    on_frame(LinkEvent::Frame(text));
                }
            }),
            Listener::new(&socket, "close", move |_| on_close(LinkEvent::Closed)),
        ];
        Some(Self { socket, _listeners: listeners })
    }

    /// Sends one text frame; what cannot be sent is lost, and `Closed` follows.
    pub(crate) fn send(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}

fn address(path: &str) -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}{path}", location.host().ok()?))
}

fn text_of(event: &Event) -> Option<String> {
    event.unchecked_ref::<MessageEvent>().data().as_string()
}
