//! Hostile bytes, streams, links and ids against a running node: each is turned away for a counted reason, and honest
//! peers are served meanwhile.
//!
//! | module | what |
//! |---|---|
//! | `attacker` | a peer that speaks raw streams |
//! | `frames` | the table of malformed frames, as requests and as answers; frames cut short |
//! | `streams` | thousands of streams, slow ones, unknown protocols |
//! | `links` | connections that are too many, or speak another protocol |
//! | `memory` | what a node holds while thousands of slow streams and a flood of connections are held open |
//! | `lies` | peers and addresses that are not what they are said to be |

mod attacker;
#[path = "../common/mod.rs"]
mod common;
mod frames;
mod lies;
mod links;
mod memory;

mod streams;
#[path = "../../../wire/tests/malformed/table.rs"]
mod table;

use wire::Half;
