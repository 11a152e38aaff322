//! The committed schema is the schema.

use super::*;
use crate::tests::fake::Fake;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");

#[test]
fn the_committed_schema_is_up_to_date() {
    let sdl = build(Arc::new(Arc::new(Fake::default())), None, Limits::default()).sdl();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(COMMITTED, &sdl).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(
        committed == sdl,
        "api-graphql/schema.graphql is not the schema of the code. If the change is meant, run\n    \
         UPDATE_SCHEMA=1 cargo test -p api-graphql the_committed_schema\nand commit the file."
    );
}
