//! The parameters of a GraphQL request, from a JSON body or a query string.

use async_graphql::Variables;
use axum::{extract::Query, http::Uri};
use serde_json::{Map, Value};
use store::hash::unhex;

use super::{persisted::Named, problem::HttpProblem};

/// A request as the GraphQL-over-HTTP draft defines it. `extensions` must be an object; `persistedQuery` is known.
#[derive(Debug, Default)]
pub(super) struct Params {
    /// Empty until it is found where the operation is named by its hash.
    pub(super) query: String,
    /// The operation's name by hash.
    pub(super) named: Option<Named>,
    /// Whether the text came with its hash, which is the text's.
    pub(super) is_new: bool,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
}

impl Params {
    /// From the body of a POST.
    pub(super) fn from_body(body: &[u8]) -> Result<Self, HttpProblem> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Self::from_map(fields),
            Ok(Value::Array(_)) => Err(HttpProblem::batch()),
            Ok(_) => Err(HttpProblem::bad_request("the body must be a JSON object")),
            // serde_json's messages name the place, never the content.
            Err(error) => Err(HttpProblem::bad_request(format!(
                "the body is not JSON: {error}"
            ))),
        }
    }

    /// From the query string of a GET: `variables` and `extensions` are JSON in text.
    pub(super) fn from_uri(uri: &Uri) -> Result<Self, HttpProblem> {
        let bad = |what: &str| HttpProblem::bad_request(what.to_owned());
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| bad("the query string cannot be read"))?;
        let mut fields = Map::new();
        for (name, text) in pairs {
            let value = match name.as_str() {
                "query" | "operationName" => Value::String(text),
                "variables" | "extensions" => serde_json::from_str(&text).map_err(|error| {
                    HttpProblem::bad_request(format!("`{name}` is not JSON: {error}"))
                })?,
                _ => continue,
            };
            fields.insert(name, value);
        }
        Self::from_map(fields)
    }

    /// From an object of its parameters.
    pub(super) fn from_map(mut fields: Map<String, Value>) -> Result<Self, HttpProblem> {
        let bad = |what: &str| HttpProblem::bad_request(what);
        let extensions = match fields.remove("extensions") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(extensions)) => extensions,
            Some(_) => return Err(bad("`extensions` must be an object")),
        };
        let named = named(&extensions)?;
        let query = match fields.remove("query") {
            Some(Value::String(query)) if !query.trim().is_empty() => query,
            Some(Value::String(_)) | None | Some(Value::Null) if named.is_some() => String::new(),
            Some(Value::String(_)) | None | Some(Value::Null) => {
                return Err(bad("`query` is missing"));
            }
            Some(_) => return Err(bad("`query` must be a string")),
        };
        let operation_name = match fields.remove("operationName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|n| !n.is_empty()),
            Some(_) => return Err(bad("`operationName` must be a string")),
        };
        let variables = match fields.remove("variables") {
            None | Some(Value::Null) => Variables::default(),
            Some(object @ Value::Object(_)) => Variables::from_json(object),
            Some(_) => return Err(bad("`variables` must be an object")),
        };
        Ok(Self {
            query,
            named,
            is_new: false,
            operation_name,
            variables,
        })
    }
}

/// What `extensions.persistedQuery` names, after Apollo's protocol.
fn named(extensions: &Map<String, Value>) -> Result<Option<Named>, HttpProblem> {
    let asked = match extensions.get("persistedQuery") {
        None | Some(Value::Null) => return Ok(None),
        Some(asked) => asked,
    };
    if asked.get("version").and_then(Value::as_u64) != Some(1) {
        return Ok(Some(Named::Unknown));
    }
    let hash = asked.get("sha256Hash").and_then(Value::as_str);
    hash.and_then(unhex)
        .map(|hash| Some(Named::Sha256(hash)))
        .ok_or_else(|| {
            HttpProblem::bad_request(
                "`extensions.persistedQuery.sha256Hash` must be 64 hexadecimal digits",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_or_refused_with_a_reason() {
        let read = |body: &str| Params::from_body(body.as_bytes()).map_err(|p| p.reason());
        assert_eq!(
            read(r#"{"query":"{a}","query":"{b}","more":1}"#)
                .unwrap()
                .query,
            "{b}"
        );
        assert_eq!(
            read(r#"[{"query":"{a}"}]"#).unwrap_err(),
            "BATCH_NOT_SUPPORTED"
        );
        let deep = format!(
            r#"{{"query":"{{a}}","variables":{}1{}}}"#,
            "[".repeat(500),
            "]".repeat(500)
        );
        for bad in [
            "",
            "null",
            "7",
            "{",
            r#"{"query":7}"#,
            r#"{"query":""}"#,
            "{}",
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","operationName":{}}"#,
            r#"{"query":"{a}","extensions":"x"}"#,
            r#"{"query":"{a}","variables":{"n":1e400}}"#,
            r#"{"query":"{a}","variables":{"n":NaN}}"#,
            &deep,
            "\u{0}",
        ] {
            assert_eq!(read(bad).unwrap_err(), "BAD_REQUEST", "{bad}");
        }
        assert!(Params::from_body(b"{\"query\":\"\xff\"}").is_err());
    }

    #[test]
    fn query_strings_are_read() {
        let read = |uri: &str| Params::from_uri(&uri.parse().unwrap());
        let params =
            read("/graphql?query=%7Ba%7D&variables=%7B%22x%22:1%7D&operationName=").unwrap();
        assert_eq!(
            (params.query.as_str(), params.operation_name),
            ("{a}", None)
        );
        assert!(read("/graphql?query=%7Ba%7D&variables=x").is_err());
        assert!(read("/graphql").is_err());
    }
}
