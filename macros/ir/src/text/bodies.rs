//! Operations that hold functions: a loop, a rule for a gradient.

use super::cursor::{Cursor, Parse};
use super::parse::{dim, function};
use crate::{Func, Op, Scan};
use std::sync::Arc;

/// A loop's head, then its body, whose symbols are those outside.
pub(super) fn scan(c: &mut Cursor, func: &Func) -> Parse<Op> {
    let trips = dim(c, func)?;
    c.expect("turns")?;
    let reverse = c.eat("backwards");
    let again = c.eat("again");
    let guard = if c.eat("if") { Some(c.number()?) } else { None };
    c.expect(",")?;
    let carries = c.number()?;
    c.expect("carried")?;
    c.expect(",")?;
    let scanned = c.number()?;
    c.expect("scanned")?;
    let at = c.mark();
    let body = function(c)?;
    if body.syms != func.syms {
        return Err(c.back(at).expected("a body with the symbols of the function"));
    }
    if body.outputs.len() < carries || body.inputs.len() < carries + scanned {
        return Err(c.back(at).expected("a body that has what is carried and scanned"));
    }
    Ok(Op::Scan(Box::new(Scan { body: Arc::new(body), trips, carries, scanned, reverse, again, guard })))
}

/// A rule, whose symbols are those outside.
pub(super) fn rule(c: &mut Cursor, func: &Func) -> Parse<Op> {
    let at = c.mark();
    let rule = function(c)?;
    if rule.syms != func.syms || rule.inputs.len() < 2 {
        return Err(c.back(at).expected("a rule with the symbols of the function"));
    }
    Ok(Op::Rule(Arc::new(rule)))
}
