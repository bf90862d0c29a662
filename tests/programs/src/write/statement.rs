//! Statements: names, loops, state, blocks, and what is known while compiling.

use super::body::Body;
use super::shape::{Shape, Size, elements};

impl Body<'_> {
    /// A statement.
    pub fn statement(&mut self) {
        let deep = self.depth > 2;
        match self.rng.below(20) {
            0..=6 => drop(self.let_expr()),
            7..=10 if !deep => self.grown(),
            11 if !self.state.is_empty() => self.assigned(),
            12 if !deep => self.block(),
            13 => self.tuple(),
            14 if !deep => self.chosen(),
            15 if self.depth == 0 => self.called(),
            _ if self.depth < 2 => self.transformed(),
            _ => drop(self.let_expr()),
        }
    }

    /// Several.
    pub fn statements(&mut self, most: usize) {
        for _ in 0..1 + self.rng.below(most) {
            self.statement();
        }
    }

    fn let_expr(&mut self) -> String {
        let (text, shape) = self.expr();
        self.bind(&text, shape)
    }

    /// `*s = …`
    fn assigned(&mut self) {
        let (name, shape) = self.rng.pick(&self.state.clone()).clone();
        let with = self.of_shape(&shape);
        match self.rng.chance(50) {
            true => self.line(&format!("*{name} = *{name} * 0.9 + {with} * 0.2;")),
            false => self.line(&format!("*{name} += {with} * 0.1;")),
        }
    }

    fn block(&mut self) {
        let (lines, (text, shape)) = self.inside(|body| {
            body.statements(2);
            body.expr()
        });
        let name = self.name("v");
        self.line(&format!("let {name} = {{"));
        self.lines.extend(lines);
        self.line(&format!("    {text}"));
        self.line("};");
        self.add(&name, shape);
    }

    fn tuple(&mut self) {
        let ((one, s), (two, t)) = (self.expr(), self.expr());
        if self.rng.chance(50) {
            let names = [self.name("v"), self.name("v")];
            self.line(&format!("let ({}, {}) = ({one}, {two});", names[0], names[1]));
            self.add(&names[0], s);
            self.add(&names[1], t);
        } else {
            let name = self.name("pair");
            self.line(&format!("let {name} = ({one}, [{two}, {two}]);"));
            self.add(&format!("{name}.0"), s);
            self.add(&format!("{name}.1[1]"), t);
        }
    }

    /// What a constant decides.
    fn chosen(&mut self) {
        let (one, shape) = self.expr();
        let other = self.of_shape(&shape);
        let condition = *self.rng.pick(&["K > 2", "K % 2 == 1", "SCALE < 1.0", "K == 4 || K < 2"]);
        self.bind(&format!("if {condition} {{ {one} }} else {{ {other} }}"), shape);
    }

    /// A loop, and what it carries.
    fn grown(&mut self) {
        let start = self.any();
        if elements(&start.shape) > 150 {
            return;
        }
        let (held, list) = (self.name("h"), self.rng.chance(40).then(|| self.name("all")));
        let first = self.touched(&start.text, &start.shape);
        self.line(&format!("let mut {held} = {first};"));
        if let Some(list) = &list {
            self.line(&format!("let mut {list} = Vec::new();"));
        }
        let (header, item, turns) = self.header();
        let mut pushed: Option<Shape> = None;
        let (lines, ()) = self.inside(|body| {
            body.add(&held, start.shape.clone());
            body.vars.extend(item.map(|(text, shape)| super::body::Var { text, shape }));
            if body.rng.chance(70) {
                body.statements(2);
            }
            let with = body.of_shape(&start.shape);
            let next = match body.rng.below(3) {
                0 => format!("({held} * 0.5 + {with} * 0.5)"),
                1 => format!("({held} * 0.8 + {with}).tanh()"),
                _ => format!("({held} - {with} * 0.1).clamp(-3.0, 3.0)"),
            };
            body.line(&format!("{held} = {next};"));
            if let Some(list) = &list {
                let (text, shape) =
                    if body.rng.chance(50) { (held.clone(), start.shape.clone()) } else { body.expr() };
                body.line(&format!("{list}.push({text});"));
                pushed = Some(shape);
            }
        });
        self.line(&format!("for {header} {{"));
        self.lines.extend(lines);
        self.line("}");
        self.add(&held, start.shape);
        if let (Some(list), Some(shape)) = (list, pushed) {
            let all = [vec![turns], shape].concat();
            if elements(&all) <= 400 {
                self.bind(&format!("stack(&{list}, 0)"), all);
            }
        }
    }

    /// What a loop goes over: `i in 0..5`, what there is of it in a turn, and how many turns there are.
    fn header(&mut self) -> (String, Option<(String, Shape)>, Size) {
        let n = 2 + self.rng.below(7);
        let i = self.name("i");
        let by = self.any();
        let number = |i: &str| Some((format!("({} * ({i} as Real * 0.1))", by.text), by.shape.clone()));
        match self.rng.below(7) {
            0 => (format!("{i} in 0..{n}"), None, Size::Of(n)),
            1 => (format!("{i} in (0..{n}).rev()"), number(&i), Size::Of(n)),
            2 => (format!("{i} in (1..{n}).step_by(2)"), number(&i), Size::Of(n / 2)),
            3 | 4 => match self.find(|s| s.contains(&Size::N)) {
                Some(var) => {
                    let axis = var.shape.iter().position(|s| *s == Size::N).unwrap_or(0);
                    let rest = [&var.shape[..axis], &var.shape[axis + 1..]].concat();
                    let range = if self.rng.chance(30) { "(0..N).rev()" } else { "0..N" };
                    (
                        format!("{i} in {range}"),
                        Some((format!("{}.select({axis}, {i})", var.text), rest)),
                        Size::N,
                    )
                }
                None => (format!("{i} in 0..{n}"), number(&i), Size::Of(n)),
            },
            _ => self.array(&i, n),
        }
    }

    /// A loop over an array of tensors, by itself or with its numbers.
    fn array(&mut self, item: &str, n: usize) -> (String, Option<(String, Shape)>, Size) {
        let var = self.any();
        let (parts, array) = (n.min(6), self.name("xs"));
        let each: Vec<String> = (0..parts).map(|_| self.of_shape(&var.shape)).collect();
        self.line(&format!("let {array} = [{}];", each.join(", ")));
        let (header, text) = match self.rng.below(4) {
            0 => (format!("{item} in &{array}"), item.to_string()),
            1 => (format!("{item} in {array}.iter().rev()"), item.to_string()),
            2 => {
                let at = self.name("i");
                (
                    format!("({at}, {item}) in {array}.iter().enumerate()"),
                    format!("({item} * ({at} as Real * 0.1))"),
                )
            }
            _ => (format!("{item} in 0..{parts}"), format!("{array}[{item}]")),
        };
        (header, Some((text, var.shape)), Size::Of(parts))
    }
}
