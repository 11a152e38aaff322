//! Checks of the fields as they came, collecting every problem instead of stopping at the first.
//!
//! Partners send placeholders where they have nothing to say. One normalisation, applied to every
//! text: white space around it goes, and an empty text, `-` and `undefined` count as absent.

use chrono::{DateTime, Datelike, Utc};

use crate::{
    ids::{check_seen, check_text, check_visible, is_format},
    order::command::{Address, Contact, Proof},
    phone::{self, MAX_PHONE},
    refusal::{Code, Problem, Refusal},
};

/// Longest name of a person.
const MAX_NAME: usize = 200;
/// Longest e-mail address that mail servers accept.
const MAX_EMAIL: usize = 254;
/// Longest line of an address.
const MAX_ADDRESS_LINE: usize = 200;
/// Longest city or province.
const MAX_PLACE: usize = 100;
/// Digits of a Thai postal code.
const POSTAL_CODE_DIGITS: usize = 5;
/// The only country that deliveries go to.
const COUNTRY: &str = "TH";
/// Longest reason that somebody gives for what they do.
const MAX_REASON: usize = 500;
/// Years that a time in a command may name: outside them it is a mistake, and beyond 9999 no RFC
/// 3339 text at all.
const PLAUSIBLE_YEARS: std::ops::RangeInclusive<i32> = 2000..=2199;

/// The text without the white space around it, else as it came; `None` for a placeholder, and where nothing of it is
/// seen.
pub fn clean(text: &str) -> Option<&str> {
    match text.trim() {
        "-" | "undefined" => None,
        text if text.chars().all(|c| c.is_whitespace() || is_format(c)) => None,
        text => Some(text),
    }
}

/// As [`clean`], for a field that may be absent.
pub fn clean_option(text: Option<&String>) -> Option<&str> {
    text.and_then(|text| clean(text))
}

fn cleaned(text: Option<&String>) -> Option<String> {
    clean_option(text).map(str::to_owned)
}

impl Contact {
    /// The contact without placeholders, in the form to seal and store; `None` if nothing is left.
    pub fn normalised(&self) -> Option<Self> {
        let contact = Self {
            name: cleaned(self.name.as_ref()),
            phone: cleaned(self.phone.as_ref()),
            email: cleaned(self.email.as_ref()),
            address: self.address.as_ref().and_then(Address::normalised),
        };
        (contact != Self::default()).then_some(contact)
    }
}

impl Address {
    fn normalised(&self) -> Option<Self> {
        let address = Self {
            line1: clean(&self.line1).unwrap_or_default().to_owned(),
            line2: cleaned(self.line2.as_ref()),
            line3: cleaned(self.line3.as_ref()),
            city: cleaned(self.city.as_ref()),
            state: cleaned(self.state.as_ref()),
            postal_code: cleaned(self.postal_code.as_ref()),
            country: cleaned(self.country.as_ref()),
        };
        (address != Self::default()).then_some(address)
    }
}

impl Proof {
    /// The proof without placeholders, in the form to seal and store; `None` if nothing is left.
    pub fn normalised(&self) -> Option<Self> {
        let proof = Self {
            photo: cleaned(self.photo.as_ref()),
            signature: cleaned(self.signature.as_ref()),
            latitude: cleaned(self.latitude.as_ref()),
            longitude: cleaned(self.longitude.as_ref()),
            collected_by: cleaned(self.collected_by.as_ref()),
        };
        (proof != Self::default()).then_some(proof)
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, code: Code, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem {
            code,
            path: path.into(),
            message: message.into(),
        });
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The value, if there is one and nothing is wrong with the rest of the command either.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Refusal> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                if self.0.is_empty() {
                    self.add(Code::Validation, "", "the command is incomplete");
                }
                Err(Refusal { problems: self.0 })
            }
        }
    }

    /// A text that must be there.
    pub(crate) fn required(
        &mut self,
        code: Code,
        path: &str,
        text: Option<&String>,
        max: usize,
    ) -> Option<String> {
        if clean_option(text).is_none() {
            self.add(code, path, format!("{path} must not be blank"));
        }
        self.optional(code, path, text, max)
    }

    /// A text that may be absent.
    pub(crate) fn optional(
        &mut self,
        code: Code,
        path: &str,
        text: Option<&String>,
        max: usize,
    ) -> Option<String> {
        let text = clean_option(text)?;
        match check_text(text, max) {
            Ok(()) => Some(text.to_owned()),
            Err(problem) => {
                self.add(code, path, format!("{path} {problem}"));
                None
            }
        }
    }

    /// A name that somebody outside gave something, which may be absent. Two names that look alike are one, so it
    /// holds nothing that is not seen.
    pub(crate) fn name(
        &mut self,
        code: Code,
        path: &str,
        text: Option<&String>,
        max: usize,
    ) -> Option<String> {
        let text = self.optional(code, path, text, max)?;
        self.seen(code, path, check_seen(&text)).then_some(text)
    }

    /// As [`Self::name`], where single blanks may stand between words.
    pub(crate) fn label(
        &mut self,
        code: Code,
        path: &str,
        text: Option<&String>,
        max: usize,
    ) -> Option<String> {
        let text = self.optional(code, path, text, max)?;
        self.seen(code, path, check_visible(&text)).then_some(text)
    }

    fn seen(&mut self, code: Code, path: &str, check: Result<(), String>) -> bool {
        if let Err(problem) = &check {
            self.add(code, path, format!("{path} {problem}"));
        }
        check.is_ok()
    }

    /// Why somebody does what they do: it must be there.
    pub(crate) fn reason(&mut self, text: &String) -> Option<String> {
        self.required(Code::Validation, "reason", Some(text), MAX_REASON)
    }

    /// A time in a year that makes sense.
    pub(crate) fn time(&mut self, path: &str, time: Option<DateTime<Utc>>) {
        if time.is_some_and(|time| !is_plausible(time)) {
            let (first, last) = (PLAUSIBLE_YEARS.start(), PLAUSIBLE_YEARS.end());
            self.add(
                Code::Validation,
                path,
                format!("{path} must lie in the years {first} to {last}"),
            );
        }
    }

    /// The contact, normalised. No message repeats a value: it is personal data.
    pub(crate) fn contact(&mut self, contact: &Contact) {
        let invalid = Code::Validation;
        self.optional(invalid, "contact.name", contact.name.as_ref(), MAX_NAME);
        let phone = self.optional(invalid, "contact.phone", contact.phone.as_ref(), MAX_PHONE);
        if phone.is_some_and(|phone| !phone::is_plausible(&phone)) {
            let message = "contact.phone must be a phone number such as +66 81 234 5678";
            self.add(invalid, "contact.phone", message);
        }
        let email = self.optional(invalid, "contact.email", contact.email.as_ref(), MAX_EMAIL);
        if email.is_some_and(|email| !is_plausible_email(&email)) {
            let message = "contact.email must be an e-mail address such as name@example.com";
            self.add(invalid, "contact.email", message);
        }
        if let Some(address) = &contact.address {
            self.address(address);
        }
    }

    fn address(&mut self, address: &Address) {
        let invalid = Code::Validation;
        let line1 = Some(&address.line1);
        self.required(invalid, "contact.address.line1", line1, MAX_ADDRESS_LINE);
        for (path, text, max) in [
            ("contact.address.line2", &address.line2, MAX_ADDRESS_LINE),
            ("contact.address.line3", &address.line3, MAX_ADDRESS_LINE),
            ("contact.address.city", &address.city, MAX_PLACE),
            ("contact.address.state", &address.state, MAX_PLACE),
        ] {
            self.optional(invalid, path, text.as_ref(), max);
        }
        let postal_code = clean_option(address.postal_code.as_ref());
        if postal_code.is_some_and(|code| {
            code.len() != POSTAL_CODE_DIGITS || !code.bytes().all(|b| b.is_ascii_digit())
        }) {
            let path = "contact.address.postalCode";
            self.add(
                invalid,
                path,
                format!("{path} must have {POSTAL_CODE_DIGITS} digits"),
            );
        }
        if clean_option(address.country.as_ref()).is_some_and(|country| country != COUNTRY) {
            let path = "contact.address.country";
            self.add(invalid, path, format!("{path} must be {COUNTRY}"));
        }
    }
}

/// Whether the time lies in a year that makes sense.
pub(crate) fn is_plausible(time: DateTime<Utc>) -> bool {
    PLAUSIBLE_YEARS.contains(&time.year())
}

fn is_plausible_email(email: &str) -> bool {
    email.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && !host.contains('@')
            && host.split('.').all(|label| !label.is_empty())
            && host.contains('.')
            && !email.chars().any(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_as_absent() {
        for text in [
            "",
            " ",
            "-",
            " - ",
            "undefined",
            "\t",
            "\u{200b}",
            " \u{feff} \u{200b}",
        ] {
            assert_eq!(clean(text), None, "{text:?}");
        }
        assert_eq!(clean(" x "), Some("x"));
        assert_eq!(clean("--"), Some("--"));
        assert_eq!(clean(" \u{202e}x\u{202c} "), Some("\u{202e}x\u{202c}"));
        assert_eq!(clean("ก\u{200b}ข"), Some("ก\u{200b}ข"));
    }

    #[test]
    fn a_contact_of_placeholders_is_none() {
        let blank = Some("-".to_owned());
        let address = Address {
            line1: " ".into(),
            city: blank.clone(),
            ..Address::default()
        };
        let contact = Contact {
            name: blank,
            address: Some(address),
            ..Contact::default()
        };
        assert_eq!(contact.normalised(), None);
        let contact = Contact {
            name: Some(" สมชาย ".into()),
            ..contact
        };
        assert_eq!(contact.normalised().unwrap().name.as_deref(), Some("สมชาย"));
    }

    #[test]
    fn phones_and_mail_addresses() {
        for phone in [
            "0812345678",
            "+66 81 234 5678",
            "02-123-4567",
            "(02) 123.4567",
        ] {
            assert!(phone::is_plausible(phone), "{phone}");
        }
        for phone in [
            "12345678",
            "1234567890123456",
            "08123x5678",
            "++66812345678",
            "๐๘๑๒๓๔๕๖๗๘",
        ] {
            assert!(!phone::is_plausible(phone), "{phone}");
        }
        for email in ["a@b.co", "first.last+tag@mail.example.com"] {
            assert!(is_plausible_email(email), "{email}");
        }
        for email in [
            "a", "@b.co", "a@", "a@b", "a@b..co", "a b@c.co", "a@b@c.co", "a@.co",
        ] {
            assert!(!is_plausible_email(email), "{email}");
        }
    }
}
