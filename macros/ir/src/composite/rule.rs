//! The optimizers by name: what each keeps, and its step for one parameter, with all hyper-parameters as values.

use super::optim;
use crate::{Builder, DType, Error, Fault, Op, Scalar, Value, narrow};

/// An optimizer's rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Stochastic gradient descent.
    Sgd,
    /// Adam.
    Adam,
    /// Adam with decay apart from the gradient.
    AdamW,
    /// Adam or AdamW over the largest mean of squares.
    AmsGrad,
    /// RMSprop.
    RmsProp,
    /// Lion.
    Lion,
    /// LAMB.
    Lamb,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 7] =
        [Rule::Sgd, Rule::Adam, Rule::AdamW, Rule::AmsGrad, Rule::RmsProp, Rule::Lion, Rule::Lamb];

    /// Their names, which are those of the runtime's types.
    pub const NAMES: [&str; 7] = ["Sgd", "Adam", "AdamW", "AmsGrad", "RmsProp", "Lion", "Lamb"];

    /// The rule of that name.
    pub fn named(name: &str) -> Option<Rule> {
        Rule::ALL.into_iter().zip(Rule::NAMES).find(|(_, n)| *n == name).map(|(rule, _)| rule)
    }

    /// The hyper-parameters, f64 scalars, in the order of the runtime's fields.
    pub fn numbers(self) -> &'static [&'static str] {
        match self {
            Rule::Sgd => &["lr", "momentum", "dampening", "weight_decay", "nesterov"],
            Rule::Adam | Rule::AdamW | Rule::Lamb => &["lr", "beta1", "beta2", "eps", "weight_decay"],
            Rule::AmsGrad => &["lr", "beta1", "beta2", "eps", "weight_decay", "decoupled"],
            Rule::Lion => &["lr", "beta1", "beta2", "weight_decay"],
            Rule::RmsProp => &["lr", "alpha", "eps", "momentum", "weight_decay", "centered"],
        }
    }

    /// What is kept for each parameter, in the order of the runtime's fields.
    pub fn moments(self) -> &'static [&'static str] {
        match self {
            Rule::Sgd => &["velocity"],
            Rule::Adam | Rule::AdamW | Rule::Lamb => &["m", "v"],
            Rule::AmsGrad => &["m", "v", "v_max"],
            Rule::Lion => &["m"],
            Rule::RmsProp => &["square", "velocity", "mean"],
        }
    }

    /// Whether it divides by a mean of squares.
    fn keeps_squares(self) -> bool {
        !matches!(self, Rule::Sgd | Rule::Lion)
    }

    /// The new parameter and moments, computed in f32 where they are narrow. `steps` is how many steps were taken before, an i64 scalar.
    ///
    /// # Errors
    /// If there aren't as many numbers and moments as the rule has, or shapes differ, or a mean of squares would be f16.
    pub fn step(
        self,
        b: &mut Builder,
        numbers: &[Value],
        steps: Value,
        [p, g]: [Value; 2],
        moments: &[Value],
    ) -> Result<Vec<Value>, Error> {
        let dtype = b.ty(p).dtype;
        if !dtype.is_narrow() {
            return self.wide(b, numbers, steps, [p, g], moments);
        }
        if dtype == DType::F16 && self.keeps_squares() {
            let what = "a mean of squares vanishes in f16, which has no number between 0 and 6e-8; \
                        keep the parameters as bf16 or f32";
            return Err(b.error(Fault::Attribute { op: "step".into(), what: what.into() }));
        }
        let (pair, moments) = (narrow::widened(b, &[p, g])?, narrow::widened(b, moments)?);
        let stepped = self.wide(b, numbers, steps, [pair[0], pair[1]], &moments)?;
        stepped.into_iter().map(|v| b.emit(Op::Cast(dtype), &[v])).collect()
    }

    fn wide(
        self,
        b: &mut Builder,
        numbers: &[Value],
        steps: Value,
        [p, g]: [Value; 2],
        moments: &[Value],
    ) -> Result<Vec<Value>, Error> {
        let adam = |&[lr, beta1, beta2, eps, weight_decay]: &[Value; 5]| {
            let decoupled = self == Rule::AdamW;
            optim::Adam { lr, beta1, beta2, eps, weight_decay, decoupled }
        };
        match (self, numbers, moments) {
            (Rule::Sgd, &[lr, momentum, dampening, weight_decay, nesterov], &[v]) => {
                sgd(b, [lr, momentum, dampening, weight_decay], nesterov, steps, [p, g, v])
            }
            (Rule::Adam | Rule::AdamW, &[lr, beta1, beta2, eps, decay], &[m, v]) => {
                let t = next(b, steps)?;
                Ok(optim::adam(b, adam(&[lr, beta1, beta2, eps, decay]), p, g, [m, v], t)?.to_vec())
            }
            (Rule::Lamb, &[lr, beta1, beta2, eps, decay], &[m, v]) => {
                let t = next(b, steps)?;
                let h = adam(&[lr, beta1, beta2, eps, decay]);
                Ok(optim::lamb(b, h, [p, g], [m, v], t)?.to_vec())
            }
            (Rule::AmsGrad, &[lr, beta1, beta2, eps, decay, decoupled], &[m, v, top]) => {
                let t = next(b, steps)?;
                let h = adam(&[lr, beta1, beta2, eps, decay]);
                Ok(optim::amsgrad(b, h, decoupled, p, g, [m, v, top], t)?.to_vec())
            }
            (Rule::RmsProp, &[lr, alpha, eps, momentum, weight_decay, centered], &[square, v, mean]) => {
                let h = optim::RmsProp { lr, alpha, eps, momentum, weight_decay, centered };
                Ok(optim::rmsprop(b, h, p, g, [square, v, mean])?.to_vec())
            }
            (Rule::Lion, &[lr, beta1, beta2, decay], &[m]) => {
                Ok(optim::lion(b, [lr, beta1, beta2, decay], [p, g, m])?.to_vec())
            }
            _ => {
                let (want, got) =
                    (self.numbers().len() + self.moments().len(), numbers.len() + moments.len());
                Err(b.error(Fault::Arity { op: "step".into(), want, got }))
            }
        }
    }
}

/// The number of the step, counted from 1, as f64.
fn next(b: &mut Builder, steps: Value) -> Result<Value, Error> {
    let one = b.splat(1.0, steps)?;
    let next = b.map(Scalar::Add, &[steps, one])?;
    b.emit(Op::Cast(DType::F64), &[next])
}

/// Whether it looks ahead is known only when it runs, so both are there; they share all but the last step.
fn sgd(
    b: &mut Builder,
    numbers: [Value; 4],
    nesterov: Value,
    steps: Value,
    [p, g, v]: [Value; 3],
) -> Result<Vec<Value>, Error> {
    let dtype = b.ty(p).dtype;
    let mut narrow = |v| b.emit(Op::Cast(dtype), &[v]);
    let [lr, momentum, dampening, weight_decay] = numbers.map(&mut narrow);
    let (lr, momentum, dampening, weight_decay) = (lr?, Some(momentum?), dampening?, weight_decay?);
    let zero = b.splat(0.0, steps)?;
    let first = b.map(Scalar::Eq, &[steps, zero])?;
    let rule = |nesterov| optim::Sgd { lr, momentum, dampening, weight_decay, nesterov };
    let [plain, new] = optim::sgd(b, rule(false), p, g, v, first)?;
    let [ahead, _] = optim::sgd(b, rule(true), p, g, v, first)?;
    let off = b.splat(0.0, nesterov)?;
    let without = b.map(Scalar::Eq, &[nesterov, off])?;
    Ok(vec![b.elementwise(Scalar::Select, &[without, plain, ahead])?, new])
}
