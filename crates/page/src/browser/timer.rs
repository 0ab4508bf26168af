//! The page's clock and its timers.

use std::time::Duration;

use visavis_call::Now;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Window;

/// The page's window.
pub(crate) fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}

/// Milliseconds since the page was opened, as `performance.now()` says.
pub(crate) fn milliseconds() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// The present, counted from the opening of the page.
pub(crate) fn now() -> Now {
    Now::after(Duration::from_secs_f64(milliseconds().max(0.0) / 1000.0))
}

/// The value of `performance.now()` at `moment`.
pub(crate) fn milliseconds_at(moment: Now) -> f64 {
    moment.since_start().as_secs_f64() * 1000.0
}

/// One `setTimeout` or `setInterval`; dropping it cancels it.
pub(crate) struct Timer {
    handle: i32,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls `callback` once, not before `delay` is over.
    pub(crate) fn once(delay: Duration, callback: impl FnMut() + 'static) -> Self {
        let callback = Closure::<dyn FnMut()>::new(callback);
        let handle = window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                callback.as_ref().unchecked_ref(),
                whole_milliseconds(delay),
            )
            .unwrap_or_default();
        Self { handle, _callback: callback }
    }

    /// Calls `callback` again and again, `period` apart.
    pub(crate) fn every(period: Duration, callback: impl FnMut() + 'static) -> Self {
        let callback = Closure::<dyn FnMut()>::new(callback);
        let handle = window()
            .set_interval_with_callback_and_timeout_and_arguments_0(
                callback.as_ref().unchecked_ref(),
                whole_milliseconds(period),
            )
            .unwrap_or_default();
        Self { handle, _callback: callback }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // Timeouts and intervals share one list of handles.
        window().clear_timeout_with_handle(self.handle);
    }
}

/// One `requestAnimationFrame`; dropping it cancels it.
pub(crate) struct Frame {
    handle: i32,
    _callback: Closure<dyn FnMut()>,
}

impl Frame {
    /// Calls `callback` before the screen is drawn next; never while the page is out of sight.
    pub(crate) fn next(callback: impl FnMut() + 'static) -> Self {
        let callback = Closure::<dyn FnMut()>::new(callback);
        let handle = window().request_animation_frame(callback.as_ref().unchecked_ref()).unwrap_or_default();
        Self { handle, _callback: callback }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let _ = window().cancel_animation_frame(self.handle);
    }
}

/// Rounded up, so that a timer never fires before its time and has to be armed twice.
fn whole_milliseconds(delay: Duration) -> i32 {
    i32::try_from(delay.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
}
