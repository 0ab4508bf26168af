//! Every screen with painted pictures instead of a call, for looking at them: `/?scene=in-call&people=2`.

use crate::signals::*;
use crate::{
    browser::{location::Address, timer},
    model::{Cause, Choice, Choices, Device, Model, Remote, Screen},
};
use visavis_call::{LinkState, Path, Phase, Problem, RemoteState};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, MediaStream};

/// Puts the model into the state that the address names.
pub(crate) fn set(model: Model, address: &Address) {
    let Some(scene) = address.scene.as_deref() else { return };
    let (name, people) =
        scene.split_once('-').map_or((scene, 1), |(name, people)| (name, people.parse().unwrap_or(1)));
    let screen = match name {
        "lobby" | "denied" | "nocamera" => Screen::Room(Phase::Lobby),
        "insecure" => Screen::Insecure,
        "unsupported" => Screen::Unsupported,
        "waiting" => Screen::Room(Phase::Waiting),
        "connecting" => Screen::Room(Phase::Connecting),
        "call" | "away" | "silenced" | "off" | "tall" => Screen::Room(Phase::InCall),
        "reconnecting" => Screen::Room(Phase::Reconnecting),
        "left" => Screen::Room(Phase::Left),
        "full" => Screen::Room(Phase::Full),
        "lost" => Screen::Room(Phase::Lost),
        "replaced" => Screen::Room(Phase::Replaced),
        "error" => Screen::Room(Phase::Error(Problem::Relay)),
        _ => Screen::Landing,
    };
    model.room.set("k3v7q2mzp4xw6tya5nrd2bhe".to_owned());
    model.name.set("Ada".to_owned());
    model.inside.set(Some(people));
    model.choices.set(choices());
    own(model, name);
    model.https.set(Some("https://192.168.1.20:8443".to_owned()));
    model.link.set(if name == "away" { LinkState::Away } else { LinkState::Open });
    model.silenced.set(name == "silenced");
    if matches!(screen, Screen::Room(Phase::Connecting | Phase::InCall | Phase::Reconnecting)) {
        model
            .since
            .set((screen != Screen::Room(Phase::Connecting)).then(|| timer::milliseconds() - 754_000.0));
        model.remotes.set((0..people).map(|index| remote(index, name)).collect());
    }
    model.interrupted.set(
        (screen == Screen::Room(Phase::Reconnecting))
            .then(|| (Cause::Remote, timer::milliseconds() - 4000.0)),
    );
    model.screen.set(screen);
}

fn own(model: Model, scene: &str) {
    let state = match scene {
        "denied" => Device::Denied,
        "nocamera" => Device::Missing,
        "off" => Device::Off,
        _ => Device::On,
    };
    model.camera.set(state);
    model.microphone.set(if state == Device::Denied { state } else { Device::On });
    model.loudness.set(62);
    if state.is_on() {
        model.local_stream.set(Some(painted(4, 1280, 720)));
    }
}

fn choices() -> Choices {
    let choice = |label: &str| Choice { id: label.to_owned(), label: label.to_owned() };
    Choices {
        cameras: vec![choice("FaceTime HD Camera"), choice("USB Camera")],
        microphones: vec![choice("Internal Microphone"), choice("Headset")],
        speakers: vec![choice("Internal Speakers")],
    }
}

fn remote(index: usize, scene: &str) -> Remote {
    let off = scene == "off";
    let (width, height) = if scene == "tall" { (720, 1280) } else { (1280, 720) };
    Remote {
        member: index.to_string(),
        name: ["Grace Hopper", "小明", "Edsger"][index % 3].to_owned(),
        muted: index == 1 || off,
        camera: !off && index != 2,
        stream: (scene != "connecting").then(|| painted(index, width, height)),
        state: match scene {
            "connecting" => RemoteState::Connecting,
            "reconnecting" => RemoteState::Reconnecting,
            _ => RemoteState::Connected,
        },
        path: Some(if index == 0 { Path::Direct } else { Path::RelayUdp }),
        quality: Some(4 - index as u8),
    }
}

/// A figure before a wall, as a stream.
fn painted(index: usize, width: u32, height: u32) -> MediaStream {
    let (wall, figure) = [
        ("#7c6f64", "#e8d5b7"),
        ("#36506b", "#d9b99b"),
        ("#5a4a6f", "#e5c6a8"),
        ("#4d6b57", "#cfa98a"),
        ("#8a7f72", "#dcb695"),
    ][index % 5];
    let canvas = document()
        .create_element("canvas")
        .and_then(|canvas| canvas.dyn_into::<HtmlCanvasElement>().map_err(Into::into));
    let canvas = canvas.expect("a document makes canvases");
    canvas.set_width(width);
    canvas.set_height(height);
    let context = canvas.get_context("2d").ok().flatten().and_then(|context| context.dyn_into().ok());
    let context: CanvasRenderingContext2d = context.expect("a canvas has a 2d context");
    let paint = move || {
        let (width, height) = (f64::from(width), f64::from(height));
        let size = width.min(height);
        context.set_fill_style_str(wall);
        context.fill_rect(0.0, 0.0, width, height);
        context.set_fill_style_str("rgba(255,255,255,.12)");
        context.fill_rect(width * 0.06, height * 0.1, width * 0.2, height * 0.42);
        for (colour, y, radius) in [("#2b2f38", 1.02, 0.42), (figure, 0.48, 0.19)] {
            context.set_fill_style_str(colour);
            context.begin_path();
            let _ = context.arc(width / 2.0, height * y, size * radius, 0.0, std::f64::consts::TAU);
            context.fill();
        }
    };
    paint();
    let stream = js_sys::Reflect::get(&canvas, &"captureStream".into())
        .and_then(|capture| capture.unchecked_into::<js_sys::Function>().call1(&canvas, &JsValue::from(5)));
    set_interval(paint, std::time::Duration::from_millis(200));
    stream.expect("canvases can be captured").unchecked_into()
}
