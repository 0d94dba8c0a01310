//! Who calls whom: which functions can come back to themselves, and how much of the native stack each may stand for.
//!
//! Only functions on a cycle of calls count how deep they are; what they call that does not count stands in their weight. A
//! chain of calls without a cycle is as deep as the module is wide, so a long one counts too.
//!
//! # Invariants
//! - The weights of the functions that are active at once, and what the uncounted ones among them take, never exceed the limit
//!   by more than [`CHAIN_MAX`].

use super::check::{Checked, Function};

/// What a chain of uncounted calls may weigh.
pub(super) const CHAIN_MAX: u32 = 64 << 10;
/// What every frame takes: a return address, saved registers, alignment.
const FRAME: u32 = 64;
/// What a local or an operand may take of a frame: as much as a vector.
const VALUE: u32 = 16;
/// What an argument or a result takes where it is passed on the stack.
const PASSED: u32 = 16;

/// About how many bytes of the native stack a function takes while it is active. Compilers give room to what is alive at once,
/// and sometimes, in long functions, to more: hence their length.
fn frame(function: &Function) -> u32 {
    let values = function.locals.saturating_add(function.height);
    FRAME
        .saturating_add(values.saturating_mul(VALUE))
        .saturating_add(function.passed.saturating_mul(PASSED))
        .saturating_add(function.operators / 8)
}

/// What each function adds to the depth as it is entered; nothing where that is not counted.
pub(super) fn weights(checked: &Checked) -> Vec<Option<u32>> {
    let graph = Graph::of(checked);
    let mut weights = vec![None; checked.functions.len()];
    // What calling a node may take beyond what is counted.
    let mut below = vec![0_u32; graph.edges.len()];
    for component in graph.components() {
        let cyclic =
            component.len() > 1 || component.first().is_some_and(|node| graph.edges_of(*node).contains(node));
        // Types of functions first: functions of the same component look at them.
        for node in component.iter().rev().filter(|node| **node as usize >= checked.functions.len()) {
            let deepest = graph.deepest(*node, &below);
            set(&mut below, *node, deepest);
        }
        for node in component.iter().filter(|node| (**node as usize) < checked.functions.len()) {
            let Some(function) = checked.functions.get(*node as usize) else { continue };
            let whole = frame(function).saturating_add(graph.deepest(*node, &below));
            let counted = cyclic || whole > CHAIN_MAX;
            set(&mut weights, *node, counted.then_some(whole));
            set(&mut below, *node, if counted { 0 } else { whole });
        }
    }
    weights
}

fn set<T>(places: &mut [T], at: u32, value: T) {
    if let Some(place) = places.get_mut(at as usize) {
        *place = value;
    }
}

/// Functions, and behind them types: a function that calls through a table calls a type, and a type all functions of it that
/// may stand in a table.
struct Graph {
    edges: Vec<Vec<u32>>,
}

impl Graph {
    fn of(checked: &Checked) -> Self {
        let functions = checked.functions.len() as u32;
        let mut edges: Vec<Vec<u32>> = Vec::with_capacity(checked.functions.len() + checked.types.len());
        for function in &checked.functions {
            let through = function.indirect.iter().map(|ty| functions + ty);
            edges.push(function.callees.iter().copied().chain(through).collect());
        }
        edges.resize(checked.functions.len() + checked.types.len(), Vec::new());
        // Types that are written twice are one type.
        let first = |ty: u32| {
            let signature = checked.types.get(ty as usize);
            checked.types.iter().position(|other| Some(other) == signature).unwrap_or(ty as usize)
        };
        let firsts: Vec<usize> = (0..checked.types.len() as u32).map(first).collect();
        let mut escaped = checked.escaped.clone();
        escaped.sort_unstable();
        escaped.dedup();
        for function in escaped {
            let ty = checked.functions.get(function as usize).and_then(|found| firsts.get(found.ty as usize));
            if let Some(edges) = ty.and_then(|ty| edges.get_mut(checked.functions.len() + ty)) {
                edges.push(function);
            }
        }
        for (ty, first) in firsts.iter().enumerate() {
            if *first != ty
                && let Some(edges) = edges.get_mut(checked.functions.len() + ty)
            {
                edges.push(functions + *first as u32);
            }
        }
        Self { edges }
    }

    fn edges_of(&self, node: u32) -> &[u32] {
        self.edges.get(node as usize).map_or(&[], Vec::as_slice)
    }

    fn deepest(&self, node: u32, below: &[u32]) -> u32 {
        let of = |node: &u32| below.get(*node as usize).copied().unwrap_or(0);
        self.edges_of(node).iter().map(of).max().unwrap_or(0)
    }

    /// Its strongly connected components, each after those that it leads to (Tarjan 1972, without recursion).
    fn components(&self) -> Vec<Vec<u32>> {
        let nodes = self.edges.len();
        let mut search = Search {
            graph: self,
            order: vec![None; nodes],
            low: vec![0; nodes],
            waiting: vec![false; nodes],
            stack: Vec::new(),
            next: 0,
            found: Vec::new(),
        };
        for node in 0..nodes as u32 {
            search.visit(node);
        }
        search.found
    }
}

struct Search<'g> {
    graph: &'g Graph,
    /// When each node was met.
    order: Vec<Option<u32>>,
    /// The earliest node that each can come back to.
    low: Vec<u32>,
    /// Whether a node's component is not known yet.
    waiting: Vec<bool>,
    stack: Vec<u32>,
    next: u32,
    found: Vec<Vec<u32>>,
}

impl Search<'_> {
    fn enter(&mut self, node: u32) {
        set(&mut self.order, node, Some(self.next));
        set(&mut self.low, node, self.next);
        set(&mut self.waiting, node, true);
        self.stack.push(node);
        self.next += 1;
    }

    fn low(&self, node: u32) -> u32 {
        self.low.get(node as usize).copied().unwrap_or(0)
    }

    fn reaches(&mut self, node: u32, earlier: u32) {
        let low = self.low(node).min(earlier);
        set(&mut self.low, node, low);
    }

    fn visit(&mut self, root: u32) {
        if self.order.get(root as usize).copied().flatten().is_some() {
            return;
        }
        self.enter(root);
        // Nodes that are being looked at, and which edge is next.
        let mut path = vec![(root, 0)];
        while let Some((node, edge)) = path.pop() {
            let Some(target) = self.graph.edges_of(node).get(edge).copied() else {
                self.leave(node);
                if let Some((parent, _)) = path.last() {
                    self.reaches(*parent, self.low(node));
                }
                continue;
            };
            path.push((node, edge + 1));
            match self.order.get(target as usize).copied().flatten() {
                None => {
                    self.enter(target);
                    path.push((target, 0));
                }
                Some(met) if self.waiting.get(target as usize).copied().unwrap_or(false) => {
                    self.reaches(node, met);
                }
                Some(_) => {}
            }
        }
    }

    /// All that the node leads to was seen: if it comes back to nothing earlier, a component is whole.
    fn leave(&mut self, node: u32) {
        if self.order.get(node as usize).copied().flatten() != Some(self.low(node)) {
            return;
        }
        let mut component = Vec::new();
        while let Some(member) = self.stack.pop() {
            set(&mut self.waiting, member, false);
            component.push(member);
            if member == node {
                break;
            }
        }
        self.found.push(component);
    }
}
