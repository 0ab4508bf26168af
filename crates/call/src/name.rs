//! Names of rooms and people, as much of them as fits.

use visavis_signal::OBSERVABLE_PREFIX;

/// Characters of a room's name.
const ROOM: usize = 64;
/// Bytes of it: the server takes 256, `observable-` included.
const ROOM_BYTES: usize = 256 - OBSERVABLE_PREFIX.len();
/// Characters of a person's name.
const PERSON: usize = 80;

/// The room that a person means who typed or followed `text`, already in Unicode's normal form C. Trimmed once it is
/// cut: the link of a room must lead into it, however it was cut.
#[must_use]
pub fn room_name(text: &str) -> String {
    let mut name = printed(text).take(ROOM).collect::<String>();
    name.truncate(name.floor_char_boundary(ROOM_BYTES));
    name.truncate(name.trim_end().len());
    name
}

/// What is said and shown of a person's name. A link may give one that is too long for a message.
pub(crate) fn person(text: &str) -> String {
    printed(text).take(PERSON).collect::<String>().trim_end().to_owned()
}

fn printed(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_control()).skip_while(|c| c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_has_64_characters_and_no_more_bytes_than_the_server_takes() {
        assert_eq!(room_name(&"x".repeat(100)).len(), 64);
        assert_eq!(room_name(&"會".repeat(100)).chars().count(), 64);
        let faces = room_name(&"😀".repeat(64));
        assert!(OBSERVABLE_PREFIX.len() + faces.len() <= 256, "{} bytes", faces.len());
    }

    #[test]
    fn a_room_read_again_from_its_link_is_the_same() {
        let cut_behind_a_word = "x".repeat(63) + " and more";
        for text in ["  tea at five ", "\0 tea", "tea \0", " \u{3000} ", &cut_behind_a_word] {
            let once = room_name(text);
            assert_eq!(room_name(&once), once);
            assert_eq!(once.trim(), once);
        }
    }

    #[test]
    fn nobody_is_called_by_a_book() {
        assert_eq!(person(&"é".repeat(100_000)).chars().count(), 80);
        assert_eq!(person(" \n Ada \r "), "Ada");
    }
}
