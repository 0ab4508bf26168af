//! One remote person.

use super::{
    avatar::avatar,
    element::{View, el, follow_later},
    icon,
};
use crate::signals::*;
use crate::{
    browser::document,
    model::Remote,
    shell::Shell,
    text::{Text, words},
};
use visavis_call::{Path, RemoteState};
use web_sys::HtmlVideoElement;

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

    fn is_broken(self) -> bool {
        self.is(RemoteState::Reconnecting) || self.is(RemoteState::Lost)
    }

    fn is(self, state: RemoteState) -> bool {
        self.read(|remote| remote.state) == Some(state)
    }
}

pub(crate) fn tile(member: String) -> View {
    let shell = expect_context::<Shell>();
    let facts = Facts { shell, member: StoredValue::new(member), text: words() };
    let tall = RwSignal::new(false);
    let video = el("video", "")
        .class_when("gone", move || !facts.has_picture())
        .attr("data-testid", "remote-video")
        .flags(&["playsinline", "autoplay"]);
    let element = video.element::<HtmlVideoElement>();
    let measure = {
        let video = element.clone();
        move |_| tall.set(video.video_height() > video.video_width())
    };
    let video = video.on("loadedmetadata", measure.clone()).on("resize", measure);
    follow_later(move || {
        let stream = facts.read(|remote| remote.stream.clone()).flatten();
        if element.src_object() != stream {
            document::play(&element, stream.as_ref(), move || shell.model.silenced.set(true));
            let speaker = shell.model.chosen.get_untracked().speaker;
            if !speaker.is_empty() {
                document::set_speaker(&speaker);
            }
        }
    });
    el("article", "tile")
        .attr_of("aria-label", move || facts.shown_name())
        .class_when("tall", move || tall.get())
        .class_when("broken", move || facts.is_broken())
        .child(avatar(move || facts.name()))
        .child(video)
        .child(label(facts))
}

fn label(facts: Facts) -> View {
    let text = facts.text;
    let muted = move || {
        el("span", "label-muted")
            .attr("role", "img")
            .attr_of("aria-label", move || (text.is_muted)(&facts.shown_name()))
            .child(icon::icon(icon::MICROPHONE_OFF))
    };
    el("div", "label")
        .when(move || facts.is_muted(), muted)
        .child(el("span", "label-name").text_of(move || facts.shown_name()))
        .when(move || facts.is(RemoteState::Unstable), move || el("span", "label-note").text(text.unstable))
        .child(quality(facts))
}

/// Four bars and, for readers and pointers, one sentence.
fn quality(facts: Facts) -> View {
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
    el("span", "quality")
        .attr("data-testid", "quality")
        .attr_maybe("data-path", move || path().map(Path::as_str))
        .attr_of("data-bars", move || bars().to_string())
        .attr("role", "img")
        .named_by(sentence)
        .children((1..=4).map(|bar| el("i", "").class_when("lit", move || bars() >= bar)))
}
