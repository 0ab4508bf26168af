//! What readers hear, automation reads, and the tab's title says.

use super::element::{View, el, follow_later, fragment};
use crate::signals::*;
use crate::{
    browser::document,
    model::{Cause, Model, Screen},
    shell::Shell,
    text::{Text, words},
};
use visavis_call::Phase;

pub(crate) fn status() -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    let text = words();
    follow_later(move || document::set_title(&title(model, text)));
    let line = el("p", "unseen")
        .attr("role", "status")
        .attr("data-testid", "status")
        .attr_of("data-state", move || model.state())
        .text_of(move || line(model, text));
    let comings = el("p", "unseen").attr("role", "status").text_of(comings(model, text));
    fragment().child(line).child(comings)
}

fn line(model: Model, text: &'static Text) -> &'static str {
    match model.screen.get() {
        Screen::Landing => text.headline,
        Screen::Insecure => text.insecure_title,
        Screen::Unsupported => text.unsupported_title,
        Screen::Room(phase) => match phase {
            Phase::Lobby if model.is_denied() => text.denied_title,
            Phase::Lobby => text.status_lobby,
            Phase::Waiting => text.waiting_title,
            Phase::Connecting => text.status_connecting,
            Phase::InCall => text.status_in_call,
            Phase::Reconnecting => match model.interrupted.get() {
                Some((Cause::Network, _)) => text.interrupted_network,
                Some((Cause::Server, _)) => text.interrupted_server,
                _ => text.status_connecting,
            },
            Phase::Left => text.left_title,
            Phase::Lost => text.lost_title,
            Phase::Full => text.full_title,
            Phase::Replaced => text.replaced_title,
            Phase::Error(_) => text.error_title,
        },
    }
}

fn title(model: Model, text: &'static Text) -> String {
    let names = names(model, text);
    match (model.phase(), names.is_empty()) {
        (Some(Phase::InCall), false) => String::from("● ") + &join(&names) + " · visavis",
        _ => "visavis".to_owned(),
    }
}

/// Who came and who went, since the last time somebody did.
fn comings(model: Model, text: &'static Text) -> impl Fn() -> String {
    let known = StoredValue::new(Vec::<(String, String)>::new());
    let said = StoredValue::new(String::new());
    move || {
        let now = model
            .remotes
            .read()
            .iter()
            .map(|remote| (remote.member.clone(), shown(&remote.name, text)))
            .collect::<Vec<_>>();
        let before = known.get_value();
        let stands = |list: &[(String, String)], member: &str| list.iter().any(|(other, _)| other == member);
        let came =
            now.iter().filter(|(member, _)| !stands(&before, member)).map(|(_, name)| (text.came)(name));
        let went =
            before.iter().filter(|(member, _)| !stands(&now, member)).map(|(_, name)| (text.went)(name));
        let news = came.chain(went).collect::<Vec<_>>().join(". ");
        known.set_value(now);
        if !news.is_empty() {
            said.set_value(news);
        }
        said.get_value()
    }
}

fn names(model: Model, text: &'static Text) -> Vec<String> {
    model.remotes.read().iter().map(|remote| shown(&remote.name, text)).collect()
}

fn shown(name: &str, text: &'static Text) -> String {
    if name.is_empty() { text.guest.to_owned() } else { name.to_owned() }
}

fn join(names: &[String]) -> String {
    names.join(", ")
}
