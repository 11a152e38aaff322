//! Refused access, kept for good. The caller only learns "not found" or "forbidden".

use sqlx::PgPool;

use crate::error::StoreError;

/// Longest stored text of one field, in bytes; the rest is cut off, since callers choose some of it.
const MAX_FIELD_BYTES: usize = 512;

/// An access that was refused.
#[derive(Clone, Debug)]
pub struct RefusedAccess<'a> {
    /// Who asked.
    pub actor: &'a str,
    /// In which role.
    pub role: &'a str,
    /// What they wanted to do.
    pub action: &'a str,
    /// To what.
    pub target: &'a str,
    /// Why it was refused.
    pub reason: &'a str,
}

/// Records the refusal.
///
/// # Errors
/// The database is unreachable.
pub async fn refused(pool: &PgPool, access: &RefusedAccess<'_>) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO access_audit (actor, role, action, target, reason) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(storable(access.actor))
    .bind(storable(access.role))
    .bind(storable(access.action))
    .bind(storable(access.target))
    .bind(storable(access.reason))
    .execute(pool)
    .await?;
    Ok(())
}

/// Cuts to the limit and drops NUL characters, which PostgreSQL cannot store: a refusal must be
/// recorded whatever the caller sent.
fn storable(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_FIELD_BYTES);
    text[..end].replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_becomes_storable() {
        assert_eq!(storable("a\0b"), "ab");
        assert_eq!(storable(&"ก".repeat(400)).len(), 510);
    }
}
