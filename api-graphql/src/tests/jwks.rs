//! The key set: what is used of it, and how it behaves when its server does not.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::{Router, http::StatusCode, routing::get};
use jsonwebtoken::Algorithm;

use super::*;

const ED_JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed-1","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// A key set server that counts its calls and can be told to fail.
struct Provider {
    calls: Arc<AtomicUsize>,
    down: Arc<AtomicBool>,
    url: String,
}

async fn provider() -> Provider {
    let (calls, down) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let (seen, failing) = (Arc::clone(&calls), Arc::clone(&down));
    let app = Router::new().route(
        "/keys",
        get(move || async move {
            seen.fetch_add(1, Ordering::SeqCst);
            match failing.load(Ordering::SeqCst) {
                true => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
                false => (StatusCode::OK, format!(r#"{{"keys":[{ED_JWK}]}}"#)),
            }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Provider { calls, down, url }
}

#[tokio::test]
async fn a_known_key_is_fetched_once() {
    let provider = provider().await;
    let jwks = Jwks::new(&provider.url).unwrap();
    for _ in 0..5 {
        jwks.find(Some("ed-1"), Algorithm::EdDSA).await.unwrap();
    }
    assert_eq!(provider.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn unknown_keys_cannot_be_used_to_hammer_the_provider() {
    let provider = provider().await;
    let jwks = Jwks::new(&provider.url).unwrap();
    for i in 0..50 {
        let found = jwks
            .find(Some(&format!("made-up-{i}")), Algorithm::EdDSA)
            .await;
        assert_eq!(found.unwrap_err(), AuthError::UnknownKey);
    }
    assert_eq!(provider.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn kept_keys_outlive_a_provider_that_is_down() {
    let provider = provider().await;
    let jwks = Jwks::new(&provider.url).unwrap();
    jwks.find(Some("ed-1"), Algorithm::EdDSA).await.unwrap();
    provider.down.store(true, Ordering::SeqCst);
    age(&jwks, FRESH_FOR + Duration::from_secs(1)).await;
    jwks.find(Some("ed-1"), Algorithm::EdDSA).await.unwrap();
    age(&jwks, USABLE_FOR + Duration::from_secs(1)).await;
    let too_old = jwks.find(Some("ed-1"), Algorithm::EdDSA).await;
    assert_eq!(too_old.unwrap_err(), AuthError::KeysUnavailable);
}

/// Makes the kept set look as if it had been fetched `age` ago.
async fn age(jwks: &Jwks, age: Duration) {
    let keys = jwks.0.set.read().unwrap().as_ref().unwrap().keys.clone();
    let Some(fetched) = Instant::now().checked_sub(age) else {
        return;
    };
    *jwks.0.set.write().unwrap() = Some(Arc::new(KeySet { keys, fetched }));
    *jwks.0.last_attempt.lock().await = None;
}

#[tokio::test]
async fn a_provider_that_was_never_there_is_unavailable() {
    let jwks = Jwks::new("http://127.0.0.1:9/keys").unwrap();
    assert_eq!(
        jwks.find(Some("x"), Algorithm::EdDSA).await.unwrap_err(),
        AuthError::KeysUnavailable
    );
}

#[test]
fn only_https_or_this_machine() {
    for good in [
        "https://id.example/keys",
        "http://127.0.0.1:8443/keys",
        "http://localhost/keys",
        "http://[::1]:1/k",
    ] {
        assert!(allowed(good).is_ok(), "{good}");
    }
    for bad in [
        "http://id.example/keys",
        "http://127.0.0.1.evil.example/",
        "ftp://localhost/",
        "/keys",
        "",
        "http://",
    ] {
        assert!(allowed(bad).is_err(), "{bad}");
    }
}

#[test]
fn only_signing_keys_of_our_algorithms_are_used() {
    let others = r#"{"keys":[
        {"kty":"oct","kid":"hmac","alg":"HS256","k":"c2VjcmV0"},
        {"kty":"OKP","crv":"Ed25519","kid":"enc","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty":"RSA","kid":"ps","alg":"PS256","n":"AQAB","e":"AQAB"}]}"#;
    assert!(matches!(parse(others.as_bytes()), Err(JwksError::NoKeys)));
    assert!(parse(b"[]").is_err());
    assert_eq!(
        parse(format!(r#"{{"keys":[{ED_JWK}]}}"#).as_bytes())
            .unwrap()
            .len(),
        1
    );
}
