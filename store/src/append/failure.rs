//! What a failed call means for its commands.

/// Why a call failed, as far as its commands are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The connection broke: the call may or may not have been committed.
    Lost(String),
    /// The server answered with an error, so the call was rolled back; sending it again may help.
    NotWritten(String),
    /// Rolled back because of what some command says; sending that again fails again.
    Data(String),
    /// There was no connection to send it on.
    Unsent(String),
    /// Rolled back because no partition holds the next positions.
    NoPartition,
    /// Sent again until the time was up; it is unknown whether it was committed.
    Unknown(String),
}

/// Sorts an error of the call. Only an `ERROR` from the server proves that nothing was written.
pub(super) fn classify(error: &sqlx::Error) -> Failure {
    let message = error.to_string();
    match error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            if &*code == "23514" && database.constraint().is_none() {
                return Failure::NoPartition;
            }
            by_code(&code, message)
        }
        sqlx::Error::Encode(_) => Failure::Data(message),
        _ => Failure::Lost(message),
    }
}

fn by_code(code: &str, message: String) -> Failure {
    match code.get(..2) {
        // Data exceptions, constraints, limits (a key too long for its index is 54).
        Some("22" | "23" | "54") => Failure::Data(message),
        // The connection or the server went away.
        Some("08") => Failure::Lost(message),
        Some("57") if code != "57014" => Failure::Lost(message),
        _ => Failure::NotWritten(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: &str) -> Failure {
        by_code(code, String::new())
    }

    #[test]
    fn only_a_server_error_proves_that_nothing_was_written() {
        assert_eq!(kind("22P02"), Failure::Data(String::new()), "bad JSON");
        assert_eq!(kind("22021"), Failure::Data(String::new()), "NUL");
        assert_eq!(kind("23505"), Failure::Data(String::new()), "unique");
        assert_eq!(
            kind("55P03"),
            Failure::NotWritten(String::new()),
            "lock timeout"
        );
        assert_eq!(
            kind("57014"),
            Failure::NotWritten(String::new()),
            "cancelled"
        );
        assert_eq!(
            kind("53100"),
            Failure::NotWritten(String::new()),
            "disk full"
        );
        assert_eq!(kind("57P01"), Failure::Lost(String::new()), "shut down");
        assert_eq!(kind("08006"), Failure::Lost(String::new()));
        assert_eq!(kind(""), Failure::NotWritten(String::new()));
        assert!(matches!(
            classify(&sqlx::Error::WorkerCrashed),
            Failure::Lost(_)
        ));
        let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(matches!(
            classify(&sqlx::Error::Io(broken)),
            Failure::Lost(_)
        ));
    }
}
