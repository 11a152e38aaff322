//! Media types of requests and answers, as the GraphQL-over-HTTP draft has them.

use axum::http::{HeaderMap, header};

use super::problem::HttpProblem;

/// The media type of an answer, and with it the meaning of the status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: 4xx when nothing was executed.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request, for clients of old.
    Json,
}

impl Media {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// The best of what `Accept` asks for; JSON when it is absent or asks for anything.
    pub(super) fn accepted(headers: &HeaderMap) -> Result<Self, HttpProblem> {
        if !headers.contains_key(header::ACCEPT) {
            return Ok(Self::Json);
        }
        let lines = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|v| v.to_str().ok());
        let ranges = lines
            .flat_map(|line| line.split(','))
            .filter_map(Range::parse);
        let mut best: Option<(u16, Self)> = None;
        for (media, quality) in ranges.filter_map(|r| Some((r.media()?, r.quality))) {
            // On a tie the first stands.
            if quality > best.map_or(0, |(q, _)| q) {
                best = Some((quality, media));
            }
        }
        best.map(|(_, media)| media)
            .ok_or_else(HttpProblem::not_acceptable)
    }
}

struct Range<'a> {
    essence: &'a str,
    utf8: bool,
    /// Thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let mut range = Self {
            essence: parts.next()?,
            utf8: true,
            quality: 1000,
        };
        for parameter in parts {
            let (name, value) = parameter.split_once('=')?;
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "charset" => range.utf8 = is_utf8(value),
                "q" => range.quality = quality(value)?,
                _ => {}
            }
        }
        Some(range)
    }

    fn media(&self) -> Option<Media> {
        let is = |name: &str| self.essence.eq_ignore_ascii_case(name);
        if !self.utf8 {
            None
        } else if is("application/graphql-response+json") {
            Some(Media::GraphqlResponse)
        } else if is("application/json") || is("*/*") || is("application/*") {
            Some(Media::Json)
        } else {
            None
        }
    }
}

/// `0`, `1`, `0.8`, `1.000` in thousandths.
fn quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// Only JSON in UTF-8, uncompressed: any other type of body could come from a form on a foreign page.
pub(super) fn check_body_type(headers: &HeaderMap) -> Result<(), HttpProblem> {
    let refuse = |why: &str| Err(HttpProblem::unsupported_media_type(why));
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return refuse("send `Content-Type: application/json`");
    };
    let Some(range) = value.to_str().ok().and_then(Range::parse) else {
        return refuse("the content type cannot be read; send `application/json`");
    };
    if !range.essence.eq_ignore_ascii_case("application/json") {
        return refuse("only application/json is taken");
    }
    if !range.utf8 {
        return refuse("only the charset utf-8 is taken");
    }
    let coded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|v| v != "identity");
    if coded {
        refuse("send the body without content encoding")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(value: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, value.parse().unwrap());
        Media::accepted(&headers).ok()
    }

    #[test]
    fn the_best_acceptable_type_is_chosen() {
        let (graphql, json) = (Some(Media::GraphqlResponse), Some(Media::Json));
        for (accept, expected) in [
            ("application/graphql-response+json", graphql),
            (
                "application/graphql-response+json; charset=utf-8, application/json;q=0.9",
                graphql,
            ),
            (
                "application/json;q=0.5, application/graphql-response+json;q=0.6",
                graphql,
            ),
            ("application/json, application/graphql-response+json", json),
            ("*/*", json),
            ("text/html, application/xhtml+xml, */*;q=0.8", json),
            ("APPLICATION/JSON", json),
            ("application/json;charset=iso-8859-1", None),
            ("application/json;q=0", None),
            ("text/html", None),
            ("image/png;q=zwei", None),
            ("", None),
        ] {
            assert_eq!(accepted(accept), expected, "{accept}");
        }
        assert_eq!(Media::accepted(&HeaderMap::new()).ok(), json);
    }

    #[test]
    fn only_json_bodies_are_taken() {
        let check = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            check_body_type(&headers).is_ok()
        };
        for good in [
            "application/json",
            "application/json; charset=UTF-8",
            "Application/JSON;charset=\"utf-8\"",
        ] {
            assert!(check(good), "{good}");
        }
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "",
            "application/json; charset=latin1",
            "application/graphql",
            "text/plain; application/json",
        ] {
            assert!(!check(bad), "{bad}");
        }
        assert!(check_body_type(&HeaderMap::new()).is_err());
    }
}
