//! Expressions: operations on tensors in scope, each with the shape of what it gives.
//!
//! Values stay within a few units, so that rounding does: what grows is made smaller, what divides is above 0.

use super::body::{Body, Var};
use super::shape::{Shape, Size, elements, is_suffix, list};

/// Element by element; gradients are smooth, or have kinks where no input lies.
const UNARY: [&str; 30] = [
    "{}.tanh()",
    "{}.sigmoid()",
    "{}.relu()",
    "{}.sin()",
    "{}.cos()",
    "{}.abs()",
    "(-{})",
    "{}.gelu()",
    "{}.gelu_tanh()",
    "{}.silu()",
    "{}.mish()",
    "{}.softplus()",
    "{}.erf()",
    "{}.elu(1.0)",
    "{}.leaky_relu(0.1)",
    "{}.logsigmoid()",
    "{}.hardswish()",
    "{}.clamp(-1.0, 1.5)",
    "{}.abs().log1p()",
    "({}.abs() + 0.5).sqrt()",
    "({}.square() + 0.5).rsqrt()",
    "({} * 0.5).square()",
    "({} * 0.7 - 0.1)",
    "(0.5 - {})",
    "(1.0 / ({}.square() + 1.0))",
    "({} * 0.3).exp().minimum(4.0)",
    "({} * 0.5).expm1().tanh()",
    "stop_gradient({})",
    "({} * K as Real * 0.2)",
    "({} * SCALE)",
];

const BINARY: [&str; 9] = [
    "({a} + {b})",
    "({a} - {b})",
    "({a} * {b})",
    "({b} - {a})",
    "{a}.maximum({b})",
    "{a}.minimum({b})",
    "({a} / ({b}.square() + 1.0))",
    "{a}.atan2({b}.square() + 0.5)",
    "where_cond({a}.gt({b}), {a}, 0.3)",
];

/// An expression and its shape.
pub type Made = (String, Shape);

impl Body<'_> {
    /// An operation on something in scope.
    pub fn expr(&mut self) -> Made {
        let var = self.any();
        let (text, shape) = self.operation(&var).unwrap_or_else(|| (var.text.clone(), var.shape.clone()));
        match self.rng.chance(50) {
            true => (self.touched(&text, &shape), shape),
            false => (text, shape),
        }
    }

    /// An expression of that shape.
    pub fn of_shape(&mut self, want: &[Size]) -> String {
        let (larger, one) = (self.find(|s| s.len() > want.len() && is_suffix(want, s)), self.any());
        let text = match (self.find(|s| s == want), larger) {
            (Some(var), _) if self.rng.chance(70) => var.text,
            (_, Some(var)) => {
                let lead = var.shape.len() - want.len();
                let dims: Vec<String> = (0..lead).map(|i| i.to_string()).collect();
                format!("{}.mean_dim([{}])", var.text, dims.join(", "))
            }
            (Some(var), None) => var.text,
            _ if want.is_empty() => format!("{}.mean()", one.text),
            _ => format!("{}.mean().expand([{}])", one.text, list(want)),
        };
        self.touched(&text, want)
    }

    /// The same shape, other elements.
    pub fn touched(&mut self, text: &str, shape: &[Size]) -> String {
        match (self.rng.chance(55), self.find(|s| is_suffix(s, shape))) {
            (false, Some(other)) => {
                let form = *self.rng.pick(&BINARY);
                form.replace("{a}", text).replace("{b}", &other.text)
            }
            _ => self.rng.pick(&UNARY).replace("{}", text),
        }
    }

    fn operation(&mut self, var: &Var) -> Option<Made> {
        match self.rng.below(12) {
            0..=2 => Some((self.touched(&var.text, &var.shape), var.shape.clone())),
            3 | 4 => self.product(var),
            5 | 6 => self.reduced(var),
            7 => self.row_wise(var),
            8 => self.drawn(var),
            _ => self.moved(var),
        }
    }

    fn product(&mut self, var: &Var) -> Option<Made> {
        let (Size::Of(terms), rest) = var.shape.split_last().map(|(last, rest)| (*last, rest))? else {
            return None;
        };
        let columns = Size::Of(2 + self.rng.below(4));
        let weight = [Size::Of(terms), columns];
        let mut shape = rest.to_vec();
        match (self.rng.below(3), rest) {
            (0, [.., _]) => {
                // With itself: a table of all pairs of rows.
                let rank = var.shape.len();
                shape.push(rest[rest.len() - 1]);
                let turned = format!("{}.transpose({}, {})", var.text, rank - 2, rank - 1);
                let small = elements(&shape) <= 200;
                small.then(|| (format!("({}.matmul({turned}) * 0.2)", var.text), shape))
            }
            (1, _) => {
                shape.push(columns);
                let (weight, bias) = (self.weight(&[columns, Size::Of(terms)]), self.weight(&[columns]));
                (!rest.is_empty()).then(|| (format!("{}.linear({weight}, Some({bias}))", var.text), shape))
            }
            _ => {
                shape.push(columns);
                Some((format!("{}.matmul({})", var.text, self.weight(&weight)), shape))
            }
        }
    }

    fn axis(&mut self, var: &Var) -> Option<usize> {
        (!var.shape.is_empty()).then(|| self.rng.below(var.shape.len()))
    }

    fn reduced(&mut self, var: &Var) -> Option<Made> {
        let axis = self.axis(var)?;
        let (x, mut shape) = (&var.text, var.shape.clone());
        if self.rng.chance(35) {
            let form = *self.rng.pick(&["mean", "amax", "amin", "sum", "logsumexp"]);
            let small = if form == "sum" { " * 0.2" } else { "" };
            return Some((format!("({x} - {x}.{form}_keepdim([{axis}]){small})"), shape));
        }
        shape.remove(axis);
        let text = match self.rng.below(9) {
            0 => format!("({x}.sum_dim([{axis}]) * 0.3)"),
            1 => format!("{x}.mean_dim([{axis}])"),
            2 => format!("{x}.amax([{axis}])"),
            3 => format!("{x}.amin([{axis}])"),
            4 => format!("{x}.logsumexp([{axis}])"),
            5 => format!("{x}.var_dim([{axis}], 0.0)"),
            6 => format!("({x}.square().sum_dim([{axis}]) + 0.1).sqrt()"),
            7 if var.shape[axis] != Size::N => format!("{x}.tanh().prod_dim({axis})"),
            _ => return self.pointed(var, axis),
        };
        Some((text, shape))
    }

    /// What stands where another tensor is largest.
    fn pointed(&mut self, var: &Var, axis: usize) -> Option<Made> {
        let (x, mut shape) = (&var.text, var.shape.clone());
        let index = format!("{x}.argmax({axis}).unsqueeze({axis})");
        shape[axis] = Size::Of(1);
        Some((format!("{x}.cos().gather({axis}, {index})"), shape))
    }

    fn row_wise(&mut self, var: &Var) -> Option<Made> {
        let axis = self.axis(var)?;
        let (x, shape) = (&var.text, var.shape.clone());
        let text = match self.rng.below(7) {
            0 => format!("{x}.softmax({axis})"),
            1 => format!("{x}.log_softmax({axis})"),
            2 => format!("({x}.cumsum({axis}) * 0.4)"),
            3 => format!("{x}.sort({axis}, {}).0", self.rng.chance(50)),
            4 => format!("{x}.masked_fill({x}.lt(-0.2), 0.25)"),
            5 => format!("{x}.flip([{axis}])"),
            _ => match shape.last()? {
                Size::Of(n) if *n > 1 => format!("{x}.layer_norm([{n}], None, None, 0.1)"),
                _ => return None,
            },
        };
        Some((text, shape))
    }

    fn drawn(&mut self, var: &Var) -> Option<Made> {
        let (x, rng) = (&var.text, self.draws?);
        let text = match self.rng.below(3) {
            0 => format!("dropout({x}, 0.4, {rng})"),
            1 => format!("({x} + {x}.randn_like({rng}) * 0.1)"),
            _ => format!("({x} * {x}.rand_like({rng}))"),
        };
        Some((text, var.shape.clone()))
    }

    fn moved(&mut self, var: &Var) -> Option<Made> {
        let (x, mut shape) = (&var.text, var.shape.clone());
        let rank = shape.len();
        let axis = self.axis(var)?;
        let text = match (self.rng.below(9), shape[axis]) {
            (0, _) if rank > 1 => {
                let other = self.rng.below(rank);
                shape.swap(axis, other);
                format!("{x}.transpose({axis}, {other})")
            }
            (1, _) if rank < 4 => {
                shape.insert(axis, Size::Of(1));
                format!("{x}.unsqueeze({axis})")
            }
            (2, Size::Of(n)) if n > 1 => {
                let start = self.rng.below(n);
                let len = 1 + self.rng.below(n - start);
                shape[axis] = Size::Of(len);
                format!("{x}.narrow({axis}, {start}, {len})")
            }
            (3, Size::Of(n)) => {
                shape.remove(axis);
                format!("{x}.select({axis}, {})", self.rng.below(n))
            }
            (4, Size::Of(n)) if n <= 4 && elements(&shape) <= 100 => {
                shape[axis] = Size::Of(2 * n);
                let other = self.of_shape(&var.shape);
                format!("cat(&[{x}, {other}], {axis})")
            }
            (5, _) if rank < 4 && elements(&shape) <= 100 => {
                let other = self.of_shape(&shape);
                shape.insert(axis, Size::Of(2));
                format!("stack(&[{x}, {other}], {axis})")
            }
            (6, Size::Of(n)) if n <= 4 && axis == rank - 1 => {
                shape[axis] = Size::Of(n + 2);
                format!("{x}.pad([1, 1], 0.5)")
            }
            // Rolled by more than there are is refused where that is known at run time.
            (7, size) => format!("{x}.roll({}, {axis})", self.rng.below(if size == Size::N { 2 } else { 3 })),
            (8, Size::Of(n)) if n > 2 => {
                shape[axis] = Size::Of(n.div_ceil(2));
                format!("{x}.slice({axis}, 0, {n}, 2)")
            }
            _ => match shape[..] {
                [.., Size::Of(a), Size::Of(b)] => {
                    shape.truncate(rank - 2);
                    shape.push(Size::Of(a * b));
                    format!("{x}.reshape([{}])", list(&shape))
                }
                _ => return None,
            },
        };
        Some((text, shape))
    }
}
