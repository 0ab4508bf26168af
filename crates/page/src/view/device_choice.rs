//! Choosing camera, microphone and speaker, and seeing that the microphone hears.

use super::icon;
use crate::{
    model::{Choice, Device},
    shell::Shell,
    text::words,
};
use leptos::prelude::*;

/// The selects that this browser can offer.
pub(crate) fn device_choice() -> impl IntoView {
    let Shell { model, local, .. } = expect_context::<Shell>();
    let text = words();
    let cameras = Signal::derive(move || model.choices.get().cameras);
    let microphones = Signal::derive(move || model.choices.get().microphones);
    let speakers = Signal::derive(move || model.choices.get().speakers);
    let camera = Signal::derive(move || model.chosen.get().camera);
    let microphone = Signal::derive(move || model.chosen.get().microphone);
    let speaker = Signal::derive(move || model.chosen.get().speaker);
    view! {
        <div class="devices">
            {choice(icon::CAMERA, text.camera, cameras, camera, move |id| local.choose_camera(id))}
            {choice(icon::MICROPHONE, text.microphone, microphones, microphone, move |id| local.choose_microphone(id))}
            {choice(icon::SPEAKER, text.speaker, speakers, speaker, move |id| local.choose_speaker(id))}
        </div>
    }
}

fn choice(
    shape: &'static str,
    name: &'static str,
    choices: Signal<Vec<Choice>>,
    chosen: Signal<String>,
    choose: impl Fn(String) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let options = move || {
        let chosen = chosen.get();
        let option = |choice: Choice| {
            let selected = choice.id == chosen;
            let label =
                if choice.label.is_empty() { words().default_device.to_owned() } else { choice.label };
            view! { <option value=choice.id prop:selected=selected>{label}</option> }
        };
        choices.get().into_iter().map(option).collect_view()
    };
    view! {
        <Show when=move || !choices.get().is_empty()>
            <label class="choice">
                {icon::icon(shape)}
                <select aria-label=name on:change=move |event| choose(event_target_value(&event))>{options}</select>
            </label>
        </Show>
    }
}

/// Bars that follow the voice.
pub(crate) fn meter() -> impl IntoView {
    let Shell { model, .. } = expect_context::<Shell>();
    const BARS: u8 = 12;
    let bars = (0..BARS).map(|bar| {
        let lit = move || u16::from(model.loudness.get()) * u16::from(BARS) > u16::from(bar) * 100;
        view! { <i class:lit=lit></i> }
    });
    view! {
        <div class="meter" class:off=move || model.microphone.get() != Device::On role="meter" aria-valuemin="0" aria-valuemax="100"
            aria-valuenow=move || model.loudness.get() aria-label=words().meter>
            {bars.collect_view()}
        </div>
    }
}
