//! Nobody moves: what covers the picture may go.

use crate::signals::*;
use std::time::Duration;

const STILL: Duration = Duration::from_secs(3);

/// True after three seconds without pointer, touch or key.
pub(crate) fn idle() -> ReadSignal<bool> {
    let idle = RwSignal::new(false);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let moved = move || {
        if let Some(old) = timer.try_update_value(Option::take).flatten() {
            old.clear();
        }
        idle.set(false);
        timer.set_value(
            set_timeout_with_handle(
                move || {
                    idle.try_set(true);
                },
                STILL,
            )
            .ok(),
        );
    };
    moved();
    let listeners = [
        window_event_listener_untyped("pointermove", move |_| moved()),
        window_event_listener_untyped("pointerdown", move |_| moved()),
        window_event_listener_untyped("keydown", move |_| moved()),
    ];
    on_cleanup(move || {
        listeners.into_iter().for_each(WindowListenerHandle::remove);
        if let Some(timer) = timer.try_get_value().flatten() {
            timer.clear();
        }
    });
    idle.read_only()
}
