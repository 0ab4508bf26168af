//! One remote person.

use super::{avatar::avatar, icon};
use crate::{
    browser::document,
    model::{Connection, Path, Remote},
    shell::Shell,
    text::{Text, words},
};
use leptos::{html, prelude::*};

/// One member's facts, read anew whenever any of them changes.
#[derive(Clone, Copy)]
struct Facts {
    shell: Shell,
    member: StoredValue<String>,
    text: &'static Text,
}

impl Facts {
    fn read<T>(self, read: impl FnOnce(&Remote) -> T) -> Option<T> {
        let remotes = self.shell.model.remotes.read();
        self.member.with_value(|member| remotes.iter().find(|remote| remote.member == *member).map(read))
    }

    fn name(self) -> String {
        self.read(|remote| remote.name.clone()).unwrap_or_default()
    }

    fn shown_name(self) -> String {
        let name = self.name();
        if name.is_empty() { self.text.guest.to_owned() } else { name }
    }

    fn is_muted(self) -> bool {
        self.read(|remote| remote.muted).unwrap_or_default()
    }

    fn has_picture(self) -> bool {
        self.read(|remote| remote.camera && remote.stream.is_some()).unwrap_or_default()
    }

    fn is(self, connection: Connection) -> bool {
        self.read(|remote| remote.connection) == Some(connection)
    }
}

pub(crate) fn tile(member: String) -> impl IntoView {
    let shell = expect_context::<Shell>();
    let facts = Facts { shell, member: StoredValue::new(member), text: words() };
    let video = NodeRef::<html::Video>::new();
    let tall = RwSignal::new(false);
    Effect::new(move || {
        let Some(video) = video.get() else { return };
        let stream = facts.read(|remote| remote.stream.clone()).flatten();
        if video.src_object() != stream {
            document::play(&video, stream.as_ref(), move || shell.model.silenced.set(true));
            let speaker = shell.model.chosen.get_untracked().speaker;
            if !speaker.is_empty() {
                document::set_speaker(&speaker);
            }
        }
    });
    let measure = move || {
        if let Some(video) = video.get_untracked() {
            tall.set(video.video_height() > video.video_width());
        }
    };
    view! {
        <article class="tile" aria-label=move || facts.shown_name() class:tall=tall
            class:broken=move || facts.is(Connection::Reconnecting)>
            {avatar(move || facts.name())}
            <video node_ref=video class:gone=move || !facts.has_picture() data-testid="remote-video" playsinline autoplay
                on:loadedmetadata=move |_| measure() on:resize=move |_| measure()></video>
            {label(facts)}
        </article>
    }
}

fn label(facts: Facts) -> impl IntoView {
    let text = facts.text;
    view! {
        <div class="label">
            <Show when=move || facts.is_muted()>
                <span class="label-muted" role="img" aria-label=move || (text.is_muted)(&facts.shown_name())>
                    {icon::icon(icon::MICROPHONE_OFF)}
                </span>
            </Show>
            <span class="label-name">{move || facts.shown_name()}</span>
            <Show when=move || facts.is(Connection::Unstable)>
                <span class="label-note">{text.unstable}</span>
            </Show>
            {quality(facts)}
        </div>
    }
}

/// Four bars and, for readers and pointers, one sentence.
fn quality(facts: Facts) -> impl IntoView {
    let text = facts.text;
    let bars = move || facts.read(|remote| remote.quality).flatten().unwrap_or(0).min(4);
    let path = move || facts.read(|remote| remote.path).flatten();
    let sentence = move || {
        let way = match path() {
            Some(Path::Direct) => text.direct,
            Some(_) => text.relayed,
            None => return text.quality[0].to_owned(),
        };
        text.quality[usize::from(bars())].to_owned() + " · " + way
    };
    let lit = (1..=4).map(|bar| bar_of(move || bars() >= bar)).collect_view();
    view! {
        <span class="quality" data-testid="quality" data-path=move || path().map(Path::name) data-bars=bars
            role="img" title=sentence aria-label=sentence>
            {lit}
        </span>
    }
}

fn bar_of(lit: impl Fn() -> bool + Send + 'static) -> impl IntoView {
    view! { <i class:lit=lit></i> }
}
