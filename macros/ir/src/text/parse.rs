//! The parser.

use super::bodies;
use super::cursor::{Cursor, Parse, ParseError};
use super::print::role;
use crate::op::{PadAxis, SliceAxis, Window};
use crate::{
    DType, Dim, Draw, Func, Input, Literal, Loc, Node, Op, Output, Reduction, Role, Scalar, Sym, SymInfo,
    SymKind, Ty, Value, ops,
};

/// The function of a text.
///
/// # Errors
/// The first place where the text is no function, and what was expected there.
pub fn parse(text: &str) -> Result<Func, ParseError> {
    let mut cursor = Cursor::new(text);
    let func = function(&mut cursor)?;
    match cursor.rest() {
        "" => Ok(func),
        _ => Err(cursor.expected("the end")),
    }
}

/// The functions of a text, one after the other.
///
/// # Errors
/// As of `parse`.
pub fn parse_all(text: &str) -> Result<Vec<Func>, ParseError> {
    let (mut cursor, mut all) = (Cursor::new(text), Vec::new());
    while !cursor.rest().is_empty() {
        all.push(function(&mut cursor)?);
    }
    Ok(all)
}

pub(super) fn function(c: &mut Cursor) -> Parse<Func> {
    c.expect("fn")?;
    let mut func = Func { name: c.name()?, ..Func::default() };
    if c.eat("<") {
        let mut syms = Func::default();
        c.list(">", |c| {
            let next = symbol(c, &syms)?;
            syms.syms.0.push(next);
            Ok(())
        })?;
        func.syms = syms.syms;
    }
    c.expect("{")?;
    while c.rest().starts_with('%') {
        node(c, &mut func)?;
    }
    while c.eat("return") {
        let out = output(c, &func)?;
        func.outputs.push(out);
    }
    if !c.eat("}") {
        return Err(c.expected("`return` or `}`"));
    }
    Ok(func)
}

/// A symbol; those before it are those of `func`.
fn symbol(c: &mut Cursor, func: &Func) -> Parse<SymInfo> {
    if c.eat("floor") {
        let name = c.name()?;
        c.expect("=")?;
        let of = dim(c, func)?;
        c.expect("by")?;
        let at = c.mark();
        let by = c.number()?;
        return match by > 1 {
            true => Ok(SymInfo { name, kind: SymKind::Floor { of, by } }),
            false => Err(c.back(at).expected("a number above 1")),
        };
    }
    if c.eat("const") {
        return Ok(SymInfo { name: c.name()?, kind: SymKind::Const });
    }
    if c.eat("turn") {
        return Ok(SymInfo { name: c.name()?, kind: SymKind::Turn });
    }
    let name = c.name()?;
    let bound = if c.eat("<=") { Some(c.number()?) } else { None };
    Ok(SymInfo { name, kind: SymKind::Free { bound } })
}

fn node(c: &mut Cursor, func: &mut Func) -> Parse<()> {
    let at = c.mark();
    c.expect("%")?;
    if c.number::<usize>().ok() != Some(func.nodes.len()) {
        return Err(c.back(at).expected(&format!("`%{}`", func.nodes.len())));
    }
    c.expect(":")?;
    let ty = ty(c, func)?;
    c.expect("=")?;
    let start = c.mark();
    let op = operation(c, func, &ty)?;
    let mut args = Vec::new();
    while !c.at_line_end() && c.rest().starts_with('%') {
        args.push(value(c, func)?);
    }
    check(c, func, &op, &args, &ty, start)?;
    let name = if c.eat(";") { Some(c.name()?) } else { default_name(&op, func) };
    func.names.push(name);
    func.nodes.push(Node { op, args, ty, loc: Loc::default() });
    Ok(())
}

fn default_name(op: &Op, func: &Func) -> Option<String> {
    match op {
        Op::Input(i) => Some(func.inputs[*i as usize].name.clone()),
        _ => None,
    }
}

/// Whether the operation takes these arguments and gives that type.
fn check(c: &mut Cursor, func: &Func, op: &Op, args: &[Value], ty: &Ty, start: usize) -> Parse<()> {
    if matches!(op, Op::Input(_)) {
        return Ok(());
    }
    let types: Vec<&Ty> = args.iter().map(|a| func.ty(*a)).collect();
    let error =
        |fault| crate::Error { fault: Box::new(fault), syms: func.syms.clone(), of: None }.to_string();
    match ops::infer(op, &types) {
        Ok(found) if found == *ty => Ok(()),
        Ok(found) => {
            let shape: Vec<String> = found.shape.iter().map(|d| d.display(&func.syms).to_string()).collect();
            let message = format!("the type is {}[{}]", found.dtype.name(), shape.join(", "));
            Err(c.back(start).fault(message))
        }
        Err(fault) => Err(c.back(start).fault(error(fault))),
    }
}

fn value(c: &mut Cursor, func: &Func) -> Parse<Value> {
    let at = c.mark();
    c.expect("%")?;
    let n: u32 = c.number()?;
    if n as usize >= func.nodes.len() {
        return Err(c.back(at).fault(format!("%{n} is not defined before")));
    }
    Ok(Value(n))
}

fn output(c: &mut Cursor, func: &Func) -> Parse<Output> {
    let at = c.mark();
    let value = value(c, func)?;
    c.expect("as")?;
    let name = c.name()?;
    let updates = if c.eat("updates") { Some(input(c, func)?) } else { None };
    if let Some(input) = updates.map(|i| &func.inputs[i]).filter(|i| i.ty != *func.ty(value)) {
        return Err(c.back(at).fault(format!("{} has another type", input.name)));
    }
    Ok(Output { name, value, updates })
}

/// An input by its name, or by its value.
fn input(c: &mut Cursor, func: &Func) -> Parse<usize> {
    let at = c.mark();
    if c.rest().starts_with('%') {
        return match func.node(value(c, func)?).op {
            Op::Input(i) => Ok(i as usize),
            _ => Err(c.back(at).expected("an input")),
        };
    }
    let name = c.name()?;
    let found = func.inputs.iter().position(|i| i.name == name);
    found.ok_or_else(|| c.back(at).expected("an input's name"))
}

fn ty(c: &mut Cursor, func: &Func) -> Parse<Ty> {
    let dtype = dtype(c)?;
    c.expect("[")?;
    Ok(Ty { dtype, shape: c.list("]", |c| dim(c, func))? })
}

fn dtype(c: &mut Cursor) -> Parse<DType> {
    let found = DType::ALL.into_iter().find(|d| c.eat(d.name()));
    found.ok_or_else(|| c.expected("an element type"))
}

/// `2*N*M - N + 1`.
pub(super) fn dim(c: &mut Cursor, func: &Func) -> Parse<Dim> {
    let mut sum = Dim::from(0);
    let mut negative = c.eat("-");
    loop {
        let term = product(c, func, if negative { -1 } else { 1 })?;
        sum = sum + term;
        negative = match (c.eat("+"), c.rest().starts_with('-')) {
            (true, _) => false,
            (_, true) => c.eat("-"),
            _ => return Ok(sum),
        };
    }
}

fn product(c: &mut Cursor, func: &Func, sign: i64) -> Parse<Dim> {
    let mut term = Dim::from(1);
    let mut signed = false;
    loop {
        if c.rest().starts_with(|c: char| c.is_ascii_digit()) {
            // With its sign, so that the least integer is one.
            let n: i128 = c.number()?;
            let sign = if signed { 1 } else { i128::from(sign) };
            let n = i64::try_from(n * sign).map_err(|_| c.fault("no size is that large".into()))?;
            term = term * Dim::from(n);
        } else {
            let sym = sym(c, func)?;
            term = term * Dim::from(if signed { 1 } else { sign }) * Dim::from(sym);
        }
        signed = true;
        if !c.eat("*") {
            return Ok(term);
        }
    }
}

fn sym(c: &mut Cursor, func: &Func) -> Parse<Sym> {
    let at = c.mark();
    let name = c.name()?;
    let found = func.syms.0.iter().position(|s| s.name == name);
    found.map(|i| Sym(i as u32)).ok_or_else(|| c.back(at).expected("a symbol of the head"))
}

fn operation(c: &mut Cursor, func: &mut Func, ty: &Ty) -> Parse<Op> {
    let at = c.mark();
    let name = c.name()?;
    if let Some(role) = ROLES.into_iter().find(|r| role(*r) == name) {
        c.expect("[")?;
        let name = c.name()?;
        let apart = c.eat(",");
        if apart {
            c.expect("apart")?;
        }
        c.expect("]")?;
        func.inputs.push(Input { name, ty: ty.clone(), role, apart });
        return Ok(Op::Input(func.inputs.len() as u32 - 1));
    }
    if let Some(s) = Scalar::ALL.into_iter().find(|s| s.name() == name) {
        return Ok(Op::Map(s));
    }
    if c.eat("[") {
        let op = attributes(c, func, ty, &name, at)?;
        c.expect("]")?;
        return Ok(op);
    }
    // Over no axes, or to no dims, there is nothing to say.
    match name.as_str() {
        "stop_grad" => Ok(Op::StopGrad),
        "reshape" => Ok(Op::Reshape(vec![])),
        "permute" => Ok(Op::Permute(vec![])),
        "broadcast" => Ok(Op::Broadcast(vec![])),
        "slice" => Ok(Op::Slice(vec![])),
        "pad" => Ok(Op::Pad(vec![])),
        "sum" => Ok(Op::Reduce(Reduction::Sum, vec![])),
        "max_over" => Ok(Op::Reduce(Reduction::Max, vec![])),
        _ => Err(c.back(at).expected("an operation, with its attributes in brackets")),
    }
}

const ROLES: [Role; 3] = [Role::Argument, Role::Parameter, Role::Buffer];

fn attributes(c: &mut Cursor, func: &Func, ty: &Ty, name: &str, at: usize) -> Parse<Op> {
    Ok(match name {
        "const" => Op::Const(literal(c, ty.dtype)?, ty.dtype),
        "iota" => Op::Iota { len: dim(c, func)?, dtype: ty.dtype },
        "reshape" => Op::Reshape(items(c, |c| dim(c, func))?),
        "permute" => Op::Permute(items(c, |c| c.number())?),
        "sum" => Op::Reduce(Reduction::Sum, items(c, |c| c.number())?),
        "max_over" => Op::Reduce(Reduction::Max, items(c, |c| c.number())?),
        "broadcast" => Op::Broadcast(items(c, |c| {
            let at = c.number()?;
            c.expect(":")?;
            Ok((at, dim(c, func)?))
        })?),
        "slice" => Op::Slice(items(c, |c| {
            let start = dim(c, func)?;
            c.expect("len")?;
            Ok(SliceAxis { start, len: dim(c, func)?, step: step(c)? })
        })?),
        "pad" => Op::Pad(items(c, |c| {
            let low = dim(c, func)?;
            c.expect("|")?;
            Ok(PadAxis { low, high: dim(c, func)?, step: step(c)? })
        })?),
        "windows" => Op::Windows(window(c, func)?),
        "fold" => {
            let window = window(c, func)?;
            c.expect("to")?;
            Op::Fold(window, dim(c, func)?)
        }
        "gather" => Op::Gather(c.number()?),
        "scatter_add" => {
            let axis = c.number()?;
            c.expect(":")?;
            Op::ScatterAdd(axis, dim(c, func)?)
        }
        "update" => Op::Update(c.number()?),
        "concat" => Op::Concat(c.number()?),
        "argmax" => Op::ArgMax(c.number()?),
        "contract" => contract(c)?,
        "cast" => Op::Cast(dtype(c)?),
        "random" => {
            let draw = Draw::ALL.into_iter().find(|d| c.eat(d.name()));
            let draw = draw.ok_or_else(|| c.expected("`uniform` or `bits`"))?;
            let shape = if c.eat(":") { items(c, |c| dim(c, func))? } else { vec![] };
            Op::Random(draw, shape)
        }
        "scan" => bodies::scan(c, func)?,
        "rule" => bodies::rule(c, func)?,
        "result" => Op::Result(c.number()?, ty.clone()),
        _ => return Err(c.back(at).expected("an operation with attributes")),
    })
}

/// Items up to the bracket, which is left.
fn items<T>(c: &mut Cursor, mut item: impl FnMut(&mut Cursor) -> Parse<T>) -> Parse<Vec<T>> {
    let mut items = vec![item(c)?];
    while c.eat(",") {
        items.push(item(c)?);
    }
    Ok(items)
}

fn step(c: &mut Cursor) -> Parse<i64> {
    if c.eat("step") { c.number() } else { Ok(1) }
}

fn window(c: &mut Cursor, func: &Func) -> Parse<Window> {
    let axis = c.number()?;
    c.expect(":")?;
    let len = dim(c, func)?;
    let mut behind = |word: &str| c.expect(word).and_then(|()| c.number());
    Ok(Window { axis, len, size: behind("of")?, stride: behind("every")?, dilation: behind("by")? })
}

fn contract(c: &mut Cursor) -> Parse<Op> {
    let lhs = labels(c)?;
    c.expect(",")?;
    let rhs = labels(c)?;
    c.expect("->")?;
    Ok(Op::Contract { lhs, rhs, out: labels(c)? })
}

/// Letters, or numbers in braces.
fn labels(c: &mut Cursor) -> Parse<Vec<u8>> {
    let mut labels = Vec::new();
    loop {
        match c.rest().bytes().next() {
            Some(letter @ b'a'..=b'z') => {
                labels.push(letter - b'a');
                c.skip(1);
            }
            Some(b'{') => {
                c.skip(1);
                labels.push(c.number()?);
                c.expect("}")?;
            }
            _ => return Ok(labels),
        }
    }
}

fn literal(c: &mut Cursor, dtype: DType) -> Parse<Literal> {
    let rest = c.rest();
    let text = rest[..rest.find(']').unwrap_or(rest.len())].trim();
    let found = match (dtype, text.strip_prefix("NaN 0x")) {
        (DType::Bool, _) => text.parse().ok().map(Literal::Bool),
        (d, Some(bits)) if d.is_float() => u64::from_str_radix(bits, 16).ok().map(Literal::Float),
        (d, None) if d.is_float() => text.parse().ok().map(|x: f64| Literal::Float(x.to_bits())),
        _ => text.parse().ok().map(Literal::Int),
    };
    let found = found.ok_or_else(|| c.expected(&format!("a constant of type {}", dtype.name())))?;
    c.skip(text.len());
    Ok(found)
}
