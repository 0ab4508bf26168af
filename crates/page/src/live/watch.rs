//! Looking at the server, again and again, for as long as somebody looks at the page.

use std::time::Duration;

use js_sys::encode_uri_component;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::{
    report::{Members, Report, Room},
    signals::*,
};

const PERIOD: Duration = Duration::from_secs(2);

/// What was seen last.
#[derive(Clone, Copy)]
pub(crate) struct Watch {
    /// The server's report; the last one stays while it does not answer.
    pub(crate) report: RwSignal<Option<Report>>,
    /// The server did not answer when it was last asked.
    pub(crate) lost: RwSignal<bool>,
    /// The room that is looked into.
    pub(crate) chosen: RwSignal<Option<Room>>,
    /// Who is in it.
    pub(crate) members: RwSignal<Option<Members>>,
}

impl Watch {
    /// Begins to look.
    pub(crate) fn start() -> Self {
        let watch = Self {
            report: RwSignal::new(None),
            lost: RwSignal::new(false),
            chosen: RwSignal::new(None),
            members: RwSignal::new(None),
        };
        watch.look();
        set_interval(
            move || {
                if !document().hidden() {
                    watch.look();
                }
            },
            PERIOD,
        );
        // Who comes back to the tab does not wait for the next turn.
        let _ = window_event_listener_untyped("focus", move |_| watch.look());
        watch
    }

    /// Looks into a room, or away from it.
    pub(crate) fn choose(self, room: &Room) {
        let is_chosen = self.chosen.get_untracked().is_some_and(|chosen| chosen.key() == room.key());
        self.members.set(None);
        self.chosen.set((!is_chosen).then(|| room.clone()));
        self.look();
    }

    /// Whether that room is looked into.
    pub(crate) fn has_chosen(self, key: &str) -> bool {
        self.chosen.read().as_ref().is_some_and(|room| room.key() == key)
    }

    fn look(self) {
        spawn_local(async move {
            let report = text("/live.json").await.and_then(|json| Report::read(&json));
            self.lost.set(report.is_none());
            if report.is_some() {
                self.report.set(report);
            }
            let Some(room) = self.chosen.get_untracked() else { return };
            let encoded = |text: &str| String::from(encode_uri_component(text));
            let path = format!("/members/{}/{}", encoded(&room.channel), encoded(&room.name));
            let members = text(&path).await.and_then(|json| Members::read(&json)).unwrap_or_default();
            // Another room may have been chosen meanwhile.
            if self.chosen.get_untracked() == Some(room) {
                self.members.set(Some(members));
            }
        });
    }
}

/// The body of an answer that is 200.
async fn text(path: &str) -> Option<String> {
    let response = JsFuture::from(web_sys::window()?.fetch_with_str(path)).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    let text = JsFuture::from(response.text().ok()?).await.ok()?;
    response.ok().then(|| text.as_string())?
}
