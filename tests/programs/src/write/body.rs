//! The body of a function: what is in scope, and the lines so far.

use super::rng::Rng;
use super::shape::{Shape, Size};

/// A tensor that a name leads to.
#[derive(Clone, Debug)]
pub struct Var {
    /// How it is read.
    pub text: String,
    /// Its sizes.
    pub shape: Shape,
}

/// What is written.
pub struct Body<'a> {
    /// The source of choices.
    pub rng: &'a mut Rng,
    /// Lines of the body.
    pub lines: Vec<String>,
    /// Tensors that can be read, the newest last.
    pub vars: Vec<Var>,
    /// State that can be assigned to, by `*name`.
    pub state: Vec<(String, Shape)>,
    /// The name of a generator, where one may draw.
    pub draws: Option<&'static str>,
    /// Arguments that expressions have asked for.
    pub weights: Vec<(String, Shape)>,
    /// Functions that it calls, whole.
    pub functions: Vec<String>,
    /// How many closures, loops and blocks stand around.
    pub depth: usize,
    /// Names given so far.
    pub named: usize,
}

impl<'a> Body<'a> {
    /// An empty one.
    pub fn new(rng: &'a mut Rng, named: usize) -> Body<'a> {
        Body {
            rng,
            lines: Vec::new(),
            vars: Vec::new(),
            state: Vec::new(),
            draws: None,
            weights: Vec::new(),
            functions: Vec::new(),
            depth: 0,
            named,
        }
    }

    /// A name that nothing has.
    pub fn name(&mut self, kind: &str) -> String {
        self.named += 1;
        format!("{kind}_{}", self.named)
    }

    /// A line, indented.
    pub fn line(&mut self, text: &str) {
        self.lines.push(format!("{}{text}", "    ".repeat(self.depth + 1)));
    }

    /// `let name = text;`
    pub fn bind(&mut self, text: &str, shape: Shape) -> String {
        // Now and then under a name that was another tensor's.
        let old = self.vars.iter().rposition(|v| self.is_free(&v.text));
        let name = match old {
            Some(at) if self.rng.chance(15) => self.vars.remove(at).text,
            _ => self.name("v"),
        };
        self.line(&format!("let {name} = {text};"));
        self.add(&name, shape);
        name
    }

    /// Whether it is a name that nothing else in scope is read by.
    fn is_free(&self, text: &str) -> bool {
        let whole = text.starts_with("v_") && text[2..].bytes().all(|c| c.is_ascii_digit());
        let reads =
            |v: &Var| v.text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == text);
        whole && self.vars.iter().filter(|v| reads(v)).count() == 1
    }

    /// Lets expressions read a tensor.
    pub fn add(&mut self, text: &str, shape: Shape) {
        self.vars.push(Var { text: text.into(), shape });
    }

    /// One in scope, a newer one more often.
    pub fn any(&mut self) -> Var {
        let count = self.vars.len();
        self.vars[self.rng.below(count).max(self.rng.below(count))].clone()
    }

    /// One whose shape fits.
    pub fn find(&mut self, fits: impl Fn(&Shape) -> bool) -> Option<Var> {
        let all: Vec<&Var> = self.vars.iter().filter(|v| fits(&v.shape)).collect();
        if all.is_empty() { None } else { Some((*self.rng.pick(&all)).clone()) }
    }

    /// A weight of that shape: an argument of the function.
    pub fn weight(&mut self, shape: &[Size]) -> String {
        let known = self.weights.iter().filter(|(_, s)| s == shape).map(|(n, _)| n.clone()).next();
        known.unwrap_or_else(|| {
            let name = format!("w{}", self.weights.len());
            self.weights.push((name.clone(), shape.to_vec()));
            name
        })
    }

    /// What is written in a block of its own: its lines, with what it names gone afterwards.
    pub fn inside<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> (Vec<String>, T) {
        let (vars, lines) = (self.vars.clone(), std::mem::take(&mut self.lines));
        self.depth += 1;
        let result = write(self);
        self.depth -= 1;
        self.vars = vars;
        (std::mem::replace(&mut self.lines, lines), result)
    }
}
