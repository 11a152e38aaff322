//! Logging: JSON for programs, text for people, always on standard error.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::util::SubscriberInitExt;

/// What is not told unless asked for.
const QUIET: &str = "sqlx_core::pool::connection=error";

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text where standard error is a terminal, JSON otherwise.
    Auto,
    /// One object per line: `timestamp` (RFC 3339, UTC), `level`, `target`, `message`, fields, spans.
    Json,
    /// Text.
    Text,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// The filter is no filter.
    #[error(
        "`{filter}` is not a level or filter such as \"info\" or \"info,store=debug\": {detail}"
    )]
    Filter {
        /// What was asked for.
        filter: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Somebody set it up before.
    #[error("logging is set up already")]
    Twice,
}

/// Sets up logging for the whole process, once.
///
/// # Errors
/// When the filter cannot be read or logging is set up already.
pub fn init(format: Format, filter: &str) -> Result<(), LogsError> {
    let terminal = std::io::stderr().is_terminal();
    let json = match format {
        Format::Auto => !terminal,
        Format::Json => true,
        Format::Text => false,
    };
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    subscriber(json, terminal && !no_color, filter, std::io::stderr)?
        .try_init()
        .map_err(|_| LogsError::Twice)
}

/// The subscriber itself, writing wherever it is told.
fn subscriber<W>(
    json: bool,
    color: bool,
    filter: &str,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, LogsError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let wrong = |detail: String| LogsError::Filter {
        filter: filter.to_owned(),
        detail,
    };
    // A mistyped level would be taken for a target's name and silence everything.
    let mut directives: Vec<&str> = filter.split(',').map(str::trim).collect();
    for directive in &directives {
        let is_level = !directive.is_empty() && directive.parse::<LevelFilter>().is_ok();
        if !is_level && !directive.contains(['=', '[']) {
            return Err(wrong(format!("`{directive}` is no level")));
        }
    }
    // A resting connection that turns out dead is replaced without anybody's loss: no news for an operator. What
    // the setting says of it is stronger.
    directives.insert(0, QUIET);
    let filter = EnvFilter::builder()
        .parse(directives.join(","))
        .map_err(|error| wrong(error.to_string()))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(SystemTime)
        // A line that cannot be written, to a full disk or a closed pipe, is lost. Saying so on standard
        // error would fail in the same way, and panic in whichever task had something to log.
        .log_internal_errors(false)
        .with_writer(writer);
    Ok(if json {
        Box::new(
            builder
                .json()
                .flatten_event(true)
                .with_span_list(false)
                .finish(),
        )
    } else {
        Box::new(builder.with_ansi(color).with_target(false).finish())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(json: bool, filter: &str) -> String {
        let page = Page::default();
        let writer = page.clone();
        let subscriber = subscriber(json, false, filter, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(orders = 3, "loaded");
            tracing::debug!("not at this level");
        });
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_lines_hold_level_message_and_fields() {
        let text = written(true, "info");
        assert_eq!(text.lines().count(), 1);
        for part in [
            "\"level\":\"INFO\"",
            "\"message\":\"loaded\"",
            "\"orders\":3",
            "\"timestamp\":\"2",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }

    #[test]
    fn text_has_no_colour_unless_asked() {
        let text = written(false, "debug");
        assert_eq!(text.lines().count(), 2);
        assert!(
            text.contains("loaded orders=3") && !text.contains('\u{1b}'),
            "{text}"
        );
    }

    #[test]
    fn a_mistyped_level_is_refused() {
        for wrong in ["inof", "info,debgu", "store=loud", ""] {
            let result = subscriber(true, false, wrong, std::io::sink);
            assert!(result.is_err(), "{wrong}");
        }
        for right in ["info", "warn,store=debug", "OFF", "info, sqlx=warn"] {
            assert!(
                subscriber(true, false, right, std::io::sink).is_ok(),
                "{right}"
            );
        }
    }
}
