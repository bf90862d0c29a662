//! Functions: models that a program calls, closures, and transforms of both.

use super::body::Body;
use super::shape::{Shape, Size, elements, ty};

/// `|a| { … }` with what it gives.
type Closure = (String, Shape);

impl Body<'_> {
    /// A closure of tensors of these shapes. `scalar`: it gives one number.
    fn closure(&mut self, args: &[Shape], scalar: bool) -> Closure {
        let names: Vec<String> = args.iter().map(|_| self.name("a")).collect();
        let (state, draws) = (std::mem::take(&mut self.state), self.draws.take());
        let (lines, (text, shape)) = self.inside(|body| {
            names.iter().zip(args).for_each(|(name, shape)| body.add(name, shape.clone()));
            if body.rng.chance(40) {
                body.statements(2);
            }
            let (text, shape) = body.result(&names[0], &args[0]);
            if scalar { (body.scalar(&text), vec![]) } else { (text, shape) }
        });
        (self.state, self.draws) = (state, draws);
        let names = names.join(", ");
        let indent = "    ".repeat(self.depth + 1);
        let text = match lines.is_empty() {
            true => format!("|{names}| {text}"),
            false => format!("|{names}| {{\n{}\n{indent}    {text}\n{indent}}}", lines.join("\n")),
        };
        (text, shape)
    }

    /// Something that hangs on an argument.
    fn result(&mut self, arg: &str, shape: &[Size]) -> (String, Shape) {
        let (text, got) = self.expr();
        if text.contains(arg) {
            return (text, got);
        }
        let own = self.touched(arg, shape);
        (self.touched(&own, shape), shape.to_vec())
    }

    /// One number of a tensor.
    fn scalar(&mut self, text: &str) -> String {
        let forms = ["{}.mean()", "{}.square().mean()", "({}.tanh().sum() * 0.3)", "{}.sin().mean()"];
        self.rng.pick(&forms).replace("{}", text)
    }

    /// A transform of a closure, applied.
    pub(super) fn transformed(&mut self) {
        let var = self.any();
        if elements(&var.shape) > 120 {
            return self.statement();
        }
        let (x, shape) = (var.text.clone(), var.shape.clone());
        match self.rng.below(9) {
            0 => self.gradient(&x, &shape),
            1 => {
                let along = self.of_shape(&shape);
                let (f, out) = self.closure(&[shape], false);
                let names = self.two(&out, &out);
                self.line(&format!("let ({}, {}) = jvp({f})({x}, {along});", names[0], names[1]));
            }
            2 => {
                let (f, out) = self.closure(std::slice::from_ref(&shape), false);
                let back = self.of_shape(&out);
                let names = self.two(&out, &shape);
                self.line(&format!("let ({}, {}) = vjp({f})({x}, {back});", names[0], names[1]));
            }
            3 | 4 => self.batch(&x, &shape),
            5 => {
                let (f, out) = self.closure(&[shape], false);
                self.bind(&format!("checkpoint({f})({x})"), out);
            }
            6 => self.branch(),
            7 => {
                let end = 1 + self.rng.below(5);
                let name = self.name("a");
                let next = self.inside(|body| {
                    body.add(&name, shape.clone());
                    let with = body.of_shape(&shape);
                    format!("({name} * 1.5 + {with} * 0.1)")
                });
                let text = format!(
                    "while_loop({end}, {x}, |{name}| {name}.abs().mean().lt(2.0), |{name}| {})",
                    next.1
                );
                self.bind(&text, shape);
            }
            _ => self.twice(&x, &shape),
        }
    }

    /// Names for two results.
    fn two(&mut self, one: &Shape, other: &Shape) -> [String; 2] {
        let names = [self.name("v"), self.name("v")];
        self.add(&names[0], one.clone());
        self.add(&names[1], other.clone());
        names
    }

    fn gradient(&mut self, x: &str, shape: &Shape) {
        let (f, _) = self.closure(std::slice::from_ref(shape), true);
        if self.rng.chance(50) {
            let names = self.two(&vec![], shape);
            self.line(&format!("let ({}, {}) = value_and_grad({f})({x});", names[0], names[1]));
        } else {
            self.bind(&format!("grad({f})({x})"), shape.clone());
        }
    }

    /// A second derivative along something.
    fn twice(&mut self, x: &str, shape: &Shape) {
        let (f, _) = self.closure(std::slice::from_ref(shape), true);
        let along = self.of_shape(shape);
        let name = self.name("a");
        let text = match self.rng.below(3) {
            0 => format!("grad(|{name}| grad({f})({name}).square().sum())({x})"),
            1 => format!("grad(|{name}| (grad({f})({name}) * {along}).sum())({x})"),
            _ => {
                let names = self.two(shape, shape);
                return self
                    .line(&format!("let ({}, {}) = jvp(grad({f}))({x}, {along});", names[0], names[1]));
            }
        };
        self.bind(&text, shape.clone());
    }

    /// `vmap`, of a closure or of its gradient.
    fn batch(&mut self, x: &str, shape: &Shape) {
        let Some((lead, row)) = shape.split_first() else { return self.statement() };
        let gradient = self.rng.chance(40);
        let (f, out) = self.closure(&[row.to_vec()], gradient);
        let out = [std::slice::from_ref(lead), if gradient { row } else { &out }].concat();
        let f = if gradient { format!("grad({f})") } else { f };
        if elements(&out) <= 300 {
            self.bind(&format!("vmap({f})({x})"), out);
        }
    }

    /// What data decides.
    fn branch(&mut self) {
        let (by, limit, draws) = (self.any(), self.rng.below(3), self.draws.take());
        let (one, shape) = self.inside(Body::expr).1;
        let other = self.inside(|body| body.of_shape(&shape)).1;
        self.draws = draws;
        let limit = limit as f64 * 0.3 - 0.3;
        self.bind(&format!("cond({}.mean().gt({limit:?}), || {one}, || {other})", by.text), shape);
    }

    /// A model of its own, called, differentiated or batched.
    pub(super) fn called(&mut self) {
        let (one, two) = (self.any(), self.any());
        if elements(&one.shape) > 150 || elements(&two.shape) > 150 {
            return self.statement();
        }
        let (name, way) = (self.name("model"), self.rng.below(4));
        let args = [("a", &one.shape), ("b", &two.shape)];
        let state = (way == 0 && self.rng.chance(50)).then(|| self.state.first().cloned()).flatten();
        let mut inner = Body::new(self.rng, self.named);
        args.iter().for_each(|(name, shape)| inner.add(name, shape.to_vec()));
        inner.state.extend(state.iter().map(|(_, shape)| ("m".to_string(), shape.clone())));
        inner.vars.extend(state.iter().map(|(_, shape)| read("m", shape)));
        inner.depth = 1;
        inner.statements(3);
        let (text, shape) = inner.result("a", &one.shape);
        let scalar = way >= 2;
        let (text, shape) = if scalar { (inner.scalar(&text), vec![]) } else { (text, shape) };
        let params = args.iter().map(|(name, shape)| format!("{name}: Tensor<{}>", ty(shape)));
        let memory = state.iter().map(|(_, shape)| format!("m: &mut Tensor<{}>", ty(shape)));
        let weights = inner.weights.iter().map(|(name, shape)| format!("{name}: Tensor<{}>", ty(shape)));
        let params: Vec<String> = params.chain(memory).chain(weights).collect();
        let whole = params.join(", ");
        let free = if whole.contains("N,") || whole.contains("N>") { "<const N: usize>" } else { "" };
        let attribute = if scalar { "#[model(grad(a, b))]" } else { "#[model]" };
        let body = format!("{}\n    {text}", inner.lines.join("\n"));
        let function =
            format!("{attribute}\npub fn {name}{free}({whole}) -> Tensor<{}> {{\n{body}\n}}\n", ty(&shape));
        let (weights, functions, named) = (inner.weights, inner.functions, inner.named);
        self.named = named;
        self.functions.extend(functions);
        self.functions.push(function);
        let weights: Vec<String> = weights.iter().map(|(_, shape)| self.weight(shape)).collect();
        let given: Vec<String> =
            [one.text, two.text].into_iter().chain(state.map(|(name, _)| name)).chain(weights).collect();
        let given = given.join(", ");
        match way {
            2 => {
                let names = [self.name("v"), self.name("v"), self.name("v")];
                let [value, a, b] = &names;
                self.line(&format!("let ({value}, ({a}, {b})) = value_and_grad({name})({given});"));
                [vec![], one.shape, two.shape]
                    .into_iter()
                    .zip(&names)
                    .for_each(|(shape, name)| self.add(name, shape));
            }
            3 => {
                let names = self.two(&one.shape, &two.shape);
                self.line(&format!("let ({}, {}) = grad({name})({given});", names[0], names[1]));
            }
            1 => drop(self.bind(&format!("checkpoint({name})({given})"), shape)),
            _ => drop(self.bind(&format!("{name}({given})"), shape)),
        }
    }
}

/// State as it is read.
pub fn read(name: &str, shape: &[Size]) -> super::body::Var {
    super::body::Var { text: format!("(*{name} * 1.0)"), shape: shape.to_vec() }
}
