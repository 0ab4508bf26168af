//! How a page that was opened by a link begins.

/// What decides how a page begins: the link and the server's settings.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// `join=1`
    pub join: bool,
    /// Not `mic=0`
    pub microphone: bool,
    /// Not `camera=0`
    pub camera: bool,
    /// The server runs with `--auto-join`: a kiosk, whose links may switch devices on.
    pub auto_join: bool,
}

/// How a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Go in at once, without the lobby.
    pub join: bool,
    /// Ask for the microphone.
    pub microphone: bool,
    /// Ask for the camera.
    pub camera: bool,
}

/// Decides how a page begins. A stranger's link must not switch on a device whose permission is remembered,
/// so a link that skips the lobby goes in with both off until a gesture, unless the server says otherwise.
#[must_use]
pub fn entry(wish: Wish) -> Entry {
    let devices = !wish.join || wish.auto_join;
    Entry { join: wish.join, microphone: devices && wish.microphone, camera: devices && wish.camera }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Wish = Wish { join: false, microphone: true, camera: true, auto_join: false };
    const JOIN: Wish = Wish { join: true, ..LINK };
    const LOBBY: Entry = Entry { join: false, microphone: true, camera: true };

    #[test]
    fn a_link_opens_the_lobby_with_both_devices() {
        assert_eq!(entry(LINK), LOBBY);
    }

    #[test]
    fn a_link_that_skips_the_lobby_switches_nothing_on() {
        assert_eq!(entry(JOIN), Entry { join: true, microphone: false, camera: false });
    }

    #[test]
    fn a_kiosk_goes_in_with_both_devices() {
        assert_eq!(entry(Wish { auto_join: true, ..JOIN }), Entry { join: true, ..LOBBY });
    }

    #[test]
    fn a_link_may_leave_a_device_off() {
        assert_eq!(entry(Wish { camera: false, ..LINK }), Entry { camera: false, ..LOBBY });
        let kiosk = Wish { microphone: false, auto_join: true, ..JOIN };
        assert_eq!(entry(kiosk), Entry { join: true, microphone: false, camera: true });
    }
}
