//! Who may do what.

use serde::{Deserialize, Serialize};

use crate::ids::{PartnerId, StoreId};

/// The part somebody plays. One table, [`Role::may`], says what each may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Staff of a store: sees its orders, places and prepares them.
    StoreStaff,
    /// Manager of a store: staff, and may release and cancel.
    StoreManager,
    /// Coordinator of a region: reads its stores.
    RegionalCoordinator,
    /// Customer service: places and cancels for customers of any store.
    CustomerService,
    /// Operations: everything short of administration, late cancels with a reason included.
    Ops,
    /// Administration: everything.
    Admin,
    /// Auditors: read everything but personal data, change nothing.
    Auditor,
    /// A sales channel's system account: places orders.
    Channel,
    /// Slick's system account: picking and shipment.
    Slick,
    /// The partner platform's system account: delivery and cash news.
    Pmp,
    /// Grab's system account: delivery and cash news.
    Grab,
    /// The ledger's own processes. No credential carries it.
    System,
}

/// What a command or a query asks permission for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// See orders and boards.
    Read,
    /// See a customer's name, phone, e-mail and address.
    ReadPersonalData,
    /// Place an order.
    Place,
    /// Allocate an order.
    Allocate,
    /// Record a payment.
    Pay,
    /// Release an order to picking.
    Release,
    /// Record picking progress.
    RecordPicking,
    /// Record a shipment.
    RecordShipment,
    /// Record delivery progress.
    RecordDelivery,
    /// Cancel an order up to Released.
    Cancel,
    /// Cancel an order that is already being picked.
    CancelLate,
    /// Read metrics, health details and other operational figures.
    Operate,
    /// Change an order's quantities before its release.
    ChangeLines,
    /// Report shorts and offer other products.
    ReportShort,
    /// Give the customer's answer to an offer of another product.
    DecideSubstitution,
    /// Report cash collected or not collected.
    CollectCash,
    /// Correct a collected amount.
    CorrectCash,
    /// Take goods back after delivery.
    RequestReturn,
    /// Record that returned goods are back.
    ReceiveReturn,
    /// Give money back to a customer.
    Refund,
    /// Report the cash that a partner accounts for.
    ReportRemittance,
    /// Settle remittances, receive and bank their cash.
    Reconcile,
    /// Define bundles.
    ManageBundles,
    /// Open and change stores.
    ManageStores,
    /// See dead letters, place them again or dismiss them.
    Redrive,
    /// Destroy a customer's key: their personal data is gone for good.
    ErasePerson,
    /// What only the ledger's own processes do.
    RunProcesses,
    /// Read the event feed: every event of the stores in scope, in bulk. Personal data is sealed in it.
    ReadEvents,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Self] = &[
        Self::StoreStaff,
        Self::StoreManager,
        Self::RegionalCoordinator,
        Self::CustomerService,
        Self::Ops,
        Self::Admin,
        Self::Auditor,
        Self::Channel,
        Self::Slick,
        Self::Pmp,
        Self::Grab,
        Self::System,
    ];

    /// The role's name in tokens, events and the audit table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StoreStaff => "store-staff",
            Self::StoreManager => "store-manager",
            Self::RegionalCoordinator => "regional-coordinator",
            Self::CustomerService => "customer-service",
            Self::Ops => "ops",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Channel => "channel",
            Self::Slick => "slick",
            Self::Pmp => "pmp",
            Self::Grab => "grab",
            Self::System => "system",
        }
    }

    /// The one table of permissions. Which stores somebody may act for is [`StoreScope`]'s answer.
    ///
    /// From 3500 on only the system account that sees the goods moves an order; operations and
    /// administration may, as a correction recorded under their own name.
    pub const fn may(self, action: Action) -> bool {
        use Role::{
            Admin, Auditor, Channel, CustomerService, Grab, Ops, Pmp, RegionalCoordinator, Slick,
            StoreManager, StoreStaff, System,
        };
        if matches!(self, Admin) {
            return !matches!(action, Action::RunProcesses);
        }
        match action {
            Action::Read => true,
            Action::ReadPersonalData => {
                matches!(self, StoreStaff | StoreManager | CustomerService | Ops)
            }
            Action::Place => {
                matches!(
                    self,
                    StoreStaff | StoreManager | CustomerService | Ops | Channel | Pmp
                )
            }
            Action::Allocate | Action::Pay => matches!(self, Ops | System),
            Action::CancelLate
            | Action::Operate
            | Action::CorrectCash
            | Action::ManageBundles
            | Action::ManageStores
            | Action::Redrive => matches!(self, Ops),
            Action::Release => matches!(self, StoreManager | Ops | System),
            Action::RecordPicking | Action::RecordShipment | Action::ReportShort => {
                matches!(self, Slick | Ops)
            }
            Action::RecordDelivery | Action::CollectCash | Action::ReportRemittance => {
                matches!(self, Pmp | Grab | Ops)
            }
            Action::Cancel => matches!(self, StoreManager | CustomerService | Slick | Ops),
            Action::ChangeLines => matches!(self, StoreManager | CustomerService | Ops),
            Action::DecideSubstitution => {
                matches!(self, CustomerService | Channel | Pmp | Grab | Ops)
            }
            Action::RequestReturn => matches!(self, StoreManager | CustomerService | Ops),
            Action::ReceiveReturn => matches!(self, StoreStaff | StoreManager | Ops),
            Action::Refund => matches!(self, StoreManager | Ops),
            // The ledger itself settles a remittance in which everything agrees.
            Action::Reconcile => matches!(self, StoreManager | Ops | System),
            Action::ErasePerson => false,
            Action::RunProcesses => matches!(self, System),
            Action::ReadEvents => matches!(
                self,
                StoreManager | RegionalCoordinator | Ops | Auditor | Channel | Slick | Pmp | Grab
            ),
        }
    }
}

/// Grab, as reports and remittances name it.
const GRAB: &str = "GRAB";
/// The partner platform, as reports and remittances name it.
const PMP: &str = "PMP";

impl Role {
    /// Whether it speaks for this partner, where it may do the action at all. Each partner accounts for its own cash
    /// only. The platform also passes on that Grab's riders took cash: Grab tells it, and it tells us.
    pub fn speaks_for(self, partner: &PartnerId, action: Action) -> bool {
        match self {
            Self::Grab => partner.as_str() == GRAB,
            Self::Pmp => {
                partner.as_str() == PMP
                    || (matches!(action, Action::CollectCash) && partner.as_str() == GRAB)
            }
            _ => true,
        }
    }
}

impl Action {
    /// Every action.
    pub const ALL: &'static [Self] = &[
        Self::Read,
        Self::ReadPersonalData,
        Self::Place,
        Self::Allocate,
        Self::Pay,
        Self::Release,
        Self::RecordPicking,
        Self::RecordShipment,
        Self::RecordDelivery,
        Self::Cancel,
        Self::CancelLate,
        Self::Operate,
        Self::ChangeLines,
        Self::ReportShort,
        Self::DecideSubstitution,
        Self::CollectCash,
        Self::CorrectCash,
        Self::RequestReturn,
        Self::ReceiveReturn,
        Self::Refund,
        Self::ReportRemittance,
        Self::Reconcile,
        Self::ManageBundles,
        Self::ManageStores,
        Self::Redrive,
        Self::ErasePerson,
        Self::RunProcesses,
        Self::ReadEvents,
    ];

    /// The action's name in the audit table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadPersonalData => "read-personal-data",
            Self::Place => "place",
            Self::Allocate => "allocate",
            Self::Pay => "pay",
            Self::Release => "release",
            Self::RecordPicking => "record-picking",
            Self::RecordShipment => "record-shipment",
            Self::RecordDelivery => "record-delivery",
            Self::Cancel => "cancel",
            Self::CancelLate => "cancel-late",
            Self::Operate => "operate",
            Self::ChangeLines => "change-lines",
            Self::ReportShort => "report-short",
            Self::DecideSubstitution => "decide-substitution",
            Self::CollectCash => "collect-cash",
            Self::CorrectCash => "correct-cash",
            Self::RequestReturn => "request-return",
            Self::ReceiveReturn => "receive-return",
            Self::Refund => "refund",
            Self::ReportRemittance => "report-remittance",
            Self::Reconcile => "reconcile",
            Self::ManageBundles => "manage-bundles",
            Self::ManageStores => "manage-stores",
            Self::Redrive => "redrive",
            Self::ErasePerson => "erase-person",
            Self::RunProcesses => "run-processes",
            Self::ReadEvents => "read-events",
        }
    }
}

/// The stores somebody may see and act for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreScope {
    /// Every store.
    All,
    /// These stores only.
    Only(Vec<StoreId>),
}

impl StoreScope {
    /// Whether the store lies inside the scope.
    pub fn covers(&self, store: &StoreId) -> bool {
        match self {
            Self::All => true,
            Self::Only(stores) => stores.contains(store),
        }
    }
}

/// Who acts: written into every event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The subject of the credential.
    pub id: String,
    /// The part they play.
    pub role: Role,
    /// The stores they act for.
    pub stores: StoreScope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_permissions() {
        // One row per role; columns in the order of `Action::ALL`, `x` = may.
        const TABLE: &str = "\
            StoreStaff          xxx...............x.........
            StoreManager        xxx..x...x..x....xxx.x.....x
            RegionalCoordinator x..........................x
            CustomerService     xxx......x..x.x..x..........
            Ops                 xxxxxxxxxxxxxxxxxxxxxxxxx..x
            Admin               xxxxxxxxxxxxxxxxxxxxxxxxxx.x
            Auditor             x..........................x
            Channel             x.x...........x............x
            Slick               x.....xx.x...x.............x
            Pmp                 x.x.....x.....xx....x......x
            Grab                x.......x.....xx....x......x
            System              x..xxx...............x....x.";
        let actual: Vec<String> = Role::ALL
            .iter()
            .map(|role| {
                let row = Action::ALL
                    .iter()
                    .map(|action| if role.may(*action) { 'x' } else { '.' });
                format!("{:<20}{}", format!("{role:?}"), row.collect::<String>())
            })
            .collect();
        let expected: Vec<&str> = TABLE.lines().map(str::trim).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn names_are_those_of_the_words() {
        let kebab = |word: String| {
            let lower = |c: char| match c.is_uppercase() {
                true => format!("-{}", c.to_lowercase()),
                false => c.to_string(),
            };
            let name: String = word.chars().map(lower).collect();
            name.trim_start_matches('-').to_owned()
        };
        for action in Action::ALL {
            assert_eq!(action.as_str(), kebab(format!("{action:?}")));
        }
        for role in Role::ALL {
            assert_eq!(role.as_str(), kebab(format!("{role:?}")));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
    }

    #[test]
    fn a_partner_speaks_for_itself() {
        let partner = |id: &str| PartnerId::new(id).unwrap();
        let (collect, report) = (Action::CollectCash, Action::ReportRemittance);
        for (role, id, collects, reports) in [
            (Role::Grab, "GRAB", true, true),
            (Role::Grab, "PMP", false, false),
            (Role::Pmp, "PMP", true, true),
            (Role::Pmp, "GRAB", true, false),
            (Role::Pmp, "LINEMAN", false, false),
            (Role::Ops, "LINEMAN", true, true),
        ] {
            let speaks = |action| role.speaks_for(&partner(id), action);
            assert_eq!(
                (speaks(collect), speaks(report)),
                (collects, reports),
                "{role:?} {id}"
            );
        }
    }

    #[test]
    fn a_scope_covers_its_stores_only() {
        let store = |id: &str| StoreId::new(id).unwrap();
        let own = StoreScope::Only(vec![store("CFR001")]);
        assert!(own.covers(&store("CFR001")));
        assert!(!own.covers(&store("CFR002")));
        assert!(StoreScope::All.covers(&store("CFR002")));
        assert!(!StoreScope::Only(Vec::new()).covers(&store("CFR001")));
    }
}
