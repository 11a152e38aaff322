//! The committed schema as the fuzzer and its checker read it: from the text alone, apart from the server's own code.

use std::collections::HashMap;

use async_graphql::parser::{
    parse_schema,
    types::{
        BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
    },
};

/// A field of an object or an interface.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) args: Vec<Input>,
}

/// An argument, or a field of an input object.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) is_required: bool,
}

/// What a type is. Those that the text does not define are scalars.
pub(super) enum Kind {
    Object(Vec<Field>),
    Interface(Vec<Field>),
    Input { fields: Vec<Input>, one_of: bool },
    Enum(Vec<String>),
    Scalar,
}

pub(super) struct Schema {
    kinds: HashMap<String, Kind>,
    objects_of: HashMap<String, Vec<String>>,
}

impl Schema {
    pub(super) fn read(text: &str) -> Self {
        let (mut kinds, mut objects_of) = (HashMap::new(), HashMap::<_, Vec<String>>::new());
        for definition in parse_schema(text)
            .expect("the committed schema")
            .definitions
        {
            let TypeSystemDefinition::Type(ty) = definition else {
                continue;
            };
            let ty = ty.node;
            let name = ty.name.node.to_string();
            let one_of = ty.directives.iter().any(|d| d.node.name.node == "oneOf");
            let kind = match ty.kind {
                TypeKind::Object(object) => {
                    for interface in &object.implements {
                        let of = objects_of.entry(interface.node.to_string()).or_default();
                        of.push(name.clone());
                    }
                    Kind::Object(object.fields.into_iter().map(|f| field(f.node)).collect())
                }
                TypeKind::Interface(interface) => Kind::Interface(
                    interface
                        .fields
                        .into_iter()
                        .map(|f| field(f.node))
                        .collect(),
                ),
                TypeKind::InputObject(object) => Kind::Input {
                    fields: object.fields.into_iter().map(|f| input(f.node)).collect(),
                    one_of,
                },
                TypeKind::Enum(e) => Kind::Enum(
                    e.values
                        .into_iter()
                        .map(|v| v.node.value.node.to_string())
                        .collect(),
                ),
                TypeKind::Scalar => Kind::Scalar,
                TypeKind::Union(_) => panic!("{name}: the fuzzer knows no unions; teach it"),
            };
            kinds.insert(name, kind);
        }
        Self { kinds, objects_of }
    }

    pub(super) fn kind(&self, name: &str) -> &Kind {
        self.kinds.get(name).unwrap_or(&Kind::Scalar)
    }

    /// The fields of an object or an interface.
    pub(super) fn fields(&self, name: &str) -> &[Field] {
        match self.kind(name) {
            Kind::Object(fields) | Kind::Interface(fields) => fields,
            _ => &[],
        }
    }

    pub(super) fn field(&self, on: &str, name: &str) -> Option<&Field> {
        self.fields(on).iter().find(|field| field.name == name)
    }

    /// The objects that implement an interface.
    pub(super) fn objects_of(&self, interface: &str) -> &[String] {
        self.objects_of.get(interface).map_or(&[], Vec::as_slice)
    }

    /// Whether a type has fields to select.
    pub(super) fn is_composite(&self, ty: &Type) -> bool {
        matches!(self.kind(named(ty)), Kind::Object(_) | Kind::Interface(_))
    }
}

/// The named type inside lists and non-nulls.
pub(super) fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

fn field(field: FieldDefinition) -> Field {
    Field {
        name: field.name.node.to_string(),
        ty: field.ty.node,
        args: field.arguments.into_iter().map(|a| input(a.node)).collect(),
    }
}

fn input(input: InputValueDefinition) -> Input {
    Input {
        name: input.name.node.to_string(),
        is_required: !input.ty.node.nullable && input.default_value.is_none(),
        ty: input.ty.node,
    }
}
