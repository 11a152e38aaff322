//! What an operation will cost, computed before it runs. Introspection costs nothing and is bounded apart: it may nest
//! no list within itself, and describe only so much.

use async_graphql::{
    Value, Variables,
    parser::types::{
        ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
    },
};

use super::{reject::Rejection, types::Types};
use crate::limits::{
    DEFAULT_PAGE, MAX_ALIASES, MAX_DEPTH, MAX_DESCRIBED, MAX_DIRECTIVES, MAX_FIELDS,
    MAX_FRAGMENT_DEPTH, MAX_INTROSPECTION_DEPTH, MAX_MUTATIONS, MAX_PAGE,
};

/// A mutation's top-level field: a command costs a round trip to the log.
const COMMAND_COST: usize = 10;
/// Queries that cost more than one look-up, whatever is selected of them.
const QUERY_COSTS: [(&str, usize); 2] = [("orderDiff", 100), ("verify", 1_000)];
/// What a list without a page size is assumed to hold.
const LIST_COST: usize = 5;

/// The lists of introspection, and about how much is in them: none may be asked for within itself, or an answer would grow
/// by a factor a level.
const DESCRIBED: [(&str, usize); 8] = [
    ("types", 400),
    ("fields", 10),
    ("args", 3),
    ("inputFields", 8),
    ("enumValues", 10),
    ("possibleTypes", 8),
    ("interfaces", 2),
    ("directives", 8),
];

/// What an operation asks for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bill {
    /// Points: one a field, times the items of the lists around it.
    pub(super) cost: usize,
    /// Nothing but `__schema`, `__type` and `__typename` at the top.
    pub(super) introspection_only: bool,
    /// `__schema` or `__type` anywhere.
    pub(super) introspects: bool,
    /// Fields at the top.
    pub(super) roots: usize,
    /// Whether a directive may leave something out.
    pub(super) is_conditional: bool,
}

struct Meter<'a> {
    document: &'a ExecutableDocument,
    types: &'a Types,
    variables: &'a Variables,
    fields: usize,
    aliases: usize,
    directives: usize,
    roots: usize,
    introspects: bool,
    /// About how many fields introspection will answer.
    described: usize,
}

/// Where the walk is: how deep, below which type, how often everything here is repeated.
#[derive(Clone, Copy)]
struct Place<'a> {
    depth: usize,
    spreads: usize,
    parent: Option<&'a str>,
    times: usize,
    introspection: bool,
    /// Which of [`DESCRIBED`] are around here, a bit each.
    within: u8,
    connection: bool,
}

/// Adds up an operation.
///
/// # Errors
/// Names the bound that is exceeded. Fragment cycles end at the bound on fragments.
pub(super) fn bill(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    types: &Types,
    variables: &Variables,
) -> Result<Bill, Rejection> {
    let mut meter = Meter {
        document,
        types,
        variables,
        fields: 0,
        aliases: 0,
        directives: 0,
        roots: 0,
        introspects: false,
        described: 0,
    };
    let mutation = operation.ty == OperationType::Mutation;
    let top = &operation.selection_set.node;
    meter.add_directives(operation.directives.len())?;
    let parent = Some(super::root(operation.ty));
    let place = Place {
        depth: 1,
        spreads: 0,
        parent,
        times: 1,
        introspection: false,
        within: 0,
        connection: false,
    };
    let mut cost = meter.set(top, place)?;
    if mutation && meter.roots > MAX_MUTATIONS {
        return Err(Rejection::too_much(
            "TOO_MANY_MUTATIONS",
            format!("at most {MAX_MUTATIONS} mutations"),
        ));
    }
    if mutation {
        cost = cost.saturating_add(meter.roots.saturating_mul(COMMAND_COST));
    }
    let introspection_only =
        operation.ty == OperationType::Query && meter.only_introspection(top, 0);
    Ok(Bill {
        cost,
        introspection_only,
        introspects: meter.introspects,
        roots: meter.roots,
        is_conditional: meter.directives > 0,
    })
}

impl<'a> Meter<'a> {
    fn set(&mut self, set: &'a SelectionSet, place: Place<'a>) -> Result<usize, Rejection> {
        let mut cost = 0_usize;
        for item in &set.items {
            let part = match &item.node {
                Selection::Field(field) => self.field(&field.node, place)?,
                Selection::InlineFragment(inline) => {
                    self.enter(inline.node.directives.len())?;
                    let on = inline
                        .node
                        .type_condition
                        .as_ref()
                        .map(|c| c.node.on.node.as_str());
                    self.set(
                        &inline.node.selection_set.node,
                        Place {
                            parent: on.or(place.parent),
                            ..place
                        },
                    )?
                }
                Selection::FragmentSpread(spread) => {
                    self.enter(spread.node.directives.len())?;
                    match self.document.fragments.get(&spread.node.fragment_name.node) {
                        Some(fragment) if place.spreads < MAX_FRAGMENT_DEPTH => {
                            let parent = Some(fragment.node.type_condition.node.on.node.as_str());
                            let place = Place {
                                parent,
                                spreads: place.spreads + 1,
                                ..place
                            };
                            self.set(&fragment.node.selection_set.node, place)?
                        }
                        Some(_) => {
                            let bound =
                                format!("at most {MAX_FRAGMENT_DEPTH} fragments within each other");
                            return Err(Rejection::too_much("TOO_DEEP", bound));
                        }
                        // Unknown fragments are the validation's to report.
                        None => 0,
                    }
                }
            };
            cost = cost.saturating_add(part);
        }
        Ok(cost)
    }

    fn field(&mut self, field: &'a Field, place: Place<'a>) -> Result<usize, Rejection> {
        self.enter(field.directives.len())?;
        if field.alias.is_some() {
            self.aliases += 1;
            if self.aliases > MAX_ALIASES {
                return Err(Rejection::too_much(
                    "TOO_MANY_ALIASES",
                    format!("at most {MAX_ALIASES} aliases"),
                ));
            }
        }
        self.deeper(place)?;
        self.roots += usize::from(place.depth == 1);
        let name = field.name.node.as_str();
        let introspection = place.introspection || matches!(name, "__schema" | "__type");
        self.introspects |= introspection;
        let ty = place
            .parent
            .and_then(|p| self.types.field(p, name))
            .map(|f| &f.ty);
        let parent = ty.map(super::types::named);
        let connection = parent.is_some_and(|p| p.ends_with("Connection"));
        let is_list =
            ty.is_some_and(|t| matches!(t.base, async_graphql::parser::types::BaseType::List(_)));
        let (listed, within) = if place.introspection {
            listed(name, place.within)?
        } else {
            (1, place.within)
        };
        let items = match self.page(field) {
            _ if introspection => listed,
            Some(first) => first,
            None if connection => usize::try_from(DEFAULT_PAGE).unwrap_or(1),
            // A connection's edges and nodes are counted where its page size stands.
            None if is_list && !place.connection => LIST_COST,
            None => 1,
        };
        let times = place.times.saturating_mul(items);
        let below = Place {
            depth: place.depth + 1,
            parent,
            times,
            introspection,
            within,
            connection,
            ..place
        };
        if introspection {
            self.describe(place.times)?;
        }
        let children = self.set(&field.selection_set.node, below)?;
        let own = if introspection { 0 } else { place.times };
        let root = place.parent == Some("Query");
        let dear = QUERY_COSTS.iter().find(|(query, _)| root && *query == name);
        let own = own.saturating_add(dear.map_or(0, |(_, cost)| *cost));
        Ok(own.saturating_add(children))
    }

    /// The page size a field asks for, clamped: what is out of bounds is refused by the field itself.
    fn page(&self, field: &Field) -> Option<usize> {
        let size = ["first", "last"]
            .iter()
            .find_map(|name| field.get_argument(name))?;
        let constant = size
            .node
            .clone()
            .into_const_with(|name| self.variables.get(&name).cloned().ok_or(()));
        let size = match constant {
            Ok(Value::Number(n)) => n.as_i64(),
            _ => None,
        };
        let size = size.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
        usize::try_from(size).ok()
    }

    fn enter(&mut self, directives: usize) -> Result<(), Rejection> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(Rejection::too_much(
                "TOO_MANY_FIELDS",
                format!("at most {MAX_FIELDS} fields"),
            ));
        }
        self.add_directives(directives)
    }

    fn add_directives(&mut self, count: usize) -> Result<(), Rejection> {
        self.directives += count;
        if self.directives > MAX_DIRECTIVES {
            return Err(Rejection::too_much(
                "TOO_MANY_DIRECTIVES",
                format!("at most {MAX_DIRECTIVES} directives"),
            ));
        }
        Ok(())
    }

    /// Counts a field of introspection, with all times that it will be answered.
    fn describe(&mut self, times: usize) -> Result<(), Rejection> {
        self.described = self.described.saturating_add(times);
        if self.described > MAX_DESCRIBED {
            return Err(Rejection::too_much(
                "COST_EXCEEDED",
                format!("introspection of about {MAX_DESCRIBED} fields at most"),
            ));
        }
        Ok(())
    }

    fn deeper(&self, place: Place<'_>) -> Result<(), Rejection> {
        let bound = if place.introspection {
            MAX_INTROSPECTION_DEPTH
        } else {
            MAX_DEPTH
        };
        if place.depth > bound {
            return Err(Rejection::too_much(
                "TOO_DEEP",
                format!("at most {bound} levels of fields"),
            ));
        }
        Ok(())
    }

    /// `spreads` bounds the fragments followed: introspection needs none at the top.
    fn only_introspection(&self, set: &SelectionSet, spreads: usize) -> bool {
        set.items.iter().all(|item| match &item.node {
            Selection::Field(field) => field.node.name.node.starts_with("__"),
            Selection::InlineFragment(inline) => {
                spreads < MAX_DEPTH
                    && self.only_introspection(&inline.node.selection_set.node, spreads + 1)
            }
            Selection::FragmentSpread(_) => false,
        })
    }
}

/// About how much is in a field of introspection, and which lists are around what is below it.
fn listed(name: &str, within: u8) -> Result<(usize, u8), Rejection> {
    let Some(at) = DESCRIBED.iter().position(|(list, _)| *list == name) else {
        return Ok((1, within));
    };
    let bit = 1 << at;
    if within & bit != 0 {
        let bound = format!("no `{name}` within `{name}` of introspection");
        return Err(Rejection::too_much("TOO_DEEP", bound));
    }
    Ok((DESCRIBED[at].1, within | bit))
}
