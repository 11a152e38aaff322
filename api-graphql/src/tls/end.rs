//! When a certificate ends. Of X.509 (RFC 5280, 4.1) as much as it takes to come to that field.

use chrono::NaiveDateTime;

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0]`: the version, left out of certificates of version 1.
const VERSION: u8 = 0xa0;

/// When it ends (`notAfter`), in seconds since 1970; `None` where it is none or the field has not its form.
pub(super) fn of(certificate: &[u8]) -> Option<i64> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (mut fields, _) = element(certificate, SEQUENCE)?;
    if let Some((_, behind)) = element(fields, VERSION) {
        fields = behind;
    }
    // Serial number, signature algorithm, issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, fields) = element(fields, tag)?;
    }
    let (validity, _) = element(fields, SEQUENCE)?;
    let begin = |tag| element(validity, tag);
    let (_, end) = begin(UTC_TIME).or_else(|| begin(GENERALIZED_TIME))?;
    if let Some((text, _)) = element(end, UTC_TIME) {
        // Two digits are a year up to 2049 (RFC 5280, 4.1.2.5.1); those that are read otherwise ended before 1969.
        return seconds(text, "%y%m%d%H%M%SZ");
    }
    let (text, _) = element(end, GENERALIZED_TIME)?;
    seconds(text, "%Y%m%d%H%M%SZ")
}

fn seconds(text: &[u8], form: &str) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let time = NaiveDateTime::parse_from_str(text, form).ok()?;
    Some(time.and_utc().timestamp())
}

/// The content of the element that DER bytes begin with, where it has this tag, and what is behind it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first != tag {
        return None;
    }
    let (&length, rest) = rest.split_first()?;
    // Below 128 it is the length, else how many bytes tell it.
    let (length, rest) = match length.checked_sub(0x80) {
        None => (usize::from(length), rest),
        Some(bytes @ 1..=4) => {
            let (told, rest) = rest.split_at_checked(usize::from(bytes))?;
            let length = told
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest)
        }
        Some(_) => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }

    fn certificate(version: &[u8], tag: u8, end: &str) -> Vec<u8> {
        let validity = [wrap(UTC_TIME, b"260101000000Z"), wrap(tag, end.as_bytes())];
        let fields = [
            version.to_vec(),
            wrap(INTEGER, &[1; 20]),
            wrap(SEQUENCE, &[6, 1, 42]),
            wrap(SEQUENCE, &[7; 300]),
            wrap(SEQUENCE, &validity.concat()),
            wrap(SEQUENCE, &[]),
        ];
        wrap(SEQUENCE, &wrap(SEQUENCE, &fields.concat()))
    }

    #[test]
    fn the_end_is_read_in_either_form() {
        let v3 = wrap(VERSION, &[INTEGER, 1, 2]);
        for (version, tag, end, expected) in [
            (&v3[..], UTC_TIME, "270115080000Z", Some(1_800_000_000)),
            (&[], UTC_TIME, "270115080000Z", Some(1_800_000_000)),
            (
                &v3,
                GENERALIZED_TIME,
                "20500101000000Z",
                Some(2_524_608_000),
            ),
            (
                &v3,
                GENERALIZED_TIME,
                "99991231235959Z",
                Some(253_402_300_799),
            ),
            (&v3, UTC_TIME, "271332080000Z", None),
            (&v3, INTEGER, "270115080000Z", None),
        ] {
            assert_eq!(of(&certificate(version, tag, end)), expected, "{end}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_is_given_it_comes_to_an_end(
            noise in proptest::collection::vec(any::<u8>(), 0..64), at in 0_usize..400, byte: u8,
        ) {
            let _ = of(&noise);
            let mut broken = certificate(&[], UTC_TIME, "270115080000Z");
            let of_broken = at % broken.len();
            broken[of_broken] = byte;
            let _ = of(&broken);
            broken.truncate(of_broken);
            prop_assert_eq!(of(&broken), None);
        }
    }
}
