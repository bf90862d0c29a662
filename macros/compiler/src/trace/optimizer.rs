//! `opt.step(net, grads)`: the update rules over trees.

use super::Tracer;
use super::value::{Tree, Value, Var};
use crate::message::body as message;
use kiln_ir::composite::rule::Rule;
use kiln_ir::turns::{self, Feed, Turns};
use kiln_ir::{Builder, DType, Error, Role, Scalar, Ty};
use syn::{Expr, ExprMethodCall};

/// A field of an optimizer.
pub(crate) enum Field {
    /// A number that is read, or counted up.
    Number(DType),
    /// A tree of the form of the parameters.
    Moments,
}

/// The fields of the optimizer of that name, in the order of the runtime's struct: hyper-parameters, moments, and the
/// number of steps.
pub(crate) fn fields(name: &str) -> Option<Vec<(&'static str, Field)>> {
    let rule = Rule::named(name)?;
    let numbers = rule.numbers().iter().map(|name| (*name, Field::Number(DType::F64)));
    let moments = rule.moments().iter().map(|name| (*name, Field::Moments));
    Some(numbers.chain(moments).chain([(STEP, Field::Number(DType::I64))]).collect())
}

/// The field that counts.
const STEP: &str = "step";

/// A parameter with its gradient and moments, by place; of layers, those of all.
struct Leaf {
    param: Var,
    grad: kiln_ir::Value,
    moments: Vec<Var>,
    /// The number of layers, and which array of the net it is of.
    layers: Option<(i64, usize)>,
}

impl Tracer<'_> {
    /// `opt.step(net, grads)`
    pub fn step(&mut self, opt: &Tree, call: &ExprMethodCall) -> Value {
        let args: Vec<&Expr> = call.args.iter().collect();
        let [net_expr, grads_expr] = args.as_slice() else {
            return self.fault(&call.method, message::step_arguments());
        };
        let (net, grads) = (self.passed(net_expr), self.expr(grads_expr));
        let net = self.read(net);
        if net.is_poison() || grads.is_poison() {
            return Value::Poison;
        }
        let form = |v: &Value| if let Value::Tree(t) = v { Some(t.form.clone()) } else { None };
        let wanted = opt.form.inner.clone();
        for (value, expr) in [(&net, net_expr), (&grads, grads_expr)] {
            if wanted.is_some() && form(value) != wanted {
                let want = wanted.as_ref().map_or(String::new(), |f| f.show(self));
                let got = self.describe(value);
                let what = if std::ptr::eq(expr, net_expr) { "net" } else { "grads" };
                return self.fault(expr, message::argument_type("step", what, &want, &got, ""));
            }
        }
        let number =
            |name: &str| opt.form.fields.iter().position(|f| f == name).map(|i| opt.fields[i].clone());
        let rule = Rule::named(&opt.form.key);
        let moments = rule.map_or(&[][..], Rule::moments).iter().filter_map(|n| number(n));
        let moments: Vec<Value> = moments.collect();
        let mut leaves = Vec::new();
        self.pair(&net, &grads, &moments, &mut leaves);
        let all = leaves.iter().flat_map(|l| std::iter::once(l.param).chain(l.moments.iter().copied()));
        let all: Vec<Var> = all.collect();
        if all.iter().any(|var| !self.vars[var.0].mutable) || leaves.is_empty() {
            let text = self.text(net_expr);
            return self.fault(net_expr, message::step_immutable(&text));
        }
        if all.iter().any(|var| !self.reaches(*var)) {
            let text = self.text(net_expr);
            return self.fault(net_expr, message::tree_outside_of_closure(&text));
        }
        if let Some(leaf) = leaves.iter().find(|l| !self.is_alike(l)) {
            let (want, got) =
                (self.describe(&Value::Place(leaf.param)), self.describe(&self.tensor(leaf.grad)));
            let message = message::step_gradient(&self.vars[leaf.param.0].name.clone(), &want, &got);
            return self.fault(grads_expr, message);
        }
        self.locate(&call.method);
        let stepped = self.stepped(opt, &leaves);
        self.built(&call.method, stepped).map_or(Value::Poison, |()| Value::Unit)
    }

    /// Parameters that have a gradient, each with its moments.
    fn pair(&mut self, net: &Value, grad: &Value, moments: &[Value], out: &mut Vec<Leaf>) {
        match (net, grad) {
            (Value::Tree(n), Value::Tree(g)) => {
                for (i, (n, g)) in n.fields.iter().zip(&g.fields).enumerate() {
                    let inner: Vec<Value> = moments.iter().filter_map(|m| nth(m, i)).collect();
                    self.pair(n, g, &inner, out);
                }
            }
            (Value::Array(n), Value::Array(g)) => {
                for (i, (n, g)) in n.iter().zip(g).enumerate() {
                    let inner: Vec<Value> = moments.iter().filter_map(|m| nth(m, i)).collect();
                    self.pair(n, g, &inner, out);
                }
            }
            (Value::Layers(n), Value::Layers(g)) => {
                let inner: Vec<Value> = moments.iter().filter_map(|m| nth(m, 0)).collect();
                let first = out.len();
                self.pair(&n.each, &g.each, &inner, out);
                out[first..].iter_mut().for_each(|leaf| leaf.layers = Some((n.count, first)));
            }
            (Value::Place(param), grad) => {
                if let Value::Tensor(t) = self.read(grad.clone()) {
                    let places =
                        moments.iter().filter_map(|m| if let Value::Place(v) = m { Some(*v) } else { None });
                    let (moments, grad) = (places.collect(), self.here(&t));
                    out.push(Leaf { param: *param, grad, moments, layers: None });
                }
            }
            _ => {}
        }
    }

    /// Whether a gradient has the type of its parameter: those of `vmap` are many.
    fn is_alike(&self, leaf: &Leaf) -> bool {
        let types = [self.read(Value::Place(leaf.param)), self.tensor(leaf.grad)].map(|v| match v {
            Value::Tensor(t) => Some(self.ty(&t)),
            _ => None,
        });
        types[0] == types[1]
    }

    fn stepped(&mut self, opt: &Tree, leaves: &[Leaf]) -> Result<(), Error> {
        let place = |name: &str| match opt.form.fields.iter().position(|f| f == name).map(|i| &opt.fields[i])
        {
            Some(Value::Place(var)) => *var,
            _ => Var(0),
        };
        let Some(rule) = Rule::named(&opt.form.key) else { return Ok(()) };
        let number = |name: &&str| self.place_value(place(name)).unwrap_or(kiln_ir::Value(0));
        let numbers: Vec<kiln_ir::Value> = rule.numbers().iter().map(number).collect();
        let Some(steps) = self.place_value(place(STEP)) else { return Ok(()) };
        let one = self.b().splat(1.0, steps)?;
        let next = self.b().map(Scalar::Add, &[steps, one])?;
        for group in leaves.chunk_by(|a, b| a.layers.is_some() && a.layers == b.layers) {
            let state: Vec<Vec<kiln_ir::Value>> = group.iter().map(|leaf| self.state(leaf)).collect();
            let new = match group[0].layers {
                Some((count, _)) => self.layers_stepped(rule, &numbers, steps, count, &state)?,
                None => rule.step(self.b(), &numbers, steps, [state[0][0], state[0][1]], &state[0][2..])?,
            };
            let vars = group.iter().flat_map(|leaf| std::iter::once(&leaf.param).chain(&leaf.moments));
            for (var, value) in vars.zip(new) {
                let value = self.tensor(value);
                self.write(*var, value);
            }
        }
        let next = self.tensor(next);
        self.write(place(STEP), next);
        Ok(())
    }
}

impl Tracer<'_> {
    /// A parameter, its gradient and its moments.
    fn state(&mut self, leaf: &Leaf) -> Vec<kiln_ir::Value> {
        let param = self.place_value(leaf.param);
        let mut state: Vec<kiln_ir::Value> = param.into_iter().chain([leaf.grad]).collect();
        state.extend(leaf.moments.iter().filter_map(|m| self.place_value(*m)));
        state
    }

    /// The new parameters and moments of all layers: a loop whose turn is the step of one layer.
    fn layers_stepped(
        &mut self,
        rule: Rule,
        numbers: &[kiln_ir::Value],
        steps: kiln_ir::Value,
        count: i64,
        leaves: &[Vec<kiln_ir::Value>],
    ) -> Result<Vec<kiln_ir::Value>, Error> {
        let counter = self.counter("turn");
        let mut turn = Builder::new("step_turn", self.syms.clone());
        let mut feeds = Vec::new();
        let mut input = |b: &Builder, turn: &mut Builder, feed: Feed| {
            let (Feed::Each(v) | Feed::Fixed(v) | Feed::Carry(v)) = feed else {
                unreachable!("it has a value")
            };
            let ty = b.ty(v);
            let own = if matches!(feed, Feed::Each(_)) { &ty.shape[1..] } else { &ty.shape[..] };
            let name = b.func().names[v.0 as usize].clone().unwrap_or_else(|| "step".into());
            feeds.push(feed);
            turn.input(&name.replace(".*", ""), Ty::new(ty.dtype, own), Role::Argument)
        };
        let b = self.b();
        let own: Vec<kiln_ir::Value> = numbers.iter().map(|v| input(b, &mut turn, Feed::Fixed(*v))).collect();
        let step = input(b, &mut turn, Feed::Fixed(steps));
        for leaf in leaves {
            let leaf: Vec<kiln_ir::Value> =
                leaf.iter().map(|v| input(b, &mut turn, Feed::Each(*v))).collect();
            for (i, new) in
                rule.step(&mut turn, &own, step, [leaf[0], leaf[1]], &leaf[2..])?.into_iter().enumerate()
            {
                turn.output(&format!("new{i}"), new, None);
            }
        }
        let turns = Turns {
            counter,
            start: 0.into(),
            step: 1,
            trips: count.into(),
            reverse: false,
            feeds,
            layers: true,
        };
        turns::close(b, &turn.finish(), &turns)
    }
}

fn nth(value: &Value, i: usize) -> Option<Value> {
    match value {
        Value::Tree(tree) => tree.fields.get(i).cloned(),
        Value::Array(list) => list.get(i).cloned(),
        Value::Layers(layers) => Some(layers.each.clone()),
        _ => None,
    }
}
