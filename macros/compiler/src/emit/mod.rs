//! Emission: a planned function becomes kernels and a function that runs them, in plain Rust over `kiln::rt`.
//!
//! Invariant: nothing can fail from here on. Equal kernels are emitted once a unit; names come from the user's.

mod alike;
mod choice;
mod columns;
pub mod dims;
mod elements;
mod kept;
mod kernel;
mod levels;
mod operands;
mod padded;
mod pass;
mod report;
mod rows;
mod run;
mod scalar;
mod sizes;
mod total;
mod turns;

use crate::fuse::algorithm::Winograd;
use crate::fuse::kernel::{Kernel, Loops, Operand};
use crate::fuse::panels::Panels;
use crate::fuse::{self, Fused};
use crate::part::Part;
use crate::plan::{self, Place, Plan};
use choice::{Choice, Stays};
use kernel::{Emitted, Names};
use kiln_ir::{Func, Op, Sym, SymKind, Value};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
pub use scalar::element;
use sizes::{Fields, Template};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The functions of one model with their kernels.
#[derive(Default)]
pub struct Unit {
    items: Vec<TokenStream>,
    /// Structs by their code under canonical names.
    known: HashMap<(String, Vec<usize>), Struct>,
    /// Fields of kernels that are alike but for sizes, by their code without.
    sizes: HashMap<String, Fields>,
    /// Functions of steps by their code.
    steps: HashMap<String, Ident>,
    /// What was made of each function.
    parts: HashMap<(Func, Stays), Compiled>,
    taken: BTreeSet<String>,
    /// What stands before functions: `#[inline]` where only a caller makes machine code of them.
    hint: TokenStream,
    /// Whether products are summed directly, whatever that costs.
    exact: bool,
}

/// What products find frozen, by input.
pub type Frozen = BTreeMap<usize, Ready>;

/// The form of an operand that stays the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ready {
    /// Factors at Winograd's points.
    Points(Winograd),
    /// In the order in which the micro-kernels read it.
    Panels(Panels),
}

/// A kernel's struct, to be built by name of field.
#[derive(Clone)]
struct Struct {
    name: Ident,
    fields: Vec<Ident>,
}

/// A kernel under canonical names.
struct Plain {
    emitted: Emitted,
    template: Template,
}

/// What a step of a plan runs.
enum Made {
    /// A kernel.
    Kernel(Box<MadeKernel>),
    /// A loop: the function that runs a turn.
    Turns(Box<Compiled>),
}

/// A kernel of a plan.
struct MadeKernel {
    kernel: (Struct, Emitted),
    /// What a product's operands are computed by.
    operands: [Option<(Struct, Emitted)>; 2],
}

/// A function of a unit.
#[derive(Clone)]
pub struct Compiled {
    /// Its name. It takes a `usize` for each of `dims`, then for each input of the graph a slice, `&mut` if an output
    /// updates it, then a `&mut` slice for each other output, then the scratch area.
    pub run: Ident,
    /// The free dims.
    pub dims: Vec<Sym>,
    /// Bytes of the scratch area: a constant expression over the free dims.
    pub scratch: TokenStream,
    /// Floating-point operations of a call, multiply and add counting as two: likewise.
    pub flops: TokenStream,
    /// Multiplications of products in a call, each with its addition.
    pub multiply_adds: TokenStream,
    /// The plan as a text to read.
    pub plan: String,
    /// Its beginning: how much there is of each.
    pub summary: String,
    /// The inputs that it wants otherwise than the graph says.
    pub frozen: Frozen,
}

/// Tiles, rows and channels of factors at Winograd's points, as arguments.
pub fn tiles(winograd: &Winograd) -> TokenStream {
    let numbers = [winograd.tile, winograd.m, winograd.channels];
    let [tile, m, channels] = numbers.map(proc_macro2::Literal::i64_unsuffixed);
    match winograd.together {
        true => quote!(::kiln::rt::Together(#tile), #m, #channels),
        false => quote!(#tile, #m, #channels),
    }
}

impl Unit {
    /// An empty unit.
    pub fn new() -> Unit {
        Unit::default()
    }

    /// From here on, functions become machine code in crates that call them alone: not every user of a model's crate
    /// differentiates or freezes it.
    pub fn on_demand(&mut self) {
        self.hint = quote!(#[inline]);
    }

    /// An empty unit whose products are direct sums.
    pub fn exact(exact: bool) -> Unit {
        Unit { exact, ..Unit::default() }
    }

    /// Compiles a function into the unit.
    pub fn add(&mut self, func: &Func) -> Compiled {
        self.add_frozen(func, 0)
    }

    /// Compiles a function whose first `frozen` inputs stay the same from call to call.
    pub fn add_frozen(&mut self, func: &Func, frozen: usize) -> Compiled {
        self.part(&Part::of(func), Stays { frozen, ..Stays::default() })
    }

    fn part(&mut self, part: &Part, stays: Stays) -> Compiled {
        let key = (part.func.clone(), stays);
        if let Some(known) = self.parts.get(&key) {
            return known.clone();
        }
        let Part { func, fused, plan } = part;
        let choice = Choice::of(func, fused, &key.1, self.exact);
        let names = slice_names(func, fused);
        let plain: Vec<Vec<Plain>> = fused.kernels.iter().map(|k| plain(func, k, plan)).collect();
        let taken = |name: &str| func.syms.0.iter().any(|s| s.name == name);
        for (code, fields) in sizes::fields(plain.iter().flatten().map(|p| &p.template), &taken) {
            self.sizes.entry(code).or_insert(fields);
        }
        let made: Vec<Made> = fused
            .kernels
            .iter()
            .zip(plain)
            .map(|(k, plain)| match &k.loops {
                Loops::Turns(turns) => {
                    Made::Turns(Box::new(self.part(&turns.part, choice.in_turns(func, k))))
                }
                _ => Made::Kernel(Box::new(self.make(func, k, plan, &names, plain))),
            })
            .collect();
        let run = self.fresh(&format!("run_{}", func.name));
        let free = |s: &Sym| matches!(func.syms.info(*s).kind, SymKind::Free { .. });
        let dims: Vec<Sym> = (0..func.syms.0.len() as u32).map(Sym).filter(free).collect();
        let function = run::function(part, &names, &made, &run, &dims, &choice, self);
        let hint = &self.hint;
        self.items.push(quote!(#hint #function));
        let all = dims::Dims { syms: &func.syms };
        let compiled = Compiled {
            run,
            dims,
            scratch: run::scratch(plan, &all),
            flops: all.dim(&report::flops(fused)),
            multiply_adds: all.dim(&report::multiply_adds(func)),
            plan: report::text(func, fused, plan, &choice, self.exact),
            summary: report::summary(func, fused, plan),
            frozen: choice.frozen,
        };
        self.parts.insert(key, compiled.clone());
        compiled
    }

    /// The kernels and functions.
    pub fn finish(self) -> TokenStream {
        let items = self.items;
        quote!(#(#items)*)
    }

    /// Emits a kernel and what its product computes while it packs.
    fn make(
        &mut self,
        func: &Func,
        kernel: &Kernel,
        plan: &Plan,
        names: &BTreeMap<Value, Ident>,
        plain: Vec<Plain>,
    ) -> MadeKernel {
        let mut plain = plain.into_iter();
        let mut next = |kernel: &Kernel| {
            let plain = plain.next().expect("one for each kernel");
            self.kernel(func, kernel, plan, names, plain)
        };
        let operands = computed(kernel).map(|operand| operand.map(&mut next));
        MadeKernel { kernel: next(kernel), operands }
    }

    /// Emits a kernel, unless an equal one is there, or one that is alike but for sizes.
    fn kernel(
        &mut self,
        func: &Func,
        kernel: &Kernel,
        plan: &Plan,
        names: &BTreeMap<Value, Ident>,
        Plain { emitted: plain, template }: Plain,
    ) -> (Struct, Emitted) {
        let fields = self.sizes.get(template.code());
        let alike = fields.and_then(|fields| Some((fields, fields.values(&template)?)));
        let numbers = if alike.is_some() { vec![] } else { template.numbers().to_vec() };
        let (fields, sizes) = alike.map_or((None, vec![]), |(fields, sizes)| (Some(fields.clone()), sizes));
        let key = (template.code().to_string(), numbers);
        if let Some(known) = self.known.get(&key) {
            return (known.clone(), Emitted { sizes, ..plain });
        }
        // The suffix keeps it apart from the user's types.
        let name = self.fresh(&format!("{}Kernel", camel(&kernel.name)));
        let emitted = Emitted { sizes, ..emit(func, kernel, plan, names, &name, fields.as_ref()) };
        let free = emitted.frees.iter().map(|s| dims::ident(&func.syms.info(*s).name));
        let reads = emitted.reads.iter().map(|v| names[v].clone());
        let sizes = fields.into_iter().flat_map(|fields| fields.names);
        let fields = reads.chain(free).chain(emitted.batch.clone()).chain(sizes).collect();
        if !kernel.is_bare() {
            self.items.push(emitted.items.clone());
        }
        let known = Struct { name, fields };
        self.known.insert(key, known.clone());
        (known, emitted)
    }

    /// A name that no other item of the unit has.
    fn fresh(&mut self, wanted: &str) -> Ident {
        let wanted = dims::ident(wanted).to_string();
        let apart = if wanted.starts_with(char::is_uppercase) { "" } else { "_" };
        let numbered = (2..).map(|n| format!("{wanted}{apart}{n}"));
        let name = std::iter::once(wanted.clone()).chain(numbered).find(|n| !self.taken.contains(n));
        let name = name.expect("numbers don't end");
        self.taken.insert(name.clone());
        format_ident!("{name}")
    }
}

/// What a product computes while it packs.
fn computed(kernel: &Kernel) -> [Option<&Kernel>; 2] {
    match &kernel.loops {
        Loops::Gemm(g) => g.operands().map(|o| match o {
            Operand::Computed(kernel) => Some(&**kernel),
            Operand::Stored(_) | Operand::Windows(_) | Operand::Pixels(_) => None,
        }),
        _ => [None, None],
    }
}

/// What a kernel's product computes, and the kernel, unless it is a loop.
fn plain(func: &Func, kernel: &Kernel, plan: &Plan) -> Vec<Plain> {
    if matches!(kernel.loops, Loops::Turns(_)) {
        return vec![];
    }
    let all = computed(kernel).into_iter().flatten().chain([kernel]);
    let plain = all.map(|kernel| {
        let emitted = emit(func, kernel, plan, &canonical(kernel), &format_ident!("Kernel"), None);
        let template = Template::of(emitted.items.clone());
        Plain { emitted, template }
    });
    plain.collect()
}

fn emit(
    func: &Func,
    k: &Kernel,
    plan: &Plan,
    names: &BTreeMap<Value, Ident>,
    name: &Ident,
    sizes: Option<&Fields>,
) -> Emitted {
    let slice = |v: Value| names[&v].clone();
    let element = |v: Value| plan::element(func.ty(v).dtype, plan.places[&v]);
    let in_place = |v: Value| {
        let Op::Input(i) = func.node(v).op else { return None };
        let over = |s: &&fuse::kernel::Store| plan.places[&s.value] == Place::Input(i as usize);
        k.stores.iter().find(over).map(|s| s.value)
    };
    let names = Names { slice: &slice, element: &element, in_place: &in_place };
    kernel::kernel(&kernel::Context { func, names: &names }, k, name, sizes)
}

/// Names by order of occurrence, under which equal kernels have equal code.
fn canonical(kernel: &Kernel) -> BTreeMap<Value, Ident> {
    let mut names = BTreeMap::new();
    let stores = kernel.stores.iter().map(|s| s.value);
    for (n, v) in kernel.reads().into_iter().chain(stores).enumerate() {
        names.entry(v).or_insert_with(|| format_ident!("b{n}"));
    }
    names
}

/// A name for each stored value and input: the user's, made unique.
fn slice_names(func: &Func, fused: &Fused) -> BTreeMap<Value, Ident> {
    // What the code around uses itself.
    let own = [
        "scratch", "unit", "units", "row", "rows", "col", "acc", "out", "j", "value", "best", "place",
        "lanes", "block", "elements", "used", "l", "turn", "to", "at", "factors",
    ];
    let mut taken: BTreeSet<String> = own.iter().map(|s| s.to_string()).collect();
    taken.extend(func.syms.0.iter().map(|s| s.name.clone()));
    let inputs = func.values().filter(|(_, n)| matches!(n.op, Op::Input(_))).map(|(v, _)| v);
    let stored = fused.kernels.iter().flat_map(|k| k.stores.iter().map(|s| s.value));
    let mut names = BTreeMap::new();
    for v in inputs.chain(stored) {
        let text = match func.node(v).op {
            Op::Input(i) => func.inputs[i as usize].name.clone(),
            _ => func.names[v.0 as usize].clone().unwrap_or_else(|| format!("v{}", v.0)),
        };
        let clean = snake(&text);
        let numbered = (2..).map(|n| format!("{clean}_{n}_"));
        let name =
            std::iter::once(clean.clone()).chain(numbered).find(|n| !taken.contains(n) && !reserved(n));
        let name = name.expect("numbers don't end");
        taken.insert(name.clone());
        names.insert(v, format_ident!("{name}"));
    }
    names
}

/// Whether the writers of passes and loops make such names themselves: `t3`, `r0`, `i1`, `d2`, `s4`, `a0`, `y1`, `size0`, and `h_2` for
/// a part of `h`.
fn reserved(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let own = |first: char| matches!(first, 't' | 'r' | 'i' | 'd' | 's' | 'a' | 'y');
    let written = name.strip_prefix(own).or(name.strip_prefix("size"));
    written.is_some_and(digits) || name.rsplit_once('_').is_some_and(|(_, last)| digits(last))
}

fn snake(text: &str) -> String {
    dims::ident(text).to_string().trim_start_matches("r#").to_string()
}

fn camel(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let capital = |w: &str| {
        let mut chars = w.chars();
        chars.next().map(|c| c.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    };
    let name: String = words.map(capital).collect();
    if name.starts_with(|c: char| c.is_alphabetic()) { name } else { format!("Kernel{name}") }
}
