//! The import against a ledger in memory that answers late, out of order and not always.

mod memory;

use std::{io, sync::atomic::Ordering};

use commands::CommandError;
use domain::actor::{Actor, Role, StoreScope};
use tokio::io::BufReader;
use uuid::Uuid;

use self::memory::Memory;
use super::{line::Line, *};
use crate::sample::{self, Content};

fn ops() -> Actor {
    Actor {
        id: "test".into(),
        role: Role::Ops,
        stores: StoreScope::All,
    }
}

async fn import_from(
    memory: &Memory,
    input: &str,
    resume: Resume,
) -> (Vec<LineResult>, Result<Summary, ImportError>) {
    let mut output = Vec::new();
    let input = BufReader::with_capacity(100, input.as_bytes());
    let summary = run(
        memory,
        &ops(),
        input,
        &mut output,
        resume,
        Options::default(),
        None,
    )
    .await;
    let output = String::from_utf8(output).unwrap();
    (
        output
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        summary,
    )
}

async fn import(memory: &Memory, input: &str) -> (Vec<LineResult>, Summary) {
    let (results, summary) = import_from(memory, input, Resume::default()).await;
    (results, summary.unwrap())
}

/// Whole lives of so many orders, whose lines name them by number.
fn whole_lives(orders: usize) -> String {
    let mut out = Vec::new();
    sample::write(&mut out, &sample::file_options(), orders, Content::Lives).unwrap();
    String::from_utf8(out).unwrap()
}

fn outcomes(results: &[LineResult]) -> Vec<Outcome> {
    results.iter().map(|r| r.outcome).collect()
}

#[tokio::test(start_paused = true)]
async fn commands_of_one_order_keep_their_order_and_results_that_of_the_file() {
    let (memory, input) = (Memory::default(), whole_lives(30));
    let (results, summary) = import(&memory, &input).await;
    let lines = u64::try_from(input.lines().count()).unwrap();
    assert!(results.iter().map(|r| r.line).eq(1..=lines));
    assert_eq!(
        (summary.done, summary.exit().code()),
        (lines, 0),
        "{results:?}"
    );
    let most = memory.most_in_flight.load(Ordering::Relaxed);
    assert!((8..=DEFAULT_IN_FLIGHT).contains(&most), "{most}");
    let (again, summary) = import(&memory, &input).await;
    assert_eq!(summary.replayed, lines);
    assert!(
        again
            .iter()
            .zip(&results)
            .all(|(a, b)| (a.order_id, a.version) == (b.order_id, b.version))
    );
}

#[tokio::test(start_paused = true)]
async fn a_file_may_name_an_order_both_ways() {
    let memory = Memory::default();
    let input = whole_lives(1);
    let mut lines: Vec<Line> = input
        .lines()
        .map(|l| Line::parse(l.as_bytes()).unwrap())
        .collect();
    assert!(lines.len() > 3);
    let first = lines.remove(0);
    let (placed, _) = import(&memory, &first.to_json().unwrap()).await;
    for line in lines.iter_mut().step_by(2) {
        line.order = placed[0].order_id.map(line::OrderKey::OrderId);
    }
    let text: Vec<String> = lines.iter().map(|l| l.to_json().unwrap()).collect();
    let (results, summary) = import(&memory, &text.join("\n")).await;
    assert_eq!(summary.done, summary.lines(), "{results:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bad_line_is_a_result_not_the_end() {
    let input = whole_lives(1);
    let place = input.lines().next().unwrap();
    let id = "0192f0c1-2345-4678-9abc-def012345678";
    let unknown = format!(
        r#"{{"commandId":"{id}","order":{{"number":"QC-2020-01-01-000001"}},"command":{{"type":"release"}}}}"#
    );
    let too_early = place_then_release(place);
    let too_long = "x".repeat(line::MAX_LINE_BYTES + 1);
    let text = format!("{{\n\n{too_long}\n{place}\r\n{unknown}\n{too_early}\n\u{1f600}");
    let (results, summary) = import(&Memory::default(), &text).await;
    use Outcome::{Done, Error, Refused};
    assert_eq!(
        outcomes(&results),
        [Error, Error, Done, Refused, Refused, Error]
    );
    assert_eq!(
        results.iter().map(|r| r.line).collect::<Vec<_>>(),
        [1, 3, 4, 5, 6, 7]
    );
    assert_eq!(results[3].problems[0].code, "ORD_001");
    assert_eq!(results[4].problems[0].code, "ERR_INVALID_TRANSITION");
    assert_eq!(
        (summary.errors, summary.refused, summary.exit().code()),
        (3, 2, 1)
    );
    assert_eq!(
        Summary {
            errors: 0,
            ..summary
        }
        .exit()
        .code(),
        7
    );
    assert!(
        summary
            .to_string()
            .starts_with("6 lines: 1 done, 2 refused, 3 in error;"),
        "{summary}"
    );
}

fn place_then_release(place: &str) -> String {
    let line = Line::parse(place.as_bytes()).unwrap();
    let number = line.number().unwrap();
    let id = Uuid::from_u128(7);
    format!(
        r#"{{"commandId":"{id}","order":{{"number":"{number}"}},"command":{{"type":"release"}}}}"#
    )
}

#[tokio::test(start_paused = true)]
async fn a_busy_ledger_is_asked_again_with_the_same_id() {
    let input = whole_lives(3);
    let memory = Memory {
        failures: 3,
        failure: Some(CommandError::OutcomeUnknown),
        ..Memory::default()
    };
    let (_, summary) = import(&memory, &input).await;
    assert_eq!(summary.done, summary.lines());
    let memory = Memory {
        failures: 99,
        failure: Some(CommandError::Overloaded),
        ..Memory::default()
    };
    let (results, summary) = import(&memory, input.lines().next().unwrap()).await;
    assert_eq!(
        (summary.errors, results[0].problems[0].code.as_str()),
        (1, "SYS_002")
    );
    assert!(
        memory
            .state
            .lock()
            .unwrap()
            .tries
            .values()
            .all(|tries| *tries == 6)
    );
}

#[tokio::test(start_paused = true)]
async fn a_database_out_of_reach_stops_the_import() {
    let failure = Some(CommandError::Unavailable("no connection".into()));
    let memory = Memory {
        failures: 99,
        failure,
        ..Memory::default()
    };
    let (results, summary) = import_from(
        &memory,
        &format!("?\n{}", whole_lives(2)),
        Resume::default(),
    )
    .await;
    assert_eq!(
        outcomes(&results),
        [Outcome::Error],
        "what came before has its result"
    );
    assert!(
        matches!(summary, Err(ImportError::Unreachable { line: 2, .. })),
        "{summary:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_import_goes_on_where_it_stopped() {
    let (memory, input) = (Memory::default(), whole_lives(5));
    let half: Vec<&str> = input.lines().take(9).collect();
    let (first, _) = import(&memory, &half.join("\n")).await;
    let resume = Resume {
        after_line: 9,
        command_id: first[8].command_id,
    };
    let (rest, summary) = import_from(&memory, &input, resume).await;
    let summary = summary.unwrap();
    assert_eq!(
        (summary.skipped, summary.done, rest[0].line),
        (9, summary.lines(), 10)
    );
    for wrong in [
        Resume {
            command_id: None,
            ..resume
        },
        Resume {
            after_line: 8,
            ..resume
        },
        Resume {
            after_line: 10_000,
            ..resume
        },
    ] {
        let (results, summary) = import_from(&memory, &input, wrong).await;
        assert!(results.is_empty() && matches!(summary, Err(ImportError::OtherInput { .. })));
    }
}

#[tokio::test]
async fn results_in_a_file_survive_a_torn_line() {
    let dir = tempfile::tempdir().unwrap();
    let (input, results) = (dir.path().join("in"), dir.path().join("out"));
    let text = whole_lives(2);
    std::fs::write(&input, &text).unwrap();
    let memory = Memory::default();
    let actor = ops();
    let import = || import_file(&memory, &actor, &input, Some(&results), Options::default());
    import().await.unwrap();
    let whole = std::fs::read_to_string(&results).unwrap();
    assert_eq!(whole.lines().count(), text.lines().count());
    assert_eq!(import().await.unwrap().lines(), 0);
    assert_eq!(std::fs::read_to_string(&results).unwrap(), whole);
    std::fs::write(&results, &whole[..whole.len() - 5]).unwrap();
    let summary = import().await.unwrap();
    assert_eq!((summary.replayed, summary.lines()), (1, 1));
    let repaired = std::fs::read_to_string(&results).unwrap();
    assert_eq!(repaired.lines().count(), text.lines().count());
    assert!(
        repaired
            .lines()
            .all(|line| serde_json::from_str::<LineResult>(line).is_ok())
    );
}

#[tokio::test]
async fn what_cannot_be_opened_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path(), &dir.path().join("missing")] {
        let error = import_file(&Memory::default(), &ops(), path, None, Options::default())
            .await
            .unwrap_err();
        assert!(error.to_string().starts_with("cannot open "), "{error}");
    }
}

/// An output that is full from the start.
struct Full;

impl tokio::io::AsyncWrite for Full {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::task::Poll::Ready(Err(io::ErrorKind::StorageFull.into()))
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn results_that_cannot_be_written_end_the_import() {
    let memory = Memory::default();
    let input = whole_lives(1);
    let summary = run(
        &memory,
        &ops(),
        input.as_bytes(),
        Full,
        Resume::default(),
        Options::default(),
        None,
    )
    .await;
    assert!(matches!(summary, Err(ImportError::Write(_))));
}
