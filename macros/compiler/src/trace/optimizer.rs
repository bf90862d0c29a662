//! `opt.step(net, grads)`: the update rules over trees.

use super::Tracer;
use super::value::{Tree, Value, Var};
use crate::message::body as message;
use kiln_ir::composite::optim;
use kiln_ir::{DType, Error, Op, Scalar};
use syn::{Expr, ExprMethodCall};

/// A field of an optimizer.
pub(crate) enum Field {
    /// A number that is read, or counted up.
    Number(DType),
    /// A tree of the form of the parameters.
    Moments,
}

const SGD: [(&str, Field); 7] = [
    ("lr", Field::Number(DType::F64)),
    ("momentum", Field::Number(DType::F64)),
    ("dampening", Field::Number(DType::F64)),
    ("weight_decay", Field::Number(DType::F64)),
    ("nesterov", Field::Number(DType::F64)),
    ("velocity", Field::Moments),
    ("step", Field::Number(DType::I64)),
];

const ADAM: [(&str, Field); 8] = [
    ("lr", Field::Number(DType::F64)),
    ("beta1", Field::Number(DType::F64)),
    ("beta2", Field::Number(DType::F64)),
    ("eps", Field::Number(DType::F64)),
    ("weight_decay", Field::Number(DType::F64)),
    ("m", Field::Moments),
    ("v", Field::Moments),
    ("step", Field::Number(DType::I64)),
];

/// The fields of the optimizer of that name, in the order of the runtime's struct.
pub(crate) fn fields(name: &str) -> Option<&'static [(&'static str, Field)]> {
    match name {
        "Sgd" => Some(&SGD),
        "Adam" | "AdamW" => Some(&ADAM),
        _ => None,
    }
}

/// A parameter with its gradient and moments, by place.
struct Leaf {
    param: Var,
    grad: kiln_ir::Value,
    moments: Vec<Var>,
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
        let moments: Vec<Value> = ["velocity", "m", "v"].iter().filter_map(|n| number(n)).collect();
        let mut leaves = Vec::new();
        self.pair(&net, &grads, &moments, &mut leaves);
        let all = leaves.iter().flat_map(|l| std::iter::once(l.param).chain(l.moments.iter().copied()));
        let all: Vec<Var> = all.collect();
        if all.iter().any(|var| !self.vars[var.0].mutable) || leaves.is_empty() {
            let text = self.text(net_expr);
            return self.fault(net_expr, message::step_immutable(&text));
        }
        if all.iter().any(|var| !self.within_loops(*var)) {
            let text = self.text(net_expr);
            return self.fault(net_expr, message::outside_of_closure(&text));
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
            (Value::Place(param), grad) => {
                if let Value::Tensor(t) = self.read(grad.clone()) {
                    let places =
                        moments.iter().filter_map(|m| if let Value::Place(v) = m { Some(*v) } else { None });
                    let (moments, grad) = (places.collect(), self.here(&t));
                    out.push(Leaf { param: *param, grad, moments });
                }
            }
            _ => {}
        }
    }

    fn stepped(&mut self, opt: &Tree, leaves: &[Leaf]) -> Result<(), Error> {
        let place = |name: &str| match opt.form.fields.iter().position(|f| f == name).map(|i| &opt.fields[i])
        {
            Some(Value::Place(var)) => *var,
            _ => Var(0),
        };
        let mut number = |name: &str| self.place_value(place(name)).unwrap_or(kiln_ir::Value(0));
        let (lr, decay, steps) = (number("lr"), number("weight_decay"), number("step"));
        let sgd = opt.form.key == "Sgd";
        let rest = if sgd { ["momentum", "nesterov", "dampening"] } else { ["beta1", "beta2", "eps"] };
        let rest = rest.map(number);
        let one = self.b().splat(1.0, steps)?;
        let next = self.b().map(Scalar::Add, &[steps, one])?;
        for leaf in leaves {
            let Some(param) = self.place_value(leaf.param) else { continue };
            let moments: Vec<kiln_ir::Value> =
                leaf.moments.iter().filter_map(|m| self.place_value(*m)).collect();
            let mut new = match (sgd, moments.as_slice()) {
                (true, [v]) => self.sgd(lr, decay, rest, param, leaf.grad, *v, steps)?.to_vec(),
                (false, [m, v]) => {
                    let b = self.b();
                    let t = b.emit(Op::Cast(DType::F64), &[next])?;
                    let h = optim::Adam {
                        lr,
                        beta1: rest[0],
                        beta2: rest[1],
                        eps: rest[2],
                        weight_decay: decay,
                        decoupled: opt.form.key == "AdamW",
                    };
                    optim::adam(b, h, param, leaf.grad, [*m, *v], t)?.to_vec()
                }
                _ => continue,
            }
            .into_iter();
            for var in std::iter::once(leaf.param).chain(leaf.moments.iter().copied()) {
                let Some(value) = new.next() else { break };
                let value = self.tensor(value);
                self.write(var, value);
            }
        }
        let next = self.tensor(next);
        self.write(place("step"), next);
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // The rule's own.
    fn sgd(
        &mut self,
        lr: kiln_ir::Value,
        decay: kiln_ir::Value,
        [momentum, nesterov, dampening]: [kiln_ir::Value; 3],
        param: kiln_ir::Value,
        grad: kiln_ir::Value,
        velocity: kiln_ir::Value,
        steps: kiln_ir::Value,
    ) -> Result<[kiln_ir::Value; 2], Error> {
        let b = self.b();
        let dtype = b.ty(param).dtype;
        let mut narrow = |v| b.emit(Op::Cast(dtype), &[v]);
        let (lr, weight_decay) = (narrow(lr)?, narrow(decay)?);
        let (momentum, dampening) = (narrow(momentum)?, narrow(dampening)?);
        let zero = b.splat(0.0, steps)?;
        let first = b.map(Scalar::Eq, &[steps, zero])?;
        let rule = |nesterov| optim::Sgd { lr, momentum: Some(momentum), dampening, weight_decay, nesterov };
        // Whether it looks ahead is known only when it runs, so both are there; they share all but the last step.
        let [plain, new] = optim::sgd(b, rule(false), param, grad, velocity, first)?;
        let [ahead, _] = optim::sgd(b, rule(true), param, grad, velocity, first)?;
        let off = b.splat(0.0, nesterov)?;
        let without = b.map(Scalar::Eq, &[nesterov, off])?;
        Ok([b.elementwise(Scalar::Select, &[without, plain, ahead])?, new])
    }
}

fn nth(value: &Value, i: usize) -> Option<Value> {
    match value {
        Value::Tree(tree) => tree.fields.get(i).cloned(),
        Value::Array(list) => list.get(i).cloned(),
        _ => None,
    }
}
