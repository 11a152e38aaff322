//! What may be kept of an answer, what a repeated question costs, and how answers are made small.

use std::fmt::Write as _;

use async_compression::tokio::write::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use e2e::{Api, Response, eventually};
use hyper::{Method, header::HeaderValue};
use serde_json::{Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::support::{done, input, placed, world};

const FOR_GOOD: &str = "private, max-age=31536000, immutable";
const ASKED_AGAIN: &str = "private, no-cache";
const BY_NOBODY: &str = "private, no-store";

async fn get(api: &Api, query: &str, headers: &[(&str, &str)]) -> Response {
    let mut path = String::from("/graphql?query=");
    for byte in query.bytes() {
        // Writing to a string does not fail.
        let _ = write!(path, "%{byte:02X}");
    }
    api.request(Method::GET, &path, headers, "").await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    let value = response.headers.get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_still_right_is_not_sent_again() {
    let world = world().await;
    let (id, receipt) = placed(&world.admin, json!({})).await;
    let position = &receipt["position"];
    let query = format!(
        "{{ order(id: \"{id}\", fresh: {{ minPosition: {position}, waitMs: 1000 }}) {{ status version }} }}"
    );
    let first = get(&world.admin, &query, &[]).await;
    assert_eq!(first.status, 200);
    assert_eq!(header(&first, "cache-control"), ASKED_AGAIN);
    let tag = header(&first, "etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    for named in [&tag, &tag[2..], &format!("\"other\", {tag}"), "*"] {
        let again = get(&world.admin, &query, &[("if-none-match", named)]).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{named}");
        assert_eq!(header(&again, "etag"), tag);
        assert_eq!(header(&again, "vary"), header(&first, "vary"));
    }
    done(
        &world.admin,
        "cancelOrder",
        input(&id, json!({ "reason": "customer" })),
    )
    .await;
    eventually("the cancelled order", || async {
        let now = get(&world.admin, &query, &[("if-none-match", &tag)]).await;
        (now.status == 200).then(|| assert_ne!(header(&now, "etag"), tag))
    })
    .await;
    // What is sent by POST is answered whole, and kept by nobody.
    let posted = world.admin.try_graphql(&query, &Value::Null).await.unwrap();
    assert_eq!(header(&posted, "cache-control"), BY_NOBODY);
    assert_eq!(header(&posted, "etag"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_kept_for_good_but_for_persons() {
    let world = world().await;
    let contact = json!({ "name": "A customer" });
    let (id, receipt) = placed(&world.admin, json!({ "contact": contact })).await;
    let position = &receipt["position"];
    let fresh = format!("fresh: {{ minPosition: {position}, waitMs: 1000 }}");
    let past = |moment: &str, fields: &str| {
        format!("order(id: \"{id}\", asOf: {{ {moment} }}) {{ {fields} }}")
    };
    let position = format!("position: {position}");
    for (query, expected) in [
        (past("version: 1", "status lines { sku }"), FOR_GOOD),
        (past(&position, "status allowedCommands"), FOR_GOOD),
        (past("version: 1", "history { nodes { type } }"), FOR_GOOD),
        // Before it was placed: that stays so too, but nothing was found that says it.
        (past("version: 0", "status"), ASKED_AGAIN),
        // A time to come is now.
        (
            past("time: \"2999-01-01T00:00:00Z\"", "status"),
            ASKED_AGAIN,
        ),
        // A person may be erased from the past as well.
        (past("version: 1", "status contact { name }"), BY_NOBODY),
        (
            format!("order(id: \"{id}\", {fresh}) {{ contact {{ name }} }}"),
            BY_NOBODY,
        ),
        // As long as the shortest-lived of its fields.
        (
            format!("{} projections {{ name }}", past("version: 1", "status")),
            ASKED_AGAIN,
        ),
    ] {
        let query = format!("{{ {query} }}");
        let answer = get(&world.admin, &query, &[]).await;
        assert_eq!(answer.json()["errors"], Value::Null, "{query}");
        assert_eq!(header(&answer, "cache-control"), expected, "{query}");
        assert_eq!(
            header(&answer, "etag").is_empty(),
            expected == BY_NOBODY,
            "{query}"
        );
    }
    let failed = get(
        &world.admin,
        &format!("{{ {} }}", past("version: 99", "status")),
        &[],
    )
    .await;
    assert_eq!(
        header(&failed, "etag").is_empty(),
        !failed.json()["errors"].is_null()
    );
}

async fn plain(encoding: &str, body: &[u8]) -> Vec<u8> {
    async fn decoded<D: AsyncWrite + Unpin>(mut decoder: D, body: &[u8]) -> D {
        decoder.write_all(body).await.unwrap();
        decoder.shutdown().await.unwrap();
        decoder
    }
    match encoding {
        "br" => decoded(BrotliDecoder::new(Vec::new()), body)
            .await
            .into_inner(),
        "zstd" => decoded(ZstdDecoder::new(Vec::new()), body)
            .await
            .into_inner(),
        "gzip" => decoded(GzipDecoder::new(Vec::new()), body)
            .await
            .into_inner(),
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_made_small_for_whoever_takes_it() {
    let world = world().await;
    let mut newest = Value::Null;
    for _ in 0..20 {
        newest = placed(&world.admin, json!({})).await.1["position"].clone();
    }
    let query = format!(
        "{{ orders(first: 20, fresh: {{ minPosition: {newest}, waitMs: 1000 }}) {{ edges {{ node {{
        id number status placedAt totals {{ orderTotal }} lines {{ sku quantity }} }} }} }} }}"
    );
    let whole = get(&world.admin, &query, &[]).await;
    assert_eq!(header(&whole, "content-encoding"), "");
    assert!(whole.body.len() > 4_000);
    for encoding in ["br", "zstd", "gzip"] {
        let small = get(&world.admin, &query, &[("accept-encoding", encoding)]).await;
        assert_eq!(header(&small, "content-encoding"), encoding);
        let mut vary = small.headers.get_all("vary").iter();
        let names = |value: &HeaderValue| {
            let value = value.to_str().unwrap().to_ascii_lowercase();
            value.contains("accept-encoding")
        };
        assert!(vary.any(names), "{:?}", small.headers);
        assert!(
            small.body.len() * 3 < whole.body.len(),
            "{encoding}: {}",
            small.body.len()
        );
        let read: Value = serde_json::from_slice(&plain(encoding, &small.body).await).unwrap();
        assert_eq!(read["data"], whole.json()["data"], "{encoding}");
    }
    // Too small to be worth it.
    let short = get(
        &world.admin,
        "{ projections { name } }",
        &[("accept-encoding", "gzip")],
    )
    .await;
    assert_eq!(header(&short, "content-encoding"), "");
    // A page of the feed has a strong tag, which no longer fits once it is compressed.
    let feed = "/v1/events?limit=10";
    let headers = [("accept-encoding", "zstd")];
    let page = world
        .admin
        .request(Method::GET, feed, &headers, "")
        .await
        .unwrap();
    assert_eq!(header(&page, "content-encoding"), "zstd");
    assert!(
        header(&page, "etag").starts_with("W/\""),
        "{:?}",
        page.headers
    );
    let headers = [("if-none-match", header(&page, "etag")), headers[0]];
    let again = world
        .admin
        .request(Method::GET, feed, &headers, "")
        .await
        .unwrap();
    assert_eq!(again.status, 304);
}
