//! Phone numbers: which text may be one, and which texts are the same number.

/// Longest phone number with its separators; E.164 allows 15 digits.
pub const MAX_PHONE: usize = 25;
/// Digits of a plausible phone number, from a Thai landline to E.164's limit.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 9..=15;
/// Thailand's country code (ITU-T E.164).
const THAILAND: &str = "66";
/// Digits of a Thai number with its country code and without the trunk prefix: a landline's, a mobile's.
const THAI_DIGITS: std::ops::RangeInclusive<usize> = 10..=11;

/// Whether the text may be a phone number: digits and the separators people write.
pub(crate) fn is_plausible(phone: &str) -> bool {
    let digits = phone.bytes().filter(u8::is_ascii_digit).count();
    let body = phone.strip_prefix('+').unwrap_or(phone);
    PHONE_DIGITS.contains(&digits)
        && body
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')' | '.'))
}

/// The number in E.164, so that every way to write it gives the same text; `None` where the text is no phone number.
///
/// What begins with `+` or `00` is international; what begins with one `0` is Thai, written as people dial it at home.
/// Without either, digits that are a Thai number with its country code are taken for that, and all others are kept as
/// they are. A trunk prefix after the country code, as in `+66 (0)81 ..`, is dropped.
pub fn e164(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > MAX_PHONE || !is_plausible(text) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_thai_abroad = |d: &str| d.starts_with(THAILAND) && THAI_DIGITS.contains(&d.len());
    let international = if text.starts_with('+') {
        digits.as_str()
    } else if let Some(rest) = digits.strip_prefix("00") {
        rest
    } else if let Some(rest) = digits.strip_prefix('0') {
        return Some(format!("+{THAILAND}{rest}"));
    } else {
        digits.as_str()
    };
    let home = international
        .strip_prefix(THAILAND)
        .and_then(|rest| rest.strip_prefix('0'));
    Some(match home {
        Some(rest) if is_thai_abroad(&format!("{THAILAND}{rest}")) => format!("+{THAILAND}{rest}"),
        _ => format!("+{international}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_number_is_one_number() {
        for spelling in [
            "0812345678",
            "081-234-5678",
            " 081 234 5678 ",
            "(081) 234.5678",
            "+66812345678",
            "+66 81 234 5678",
            "+66 (0)81 234 5678",
            "66812345678",
            "0066 81 234 5678",
        ] {
            assert_eq!(
                e164(spelling).as_deref(),
                Some("+66812345678"),
                "{spelling}"
            );
        }
        for spelling in [
            "02-123-4567",
            "+6621234567",
            "6621234567",
            "+66 (0) 2 123 4567",
        ] {
            assert_eq!(e164(spelling).as_deref(), Some("+6621234567"), "{spelling}");
        }
        assert_eq!(e164("+44 20 7946 0958").as_deref(), Some("+442079460958"));
        assert_eq!(e164("00442079460958").as_deref(), Some("+442079460958"));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            "-",
            "12345678",
            "1234567890123456",
            "08123x5678",
            "++66812345678",
            "๐๘๑๒๓๔๕๖๗๘",
            "0 8 1 2 3 4 5 6 7 8 - - - - - - - - - -",
        ] {
            assert_eq!(e164(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_number_in_e164_stays_as_it_is() {
        for number in [
            "+66812345678",
            "+6621234567",
            "+442079460958",
            "+123456789012345",
        ] {
            assert_eq!(e164(number).as_deref(), Some(number));
        }
    }
}
