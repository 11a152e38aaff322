//! Good tokens of the three algorithms, and every bad one we can think of.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use domain::actor::StoreScope;
use jsonwebtoken::DecodingKey;
use proptest::prelude::*;
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use serde_json::{Value, json};

use super::*;

const RSA: &[u8] = include_bytes!("../auth/fixtures/rsa.pk8");
const P256: &[u8] = include_bytes!("../auth/fixtures/p256.pk8");

struct FiveRegions;

impl RegionStores for FiveRegions {
    fn stores_of(&self, region: &RegionId) -> Vec<StoreId> {
        match region.as_str() {
            "BKK-EAST" => vec![
                StoreId::new("CFR001").unwrap(),
                StoreId::new("CFR002").unwrap(),
            ],
            _ => Vec::new(),
        }
    }
}

/// Keys of all three algorithms; audience `ledger`, issuer `https://id.example`.
fn authenticator(dir: &std::path::Path) -> Authenticator {
    let config = AuthConfig {
        local_keys: Some(dir.to_owned()),
        jwks_url: None,
        issuer: Some("https://id.example".into()),
        audience: Some("ledger".into()),
    };
    Authenticator::open(config, Arc::new(FiveRegions)).unwrap()
}

fn claims() -> Value {
    let now = unix_seconds();
    json!({"sub": "somchai", "role": "store-manager", "stores": ["CFR029"], "exp": now + 600,
           "iss": "https://id.example", "aud": "ledger"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn message(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        B64.encode(header.to_string()),
        B64.encode(claims.to_string())
    )
}

/// A token signed by the local Ed25519 key.
fn ed_token(auth: &Authenticator, claims: &Value) -> String {
    let local = auth.keys.local.as_ref().unwrap().current();
    let (key, kid) = local.signing();
    let message = message(&json!({"alg": "EdDSA", "kid": kid}), claims);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

async fn try_token(auth: &Authenticator, token: &str) -> Result<Caller, AuthError> {
    auth.caller(Some(&format!("Bearer {token}"))).await
}

#[tokio::test]
async fn a_good_token_makes_a_caller() {
    let dir = tempfile::tempdir().unwrap();
    let auth = authenticator(dir.path());
    let token = ed_token(&auth, &claims());
    for _ in 0..2 {
        let caller = try_token(&auth, &token).await.unwrap();
        assert_eq!(caller.actor.id, "somchai");
        assert_eq!(caller.actor.role, Role::StoreManager);
        assert_eq!(
            caller.actor.stores,
            StoreScope::Only(vec![StoreId::new("CFR029").unwrap()])
        );
        assert_eq!(caller.scopes, Scopes::ALL);
    }
    let other_case = auth.caller(Some(&format!("bearer {token}"))).await;
    assert!(other_case.is_ok());
}

#[tokio::test]
async fn issued_tokens_verify_and_survive_a_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let auth = authenticator(dir.path());
    let request = TokenRequest {
        subject: "dev".into(),
        role: Role::Admin,
        stores: Vec::new(),
        region: None,
        scope: Some("orders:read".into()),
        load_test: false,
        lifetime: Duration::from_secs(60),
    };
    let old = auth.issue(&request).unwrap();
    LocalKeys::rotate(dir.path()).unwrap();
    let auth = authenticator(dir.path());
    let new = auth.issue(&request).unwrap();
    assert_ne!(
        decode_header(&old).unwrap().kid,
        decode_header(&new).unwrap().kid
    );
    for token in [old, new] {
        let caller = try_token(&auth, &token).await.unwrap();
        assert_eq!(caller.actor.stores, StoreScope::All);
        assert_eq!(
            caller.scopes,
            Scopes {
                read: true,
                write: false,
                events: false,
            }
        );
    }
}

#[test]
fn no_token_is_issued_for_the_ledgers_own_role() {
    let dir = tempfile::tempdir().unwrap();
    let request = TokenRequest {
        subject: "impostor".into(),
        role: Role::System,
        stores: Vec::new(),
        region: None,
        scope: None,
        load_test: false,
        lifetime: Duration::from_secs(60),
    };
    let refused = authenticator(dir.path()).issue(&request).unwrap_err();
    assert!(matches!(refused, AuthError::Claims(why) if why.contains("`system`")));
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    LocalKeys::load_or_create(dir.path()).unwrap();
    let file = std::fs::read_dir(dir.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        LocalKeys::load_or_create(dir.path()),
        Err(LocalKeyError::Exposed(_))
    ));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&file, b"not a key").unwrap();
    assert!(matches!(
        LocalKeys::load_or_create(dir.path()),
        Err(LocalKeyError::NotAKey(_))
    ));
}

#[tokio::test]
async fn bad_claims_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let auth = authenticator(dir.path());
    let now = unix_seconds();
    let cases = [
        (with("exp", json!(now - 31)), AuthError::Expired),
        (with("nbf", json!(now + 60)), AuthError::NotYetValid),
        (
            with("iss", json!("https://evil.example")),
            AuthError::WrongIssuer,
        ),
        (without("iss"), AuthError::WrongIssuer),
        (with("aud", json!("other")), AuthError::WrongAudience),
        (
            with("aud", json!(["other", "third"])),
            AuthError::WrongAudience,
        ),
        (without("aud"), AuthError::WrongAudience),
    ];
    for (claims, expected) in cases {
        assert_eq!(
            try_token(&auth, &ed_token(&auth, &claims))
                .await
                .unwrap_err(),
            expected,
            "{claims}"
        );
    }
    let unusable = [
        without("exp"),
        without("sub"),
        without("role"),
        without("stores"),
        with("role", json!("emperor")),
        with("role", json!("system")),
        with("stores", json!([])),
        with("stores", json!(["Bangkok"])),
        with("sub", json!("a\u{0}b")),
        with("exp", json!("never")),
        with("sub", json!("x".repeat(101))),
        with("stores", json!(vec!["CFR001"; 201])),
    ];
    for claims in unusable {
        let error = try_token(&auth, &ed_token(&auth, &claims))
            .await
            .unwrap_err();
        assert!(matches!(error, AuthError::Claims(_)), "{claims}: {error:?}");
    }
}

#[tokio::test]
async fn clocks_may_differ_a_little() {
    let dir = tempfile::tempdir().unwrap();
    let auth = authenticator(dir.path());
    let now = unix_seconds();
    for claims in [
        with("exp", json!(now - 20)),
        with("nbf", json!(now + 20)),
        with("aud", json!(["x", "ledger"])),
    ] {
        assert!(
            try_token(&auth, &ed_token(&auth, &claims)).await.is_ok(),
            "{claims}"
        );
    }
}

#[tokio::test]
async fn a_region_stands_for_its_stores() {
    let dir = tempfile::tempdir().unwrap();
    let auth = authenticator(dir.path());
    let mut regional = without("stores");
    regional["role"] = json!("regional-coordinator");
    regional["region"] = json!("BKK-EAST");
    let caller = try_token(&auth, &ed_token(&auth, &regional)).await.unwrap();
    assert!(matches!(caller.actor.stores, StoreScope::Only(stores) if stores.len() == 2));
    regional["region"] = json!("ATLANTIS");
    assert!(matches!(
        try_token(&auth, &ed_token(&auth, &regional)).await,
        Err(AuthError::Claims(_))
    ));
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let auth = authenticator(dir.path());
    let token = ed_token(&auth, &claims());
    let kid = decode_header(&token).unwrap().kid;
    let parts: Vec<_> = token.split('.').collect();
    let admin = B64.encode(with("role", json!("admin")).to_string());
    let none = |alg: &str| format!("{}.", message(&json!({"alg": alg, "kid": kid}), &claims()));
    let critical = message(
        &json!({"alg": "EdDSA", "kid": kid, "crit": ["b64"]}),
        &claims(),
    );
    let forged = [
        format!("{}.{admin}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], B64.encode([0; 64])),
        none("none"),
        none("None"),
        none("NONE"),
        none("HS256"),
        none("PS256"),
        none("RS256"),
        format!("{critical}.{}", parts[2]),
        token.replace('.', ".."),
        parts[1].into(),
        "a.b.c".into(),
        "..".into(),
        "ก.ข.ค".into(),
    ];
    for token in forged {
        let error = try_token(&auth, &token).await.unwrap_err();
        let refused = matches!(
            error,
            AuthError::Invalid | AuthError::Algorithm | AuthError::UnknownKey
        );
        assert!(refused, "{token}: {error:?}");
    }
}

#[tokio::test]
async fn headers_without_a_token_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let auth = authenticator(dir.path());
    for (header, expected) in [
        (None, AuthError::Missing),
        (Some("Bearer"), AuthError::Missing),
        (Some("Bearer   "), AuthError::Missing),
        (Some("Basic dXNlcjpwYXNz"), AuthError::Malformed),
        (Some(""), AuthError::Malformed),
    ] {
        assert_eq!(
            auth.caller(header).await.unwrap_err(),
            expected,
            "{header:?}"
        );
    }
    let huge = format!("Bearer {}", "x".repeat(MAX_TOKEN_BYTES + 1));
    assert_eq!(
        auth.caller(Some(&huge)).await.unwrap_err(),
        AuthError::Malformed
    );
    let mut other = ed_token(&auth, &claims());
    other = other.replacen(
        &other[..other.find('.').unwrap()],
        &B64.encode(r#"{"alg":"EdDSA","kid":"?"}"#),
        1,
    );
    assert_eq!(
        try_token(&auth, &other).await.unwrap_err(),
        AuthError::UnknownKey
    );
}

/// The three algorithms through the provider itself, and each key under every other algorithm.
#[test]
fn rs256_and_es256_verify_and_are_not_confused() {
    ring_provider::install();
    let rng = SystemRandom::new();
    let rsa = RsaKeyPair::from_pkcs8(RSA).unwrap();
    let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, P256, &rng).unwrap();
    let rsa_public: ring::signature::RsaPublicKeyComponents<Vec<u8>> = rsa.public().into();
    let rsa_key = DecodingKey::from_rsa_raw_components(&rsa_public.n, &rsa_public.e);
    let rsa_der = DecodingKey::from_rsa_der(rsa.public_key().as_ref());
    let ec_key = DecodingKey::from_ec_der(p256.public_key().as_ref());

    let rs = message(&json!({"alg": "RS256"}), &claims());
    let mut signature = vec![0; rsa.public().modulus_len()];
    rsa.sign(&RSA_PKCS1_SHA256, &rng, rs.as_bytes(), &mut signature)
        .unwrap();
    let rs_token = format!("{rs}.{}", B64.encode(&signature));
    let es = message(&json!({"alg": "ES256"}), &claims());
    let es_token = format!(
        "{es}.{}",
        B64.encode(p256.sign(&rng, es.as_bytes()).unwrap())
    );

    let check = |token: &str, key: &DecodingKey, algorithm| {
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&["ledger"]);
        decode::<Claims>(token, key, &validation).is_ok()
    };
    assert!(check(&rs_token, &rsa_key, Algorithm::RS256));
    assert!(check(&rs_token, &rsa_der, Algorithm::RS256));
    assert!(check(&es_token, &ec_key, Algorithm::ES256));
    assert!(!check(&es_token, &rsa_key, Algorithm::ES256));
    assert!(!check(&rs_token, &ec_key, Algorithm::RS256));
    assert!(!check(&rs_token, &rsa_key, Algorithm::ES256));

    // The classic: the public RSA key as an HMAC secret.
    let hs = message(&json!({"alg": "HS256"}), &claims());
    let secret = include_bytes!("../auth/fixtures/rsa.pub.pem");
    let mac = ring::hmac::sign(
        &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret),
        hs.as_bytes(),
    );
    let hs_token = format!("{hs}.{}", B64.encode(mac));
    for key in [
        &rsa_key,
        &rsa_der,
        &ec_key,
        &DecodingKey::from_secret(secret),
    ] {
        for algorithm in [Algorithm::HS256, Algorithm::RS256] {
            assert!(!check(&hs_token, key, algorithm));
        }
    }
}

/// One authenticator for all cases.
static SHARED: std::sync::LazyLock<(tempfile::TempDir, Authenticator)> =
    std::sync::LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        let auth = authenticator(dir.path());
        (dir, auth)
    });

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever stands in the header, the answer is an error, never a panic.
    #[test]
    fn garbage_is_refused(text in "\\PC{0,200}", dotted in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,90}") {
        let (_, auth) = &*SHARED;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert!(auth.caller(Some(&text)).await.is_err());
            assert!(try_token(auth, &dotted).await.is_err());
        });
    }

    /// A changed byte anywhere breaks a token.
    #[test]
    fn a_changed_token_is_refused(at in 0usize..10_000, byte in 0x21u8..0x7f) {
        let (_, auth) = &*SHARED;
        let token = ed_token(auth, &claims());
        let at = at % token.len();
        let mut bytes = token.clone().into_bytes();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        // The last base64 digit of the signature carries unused bits: decoders refuse them too.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { assert!(try_token(auth, &changed).await.is_err()); });
    }
}
