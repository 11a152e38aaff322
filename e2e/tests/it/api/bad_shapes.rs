//! Inputs whose shape is wrong: nothing is executed, and the field at fault is named by its path.

use serde_json::{Value, json};

use super::{
    good::good,
    support::{ask, cell, code, merged, mutation, place_input, rows, with_line, world},
};

/// What is changed of a good order, and the path that is named.
const SHAPES: &str = r#"
    {"colour": "red"}                                    | colour
    {"commandId": "7"}                                   | commandId
    {"commandId": null}                                  | commandId
    {"storeId": 7}                                       | storeId
    {"storeId": null}                                    | storeId
    {"storeId": ["CFR001"]}                              | storeId
    {"isForceAllocation": "yes"}                         | isForceAllocation
    {"isForceAllocation": 1}                             | isForceAllocation
    {"lines": null}                                      | lines
    {"lines": [null]}                                    | lines[0]
    {"lines": "all"}                                     | lines
    {"lines": {}}                                        | lines.lineNumber
    {"contact": []}                                      | contact
    {"contact": {"address": {"city": "กรุงเทพ"}}}          | contact.address.line1
    {"requestedSlot": {"from": "today"}}                 | requestedSlot.from
    {"requestedSlot": {"from": "today"}}                 | requestedSlot.to
    {"promisedAt": "2026-02-30T00:00:00Z"}               | promisedAt
    {"promisedAt": 1767225600}                           | promisedAt
    {"expectedTotal": 169}                               | expectedTotal
    {"expectedTotal": "NaN"}                             | expectedTotal
    {"expectedTotal": "1e400"}                           | expectedTotal
    {"expectedTotal": "-Infinity"}                       | expectedTotal
    {"expectedTotal": "1000000000000000000"}             | expectedTotal
"#;

/// The same of a good line.
const LINES: &str = r#"
    {"quantity": 1}                                      | quantity
    {"quantity": "๑"}                                    | quantity
    {"quantity": "1.00001"}                              | quantity
    {"quantity": "0x1"}                                  | quantity
    {"quantity": "1\u0000"}                              | quantity
    {"quantity": ""}                                     | quantity
    {"unitPrice": "1000000000000000000"}                 | unitPrice
    {"unitPrice": "1e3"}                                 | unitPrice
    {"lineNumber": 2147483648}                           | lineNumber
    {"lineNumber": 18446744073709551615}                 | lineNumber
    {"lineNumber": 99999999999999999999999}              | lineNumber
    {"lineNumber": 1e300}                                | lineNumber
    {"lineNumber": 1.5}                                  | lineNumber
    {"lineNumber": "1"}                                  | lineNumber
    {"pack": {"unitPrice": "1", "ordered": 1}}           | pack.unitsPerPack
"#;

/// A command, what is changed of its good input, and the path that is named.
const COMMANDS: &str = r#"
    collectCash           | {"amount": 169}                                   | amount
    collectCash           | {"proof": "photo"}                                | proof
    collectCash           | {"proof": {"photo": 7}}                           | proof.photo
    collectCash           | {"proof": {"place": "x"}}                         | proof.place
    collectCash           | {"collectedAt": "yesterday"}                      | collectedAt
    collectCash           | {"partnerId": null}                               | partnerId
    changeLines           | {"expectedVersion": "1"}                          | expectedVersion
    changeLines           | {"lines": [{"lineNumber": 1}]}                    | lines[0].quantity
    reportShort           | {"lines": [{"lineNumber": 1, "quantity": 0}]}     | lines[0].quantity
    proposeSubstitution   | {"unitPrice": "1e3"}                              | unitPrice
    proposeSubstitution   | {"lineNumber": "1"}                               | lineNumber
    decideSubstitution    | {"approve": "yes"}                                | approve
    requestReturn         | {"lines": [{"lineNumber": 1.5, "quantity": "1"}]} | lines[0].lineNumber
    requestReturn         | {"refundFees": 1}                                 | refundFees
    defineBundle          | {"definition": null}                              | definition
    defineBundle          | {"definition": {}}                                | definition.components
    reviseBundle          | {"definition": {"pricing": {}}}                   | definition.pricing
    reviseBundle          | {"definition": {"pricing": {"fixedPrice": "1", "percentOff": "1"}}} | definition.pricing
    reviseBundle          | {"definition": {"pricing": {"freeComponents": ["0"]}}} | definition.pricing.freeComponents[0]
    openStore             | {"profile": {"opening": "2026-02-30"}}            | profile.opening
    openStore             | {"profile": {"hours": {"from": 1.5, "to": 2}}}    | profile.hours.from
    changeStore           | {"profile": {"codLimit": 3000}}                   | profile.codLimit
    reportRemittance      | {"businessDay": "31.01.2026"}                     | businessDay
    reportRemittance      | {"businessDay": "2026-01-31T00:00:00Z"}           | businessDay
    reportRemittance      | {"items": [{"reference": "x"}]}                   | items[0].amount
    resolveRemittanceItem | {"resolution": "MAYBE"}                           | resolution
    depositCash           | {"remittanceId": 7.5}                             | remittanceId
    submitOrder           | {"source": null}                                  | source
    submitOrder           | {"lines": [{"bundle": {"refId": "B"}}]}           | lines[0].bundle.bundleId
    submitOrder           | {"commandId": "0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11"} | commandId
    redriveDeadLetter     | {"corrected": {"lines": []}}                      | corrected.channel
    forgetCustomer        | {"customerId": 7}                                 | customerId
"#;

#[tokio::test(flavor = "multi_thread")]
async fn inputs_of_every_command_are_checked_by_shape() {
    let world = world().await;
    let nobody = "0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11";
    for [field, change, path] in rows(COMMANDS) {
        let input = merged(&good(field, nobody, nobody), cell(change));
        let answer = ask(&world.admin, &mutation(field), json!({ "input": input })).await;
        let body = answer.json();
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (400, "INVALID_INPUT"),
            "{field} {change}: {body}"
        );
        let mut errors = body["errors"].as_array().unwrap().iter();
        let path = json!(format!("input.{path}"));
        assert!(
            errors.any(|e| e["extensions"]["inputPath"] == path),
            "{path} in {body}"
        );
    }
    world.assert_nothing_written().await;
}

fn shapes() -> Vec<(Value, String)> {
    let order = |[change, path]: [&str; 2]| (cell(change), format!("input.{path}"));
    let line =
        |[fields, path]: [&str; 2]| (with_line(cell(fields)), format!("input.lines[0].{path}"));
    let mut all: Vec<_> = rows(SHAPES)
        .map(order)
        .chain(rows(LINES).map(line))
        .collect();
    let long = json!({ "expectedTotal": "9".repeat(5_000) });
    all.push((long, "input.expectedTotal".to_owned()));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_of_a_wrong_shape_are_named_by_path() {
    let world = world().await;
    for (change, path) in shapes() {
        let variables = json!({ "input": place_input(change.clone()) });
        let answer = ask(&world.admin, &mutation("placeOrder"), variables).await;
        let answer_body = answer.json();
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (400, "INVALID_INPUT"),
            "{change}: {answer_body}"
        );
        let paths: Vec<&Value> = answer_body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["extensions"]["inputPath"])
            .collect();
        assert!(paths.contains(&&json!(path)), "{path} in {paths:?}");
    }
    for (variables, path) in [
        (json!({}), "$input"),
        (json!({ "input": 7 }), "input"),
        (json!({ "input": null }), "$input"),
    ] {
        let answer = ask(&world.admin, &mutation("placeOrder"), variables.clone()).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (400, "INVALID_INPUT"),
            "{variables}"
        );
        assert_eq!(
            answer.json()["errors"][0]["extensions"]["inputPath"],
            path,
            "{variables}"
        );
    }
    // Every mistake at once, up to a bound.
    let lines: Vec<Value> = (0..500)
        .map(|n| json!({ "lineNumber": "x", "colour": n }))
        .collect();
    let variables = json!({ "input": place_input(json!({ "lines": lines })) });
    let answer = ask(&world.admin, &mutation("placeOrder"), variables).await;
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 20);
    world.assert_nothing_written().await;
}
