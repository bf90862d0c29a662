//! Einstein's sum convention, as products of two operands from the left.

use super::Built;
use crate::{Builder, Dim, Error, Fault, Op, Reduction, SliceAxis, Value};

/// An operand and the label of each of its axes.
struct Labelled {
    value: Value,
    labels: Vec<u8>,
}

/// `torch.einsum`: a letter an axis, `...` for axes that broadcast, no arrow for the letters that occur once, in the
/// order of the alphabet. A letter twice in an operand is its diagonal.
pub fn einsum(b: &mut Builder, equation: &str, xs: &[Value]) -> Built {
    let text: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let (inputs, output) = match text.split_once("->") {
        Some((inputs, output)) => (inputs.to_string(), Some(output.to_string())),
        None => (text, None),
    };
    let terms: Vec<&str> = inputs.split(',').collect();
    if terms.len() != xs.len() {
        return Err(b.error(Fault::Arity { op: "einsum".into(), want: terms.len(), got: xs.len() }));
    }
    let mut operands = Vec::new();
    for (term, x) in terms.iter().zip(xs) {
        let labels = labels(b, term, Some(*x))?;
        operands.push(diagonal(b, Labelled { value: *x, labels })?);
    }
    let out = match output {
        Some(output) => labels_of_result(b, &output, &operands)?,
        None => implicit(&terms, &operands),
    };
    squeeze(b, &mut operands)?;
    let mut rest = operands.into_iter();
    let Some(mut product) = rest.next() else {
        return Err(b.error(Fault::Arity { op: "einsum".into(), want: 1, got: 0 }));
    };
    let rest: Vec<Labelled> = rest.collect();
    for (i, next) in rest.iter().enumerate() {
        let later = |l: &u8| out.contains(l) || rest[i + 1..].iter().any(|o| o.labels.contains(l));
        product = pair(b, product, next, &later, if i + 1 == rest.len() { Some(&out) } else { None })?;
    }
    let product = sum_others(b, &product, &|l| out.contains(l))?;
    let perm = out.iter().filter_map(|l| product.labels.iter().position(|own| own == l)).collect();
    b.emit(Op::Permute(perm), &[product.value])
}

fn fault(b: &Builder, what: String) -> Error {
    b.error(Fault::Attribute { op: "einsum".into(), what })
}

const LETTERS: u8 = 52;

/// Labels of axes under `...`, counted from the last one, so that those of operands align.
fn ellipsis(n: usize) -> impl Iterator<Item = u8> {
    (0..n as u8).rev().map(|i| LETTERS + i)
}

/// The labels of a term; `...` stands for the axes of the operand that no letter names.
fn labels(b: &Builder, term: &str, of: Option<Value>) -> Result<Vec<u8>, Error> {
    let rank = of.map_or(0, |x| b.ty(x).rank());
    let (before, after) = term.split_once("...").map_or((term, None), |(l, r)| (l, Some(r)));
    let letters = |part: &str| {
        let code = |c: char| match c {
            'A'..='Z' => Ok(c as u8 - b'A'),
            'a'..='z' => Ok(c as u8 - b'a' + 26),
            other => Err(fault(b, format!("`{other}` is no letter"))),
        };
        part.chars().map(code).collect::<Result<Vec<u8>, Error>>()
    };
    let (mut labels, tail) = (letters(before)?, letters(after.unwrap_or(""))?);
    let named = labels.len() + tail.len();
    if after.is_some() {
        labels.extend(ellipsis(rank.saturating_sub(named)));
    }
    labels.extend(tail);
    match of {
        Some(x) if labels.len() != rank => {
            let (want, got) = (named.to_string(), b.ty(x).clone());
            Err(b.error(Fault::Rank { op: "einsum".into(), want, got }))
        }
        _ => Ok(labels),
    }
}

fn labels_of_result(b: &Builder, term: &str, operands: &[Labelled]) -> Result<Vec<u8>, Error> {
    let (before, after) = term.split_once("...").map_or((term, None), |(l, r)| (l, Some(r)));
    let mut out = labels(b, before, None)?;
    if after.is_some() {
        out.extend(ellipsis(broadcast_rank(operands)));
    }
    out.extend(labels(b, after.unwrap_or(""), None)?);
    if let Some(i) = (0..out.len()).find(|i| out[..*i].contains(&out[*i])) {
        return Err(fault(b, format!("`{}` occurs twice in the result", letter(out[i]))));
    }
    match out.iter().find(|l| !operands.iter().any(|o| o.labels.contains(l))) {
        Some(l) => Err(fault(b, format!("`{}` of the result occurs in no operand", letter(*l)))),
        None => Ok(out),
    }
}

fn letter(label: u8) -> char {
    if label < 26 { (b'A' + label) as char } else { (b'a' + label.saturating_sub(26) % 26) as char }
}

fn broadcast_rank(operands: &[Labelled]) -> usize {
    let own = |o: &Labelled| o.labels.iter().filter(|l| **l >= LETTERS).count();
    operands.iter().map(own).max().unwrap_or(0)
}

/// What broadcasts, then the letters that occur once.
fn implicit(terms: &[&str], operands: &[Labelled]) -> Vec<u8> {
    let text = terms.concat();
    let once = |l: &u8| text.matches(letter(*l)).count() == 1;
    ellipsis(broadcast_rank(operands)).chain((0..LETTERS).filter(once)).collect()
}

/// An operand in which each label occurs once.
fn diagonal(b: &mut Builder, x: Labelled) -> Result<Labelled, Error> {
    let again = |i: &usize| x.labels[..*i].contains(&x.labels[*i]);
    let Some(second) = (0..x.labels.len()).find(again) else { return Ok(x) };
    let label = x.labels[second];
    let first = x.labels.iter().position(|l| *l == label).unwrap_or(0);
    let others: Vec<usize> = (0..x.labels.len()).filter(|i| *i != first && *i != second).collect();
    let shape = b.ty(x.value).shape.clone();
    let (rows, columns) = (shape[first].clone(), shape[second].clone());
    if rows != columns {
        return Err(b.error(Fault::Label { op: "einsum".into(), left: rows, right: columns }));
    }
    let Some(n) = rows.literal() else {
        return Err(fault(b, format!("`{}` occurs twice, so its size must be known", letter(label))));
    };
    // Of [.., n, n] as [.., n·n] every (n + 1)-th.
    let last = b.emit(Op::Permute([others.as_slice(), &[first, second]].concat()), &[x.value])?;
    let lead: Vec<Dim> = others.iter().map(|i| shape[*i].clone()).collect();
    let flat = b.emit(Op::Reshape([lead.as_slice(), &[rows.clone() * columns]].concat()), &[last])?;
    let whole = lead.iter().map(|d| SliceAxis { start: Dim::from(0), len: d.clone(), step: 1 });
    let taken = SliceAxis { start: Dim::from(0), len: rows, step: n + 1 };
    let value = b.emit(Op::Slice(whole.chain([taken]).collect()), &[flat])?;
    let labels = others.iter().map(|i| x.labels[*i]).chain([label]).collect();
    diagonal(b, Labelled { value, labels })
}

/// Axes of length 1 go where the label has another length in another operand: they broadcast.
fn squeeze(b: &mut Builder, operands: &mut [Labelled]) -> Result<(), Error> {
    let mut sizes: Vec<(u8, Dim)> = Vec::new();
    for o in operands.iter() {
        for (label, size) in o.labels.iter().zip(&b.ty(o.value).shape) {
            match sizes.iter_mut().find(|(l, _)| l == label) {
                Some((_, known)) if known.is(1) => *known = size.clone(),
                Some((_, known)) if !size.is(1) && known != size => {
                    let (left, right) = (known.clone(), size.clone());
                    return Err(b.error(Fault::Label { op: "einsum".into(), left, right }));
                }
                Some(_) => {}
                None => sizes.push((*label, size.clone())),
            }
        }
    }
    for o in operands {
        let shape = b.ty(o.value).shape.clone();
        let stays = |(label, size): &(u8, Dim)| !size.is(1) || sizes.contains(&(*label, Dim::from(1)));
        let kept: Vec<(u8, Dim)> = o.labels.iter().copied().zip(shape).filter(stays).collect();
        o.value = b.emit(Op::Reshape(kept.iter().map(|(_, d)| d.clone()).collect()), &[o.value])?;
        o.labels = kept.into_iter().map(|(l, _)| l).collect();
    }
    Ok(())
}

/// The product of two operands, summed over the labels that nothing later has.
fn pair(
    b: &mut Builder,
    x: Labelled,
    y: &Labelled,
    later: &dyn Fn(&u8) -> bool,
    order: Option<&[u8]>,
) -> Result<Labelled, Error> {
    let x = sum_others(b, &x, &|l| later(l) || y.labels.contains(l))?;
    let y = sum_others(b, y, &|l| later(l) || x.labels.contains(l))?;
    let all = x.labels.iter().chain(y.labels.iter().filter(|l| !x.labels.contains(l)));
    let kept: Vec<u8> = all.copied().filter(|l| later(l)).collect();
    let out = order.map_or(kept, <[u8]>::to_vec);
    let contract = Op::Contract { lhs: x.labels, rhs: y.labels, out: out.clone() };
    Ok(Labelled { value: b.emit(contract, &[x.value, y.value])?, labels: out })
}

/// The operand summed over all labels but some.
fn sum_others(b: &mut Builder, x: &Labelled, stays: &dyn Fn(&u8) -> bool) -> Result<Labelled, Error> {
    let gone: Vec<usize> = (0..x.labels.len()).filter(|i| !stays(&x.labels[*i])).collect();
    let labels = x.labels.iter().copied().filter(|l| stays(l)).collect();
    let value = if gone.is_empty() { x.value } else { b.emit(Op::Reduce(Reduction::Sum, gone), &[x.value])? };
    Ok(Labelled { value, labels })
}
