//! What a read of the feed asks for: the query string, checked.

use std::{fmt::Write, time::Duration};

use axum::{
    extract::Query,
    http::{HeaderMap, HeaderName, Uri},
};
use domain::{
    bundle::BundleEvent, entity::Event, ids::StoreId, intake::IntakeEvent, order::OrderEvent,
    remittance::RemittanceEvent, store::StoreEvent,
};
use store::{Position, seal::MAX_SEALS};

use crate::{
    http::problem::HttpProblem,
    limits::{DEFAULT_FEED_EVENTS, MAX_FEED_EVENTS, MAX_FEED_TYPES, MAX_FEED_WAIT_SECONDS},
};

/// What a browser's `EventSource` sends when it connects again.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The word for the end of the log.
const LATEST: &str = "latest";

/// Where a read begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// Behind this position.
    Position(Position),
    /// At the end of the log.
    Latest,
}

/// A read of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) after: After,
    pub(super) types: Option<Vec<String>>,
    pub(super) store: Option<StoreId>,
    pub(super) limit: i64,
    pub(super) wait: Duration,
}

impl Ask {
    /// Reads the query string, and `Last-Event-ID`, which wins over `after`: it is the newer of the two.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn resumed(uri: &Uri, headers: &HeaderMap) -> Result<Self, HttpProblem> {
        let mut ask = Self::read(uri)?;
        if let Some(last) = headers.get(LAST_EVENT_ID) {
            ask.after = cursor("Last-Event-ID", last.to_str().unwrap_or_default())?;
        }
        Ok(ask)
    }

    /// Reads the query string.
    ///
    /// # Errors
    /// FEED_001 with what is wrong and what would do.
    pub(super) fn read(uri: &Uri) -> Result<Self, HttpProblem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| HttpProblem::bad_feed_query("the query string cannot be read"))?;
        let mut ask = Self {
            after: After::Position(Position::START),
            types: None,
            store: None,
            limit: DEFAULT_FEED_EVENTS,
            wait: Duration::ZERO,
        };
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in &pairs {
            if seen.contains(&name.as_str()) {
                return Err(wrong(name, "is given twice"));
            }
            seen.push(name);
            ask.set(name, value)?;
        }
        Ok(ask)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), HttpProblem> {
        match name {
            "after" => self.after = cursor("after", value)?,
            "types" => {
                let names = types(value.split(','));
                let names =
                    names.map_err(|why| wrong("types", &format!("{why}, separated by commas")));
                self.types = Some(names?);
            }
            "store" => {
                let store = value.parse();
                self.store = Some(store.map_err(|_| wrong("store", "must be CFR and 3 digits"))?);
            }
            "limit" => self.limit = number("limit", value, 1, MAX_FEED_EVENTS.unsigned_abs())?,
            "wait" => {
                let seconds: i64 = number("wait", value, 0, MAX_FEED_WAIT_SECONDS)?;
                self.wait = Duration::from_secs(seconds.unsigned_abs());
            }
            _ => {
                let known = "the parameters are after, types, store, limit and wait";
                return Err(wrong(name, &format!("is not known; {known}")));
            }
        }
        Ok(())
    }

    /// The address of the page behind a position.
    pub(super) fn next(&self, after: Position) -> String {
        let mut uri = format!("/v1/events?after={after}");
        // Writing to a string cannot fail.
        if let Some(types) = &self.types {
            let _ = write!(uri, "&types={}", types.join(","));
        }
        if let Some(store) = &self.store {
            let _ = write!(uri, "&store={store}");
        }
        let _ = write!(uri, "&limit={}", self.limit);
        if !self.wait.is_zero() {
            let _ = write!(uri, "&wait={}", self.wait.as_secs());
        }
        uri
    }
}

/// What a read of the seals asks for: those behind a position, or the newest, and how many.
///
/// # Errors
/// FEED_001 with what is wrong and what would do.
pub(super) fn seals(uri: &Uri) -> Result<(Option<Position>, i64), HttpProblem> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| HttpProblem::bad_feed_query("the query string cannot be read"))?;
    let (mut after, mut limit) = (None, DEFAULT_FEED_EVENTS);
    for (name, value) in &pairs {
        match name.as_str() {
            "after" => {
                after = match cursor("after", value)? {
                    After::Position(position) => Some(position),
                    After::Latest => None,
                };
            }
            "limit" => limit = number("limit", value, 1, MAX_SEALS.unsigned_abs())?,
            _ => {
                return Err(wrong(
                    name,
                    "is not known; the parameters are after and limit",
                ));
            }
        }
    }
    Ok((after, limit))
}

fn wrong(name: &str, what: &str) -> HttpProblem {
    // Somebody else's words are cut: they go back to who sent them.
    let name: String = name.chars().take(40).collect();
    HttpProblem::bad_feed_query(format!("{name} {what}"))
}

fn cursor(name: &str, text: &str) -> Result<After, HttpProblem> {
    if text == LATEST {
        return Ok(After::Latest);
    }
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let position = text.parse().ok().filter(|_| digits);
    position.map(|p| After::Position(Position(p))).ok_or_else(|| {
        let advice = "is no cursor: take X-Next-Cursor of the page before, an event's position, 0 or `latest`";
        wrong(name, advice)
    })
}

fn number(name: &str, text: &str, least: u64, most: u64) -> Result<i64, HttpProblem> {
    let number: Option<u64> = text.parse().ok();
    let number = number.filter(|n| (least..=most).contains(n));
    let number = number.and_then(|n| i64::try_from(n).ok());
    number.ok_or_else(|| wrong(name, &format!("must be {least} to {most}")))
}

/// The types by their names. An unknown one is refused: it would silently never come.
///
/// # Errors
/// What is wrong with them, as the end of a sentence.
pub(crate) fn types<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut types: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
    types.sort_unstable();
    types.dedup();
    if types.len() > MAX_FEED_TYPES {
        return Err(format!("may name at most {MAX_FEED_TYPES}"));
    }
    match types.iter().find(|name| !is_event_type(name)) {
        Some(_) => Err("names one that no event has; they look like order.placed".to_owned()),
        None => Ok(types),
    }
}

/// Whether there is an event type of this name.
pub fn is_event_type(name: &str) -> bool {
    [
        OrderEvent::TYPES,
        BundleEvent::TYPES,
        StoreEvent::TYPES,
        RemittanceEvent::TYPES,
        IntakeEvent::TYPES,
    ]
    .iter()
    .any(|types| types.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Ask, HttpProblem> {
        let uri = format!("/v1/events?{query}").parse().unwrap();
        Ask::read(&uri)
    }

    #[test]
    fn a_query_is_read_and_the_next_page_named() {
        let query = "after=7&types=order.placed,order.paid&store=CFR001&limit=5&wait=25";
        let ask = read(query).unwrap();
        assert_eq!(ask.after, After::Position(Position(7)));
        assert_eq!(
            ask.next(Position(12)),
            "/v1/events?after=12&types=order.paid,order.placed&store=CFR001&limit=5&wait=25"
        );
        let plain = read("").unwrap();
        assert_eq!(plain.next(Position(1)), "/v1/events?after=1&limit=100");
        assert_eq!(read("after=latest").unwrap().after, After::Latest);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for query in [
            "after=-1",
            "after=x",
            "after=",
            "after=%2B1",
            "after=99999999999999999999",
            "limit=0",
            "limit=501",
            "wait=31",
            "wait=1.5",
            "store=CFR1",
            "types=order.plcaed",
            "types=",
            "type=order.placed",
            "limit=1&limit=2",
        ] {
            assert!(read(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_client_that_comes_back_goes_on_where_it_was() {
        let mut headers = HeaderMap::new();
        headers.insert(LAST_EVENT_ID, "42".parse().unwrap());
        let uri = "/v1/events/stream?after=7".parse().unwrap();
        let ask = Ask::resumed(&uri, &headers).unwrap();
        assert_eq!(ask.after, After::Position(Position(42)));
    }
}
