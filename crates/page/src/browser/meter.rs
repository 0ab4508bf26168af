//! How loud the microphone is.

use web_sys::{AnalyserNode, AudioContext, MediaStream, MediaStreamAudioSourceNode};

const SAMPLES: u32 = 512;

/// Listens to one stream until dropped.
pub(crate) struct Meter {
    context: AudioContext,
    analyser: AnalyserNode,
    // Held: a source that nothing refers to falls silent in some browsers.
    _source: MediaStreamAudioSourceNode,
}

impl Meter {
    /// Nothing where the browser refuses, or the stream has no sound.
    pub(crate) fn new(stream: &MediaStream) -> Option<Self> {
        let context = AudioContext::new().ok()?;
        let analyser = context.create_analyser().ok()?;
        analyser.set_fft_size(SAMPLES);
        let source = context.create_media_stream_source(stream).ok()?;
        source.connect_with_audio_node(&analyser).ok()?;
        Some(Self { context, analyser, _source: source })
    }

    /// From 0 to 100: the peak of the last samples on a scale of 50 dB.
    pub(crate) fn loudness(&self) -> u8 {
        let mut samples = [0f32; SAMPLES as usize];
        self.analyser.get_float_time_domain_data(&mut samples);
        let peak = samples.iter().fold(0f32, |peak, sample| peak.max(sample.abs()));
        let decibels = 20.0 * peak.max(1e-4).log10();
        ((decibels + 50.0) * 2.0).clamp(0.0, 100.0) as u8
    }

    /// Contexts made before a gesture may stand still.
    pub(crate) fn resume(&self) {
        let _ = self.context.resume();
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let _ = self.context.close();
    }
}
