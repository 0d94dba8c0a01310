//! Call parameters: what a service may know of who calls it, and of where each argument comes from.
//!
//! They are set before each call of a service, and seen by every module of it while the call lasts. Each generation of the SDK
//! reads its own layout; which one, the import's namespace says.

use crate::abi::Records;
use crate::value::{Named, Record, Type, Value};

/// Where a value comes from: a peer's service and function, and the lens that was applied to its result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tetraplet {
    /// The peer that the value was made on.
    pub peer_pk: String,
    /// The service that made it.
    pub service_id: String,
    /// The function of it.
    pub function_name: String,
    /// The path to the value within the result.
    pub lens: String,
}

/// The particle that the call is part of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParticleParameters {
    /// Its id.
    pub id: String,
    /// The peer that sent it first.
    pub init_peer_id: String,
    /// When, in Unix milliseconds.
    pub timestamp: u64,
    /// For how long it lives, in milliseconds.
    pub ttl: u32,
    /// Its AIR script.
    pub script: String,
    /// Its first peer's signature.
    pub signature: Vec<u8>,
    /// What opens the particle's vault.
    pub token: String,
}

/// What a service may know of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CallParameters {
    /// The particle that the call is part of.
    pub particle: ParticleParameters,
    /// The service's own id.
    pub service_id: String,
    /// The peer that created it.
    pub service_creator_peer_id: String,
    /// The peer that hosts it.
    pub host_id: String,
    /// The scope, within that peer, that it lives in.
    pub worker_id: String,
    /// Where each argument's values come from: outer by argument, inner by value.
    pub tetraplets: Vec<Vec<Tetraplet>>,
}

/// A generation of the host's functions, by the namespace that they are imported from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// SDK 0.6 to 0.10.
    V0,
    /// SDK 0.12.
    V1,
    /// SDK 0.13.
    V2,
    /// SDK 0.14 and later.
    V3,
}

impl Generation {
    /// All, with their namespaces.
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("host", Self::V0),
        ("__marine_host_api_v1", Self::V1),
        ("__marine_host_api_v2", Self::V2),
        ("__marine_host_api_v3", Self::V3),
    ];

    /// The one of this namespace.
    pub(crate) fn of(namespace: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == namespace).map(|(_, generation)| generation)
    }
}

/// The types of the layouts, and their indices among them.
#[derive(Debug)]
pub(crate) struct Layouts(Vec<Record>);

const TETRAPLET: u32 = 0;
const PARTICLE: u32 = 1;
/// The result of a mounted binary.
pub(crate) const BINARY_RESULT: u32 = 2;
const V0: u32 = 3;
const V1: u32 = 4;
/// The third and the fourth differ in the name of a field of a tetraplet, which is not part of a layout.
const V2: u32 = 5;

impl Layouts {
    pub(crate) fn new() -> Self {
        let tetraplets = || {
            let inner = Type::Array(Box::new(Type::Record(TETRAPLET)));
            ("tetraplets", Type::Array(Box::new(inner)))
        };
        let texts =
            |names: &[&'static str]| names.iter().map(|name| (*name, Type::String)).collect::<Vec<_>>();
        let particle = vec![
            ("id", Type::String),
            ("init_peer_id", Type::String),
            ("timestamp", Type::U64),
            ("ttl", Type::U32),
            ("script", Type::String),
            ("signature", Type::Bytes),
            ("token", Type::String),
        ];
        let binary = vec![
            ("ret_code", Type::S32),
            ("error", Type::String),
            ("stdout", Type::Bytes),
            ("stderr", Type::Bytes),
        ];
        let mut v0 =
            texts(&["init_peer_id", "service_id", "service_creator_peer_id", "host_id", "particle_id"]);
        v0.push(tetraplets());
        let mut v1 =
            texts(&["init_peer_id", "service_id", "service_creator_peer_id", "host_id", "worker_id"]);
        v1.extend([("particle_id", Type::String), tetraplets()]);
        let mut v2 = vec![("particle", Type::Record(PARTICLE))];
        v2.extend(texts(&["service_id", "service_creator_peer_id", "host_id", "worker_id"]));
        v2.push(tetraplets());
        Self(vec![
            record("SecurityTetraplet", texts(&["peer_pk", "service_id", "function_name", "lens"])),
            record("ParticleParameters", particle),
            record("MountedBinaryResult", binary),
            record("CallParameters", v0),
            record("CallParameters", v1),
            record("CallParameters", v2),
        ])
    }
}

fn record(name: &str, fields: Vec<(&str, Type)>) -> Record {
    let named = |(name, ty): (&str, Type)| Named { name: name.to_owned(), ty };
    Record { name: name.to_owned(), fields: fields.into_iter().map(named).collect() }
}

impl Records for Layouts {
    fn record(&self, index: u32) -> Option<&Record> {
        self.0.get(index as usize)
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

impl CallParameters {
    /// As a record of this generation, and the index of its type in [`Layouts`].
    pub(crate) fn record(&self, generation: Generation) -> (Value, u32) {
        let tetraplet = |of: &Tetraplet| {
            Value::Record(vec![
                text(&of.peer_pk),
                text(&of.service_id),
                text(&of.function_name),
                text(&of.lens),
            ])
        };
        let inner = |of: &Vec<Tetraplet>| Value::Array(of.iter().map(tetraplet).collect());
        let tetraplets = Value::Array(self.tetraplets.iter().map(inner).collect());
        let service = [&self.service_id, &self.service_creator_peer_id, &self.host_id].map(|id| text(id));
        let particle = &self.particle;
        let mut fields = Vec::new();
        let index = match generation {
            Generation::V0 | Generation::V1 => {
                fields.push(text(&particle.init_peer_id));
                fields.extend(service);
                if generation == Generation::V1 {
                    fields.push(text(&self.worker_id));
                }
                fields.push(text(&particle.id));
                if generation == Generation::V1 { V1 } else { V0 }
            }
            Generation::V2 | Generation::V3 => {
                fields.push(Value::Record(vec![
                    text(&particle.id),
                    text(&particle.init_peer_id),
                    Value::U64(particle.timestamp),
                    Value::U32(particle.ttl),
                    text(&particle.script),
                    Value::Bytes(particle.signature.clone()),
                    text(&particle.token),
                ]));
                fields.extend(service);
                fields.push(text(&self.worker_id));
                V2
            }
        };
        fields.push(tetraplets);
        (Value::Record(fields), index)
    }
}
