//! When a certificate ends.

use x509_cert::{Certificate, der::Decode as _};

/// When it ends (`notAfter`, RFC 5280, 4.1.2.5), in seconds since 1970; `None` where it cannot be read.
pub(super) fn of(certificate: &[u8]) -> Option<i64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate.validity.not_after;
    i64::try_from(end.to_unix_duration().as_secs()).ok()
}
