//! All words of the page in one place. A language is one file with one `Text`: a missing text does not compile.

mod en;
mod zh;

use crate::{signals::*, view::language::Words};
use visavis_call::Problem;

/// The words of one language.
pub(crate) struct Text {
    /// BCP 47 tag, for `<html lang>` and the switch.
    pub(crate) tag: &'static str,
    /// What the language calls itself.
    pub(crate) language: &'static str,
    /// Accessible name of the switch.
    pub(crate) languages: &'static str,

    // landing
    pub(crate) headline: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) start: &'static str,
    pub(crate) link_or_code: &'static str,
    pub(crate) open: &'static str,
    pub(crate) promise: &'static str,
    pub(crate) recent: &'static str,
    pub(crate) forget: &'static str,

    // lobby
    pub(crate) lobby: &'static str,
    pub(crate) your_name: &'static str,
    pub(crate) name_hint: &'static str,
    pub(crate) join: &'static str,
    pub(crate) join_without: &'static str,
    pub(crate) inside: fn(usize) -> String,
    pub(crate) inside_unknown: &'static str,
    pub(crate) camera: &'static str,
    pub(crate) microphone: &'static str,
    pub(crate) speaker: &'static str,
    pub(crate) default_device: &'static str,
    pub(crate) meter: &'static str,
    pub(crate) asking: &'static str,
    pub(crate) camera_off: &'static str,
    pub(crate) camera_missing: &'static str,
    pub(crate) camera_busy: &'static str,
    pub(crate) microphone_missing: &'static str,
    pub(crate) microphone_busy: &'static str,
    pub(crate) link_copied: &'static str,
    pub(crate) back: &'static str,

    // denied
    pub(crate) denied_title: &'static str,
    pub(crate) denied_camera: &'static str,
    pub(crate) denied_microphone: &'static str,
    pub(crate) denied_chrome: [&'static str; 2],
    pub(crate) denied_firefox: [&'static str; 2],
    pub(crate) denied_safari: [&'static str; 2],
    pub(crate) denied_after: &'static str,
    pub(crate) denied_picture: &'static str,

    // call
    pub(crate) mute: &'static str,
    pub(crate) unmute: &'static str,
    pub(crate) camera_stop: &'static str,
    pub(crate) camera_start: &'static str,
    pub(crate) leave: &'static str,
    pub(crate) devices: &'static str,
    pub(crate) close: &'static str,
    pub(crate) you: &'static str,
    pub(crate) guest: &'static str,
    pub(crate) waiting_title: &'static str,
    pub(crate) waiting_lead: &'static str,
    pub(crate) room_link: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) share: &'static str,
    pub(crate) connecting_to: fn(&str) -> String,
    pub(crate) trying_relay: &'static str,
    pub(crate) connecting_slow: &'static str,
    pub(crate) is_muted: fn(&str) -> String,
    pub(crate) came: fn(&str) -> String,
    pub(crate) went: fn(&str) -> String,
    pub(crate) quality: [&'static str; 5],
    pub(crate) direct: &'static str,
    pub(crate) relayed: &'static str,
    pub(crate) server_away: &'static str,
    pub(crate) silenced: &'static str,
    pub(crate) play: &'static str,
    pub(crate) interrupted_network: &'static str,
    pub(crate) interrupted_server: &'static str,
    pub(crate) interrupted_remote: fn(&str) -> String,
    pub(crate) seconds: fn(u32) -> String,
    pub(crate) retry: &'static str,
    pub(crate) unstable: &'static str,
    pub(crate) self_hide: &'static str,
    pub(crate) self_show: &'static str,

    // ends
    pub(crate) left_title: &'static str,
    pub(crate) left_lead: &'static str,
    pub(crate) rejoin: &'static str,
    pub(crate) new_call: &'static str,
    pub(crate) full_title: &'static str,
    pub(crate) full_lead: &'static str,
    pub(crate) try_again: &'static str,
    pub(crate) lost_title: &'static str,
    pub(crate) lost_lead: &'static str,
    pub(crate) replaced_title: &'static str,
    pub(crate) replaced_lead: &'static str,
    pub(crate) move_here: &'static str,
    pub(crate) error_title: &'static str,
    pub(crate) error_lead: fn(Problem) -> &'static str,
    pub(crate) insecure_title: &'static str,
    pub(crate) insecure_lead: &'static str,
    pub(crate) insecure_certificate: &'static str,
    pub(crate) insecure_none: &'static str,
    pub(crate) unsupported_title: &'static str,
    pub(crate) unsupported_lead: &'static str,

    // status line, for screen readers
    pub(crate) status_lobby: &'static str,
    pub(crate) status_connecting: &'static str,
    pub(crate) status_in_call: &'static str,

    // keyboard
    pub(crate) keys: &'static str,
    pub(crate) keys_microphone: &'static str,
    pub(crate) keys_camera: &'static str,
    pub(crate) keys_list: &'static str,
}

impl Words for Text {
    const ALL: &'static [&'static Self] = &[&en::TEXT, &zh::TEXT];

    fn tag(&self) -> &'static str {
        self.tag
    }

    fn language(&self) -> &'static str {
        self.language
    }
}

/// The words to use in a view.
pub(crate) fn words() -> &'static Text {
    expect_context::<&'static Text>()
}
