//! Erasing a person: their key is destroyed, and what was sealed with it cannot be read any more.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};
use commands::personal::Subject;
use domain::{actor::Action, ids::CustomerId, order::Order as DomainOrder};

use crate::schema::{
    access::Access,
    command::{Fields, refusal},
    problem::Problem,
    scalars::DateTime,
};

/// The customer to erase. Doing it again is harmless.
#[derive(Debug, Clone, InputObject)]
pub struct ForgetCustomerInput {
    /// The customer, as the channel knows them.
    pub customer_id: String,
}

/// The answer: what was erased, or the problems.
#[derive(SimpleObject)]
pub struct ForgetCustomerPayload {
    /// What was erased; null when there are problems.
    pub erasure: Option<Erasure>,
    /// Why nothing was erased.
    pub problems: Vec<Problem>,
}

impl ForgetCustomerPayload {
    const fn refused(problems: Vec<Problem>) -> Self {
        Self {
            erasure: None,
            problems,
        }
    }
}

/// The end of a person's data.
#[derive(SimpleObject)]
pub struct Erasure {
    /// Keys that were destroyed now; 0 when there was nothing of the customer, or it was erased before.
    pub keys_destroyed: i32,
    /// When.
    pub erased_at: DateTime,
}

/// The commands.
#[derive(Default)]
pub struct PersonMutation;

#[Object]
impl PersonMutation {
    /// Destroys a customer's key for good: contacts and proofs show `erased`; orders, totals and hashes stay.
    async fn forget_customer(
        &self,
        ctx: &Context<'_>,
        input: ForgetCustomerInput,
    ) -> Result<ForgetCustomerPayload, Error> {
        let access = Access::of(ctx)?;
        let mut fields = Fields::default();
        let customer: Option<CustomerId> = fields.id("customerId", input.customer_id.trim());
        let Some(customer) = customer else {
            return Ok(ForgetCustomerPayload::refused(fields.problems()));
        };
        let target = Some(customer.as_str());
        if let Err(problems) = access.to_write(Action::ErasePerson, target.as_ref()).await {
            return Ok(ForgetCustomerPayload::refused(problems));
        }
        let subject = Subject::customer(&customer);
        match access.backend.forget(&subject, access.actor()).await {
            Ok(erasure) => Ok(ForgetCustomerPayload {
                erasure: Some(Erasure {
                    keys_destroyed: i32::try_from(erasure.destroyed.len()).unwrap_or(i32::MAX),
                    erased_at: DateTime(erasure.at),
                }),
                problems: Vec::new(),
            }),
            Err(error) => {
                let problems = refusal::<DomainOrder>(&access, error)?;
                Ok(ForgetCustomerPayload::refused(problems))
            }
        }
    }
}
