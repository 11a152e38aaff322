//! The event feed over a running ledger: the whole log in pages, and to each caller what is theirs.

use e2e::{Api, Response, orders};
use serde_json::{Value, json};

use super::support::{World, command, done, input, place_input, placed, rows, text, world};

/// Follows `Link: rel=next` from an address to the end of the log.
async fn walk(api: &Api, start: &str) -> Vec<Response> {
    let mut pages = Vec::new();
    let mut path = start.to_owned();
    for _ in 0..200 {
        let page = api.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {}", text(&page));
        path = next(&page);
        let settled = header(&page, "cache-control").contains("immutable");
        pages.push(page);
        if !settled {
            return pages;
        }
    }
    panic!("{start} does not end")
}

fn header<'a>(page: &'a Response, name: &str) -> &'a str {
    page.headers.get(name).map_or("", |v| v.to_str().unwrap())
}

fn next(page: &Response) -> String {
    let link = header(page, "link");
    let target = link.strip_prefix('<').and_then(|l| l.split_once('>'));
    target.unwrap_or_else(|| panic!("{link}")).0.to_owned()
}

fn events(pages: &[Response]) -> Vec<Value> {
    let all = pages.iter().map(|page| page.json());
    all.flat_map(|page| page.as_array().unwrap().clone())
        .collect()
}

/// Two orders, one in each store, the first with somebody's contact and paid.
async fn trade(world: &World) -> (String, String) {
    let contact = serde_json::to_value(orders::contact()).unwrap();
    let (first, _) = placed(&world.admin, json!({ "contact": contact })).await;
    done(&world.admin, "allocateOrder", input(&first, json!({}))).await;
    let payment = json!({ "method": "COD", "amount": "169.00" });
    done(&world.admin, "payOrder", input(&first, payment)).await;
    let (second, _) = placed(&world.admin, json!({ "storeId": "CFR002" })).await;
    (first, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_is_the_log_page_by_page() {
    let world = world().await;
    let (first, _) = trade(&world).await;
    let log = world.database.log().await;
    let stored = log.page(store::Position::START, 1_000).await.unwrap();
    let pages = walk(&world.admin, "/v1/events?limit=3").await;
    let seen = events(&pages);
    assert_eq!(seen.len(), stored.len());
    for (event, recorded) in seen.iter().zip(&stored) {
        assert_eq!(event["position"], recorded.position.to_string());
        assert_eq!(event["id"], recorded.event_id.to_string());
        assert_eq!(event["type"], recorded.event_type);
        assert_eq!(event["subject"], recorded.aggregate_id);
        assert_eq!(event["source"], "/ledger/local");
        assert_eq!(event["specversion"], "1.0");
    }
    let raw: String = pages.iter().map(text).collect();
    for recorded in &stored {
        let data = format!("\"data\":{}}}", recorded.payload);
        assert!(raw.contains(&data), "{} byte for byte", recorded.position);
    }
    assert!(raw.contains("\"sealed\":"));
    for secret in ["สมหญิง", "+66800000042", "somying.secret", "Hidden Lane"] {
        assert!(!raw.contains(secret), "{secret}");
    }
    // The same cursor is the same page, and who has it need not read it again.
    let again = walk(&world.admin, "/v1/events?limit=3").await;
    for (page, same) in pages.iter().zip(&again) {
        assert_eq!(page.body, same.body);
    }
    let tag = header(&pages[0], "etag");
    let path = "/v1/events?limit=3";
    let known = world
        .admin
        .request(hyper::Method::GET, path, &[("if-none-match", tag)], "")
        .await
        .unwrap();
    assert_eq!((known.status, known.body.len()), (304, 0));

    let types = "/v1/events?types=order.paid,order.allocated&limit=1";
    let some = events(&walk(&world.admin, types).await);
    let kinds: Vec<&str> = some.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["order.allocated", "order.paid"]);
    assert!(some.iter().all(|e| e["subject"] == first.as_str()));
    world.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_sees_the_events_of_their_stores() {
    let world = world().await;
    let (first, second) = trade(&world).await;
    let mut letter = place_input(json!({ "source": "s", "messageId": "m-1", "storeId": "CFR777" }));
    letter.as_object_mut().unwrap().remove("commandId");
    let kept = command(&world.admin, "submitOrder", letter).await;
    assert_eq!(kept["deadLetter"]["outcome"], "REJECTED");
    let subjects = async |api: &Api, path: &str| {
        let mut subjects: Vec<String> = events(&walk(api, path).await)
            .iter()
            .map(|e| e["subject"].as_str().unwrap().to_owned())
            .collect();
        subjects.dedup();
        subjects
    };
    let manager = world.caller("store-manager", &["CFR002"]);
    assert_eq!(subjects(&manager, "/v1/events").await, [second.as_str()]);
    assert!(
        subjects(&manager, "/v1/events?store=CFR001")
            .await
            .is_empty()
    );
    let audited: i64 = sqlx::query_scalar(
        "select count(*) from access_audit where action = 'read-events' and target = 'CFR001' and reason = 'store'",
    )
    .fetch_one(&world.database.superuser_pool().await)
    .await
    .unwrap();
    assert_eq!(audited, 1);
    let of_one = subjects(&world.admin, "/v1/events?store=CFR001").await;
    assert_eq!(of_one, [first.as_str()]);
    // Dead letters are for who may place them again.
    let kinds = async |api: &Api| {
        let all = events(&walk(api, "/v1/events").await);
        all.iter()
            .any(|e| e["type"].as_str().unwrap().starts_with("intake."))
    };
    assert!(!kinds(&world.caller("auditor", &[])).await);
    assert!(kinds(&world.admin).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_read_the_feed() {
    let world = world().await;
    let table = "
        store-staff          | 403
        store-manager        | 200
        regional-coordinator | 200
        customer-service     | 403
        ops                  | 200
        admin                | 200
        auditor              | 200
        channel              | 200
        slick                | 200
        pmp                  | 200
        grab                 | 200";
    for [role, status] in rows(table) {
        let answer = world.caller(role, &["CFR001"]).get("/v1/events").await;
        assert_eq!(answer.status.to_string(), status, "{role}");
    }
    let nobody = world.program.api("").get("/v1/events").await;
    assert_eq!(nobody.status, 401);
    assert_eq!(nobody.json()["code"], "AUTH-001");
    let ahead = world.admin.get("/v1/events?after=1000").await;
    assert_eq!(
        (ahead.status, ahead.json()["code"].as_str()),
        (409, Some("FEED-002"))
    );
    world.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_waits_is_woken_by_the_commit() {
    let mut world = world().await;
    let latest = world.admin.get("/v1/events?after=latest").await;
    let cursor = header(&latest, "x-next-cursor").to_owned();
    assert_eq!(text(&latest), "[]");
    let path = format!("/v1/events?after={cursor}&wait=30");
    let (page, (order, _)) = tokio::join!(world.admin.get(&path), placed(&world.admin, json!({})));
    assert_eq!(page.json()[0]["subject"], order.as_str());
    let more = format!("{}&wait=30", next(&page).split("&wait").next().unwrap());
    let waiting = world.admin.clone();
    let waiting = tokio::spawn(async move { waiting.get(&more).await });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    // A stop does not wait for who waits.
    world.program.terminate();
    let status = world.program.wait().await;
    assert!(status.success());
    assert_eq!(text(&waiting.await.unwrap()), "[]");
}
