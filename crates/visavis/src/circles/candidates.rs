//! The addresses in what call members say to each other.

use std::net::IpAddr;

use visavis_signal::call::{Body, Envelope};

/// Candidates of one message that are looked at.
const MOST: usize = 64;

/// What a message means to the relay.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Its sender leaves the call.
    Bye,
    /// Its sender is in the call, and has these addresses.
    Addresses(Vec<IpAddr>),
}

impl Said {
    /// Reads a room message; none if it is no signal of a call.
    pub(crate) fn read(message: &str) -> Option<Self> {
        Some(match Envelope::parse(message).ok()?.body {
            Body::Bye => Self::Bye,
            Body::State(_) => Self::Addresses(Vec::new()),
            Body::Candidate(candidate) => {
                Self::Addresses(address(&candidate.candidate).into_iter().collect())
            }
            Body::Sdp(description) => Self::Addresses(addresses(&description.sdp)),
        })
    }
}

/// The addresses of an SDP's candidates.
fn addresses(sdp: &str) -> Vec<IpAddr> {
    let candidates = sdp.lines().filter_map(|line| line.trim_end().strip_prefix("a="));
    candidates.filter_map(address).take(MOST).collect()
}

/// The connection-address of a candidate attribute (RFC 8839 section 5.1); none if it is a name, as `….local` is.
fn address(candidate: &str) -> Option<IpAddr> {
    let fields = candidate.strip_prefix("candidate:")?;
    fields.split(' ').nth(4)?.parse().ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(message: &str) -> Option<Vec<String>> {
        match Said::read(message)? {
            Said::Bye => Some(vec!["bye".to_owned()]),
            Said::Addresses(addresses) => Some(addresses.iter().map(IpAddr::to_string).collect()),
        }
    }

    #[test]
    fn candidates_are_found_wherever_browsers_write_them() {
        let trickled = r#"{"candidate":{"candidate":"candidate:842163049 1 udp 1677729535 8.8.4.4 3478 typ srflx raddr 0.0.0.0 rport 0","sdpMid":"0"}}"#;
        assert_eq!(said(trickled).unwrap(), ["8.8.4.4"]);
        let sdp = r#"{"sdp":{"type":"offer","sdp":"v=0\r\na=candidate:1 1 UDP 2122252543 2a00:1450::1 50000 typ host\r\na=candidate:2 1 UDP 1 ::ffff:8.8.8.8 9 typ host\r\na=mid:0\r\n"}}"#;
        assert_eq!(said(sdp).unwrap(), ["2a00:1450::1", "8.8.8.8"]);
    }

    #[test]
    fn names_ends_and_nonsense_are_no_addresses() {
        for candidate in
            ["", "candidate:1 1 udp 1 4f1c.local 9 typ host", "candidate:1 1 udp", "8.8.8.8", "candidate:"]
        {
            let message = format!(r#"{{"candidate":{{"candidate":"{candidate}"}}}}"#);
            assert_eq!(said(&message).unwrap(), [""; 0], "{candidate:?}");
        }
        assert_eq!(said(r#"{"bye":true}"#).unwrap(), ["bye"]);
        assert_eq!(said(r#"{"state":{"muted":true}}"#).unwrap(), [""; 0]);
        for other in ["", "1", "{}", r#"{"hello":"8.8.8.8"}"#, "\u{0}"] {
            assert_eq!(said(other), None, "{other:?}");
        }
    }

    #[test]
    fn an_endless_description_names_a_few_addresses() {
        let lines: String = (0..1000)
            .map(|n| format!("a=candidate:1 1 udp 1 8.8.{}.{} 9 typ host\r\n", n / 256, n % 256))
            .collect();
        assert_eq!(addresses(&lines).len(), MOST);
    }
}
