//! How an input becomes a command and its outcome a payload: one way for every kind of entity.

use std::str::FromStr;

use async_graphql::{Context, Error, ID};
use commands::{CommandError, Outcome, Request, Target};
use domain::{
    entity::{Command, Entity},
    ids::{CommandId, InvalidId},
    refusal::Code,
};

use super::{
    access::Access,
    problem::{self, Problem, ProblemCode},
    receipt::Receipt,
    record::Record,
    scalars::Uuid,
};
use crate::backend::{Backend, Executes};

/// A kind of entity that takes commands here.
pub(crate) trait Topic: Entity {
    /// The input field that names one.
    const ID_FIELD: &'static str;
    /// What is answered for one that nobody knows.
    const UNKNOWN: ProblemCode;
    /// The GraphQL type that shows one.
    type View: From<Record<Self>>;

    /// The input field that a path of the domain names: most have the same name.
    fn field(path: &str) -> &str {
        path
    }
}

/// A command as an input states it.
pub(crate) struct Stated<E: Entity> {
    command_id: CommandId,
    target: Target<E::Id>,
    expected_version: Option<i32>,
    command: E::Command,
}

/// A command, or every reason why the input states none.
pub(crate) type Statement<E> = Result<Stated<E>, Vec<Problem>>;

impl<E: Topic> Stated<E> {
    /// A command on one that is named by the ledger.
    pub(crate) fn new(command_id: Uuid, command: E::Command) -> Self {
        Self {
            command_id: CommandId(command_id.0),
            target: Target::New,
            expected_version: None,
            command,
        }
    }

    /// A command on one that is named by the caller.
    pub(crate) fn named(
        command_id: Uuid,
        id: E::Id,
        expected_version: Option<i32>,
        command: E::Command,
    ) -> Self {
        Self {
            command_id: CommandId(command_id.0),
            target: Target::Entity(id),
            expected_version,
            command,
        }
    }

    /// A command on one that exists. What is no id is the id of none.
    ///
    /// # Errors
    /// That it is not known.
    pub(crate) fn on(
        command_id: Uuid,
        id: &ID,
        expected_version: Option<i32>,
        command: E::Command,
    ) -> Statement<E> {
        match id.as_str().parse() {
            Ok(id) => Ok(Self::named(command_id, id, expected_version, command)),
            Err(_) => Err(vec![problem::unknown::<E>()]),
        }
    }

    /// The command as the bus takes it from this caller.
    ///
    /// # Errors
    /// That the token does not allow writing.
    pub(crate) async fn request(self, access: &Access<'_>) -> Result<Request<E>, Vec<Problem>> {
        let action = self.command.action();
        access.to_write(action, self.target.id()).await?;
        Ok(Request {
            command_id: self.command_id,
            actor: access.actor().clone(),
            expected_version: self.expected_version.map(i64::from),
            target: self.target,
            command: self.command,
            correlation_id: access.request.correlation_id,
            causation_id: None,
            traceparent: access.request.traceparent.clone(),
        })
    }
}

/// What a command led to: the entity right after it and the receipt, or the problems.
pub(crate) type Answer<V> = Result<(V, Receipt), Vec<Problem>>;

/// Gives a command; its payload.
///
/// # Errors
/// A fault of ours, without its detail.
pub(crate) async fn run<E, P>(ctx: &Context<'_>, stated: Statement<E>) -> Result<P, Error>
where
    E: Topic,
    dyn Backend: Executes<E>,
    P: From<Answer<E::View>>,
{
    match stated {
        Ok(stated) => Ok(P::from(execute(ctx, stated).await?)),
        Err(problems) => Ok(P::from(Err(problems))),
    }
}

async fn execute<E>(ctx: &Context<'_>, stated: Stated<E>) -> Result<Answer<E::View>, Error>
where
    E: Topic,
    dyn Backend: Executes<E>,
{
    let access = Access::of(ctx)?;
    let request = match stated.request(&access).await {
        Ok(request) => request,
        Err(problems) => return Ok(Err(problems)),
    };
    let outcome = Executes::<E>::execute(access.backend.as_ref(), request).await;
    answer(&access, outcome)
}

/// What the outcome of a command is answered with.
///
/// # Errors
/// A fault of ours, without its detail.
pub(crate) fn answer<E: Topic>(
    access: &Access<'_>,
    outcome: Result<Outcome<E>, CommandError>,
) -> Result<Answer<E::View>, Error> {
    match outcome {
        Ok(outcome) => {
            let view = E::View::from(Record::from(outcome.entity));
            Ok(Ok((view, Receipt::of::<E>(outcome.receipt))))
        }
        Err(error) => Ok(Err(refusal::<E>(access, error)?)),
    }
}

/// The problems of a command that had no effect.
///
/// # Errors
/// A fault of ours, without its detail.
pub(crate) fn refusal<E: Topic>(
    access: &Access<'_>,
    error: CommandError,
) -> Result<Vec<Problem>, Error> {
    problem::problems::<E>(error).map_err(|fault| access.fault(&fault))
}

/// Declares the payload of the commands on a kind of entity.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $view:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$field_doc])*
            pub $field: Option<$view>,
            /// The proof; null when there are problems.
            pub receipt: Option<$crate::schema::receipt::Receipt>,
            /// Why the command had no effect, every reason at once; empty when it had, or had before.
            pub problems: Vec<$crate::schema::problem::Problem>,
        }

        impl From<$crate::schema::command::Answer<$view>> for $name {
            fn from(answer: $crate::schema::command::Answer<$view>) -> Self {
                match answer {
                    Ok((view, receipt)) => Self {
                        $field: Some(view),
                        receipt: Some(receipt),
                        problems: Vec::new(),
                    },
                    Err(problems) => Self { $field: None, receipt: None, problems },
                }
            }
        }
    };
}
pub(crate) use payload;

/// Declares the input of a command on an entity that exists: its head, its own fields, and the command it states.
macro_rules! command_input {
    (
        $(#[$doc:meta])*
        $name:ident on $entity:ty, $id:ident: $id_doc:literal {
            $($(#[$field_doc:meta])* $field:ident: $ty:ty,)*
        }
        $input:ident => $command:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, async_graphql::InputObject)]
        pub struct $name {
            /// Your name for this command. Sending it again repeats the receipt, not the effect.
            pub command_id: $crate::schema::scalars::Uuid,
            #[doc = $id_doc]
            pub $id: async_graphql::ID,
            /// The version you decided on; a VersionConflict when it has moved on. Without it the ledger decides
            /// on the newest version.
            pub expected_version: Option<i32>,
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl From<$name> for $crate::schema::command::Statement<$entity> {
            fn from($input: $name) -> Self {
                let (command_id, expected_version) = ($input.command_id, $input.expected_version);
                let id = $input.$id.clone();
                let command = $command;
                $crate::schema::command::Stated::on(command_id, &id, expected_version, command)
            }
        }
    };
}
pub(crate) use command_input;

/// Turns the texts and numbers of an input into the domain's types, and remembers every one that does not fit.
#[derive(Default)]
pub(crate) struct Fields(Vec<Problem>);

impl Fields {
    /// An identifier.
    pub(crate) fn id<T: FromStr<Err = InvalidId>>(&mut self, path: &str, text: &str) -> Option<T> {
        match text.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                self.refuse(path, error.problem);
                None
            }
        }
    }

    /// A number that must not be negative nor larger than its type.
    pub(crate) fn number<T: TryFrom<i32>>(&mut self, path: &str, number: i32) -> Option<T> {
        let fits = T::try_from(number).ok();
        if fits.is_none() {
            self.refuse(path, "is out of range".to_owned());
        }
        fits
    }

    fn refuse(&mut self, path: &str, message: String) {
        let problem = domain::refusal::Problem {
            code: Code::Validation,
            path: path.to_owned(),
            message,
        };
        self.0.push(problem.into());
    }

    /// The problems found, for an input of which some part does not fit.
    pub(crate) fn problems(self) -> Vec<Problem> {
        self.0
    }
}
