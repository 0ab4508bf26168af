//! What the server has to know about its own certificate: names and end.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::pki_types::{CertificateDer, DnsName, ServerName};

/// Names and end of a certificate.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    der: CertificateDer<'static>,
    names: Vec<String>,
    ends: SystemTime,
}

impl Certificate {
    /// Reads the certificate; `None` if it is none.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let der = der.clone().into_owned();
        let parsed = webpki::EndEntityCert::try_from(&der).ok()?;
        let names = parsed.valid_dns_names().map(str::to_owned).collect();
        let ends = ends(&der)?;
        Some(Self { der, names, ends })
    }

    /// Whether it ends within `margin` from `now`, or has ended.
    pub(crate) fn ends_within(&self, now: SystemTime, margin: Duration) -> bool {
        self.ends <= now + margin
    }

    /// A DNS name that the certificate proves: `wanted` if it does, else the first that is no pattern.
    pub(crate) fn name_for(&self, wanted: Option<&str>) -> Option<String> {
        let wanted = wanted.filter(|name| self.proves(name));
        let first = || self.names.iter().map(String::as_str).find(|name| !name.starts_with("*."));
        wanted.or_else(first).map(str::to_owned)
    }

    /// Whether it proves all of these, but for names that nobody can be known by.
    pub(crate) fn proves_all(&self, names: &[String], addresses: &[IpAddr]) -> bool {
        names.iter().all(|name| DnsName::try_from(name.as_str()).is_err() || self.proves(name))
            && addresses.iter().all(|&address| self.is_valid_for(&ServerName::IpAddress(address.into())))
    }

    fn proves(&self, name: &str) -> bool {
        DnsName::try_from(name).is_ok_and(|name| self.is_valid_for(&ServerName::DnsName(name)))
    }

    fn is_valid_for(&self, name: &ServerName<'_>) -> bool {
        webpki::EndEntityCert::try_from(&self.der)
            .is_ok_and(|parsed| parsed.verify_is_valid_for_subject_name(name).is_ok())
    }
}

/// `notAfter` of a certificate (RFC 5280 section 4.1).
fn ends(der: &[u8]) -> Option<SystemTime> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(der)?;
    let (_, mut fields, _) = element(certificate)?;
    if fields.first() == Some(&VERSION) {
        fields = element(fields)?.2;
    }
    // Serial number, signature algorithm and issuer stand before the validity.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (tag, validity, _) = element(fields)?;
    let (_, _, not_after) = element(validity)?;
    let (kind, text, _) = element(not_after)?;
    (tag == SEQUENCE).then(|| time(kind, std::str::from_utf8(text).ok()?)).flatten()
}

/// The first DER element: tag, content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], mut rest) = der.split_first_chunk()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        length =
            digits.iter().try_fold(0_usize, |sum, &digit| sum.checked_mul(256)?.checked_add(digit.into()))?;
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

/// `YYMMDDhhmmssZ` (UTCTime) or `YYYYMMDDhhmmssZ` (GeneralizedTime).
fn time(kind: u8, text: &str) -> Option<SystemTime> {
    const UTC_TIME: u8 = 0x17;
    let digits = if kind == UTC_TIME { 2 } else { 4 };
    let (year, rest) = text.split_at_checked(digits)?;
    let mut year: i64 = year.parse().ok()?;
    if kind == UTC_TIME {
        year += if year < 50 { 2000 } else { 1900 };
    }
    let part = |index: usize| rest.get(2 * index..2 * index + 2)?.parse::<i64>().ok();
    let days = days_since_1970(year, part(0)?, part(1)?);
    let seconds = ((days * 24 + part(2)?) * 60 + part(3)?) * 60 + part(4)?;
    Some(UNIX_EPOCH + Duration::from_secs(seconds.try_into().ok()?))
}

/// Days of the Gregorian calendar, counted in years that begin in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str], days: u64) -> Certificate {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.not_after = rcgen::date_time_ymd(2030, 3, 1) + Duration::from_secs(days * 86_400);
        let made = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        Certificate::read(made.der()).unwrap()
    }

    #[test]
    fn the_end_is_read_in_both_notations() {
        let first_of_march_2030 = UNIX_EPOCH + Duration::from_secs(1_898_553_600);
        for days in [0, 1, 366, 40 * 365] {
            assert_eq!(
                made(&["a.example"], days).ends,
                first_of_march_2030 + Duration::from_secs(days * 86_400)
            );
        }
    }

    #[test]
    fn what_a_certificate_proves_is_names_and_addresses() {
        let certificate = made(&["desk.example", "192.0.2.1", "2001:db8::1"], 0);
        let proves_all = |names: &[&str], addresses: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            certificate.proves_all(&names, &addresses)
        };
        assert!(proves_all(&["desk.example"], &["192.0.2.1", "2001:db8::1"]));
        assert!(proves_all(&["no name"], &["192.0.2.1"]));
        assert!(!proves_all(&["lap.example"], &[]));
        assert!(!proves_all(&[], &["192.0.2.1", "192.0.2.2"]));
        assert!(!proves_all(&[], &["2001:db8::2"]));
    }

    #[test]
    fn the_wanted_name_is_taken_where_the_certificate_proves_it() {
        let certificate = made(&["*.example.org", "meet.example.net"], 0);
        assert_eq!(certificate.name_for(Some("call.example.org")).as_deref(), Some("call.example.org"));
        assert_eq!(certificate.name_for(Some("elsewhere.test")).as_deref(), Some("meet.example.net"));
        assert_eq!(certificate.name_for(None).as_deref(), Some("meet.example.net"));
        assert_eq!(made(&["192.0.2.1"], 0).name_for(Some("192.0.2.1")), None);
    }
}
