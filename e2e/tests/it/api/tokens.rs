//! Who is not let in, and what they are told.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::path::Path;

use e2e::Response;
use hyper::Method;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use super::support::{
    World, ask, code, command, done, merged, place_input, problems, world, world_with,
};

async fn with_header(world: &World, authorization: &str) -> Response {
    let headers = [
        ("content-type", "application/json"),
        ("authorization", authorization),
    ];
    let body = json!({ "query": "{ storeBoard { count } }" }).to_string();
    let nobody = world.program.api("");
    let answer = nobody.request(Method::POST, "/graphql", &headers, body);
    answer.await.unwrap()
}

fn encoded(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// Tokens that nobody should believe, made of a good one.
fn forged(good: &str) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = good.split('.').collect();
    let decode = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let header = decode(parts[0]);
    let mut claims = decode(parts[1]);
    let with = |name: &str, value: &str| {
        let mut header = header.clone();
        header[name] = json!(value);
        encoded(&header)
    };
    claims["role"] = json!("admin");
    let raised = encoded(&claims);
    vec![
        ("raised role", format!("{}.{raised}.{}", parts[0], parts[2])),
        ("alg none", format!("{}.{raised}.", with("alg", "none"))),
        (
            "alg None, signed",
            format!("{}.{raised}.{}", with("alg", "None"), parts[2]),
        ),
        (
            "alg HS256",
            format!("{}.{raised}.{}", with("alg", "HS256"), parts[2]),
        ),
        (
            "alg RS256",
            format!("{}.{raised}.{}", with("alg", "RS256"), parts[2]),
        ),
        (
            "unknown key",
            format!(
                "{}.{}.{}",
                with("kid", "../../etc/passwd"),
                parts[1],
                parts[2]
            ),
        ),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("cut short", good[..good.len() - 4].to_owned()),
        ("garbage", "not.a.token".to_owned()),
        ("one word", "x".to_owned()),
        (
            "deep header",
            format!(
                "{}.{raised}.{}",
                URL_SAFE_NO_PAD.encode("[".repeat(3_000)),
                parts[2]
            ),
        ),
        ("very long", "x".repeat(20_000)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_good_token_is_let_in() {
    let world = world().await;
    let good = world.program.token("auditor", &[]);
    assert_eq!(
        with_header(&world, &format!("Bearer {good}")).await.status,
        200
    );
    let mut bad: Vec<(&str, String)> = forged(&good)
        .into_iter()
        .map(|(name, token)| (name, format!("Bearer {token}")))
        .collect();
    let basic = "Basic b3BzOm9wcw==".to_owned();
    bad.extend([
        ("another scheme", basic),
        ("no scheme", good.clone()),
        ("two tokens", format!("Bearer {good}, Bearer {good}")),
        ("not ASCII", "Bearer ก".to_owned()),
        ("empty", String::new()),
        ("no token", "Bearer".to_owned()),
    ]);
    for (name, header) in &bad {
        let answer = with_header(&world, header).await;
        // A header as long as this one may also be too long for HTTP itself.
        if *name == "very long" && answer.status == 431 {
            continue;
        }
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(code(&answer), "UNAUTHENTICATED", "{name}");
        assert_eq!(answer.json()["code"], "AUTH-001", "{name}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer realm=\"ledger\""), "{name}");
    }
    let nobody = world.program.api("");
    let query = "{ storeBoard { count } }";
    let answer = nobody.try_graphql(query, &json!({})).await.unwrap();
    assert_eq!(
        (answer.status, code(&answer).as_str()),
        (401, "UNAUTHENTICATED")
    );
    world.assert_unharmed().await;
}

/// Signs any claims with the ledger's own key.
fn signed(keys: &Path, header: &Value, claims: &Value) -> String {
    let file = std::fs::read_dir(keys).unwrap().next().unwrap().unwrap();
    let document = std::fs::read(file.path()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document).unwrap();
    let text = format!("{}.{}", encoded(header), encoded(claims));
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(text.as_bytes()));
    format!("{text}.{signature}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_well_signed_token_must_also_make_sense() {
    let keys = tempfile::tempdir().unwrap();
    let world = world_with([(
        "LEDGER_AUTH_LOCAL_KEYS_DIR",
        keys.path().display().to_string(),
    )])
    .await;
    let good = world.program.token("auditor", &[]);
    let header: Value = serde_json::from_slice(
        &URL_SAFE_NO_PAD
            .decode(good.split('.').next().unwrap())
            .unwrap(),
    )
    .unwrap();
    let now = chrono::Utc::now().timestamp();
    let claims =
        json!({ "sub": "me", "role": "store-staff", "stores": ["CFR001"], "exp": now + 600 });
    let answer = |more: Value| {
        let token = signed(keys.path(), &header, &merged(&claims, more));
        let world = &world;
        async move { with_header(world, &format!("Bearer {token}")).await }
    };
    assert_eq!(answer(json!({})).await.status, 200);
    assert_eq!(
        answer(json!({ "exp": now - 5 })).await.status,
        200,
        "clocks differ"
    );
    for (more, word) in [
        (json!({ "exp": now - 60 }), "expired"),
        (json!({ "exp": null }), "claims"),
        (json!({ "exp": "tomorrow" }), "claims"),
        (json!({ "exp": 1e300 }), "claims"),
        (json!({ "exp": -1 }), "claims"),
        (json!({ "nbf": now + 600 }), "not valid yet"),
        (json!({ "role": "king" }), "claims"),
        (json!({ "role": "system" }), "claims"),
        (json!({ "role": null }), "claims"),
        (json!({ "stores": [] }), "claims"),
        (json!({ "stores": null }), "claims"),
        (json!({ "stores": "CFR001" }), "claims"),
        (json!({ "stores": ["CFR001", "x"] }), "claims"),
        (json!({ "sub": "" }), "claims"),
        (json!({ "sub": "a\u{0}b" }), "claims"),
        (json!({ "sub": "x".repeat(101) }), "claims"),
    ] {
        let answer = answer(more.clone()).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (401, "UNAUTHENTICATED"),
            "{more}"
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(word), "{more}: {detail}");
    }
    world.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tokens_scope_narrows_its_role() {
    let keys = tempfile::tempdir().unwrap();
    let directory = keys.path().display().to_string();
    let world = world_with([("LEDGER_AUTH_LOCAL_KEYS_DIR", directory)]).await;
    let header = world.program.token("ops", &[]);
    let header = URL_SAFE_NO_PAD
        .decode(header.split('.').next().unwrap())
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let exp = chrono::Utc::now().timestamp() + 600;
    let api = |scope: &str| {
        let claims = json!({ "sub": "me", "role": "ops", "exp": exp, "scope": scope });
        world.program.api(&signed(keys.path(), &header, &claims))
    };
    let refused = command(&api("orders:read"), "placeOrder", place_input(json!({}))).await;
    assert_eq!(problems(&refused), [("AUTH_002".into(), String::new())]);
    let answer = ask(&api("profile"), "{ storeBoard { count } }", json!({})).await;
    assert_eq!(code(&answer), "FORBIDDEN");
    done(&api("orders:write"), "placeOrder", place_input(json!({}))).await;
}
