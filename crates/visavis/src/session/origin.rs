//! Whether the page that opened a connection may use a channel.

use crate::{channels::Origins, stream::ConnectionInfo};

/// Browsers always say the origin of the page and let no page change it. Programs that say none are let in: they
/// could say anything, and what this check keeps out is other sites' pages in somebody's browser.
pub(crate) fn is_allowed(info: &ConnectionInfo, origins: &Origins) -> bool {
    let Some(origin) = info.origin.as_deref() else { return true };
    match origins {
        Origins::Any => true,
        Origins::Own => is_own(origin, info.host.as_deref()),
        Origins::Listed(listed) => {
            is_own(origin, info.host.as_deref()) || listed.iter().any(|one| one.eq_ignore_ascii_case(origin))
        }
    }
}

/// Browsers leave the scheme's default port out of both.
fn is_own(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(origin: Option<&str>, host: Option<&str>) -> ConnectionInfo {
        ConnectionInfo {
            remote: "192.0.2.9:40000".parse().unwrap(),
            local: "192.0.2.1:8080".parse().unwrap(),
            secure: false,
            host: host.map(str::to_owned),
            origin: origin.map(str::to_owned),
        }
    }

    #[test]
    fn the_own_origin_is_that_of_the_host_header() {
        let own = |origin, host| is_allowed(&came(Some(origin), host), &Origins::Own);
        assert!(own("http://call.example:8080", Some("call.example:8080")));
        assert!(own("https://Call.example", Some("call.EXAMPLE")));
        assert!(own("http://[::1]:8080", Some("[::1]:8080")));
        assert!(!own("http://call.example", Some("call.example:8080")));
        assert!(!own("http://evil.example", Some("call.example")));
        assert!(!own("http://call.example.evil.example", Some("call.example")));
        assert!(!own("null", Some("null")));
        assert!(!own("http://call.example", None));
    }

    #[test]
    fn a_program_without_an_origin_is_let_in() {
        assert!(is_allowed(&came(None, Some("call.example")), &Origins::Own));
    }

    #[test]
    fn a_list_adds_to_the_own_origin() {
        let listed = Origins::Listed(vec!["https://app.example".to_owned()]);
        let allowed = |origin| is_allowed(&came(Some(origin), Some("call.example")), &listed);
        assert!(allowed("https://app.example"));
        assert!(allowed("https://call.example"));
        assert!(!allowed("http://app.example"));
    }
}
