//! What is said over one socket, without its bytes.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Response as GraphqlResponse, ServerError};
use futures_util::StreamExt;
use serde_json::{Map, Value};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

use super::message::{self, Close, Said};
use crate::{
    auth::Admitted,
    context::RequestContext,
    http::{Endpoint, Transport, is_not_executed, params::Params, reject},
    limits::MAX_LIVE_OPERATIONS,
    rate::{Credit, Refused, Spent, Visit},
    slots::Slot,
};

/// An answer on its way to the socket; `None` when there are no more.
type Told = (String, u64, Option<Box<GraphqlResponse>>);

/// A client that was let in.
struct Member {
    admitted: Admitted,
    credit: Credit,
    expires: Instant,
    _slot: Slot,
}

/// One operation in work.
struct Running {
    /// Tells it from an earlier one of the same name.
    turn: u64,
    task: JoinHandle<()>,
}

/// One socket's conversation. Dropping it ends its operations.
pub(super) struct Session {
    endpoint: Arc<Endpoint>,
    context: RequestContext,
    visit: Arc<Visit>,
    authorization: Option<String>,
    member: Option<Member>,
    running: HashMap<String, Running>,
    answers: mpsc::Sender<Told>,
    turn: u64,
}

impl Session {
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        context: RequestContext,
        visit: Arc<Visit>,
        authorization: Option<String>,
        answers: mpsc::Sender<Told>,
    ) -> Self {
        Self {
            endpoint,
            context,
            visit,
            authorization,
            member: None,
            running: HashMap::new(),
            answers,
            turn: 0,
        }
    }

    pub(super) const fn is_admitted(&self) -> bool {
        self.member.is_some()
    }

    /// When the token ends; now where there is none.
    pub(super) fn expires(&self) -> Instant {
        self.member
            .as_ref()
            .map_or_else(Instant::now, |member| member.expires)
    }

    /// Takes a message in; what to answer at once.
    ///
    /// # Errors
    /// How to close the socket.
    pub(super) async fn hears(&mut self, text: &str) -> Result<Option<String>, Close> {
        match Said::read(text)? {
            Said::Init(_) if self.is_admitted() => Err(Close::too_many_inits()),
            Said::Init(payload) => self.admit(&payload).await.map(Some),
            Said::Ping(payload) => Ok(Some(message::pong(payload))),
            Said::Pong => Ok(None),
            Said::Subscribe(..) if !self.is_admitted() => Err(Close::unauthorized()),
            Said::Subscribe(id, _) if self.running.contains_key(&id) => Err(Close::twice(&id)),
            Said::Subscribe(id, params) => Ok(self.start(id, params).await),
            Said::Complete(id) => {
                if let Some(running) = self.running.remove(&id) {
                    running.task.abort();
                }
                Ok(None)
            }
        }
    }

    async fn admit(&mut self, payload: &Map<String, Value>) -> Result<String, Close> {
        let mut named = payload
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let given = named.find_map(|(_, value)| value.as_str());
        let authorization = given.or(self.authorization.as_deref());
        let authenticator = &self.endpoint.authenticator;
        let admitted = self.visit.admitted(authenticator, authorization).await;
        let (admitted, credit) = admitted.map_err(|refused| match refused {
            Refused::Stranger(_) => Close::forbidden(),
            Refused::Spent(_) => Close::rate_limited(),
        })?;
        let slot = self.endpoint.slots.take(admitted.token);
        let slot = slot.map_err(|_| Close::full())?;
        self.member = Some(Member {
            expires: Instant::now() + admitted.good_for,
            admitted,
            credit,
            _slot: slot,
        });
        Ok(message::ack())
    }

    /// Starts an operation; what to answer where it is refused.
    async fn start(&mut self, id: String, params: Map<String, Value>) -> Option<String> {
        let refuse = |code: &str, why: String| {
            let error = reject::error(code, why, None);
            Some(message::errors(&id, &[error]))
        };
        if self.running.len() >= MAX_LIVE_OPERATIONS {
            let why = format!("At most {MAX_LIVE_OPERATIONS} operations at once on a connection.");
            return refuse("TOO_MANY_OPERATIONS", why);
        }
        let mut params = match Params::from_map(params) {
            Ok(params) => params,
            Err(problem) => return refuse(problem.reason(), problem.detail().to_owned()),
        };
        let prepared = self.endpoint.prepare(&mut params, Transport::Stream);
        let (operation, document) = match prepared.await {
            Ok(prepared) => prepared,
            Err(rejection) => return Some(message::errors(&id, &rejection.errors)),
        };
        let Some(member) = &self.member else {
            return refuse("UNAUTHENTICATED", "Say who you are first.".to_owned());
        };
        let credit = member.credit.clone();
        // As a request of its own: a socket is no way round the quotas.
        if let Err(spent) = credit
            .request()
            .and_then(|()| credit.points(operation.cost))
        {
            return Some(message::errors(&id, &[rate_limited(&spent)]));
        }
        self.endpoint.operations.learn(&params).await;
        let identity = Some((member.admitted.caller.clone(), credit));
        let mut answers = self
            .endpoint
            .answers(params, &operation, document, identity, &self.context)
            .boxed();
        self.turn += 1;
        let (turn, name, told) = (self.turn, id.clone(), self.answers.clone());
        let task = tokio::spawn(async move {
            while let Some(answer) = answers.next().await {
                if told
                    .send((name.clone(), turn, Some(Box::new(answer))))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            // An error means that the socket is gone.
            let _ = told.send((name, turn, None)).await;
        });
        self.running.insert(id, Running { turn, task });
        None
    }

    /// What to send of an operation's answer; nothing where the client has ended it meanwhile.
    pub(super) fn tells(&mut self, (id, turn, answer): Told) -> Option<String> {
        if self
            .running
            .get(&id)
            .is_none_or(|running| running.turn != turn)
        {
            return None;
        }
        Some(match answer {
            Some(answer) if is_not_executed(&answer) => {
                self.running.remove(&id);
                message::errors(&id, &answer.errors)
            }
            Some(answer) => message::next(&id, &answer),
            None => {
                self.running.remove(&id);
                message::complete(&id)
            }
        })
    }
}

/// A spent quota, as an error of an operation that was not begun.
fn rate_limited(spent: &Spent) -> ServerError {
    let mut error = reject::error("RATE_LIMITED", spent.detail(), None);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("retryAfterSeconds", spent.retry_after());
    error
}

impl Drop for Session {
    fn drop(&mut self) {
        for running in self.running.values() {
            running.task.abort();
        }
    }
}
