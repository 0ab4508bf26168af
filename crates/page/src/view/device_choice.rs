//! Choosing camera, microphone and speaker, and seeing that the microphone hears.

use super::{
    element::{View, el, fragment},
    icon,
};
use crate::signals::*;
use crate::{
    model::{Choice, Choices, Chosen, Device},
    shell::Shell,
    text::words,
};

/// The selects that this browser can offer.
pub(crate) fn device_choice() -> View {
    let Shell { local, .. } = expect_context::<Shell>();
    let text = words();
    let cameras = choice(
        icon::CAMERA,
        text.camera,
        |choices| &choices.cameras,
        |chosen| &chosen.camera,
        move |id| local.choose_camera(id),
    );
    let microphones = choice(
        icon::MICROPHONE,
        text.microphone,
        |choices| &choices.microphones,
        |chosen| &chosen.microphone,
        move |id| local.choose_microphone(id),
    );
    let speakers = choice(
        icon::SPEAKER,
        text.speaker,
        |choices| &choices.speakers,
        |chosen| &chosen.speaker,
        move |id| local.choose_speaker(id),
    );
    el("div", "devices").child(cameras).child(microphones).child(speakers)
}

fn choice(
    shape: &'static str,
    name: &'static str,
    choices: fn(&Choices) -> &Vec<Choice>,
    chosen: fn(&Chosen) -> &String,
    choose: impl Fn(String) + Copy + 'static,
) -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    let options = move || {
        let used = model.chosen.read();
        let option = |choice: &Choice| {
            let label = if choice.label.is_empty() { words().default_device } else { &choice.label };
            let option = el("option", "").attr("value", &choice.id).text(label);
            if choice.id == *chosen(&used) { option.property("selected") } else { option }
        };
        fragment().children(choices(&model.choices.read()).iter().map(option))
    };
    let select = move || {
        let select = el("select", "")
            .attr("aria-label", name)
            .on("change", move |event| choose(event_target_value(&event)))
            .dynamic(options);
        el("label", "choice").child(icon::icon(shape)).child(select)
    };
    fragment().when(move || !choices(&model.choices.read()).is_empty(), select)
}

/// Bars that follow the voice.
pub(crate) fn meter() -> View {
    let Shell { model, .. } = expect_context::<Shell>();
    const BARS: u8 = 12;
    let bars = (0..BARS).map(|bar| {
        let lit = move || u16::from(model.loudness.get()) * u16::from(BARS) > u16::from(bar) * 100;
        el("i", "").class_when("lit", lit)
    });
    el("div", "meter")
        .class_when("off", move || model.microphone.get() != Device::On)
        .attr("role", "meter")
        .attr("aria-valuemin", "0")
        .attr("aria-valuemax", "100")
        .attr_of("aria-valuenow", move || model.loudness.get().to_string())
        .attr("aria-label", words().meter)
        .children(bars)
}
