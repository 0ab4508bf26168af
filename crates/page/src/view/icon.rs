//! The page's own icons: strokes of two units on a 24-unit grid.

use super::element::{View, drawing};

pub(crate) const MICROPHONE: &str =
    r#"<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>"#;
pub(crate) const MICROPHONE_OFF: &str = r#"<path d="M9 8V6a3 3 0 0 1 6 0v5m-.9 2.1A3 3 0 0 1 9 11v-.5M5.5 11.5a6.5 6.5 0 0 0 10.8 4.8m2-2.8a6.5 6.5 0 0 0 .2-2M12 18v3M4 4l16 16"/>"#;
pub(crate) const CAMERA: &str =
    r#"<rect x="2.5" y="6" width="13" height="12" rx="3"/><path d="M15.5 11l6-3.5v9l-6-3.5z"/>"#;
pub(crate) const CAMERA_OFF: &str = r#"<path d="M10.5 6h2a3 3 0 0 1 3 3v2l6-3.5v9l-2.5-1.5M15.3 15.5A3 3 0 0 1 12.5 18h-7a3 3 0 0 1-3-3V9a3 3 0 0 1 3-3M4 3l17 18"/>"#;
pub(crate) const LEAVE: &str = r#"<path fill="currentColor" stroke="none" d="M2.8 12.9c5.1-4.7 13.3-4.7 18.4 0 .7.6.7 1.6.1 2.3l-1.7 1.8c-.5.6-1.4.700-2 .3l-2.3-1.5a1.6 1.6 0 0 1-.7-1.3v-1.9a12 12 0 0 0-5.2 0v1.9c0 .5-.3 1-.7 1.3l-2.3 1.5c-.6.4-1.5.3-2-.3l-1.7-1.8c-.6-.7-.6-1.7.1-2.3z"/>"#;
pub(crate) const DEVICES: &str = r#"<path d="M4 7h8m5 0h3M4 17h3m5 0h8"/><circle cx="14.5" cy="7" r="2.5"/><circle cx="9.5" cy="17" r="2.5"/>"#;
pub(crate) const COPY: &str = r#"<rect x="9" y="9" width="11.5" height="11.5" rx="3"/><path d="M5.5 15A2.5 2.5 0 0 1 3.5 12.5V6.5a3 3 0 0 1 3-3h6A2.5 2.5 0 0 1 15 5.5"/>"#;
pub(crate) const SHARE: &str =
    r#"<path d="M12 15V3.5M8 7l4-4 4 4M5 11.5V18a2.5 2.5 0 0 0 2.5 2.5h9A2.5 2.5 0 0 0 19 18v-6.5"/>"#;
pub(crate) const CHECK: &str = r#"<path d="M5 12.5l4.5 4.5L19 7.5"/>"#;
pub(crate) const SPEAKER: &str =
    r#"<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11"/>"#;
pub(crate) const PERSON: &str = r#"<circle cx="12" cy="8.5" r="4"/><path d="M4.5 20.5a7.5 7.5 0 0 1 15 0"/>"#;
pub(crate) const BACK: &str = r#"<path d="M19 12H5m6-6l-6 6 6 6"/>"#;
pub(crate) const ALERT: &str = r#"<path d="M12 4L2.8 20h18.4zM12 10v4.5M12 17.3v.1"/>"#;
pub(crate) const CLOSE: &str = r#"<path d="M6 6l12 12M18 6L6 18"/>"#;
pub(crate) const HIDE: &str = r#"<path d="M19 5l-6 6m0-5v5h5M5 19l6-6m0 5v-5H6"/>"#;
pub(crate) const LOCK: &str =
    r#"<rect x="4.5" y="10.5" width="15" height="10" rx="3"/><path d="M8 10.5V7.5a4 4 0 0 1 8 0v3"/>"#;
pub(crate) const DOOR: &str =
    r#"<path d="M14 3.5H7a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h7M10.5 12H20.5m-3.5-3.5l3.5 3.5-3.5 3.5"/>"#;
pub(crate) const PEOPLE: &str = r#"<circle cx="9" cy="9" r="3.5"/><path d="M2.5 19.5a6.5 6.5 0 0 1 13 0M16 5.8a3.5 3.5 0 0 1 0 6.4M18 14a6.5 6.5 0 0 1 3.5 5.5"/>"#;
pub(crate) const TABS: &str =
    r#"<rect x="3" y="8" width="13" height="12" rx="3"/><path d="M8 4.5h10a3 3 0 0 1 3 3V16"/>"#;
pub(crate) const BROKEN: &str = r#"<path d="M9 15l-2 2a3.5 3.5 0 0 1-5-5l3-3a3.5 3.5 0 0 1 4-.7M15 9l2-2a3.5 3.5 0 0 1 5 5l-3 3a3.5 3.5 0 0 1-4 .7M10 3v2M14 21v-2"/>"#;

/// One icon, invisible to readers: the control around it has a name.
pub(crate) fn icon(shape: &str) -> View {
    drawing("icon", shape).attr("aria-hidden", "true")
}

/// The mark of the house: two that face each other.
pub(crate) fn mark() -> View {
    let shape = r#"<path class="mark-one" d="M2 5h2.5a7 7 0 0 1 0 14H2z"/><path class="mark-two" d="M22 5h-2.5a7 7 0 0 0 0 14H22z"/>"#;
    drawing("mark", shape).attr("aria-hidden", "true")
}
