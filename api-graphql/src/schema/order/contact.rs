//! Who gets the goods, and what shows that cash was handed over: personal data, for those who may see it.

use async_graphql::{Context, Enum, Error, SimpleObject};
use domain::{
    actor::Action,
    order::{command, event::Sealed},
};

use crate::{
    http::lasting::Lasting,
    schema::{access::Access, loads},
};

/// What may be shown of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ContactState {
    /// Shown.
    Visible,
    /// The caller's role may not see it.
    Hidden,
    /// The person was erased; nobody can see it any more.
    Erased,
}

/// Who gets the goods: personal data.
#[derive(Clone, SimpleObject)]
pub struct Contact {
    /// Whether the fields below are shown.
    pub state: ContactState,
    /// The person was erased.
    pub erased: bool,
    /// Name.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Postal address.
    pub address: Option<Address>,
}

impl Contact {
    /// What the caller may see of a sealed contact.
    ///
    /// # Errors
    /// A fault of ours: the vault does not answer, or does not understand what it sealed.
    pub(crate) async fn of(ctx: &Context<'_>, sealed: &Sealed) -> Result<Self, Error> {
        let access = Access::of(ctx)?;
        if !access.actor().role.may(Action::ReadPersonalData) {
            return Ok(Self::hidden());
        }
        Lasting::is_personal(ctx);
        let opened = loads::contact(ctx, &access, sealed).await?;
        Ok(opened.map_or_else(|| Self::empty(ContactState::Erased), Self::shown))
    }

    /// That there is one, and no more.
    pub(crate) const fn hidden() -> Self {
        Self::empty(ContactState::Hidden)
    }

    const fn empty(state: ContactState) -> Self {
        Self {
            state,
            erased: matches!(state, ContactState::Erased),
            name: None,
            phone: None,
            email: None,
            address: None,
        }
    }

    fn shown(contact: command::Contact) -> Self {
        let command::Contact {
            name,
            phone,
            email,
            address,
        } = contact;
        let address = address.map(Address::from);
        Self {
            name,
            phone,
            email,
            address,
            ..Self::empty(ContactState::Visible)
        }
    }
}

/// A postal address in Thailand.
#[derive(Clone, SimpleObject)]
#[allow(missing_docs)]
pub struct Address {
    pub line1: String,
    pub line2: Option<String>,
    pub line3: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
}

impl From<command::Address> for Address {
    fn from(a: command::Address) -> Self {
        let command::Address {
            line1,
            line2,
            line3,
            city,
            state,
            postal_code,
            country,
        } = a;
        Self {
            line1,
            line2,
            line3,
            city,
            state,
            postal_code,
            country,
        }
    }
}

/// What shows that cash was handed over: personal data.
#[derive(Clone, SimpleObject)]
pub struct Proof {
    /// Whether the fields below are shown.
    pub state: ContactState,
    /// The person was erased, and the proof with them.
    pub erased: bool,
    /// Where the photo is kept.
    pub photo: Option<String>,
    /// Where the signature is kept.
    pub signature: Option<String>,
    /// Degrees north.
    pub latitude: Option<String>,
    /// Degrees east.
    pub longitude: Option<String>,
    /// Who took the cash, as the partner knows them.
    pub collected_by: Option<String>,
}

impl Proof {
    /// What the caller may see of a sealed proof.
    ///
    /// # Errors
    /// As [`Contact::of`].
    pub(crate) async fn of(ctx: &Context<'_>, sealed: &Sealed) -> Result<Self, Error> {
        let access = Access::of(ctx)?;
        if !access.actor().role.may(Action::ReadPersonalData) {
            return Ok(Self::empty(ContactState::Hidden));
        }
        Lasting::is_personal(ctx);
        let opened = loads::proof(ctx, &access, sealed).await?;
        Ok(opened.map_or_else(|| Self::empty(ContactState::Erased), Self::shown))
    }

    const fn empty(state: ContactState) -> Self {
        Self {
            state,
            erased: matches!(state, ContactState::Erased),
            photo: None,
            signature: None,
            latitude: None,
            longitude: None,
            collected_by: None,
        }
    }

    fn shown(proof: command::Proof) -> Self {
        let command::Proof {
            photo,
            signature,
            latitude,
            longitude,
            collected_by,
        } = proof;
        Self {
            photo,
            signature,
            latitude,
            longitude,
            collected_by,
            ..Self::empty(ContactState::Visible)
        }
    }
}
