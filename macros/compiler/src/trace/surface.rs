//! Calls of the surface: arguments as the table wants them, and how operands are named where they don't fit.

use super::Tracer;
use super::value::{Tensor, Value};
use crate::message::body as message;
use kiln_ir::Dim;
use kiln_ir::surface::{self, Entry, Kind, Results};
use quote::ToTokens;
use syn::Expr;

impl Tracer<'_> {
    /// A call of the surface, as method (with what it is called on) or function.
    pub fn surface(
        &mut self,
        entry: &'static Entry,
        on: Option<(Value, &Expr)>,
        args: &[&Expr],
        at: &dyn ToTokens,
    ) -> Value {
        let method = on.is_some();
        let (mut values, mut exprs): (Vec<Value>, Vec<&Expr>) = on.into_iter().unzip();
        for arg in args {
            values.push(self.expr(arg));
            exprs.push(arg);
        }
        if values.len() != entry.params.len() {
            let own = usize::from(method);
            let wanted: Vec<&str> = entry.params[own..].iter().map(|p| p.name).collect();
            let message = message::surface_count(entry.name, &wanted, args.len(), method);
            return self.fault(at.to_token_stream(), message);
        }
        if values.iter().any(Value::is_poison) {
            return Value::Poison;
        }
        self.surface_call(entry, &values, &exprs, at)
    }

    /// The same, with arguments that are evaluated.
    pub fn surface_call(
        &mut self,
        entry: &'static Entry,
        values: &[Value],
        exprs: &[&Expr],
        at: &dyn ToTokens,
    ) -> Value {
        if let (Some(Value::Series(t)), "stack" | "cat") = (values.first(), entry.name) {
            return self.joined(&t.clone(), entry.name, &values[1..], at);
        }
        let faults = self.errors.len();
        let (mut args, mut counter) = (Vec::new(), None);
        for ((param, value), expr) in entry.params.iter().zip(values).zip(exprs) {
            match self.surface_arg(param.kind, value) {
                Some(arg @ surface::Arg::Rng(_)) => match self.rng_counter(value, entry.name, expr) {
                    Ok(var) => {
                        counter = Some(var);
                        args.push(arg);
                    }
                    Err(message) => drop(self.fault(expr, message)),
                },
                Some(arg) => args.push(arg),
                None => {
                    let got = self.describe(value);
                    let hint = match (param.kind, value) {
                        (Kind::Operand | Kind::Tensor, Value::Int(_)) => {
                            format!("; write `{} as f32`", self.text(expr))
                        }
                        (Kind::Float, Value::Int(n)) if n.literal().is_some() => {
                            format!("; write `{}.0`", self.show_dim(n))
                        }
                        (Kind::Maybe, Value::Tensor(_)) => String::new(),
                        _ => String::new(),
                    };
                    let message =
                        message::surface_argument(entry.name, param.name, param.kind.describe(), &got, &hint);
                    self.unsettled(expr, &whole_numbers(value), message);
                }
            }
        }
        if self.errors.len() != faults || args.len() != entry.params.len() {
            return Value::Poison;
        }
        self.locate(&at.to_token_stream());
        let results = entry.call(self.b(), &args);
        // A size that is a floor of others is a symbol of its own.
        self.syms = self.frame().builder.func().syms.clone();
        match results {
            Ok(Results::One(v)) => self.tensor(v),
            Ok(Results::Drawn([v, next])) => {
                self.advance(counter, next);
                self.tensor(v)
            }
            Ok(Results::Pair(list)) => Value::Tuple(list.iter().map(|v| self.tensor(*v)).collect()),
            Ok(Results::Triple(list)) => Value::Tuple(list.iter().map(|v| self.tensor(*v)).collect()),
            Ok(Results::List(list)) => Value::Array(list.iter().map(|v| self.tensor(*v)).collect()),
            Err(error) => {
                let operands = self.operands(values, exprs);
                self.misfit(at.to_token_stream(), &error, &operands)
            }
        }
    }

    fn surface_arg(&mut self, kind: Kind, value: &Value) -> Option<surface::Arg> {
        let sizes = |list: &[Value]| {
            let each = list.iter().map(|v| if let Value::Int(n) = v { Some(n.clone()) } else { None });
            each.collect::<Option<Vec<Dim>>>()
        };
        let arg = match value {
            Value::Tensor(t) => surface::Arg::Tensor(self.here(t)),
            Value::Tree(_) => surface::Arg::Rng(self.generator(value)?),
            Value::Place(_) => {
                let value = self.read(value.clone());
                return self.surface_arg(kind, &value);
            }
            Value::Series(_) | Value::Range(_) => {
                let list = self.listed(value, &proc_macro2::TokenStream::new())?;
                return self.surface_arg(kind, &Value::Array(list));
            }
            Value::Array(list) if kind == Kind::Tensors => {
                let mut all = Vec::new();
                for value in list {
                    match self.read(value.clone()) {
                        Value::Tensor(t) => all.push(self.here(&t)),
                        _ => return None,
                    }
                }
                surface::Arg::Tensors(all)
            }
            Value::Array(list) => surface::Arg::Ints(sizes(list)?),
            Value::Int(n) => surface::Arg::Int(n.clone()),
            Value::Float(x) => surface::Arg::Float(*x),
            Value::Bool(x) => surface::Arg::Bool(*x),
            Value::Dtype(d) => surface::Arg::Dtype(*d),
            Value::Text(word) => surface::Arg::Text(word.clone()),
            Value::Absent => surface::Arg::Absent,
            _ => return None,
        };
        kind.takes(&arg).then_some(arg)
    }

    /// The tensors and trees among operands, each with its type: "`x` is Tensor<N, 784>".
    pub fn operands(&self, values: &[Value], exprs: &[&Expr]) -> String {
        let mut seen: Vec<String> = Vec::new();
        for (value, expr) in values.iter().zip(exprs) {
            match (self.read(value.clone()), expr) {
                (Value::Tensor(t), Expr::Call(call))
                    if call.args.len() == 1 && tidy(&call.func.to_token_stream().to_string()) == "Some" =>
                {
                    seen.push(self.operand(&t, &call.args[0]));
                }
                (Value::Tensor(t), _) => seen.push(self.operand(&t, expr)),
                (Value::Tree(tree), _) if tree.form.key == crate::link::RNG => {}
                (Value::Tree(tree), _) => {
                    seen.push(format!("`{}` is a {}", self.text(expr), tree.form.show(self)))
                }
                (Value::Array(list), Expr::Array(array)) if array.elems.len() == list.len() => {
                    for (value, expr) in list.iter().zip(&array.elems) {
                        if let Value::Tensor(t) = self.read(value.clone()) {
                            seen.push(self.operand(&t, expr));
                        }
                    }
                }
                (Value::Array(_), Expr::Reference(r)) => {
                    let inner = self.operands(std::slice::from_ref(value), &[&r.expr]);
                    seen.extend((!inner.is_empty()).then_some(inner));
                }
                _ => {}
            }
        }
        seen.dedup();
        seen.join(", ")
    }

    fn operand(&self, t: &Tensor, expr: &Expr) -> String {
        format!("`{}` is {}", self.text(expr), self.show_ty(&self.ty(t)))
    }

    /// How an expression is written, shortened.
    pub fn text(&self, expr: &Expr) -> String {
        let text = tidy(&expr.to_token_stream().to_string());
        let text = text.trim_start_matches("&mut ").trim_start_matches('&').to_string();
        match text.char_indices().nth(40) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        }
    }
}

/// The sizes of an argument.
fn whole_numbers(value: &Value) -> Vec<Dim> {
    match value {
        Value::Int(n) => vec![n.clone()],
        Value::Array(list) | Value::Tuple(list) => list.iter().flat_map(whole_numbers).collect(),
        _ => Vec::new(),
    }
}

/// Tokens print with spaces that nobody writes.
pub(crate) fn tidy(text: &str) -> String {
    let spaces = [
        (" . ", "."),
        (" .", "."),
        (". ", "."),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ,", ","),
        (" ;", ";"),
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        ("& ", "&"),
        (" [", "["),
        ("[ ", "["),
        (" ]", "]"),
        (" ?", "?"),
    ];
    spaces.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to))
}
