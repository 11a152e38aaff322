//! What a failed read says of its node.

use crate::ReadError;

/// Whether the server, or the way to it, is in trouble, rather than this one read.
pub(super) fn blames_node(error: &ReadError) -> bool {
    match error {
        ReadError::Database(error) => match &**error {
            sqlx::Error::Database(error) => error.code().as_deref().is_some_and(is_going_down),
            // No connection, or one that broke.
            _ => true,
        },
        _ => false,
    }
}

/// Classes 08 (connections) and 57P (the operator's doing, but for the single statement):
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn is_going_down(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P")
}

/// Whether no connection became free in time.
pub(super) const fn is_full(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::PoolTimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_read_is_not_the_servers_end() {
        // admin_shutdown, cannot_connect_now, connection_failure.
        for code in ["57P01", "57P03", "08006"] {
            assert!(is_going_down(code), "{code}");
        }
        // A conflict with recovery, a statement's timeout, a table that is not there yet.
        for code in ["40001", "40P01", "57014", "42P01"] {
            assert!(!is_going_down(code), "{code}");
        }
        let broken = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(blames_node(&ReadError::from(broken)));
        assert!(!blames_node(&ReadError::Corrupt(String::new())));
        assert!(is_full(&sqlx::Error::PoolTimedOut));
        assert!(!is_full(&sqlx::Error::PoolClosed));
    }
}
