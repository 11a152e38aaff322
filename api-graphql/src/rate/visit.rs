//! One request on its way through the routes: counted for its address before anything is known of it, for its
//! credential once that is, and told in headers how much is left.

use std::{
    fmt::Write as _,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::{Request, State},
    http::{Extensions, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

use super::{Address, Credit, Level, Limiter, Quota, Spent, WINDOW, seconds};
use crate::{
    auth::{Admitted, AuthError, Authenticator},
    context::{Peer, RequestContext},
    http::{problem::HttpProblem, turned},
};

/// The quotas that apply, as draft-ietf-httpapi-ratelimit-headers has them.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of them.
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// A request, or a WebSocket, and whom it is counted for.
#[derive(Debug)]
pub(crate) struct Visit {
    limiter: Arc<Limiter>,
    address: Option<Address>,
    credit: OnceLock<Credit>,
}

/// Why a visitor is not let in.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Who it is cannot be told.
    Stranger(AuthError),
    /// Its quota is spent.
    Spent(Spent),
}

impl From<Refused> for HttpProblem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Stranger(error) => Self::unauthenticated(&error),
            Refused::Spent(spent) => Self::rate_limited(&spent, None),
        }
    }
}

/// Counts every request for its address, and tells in headers what is left of the quotas.
pub(crate) async fn counted(
    State(limiter): State<Arc<Limiter>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>();
    let address = Address::of(peer, request.headers(), &limiter.rates.trusted_proxies);
    if let Some(Err(spent)) = address.map(|address| limiter.arrives(address)) {
        let problem = HttpProblem::rate_limited(&spent, None);
        let mut response = turned(problem, &RequestContext::of(&request));
        let level = Level {
            limit: spent.limit,
            remaining: 0,
            reset: spent.wait,
        };
        tell(&mut response, &[(Quota::Address, level)]);
        return response;
    }
    let visit = Arc::new(Visit {
        limiter,
        address,
        credit: OnceLock::new(),
    });
    request.extensions_mut().insert(Arc::clone(&visit));
    let mut response = next.run(request).await;
    if let Some(credit) = visit.credit.get() {
        let requests = credit.requests_left().map(|level| (Quota::Requests, level));
        let points = credit.points_left().map(|level| (Quota::Points, level));
        let levels: Vec<_> = [requests, points].into_iter().flatten().collect();
        tell(&mut response, &levels);
    }
    response
}

impl Visit {
    /// The visit that a request belongs to.
    ///
    /// # Errors
    /// A fault of ours: a route without the counting.
    pub(crate) fn of(extensions: &Extensions) -> Result<Arc<Self>, HttpProblem> {
        extensions
            .get::<Arc<Self>>()
            .map(Arc::clone)
            .ok_or_else(|| {
                tracing::error!("a route is not counted");
                HttpProblem::internal()
            })
    }

    /// Lets in whoever a credential belongs to, as one request.
    ///
    /// # Errors
    /// [`Refused`]; a bad credential makes its address pay.
    pub(crate) async fn admitted(
        &self,
        authenticator: &Authenticator,
        authorization: Option<&str>,
    ) -> Result<(Admitted, Credit), Refused> {
        let admitted = match authenticator.admitted(authorization).await {
            Ok(admitted) => admitted,
            Err(error) => {
                // Others are of somebody we know, such as one that has expired, or nobody could tell.
                let is_guess = matches!(
                    error,
                    AuthError::Malformed
                        | AuthError::Invalid
                        | AuthError::Algorithm
                        | AuthError::UnknownKey
                );
                if is_guess && let Some(address) = self.address {
                    self.limiter.guessed(address);
                }
                return Err(Refused::Stranger(error));
            }
        };
        let credit = self.limiter.credit(&admitted.caller);
        let credit = self.credit.get_or_init(|| credit).clone();
        credit.request().map_err(Refused::Spent)?;
        Ok((admitted, credit))
    }
}

/// Writes the headers: `"requests";q=1000;w=60` and `"requests";r=999;t=1`.
fn tell(response: &mut Response, levels: &[(Quota, Level)]) {
    let (mut policy, mut left) = (String::new(), String::new());
    for (at, (quota, level)) in levels.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let (name, window) = (quota.as_str(), WINDOW.as_secs());
        // Writing into a string cannot fail.
        let _ = write!(policy, "{comma}\"{name}\";q={};w={window}", level.limit);
        let reset = seconds(level.reset);
        let _ = write!(left, "{comma}\"{name}\";r={};t={reset}", level.remaining);
    }
    for (name, text) in [(POLICY, policy), (LEFT, left)] {
        if let Ok(value) = HeaderValue::try_from(text)
            && !value.is_empty()
        {
            response.headers_mut().insert(name, value);
        }
    }
}
