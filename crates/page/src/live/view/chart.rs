//! Messages per second over the last two minutes.

use super::{of, panel};
use crate::{
    element::{View, drawing, follow},
    format,
    signals::*,
    text::words,
    watch::Watch,
};

/// Seconds that the chart shows.
const WIDTH: usize = 120;
const HEIGHT: f64 = 48.0;

pub(super) fn chart() -> View {
    let watch = expect_context::<Watch>();
    let text = words();
    let most = of(|report| (words().chart_most)(&format::rate(most(&report.series))));
    let series = Memo::new(move |_| {
        watch.report.read().as_ref().map(|report| report.series.clone()).unwrap_or_default()
    });
    let view = drawing("chart", "")
        .attr("viewBox", &format!("0 0 {WIDTH} {HEIGHT}"))
        .attr("preserveAspectRatio", "none")
        .attr("role", "img")
        .attr("aria-label", text.chart);
    let drawn = view.clone();
    follow(move || {
        let _ = drawn.clone().html(&shape(&series.read()));
    });
    panel(text.chart, most).child(view)
}

fn most(series: &[f64]) -> f64 {
    series.iter().copied().fold(0.0, f64::max)
}

/// A line and the area below it; the newest second stands at the right.
fn shape(series: &[f64]) -> String {
    let scale = (HEIGHT - 4.0) / most(series).max(1.0);
    let start = WIDTH.saturating_sub(series.len().max(1) - 1);
    let mut line = String::new();
    for (index, rate) in series.iter().enumerate() {
        line.push_str(&format!(" {},{:.1}", start + index, HEIGHT - 2.0 - rate * scale));
    }
    format!(
        r#"<polygon class="area" points="{start},{HEIGHT}{line} {WIDTH},{HEIGHT}"/><polyline class="line" points="{line}"/>"#
    )
}
