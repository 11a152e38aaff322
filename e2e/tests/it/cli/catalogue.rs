//! `catalogue import`: what orders are checked against and enriched from.

use e2e::{Api, Program, ProgramOptions, fresh_database, orders::place};
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::Shell;

/// The products of [`place`]; the first line's text is cut in two by the tests that need it wrong.
const PRODUCTS: &str = r#"{"sku":"8850999220017","nameTh":"ข้าวกล่อง","nameEn":"Rice box","shortDescription":"one piece","imageUrl":"https://img.example.com/rice.png","listPrice":"45.00"}

{"sku":"8850999320021","nameEn":"Sandwich"}
"#;

/// Places [`place`] with another product on its second line, where one is named; the payload.
async fn placed(api: &Api, sku: Option<&str>) -> Value {
    let query = "mutation M($input: PlaceOrderInput!) { placeOrder(input: $input) {
        order { lines { sku nameTh nameEn shortDescription imageUrl } warnings } problems { code path } } }";
    let mut order = place();
    if let Some(sku) = sku {
        order.lines[1].sku = sku.into();
    }
    let mut input = serde_json::to_value(order).unwrap();
    input["commandId"] = json!(Uuid::now_v7());
    let data = api.graphql(query, json!({ "input": input })).await;
    data["placeOrder"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_products_are_what_orders_may_sell() {
    let database = fresh_database().await.with_stores().await;
    let shell = Shell::new(Some(&database));
    let file = shell.dir.path().join("products.ndjson");
    std::fs::write(&file, PRODUCTS).unwrap();
    let imported = shell.run(&["catalogue", "import", file.to_str().unwrap()]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    assert!(
        imported.err.contains("2 products imported"),
        "{}",
        imported.err
    );

    let program = Program::start(ProgramOptions::on(&database)).await;
    let api = program.admin();
    let known = placed(&api, None).await;
    assert_eq!(known["problems"], json!([]));
    assert_eq!(known["order"]["warnings"], json!([]));
    assert_eq!(
        known["order"]["lines"],
        json!([
            { "sku": "8850999220017", "nameTh": "ข้าวกล่อง", "nameEn": "Rice box",
              "shortDescription": "one piece", "imageUrl": "https://img.example.com/rice.png" },
            { "sku": "8850999320021", "nameTh": null, "nameEn": "Sandwich",
              "shortDescription": null, "imageUrl": null },
        ])
    );
    let unknown = placed(&api, Some("8850000000103")).await;
    assert_eq!(unknown["order"], Value::Null);
    assert_eq!(
        unknown["problems"],
        json!([{ "code": "ERR_INVALID_LINE_ITEM", "path": ["input", "lines", "1", "sku"] }])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn products_come_in_from_a_pipe_and_replace_those_of_before() {
    let database = fresh_database().await;
    let shell = Shell::new(Some(&database));
    let pool = database.pool().await;
    for (name, text) in [
        ("Sandwich", PRODUCTS.to_owned()),
        (
            "Cheese sandwich",
            PRODUCTS.replace("Sandwich", "Cheese sandwich"),
        ),
    ] {
        let ended = shell.run_with_input(&["catalogue", "import", "-"], &text);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let stored: (i64, String) = sqlx::query_as(
            "select (select count(*) from product), name_en from product where sku = '8850999320021'",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(stored, (2, name.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_line_is_named_and_nothing_is_imported() {
    let database = fresh_database().await.with_stores().await;
    let shell = Shell::new(Some(&database));
    for (wrong, word) in [
        ("not a product", "line 4"),
        (r#"{"nameEn":"Nothing"}"#, "sku"),
        (r#"{"sku":""}"#, "line 4"),
        (r#"{"sku":"1","colour":"red"}"#, "colour"),
        (r#"{"sku":"1","listPrice":"0"}"#, "above zero"),
        (r#"{"sku":"1","listPrice":1.5}"#, "line 4"),
    ] {
        let text = format!("{PRODUCTS}{wrong}\n");
        let ended = shell.run_with_input(&["catalogue", "import", "-"], &text);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(7), ""),
            "{wrong}: {ended:?}"
        );
        assert!(
            ended.err.contains(word) && ended.err.contains("nothing was imported"),
            "{wrong}: {}",
            ended.err
        );
    }
    let missing = shell.run(&["catalogue", "import", "missing.ndjson"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    let count = sqlx::query_scalar::<_, i64>("select count(*) from product");
    assert_eq!(count.fetch_one(&database.pool().await).await.unwrap(), 0);
    // Without any product there is no catalogue to check against.
    let program = Program::start(ProgramOptions::on(&database)).await;
    let placed = placed(&program.admin(), Some("8850000000103")).await;
    assert_eq!(placed["problems"], json!([]));
}
