//! Statements of a net's forward pass, layer by layer, with the shape of each value.

use super::tree::Tree;
use crate::file::Case;

/// A value: a variable and its shape.
#[derive(Clone)]
pub struct Var {
    pub name: String,
    pub shape: Vec<usize>,
}

/// What is written so far. Everything yields `None` where the file lacks a parameter.
pub struct Writer<'a> {
    pub c: &'a Case,
    pub tree: &'a Tree,
    pub train: bool,
    pub out: String,
    count: usize,
}

/// How a convolution's or pool's windows lie, the same in each dim.
#[derive(Clone, Copy)]
pub struct Lie {
    pub stride: usize,
    pub padding: usize,
    pub groups: usize,
}

/// A stride and a padding, one group.
pub fn lie(stride: usize, padding: usize) -> Lie {
    Lie { stride, padding, groups: 1 }
}

impl Lie {
    pub fn groups(self, groups: usize) -> Lie {
        Lie { groups, ..self }
    }

    fn count(self, len: usize, size: usize) -> Option<usize> {
        Some((len + 2 * self.padding).checked_sub(size)? / self.stride + 1)
    }
}

impl<'a> Writer<'a> {
    pub fn new(c: &'a Case, tree: &'a Tree) -> Writer<'a> {
        Writer { c, tree, train: c.flag("train"), out: String::new(), count: 0 }
    }

    /// An input of the file.
    pub fn input(&self, name: &str) -> Option<Var> {
        let ty = self.c.types.get(&format!("in.{name}"))?;
        Some(Var { name: name.to_string(), shape: ty.shape.clone() })
    }

    /// A new variable for an expression of that shape.
    pub fn var(&mut self, expr: String, shape: Vec<usize>) -> Var {
        self.count += 1;
        let name = format!("h{}", self.count);
        self.out += &format!("let {name} = {expr};\n        ");
        Var { name, shape }
    }

    /// The same shape.
    pub fn map(&mut self, x: &Var, method: &str) -> Var {
        self.var(format!("{}.{method}", x.name), x.shape.clone())
    }

    pub fn relu(&mut self, x: &Var) -> Var {
        self.map(x, "relu()")
    }

    pub fn add(&mut self, a: &Var, b: &Var) -> Option<Var> {
        (a.shape == b.shape).then(|| self.var(format!("{} + {}", a.name, b.name), a.shape.clone()))
    }

    /// Joined along the channels.
    pub fn cat(&mut self, parts: &[&Var]) -> Option<Var> {
        let mut shape = parts.first()?.shape.clone();
        shape[1] = parts.iter().map(|p| p.shape[1]).sum();
        let same = |p: &&Var| p.shape[0] == shape[0] && p.shape[2..] == shape[2..];
        if !parts.iter().all(same) {
            return None;
        }
        let names: Vec<&str> = parts.iter().map(|p| p.name.as_str()).collect();
        Some(self.var(format!("cat(&[{}], 1)", names.join(", ")), shape))
    }

    /// `Some(net.path)` where the file has it.
    fn maybe(&self, path: &str) -> String {
        self.tree.at(path).map_or("None".into(), |at| format!("Some({at})"))
    }

    pub fn conv(&mut self, x: &Var, path: &str, how: Lie) -> Option<Var> {
        let weight = self.tree.shape(&format!("{path}.weight"))?.to_vec();
        let dims = weight.len() - 2;
        if weight.len() != x.shape.len() || weight[1] * how.groups != x.shape[1] {
            return None;
        }
        let mut shape = vec![x.shape[0], weight[0]];
        for i in 0..dims {
            shape.push(how.count(x.shape[2 + i], weight[2 + i])?);
        }
        let (at, bias) = (self.tree.at(path)?, self.maybe(&format!("{path}.bias")));
        let call = format!("conv{dims}d_with({}, {at}.weight, {bias}", x.name);
        let Lie { stride, padding, groups } = how;
        Some(self.var(format!("{call}, {stride}, {padding}, 1, {groups})"), shape))
    }

    /// A transposed convolution whose windows lie one beside the other.
    pub fn up(&mut self, x: &Var, path: &str) -> Option<Var> {
        let weight = self.tree.shape(&format!("{path}.weight"))?.to_vec();
        let (dims, size) = (weight.len() - 2, *weight.last()?);
        let mut shape = vec![x.shape[0], weight[1]];
        shape.extend(x.shape[2..].iter().map(|n| n * size));
        let (at, bias) = (self.tree.at(path)?, self.maybe(&format!("{path}.bias")));
        let call = format!("conv_transpose{dims}d_with({}, {at}.weight, {bias}", x.name);
        Some(self.var(format!("{call}, {size}, 0, 0, 1, 1)"), shape))
    }

    pub fn max_pool(&mut self, x: &Var, size: usize, how: Lie) -> Option<Var> {
        self.pool(x, size, how, |dims, x, Lie { stride, padding, .. }| {
            format!("max_pool{dims}d_with({x}, {size}, {stride}, {padding}, 1, false)")
        })
    }

    /// Means that don't count the padding.
    pub fn avg_pool(&mut self, x: &Var, size: usize, how: Lie) -> Option<Var> {
        self.pool(x, size, how, |dims, x, Lie { stride, padding, .. }| {
            format!("avg_pool{dims}d_with({x}, {size}, {stride}, {padding}, false, false)")
        })
    }

    fn pool(
        &mut self,
        x: &Var,
        size: usize,
        how: Lie,
        call: impl Fn(usize, &str, Lie) -> String,
    ) -> Option<Var> {
        let mut shape = x.shape[..2].to_vec();
        for n in &x.shape[2..] {
            shape.push(how.count(*n, size)?);
        }
        Some(self.var(call(x.shape.len() - 2, &x.name, how), shape))
    }

    /// In training by the batch's statistics, which move the running ones.
    pub fn batch_norm(&mut self, x: &Var, path: &str, eps: f64, momentum: f64) -> Option<Var> {
        let at = self.tree.at(path)?;
        let (weight, bias) = (self.maybe(&format!("{path}.weight")), self.maybe(&format!("{path}.bias")));
        let affine = format!("{weight}, {bias}, {eps:?}");
        if !self.train {
            let call = format!("batch_norm({}, {at}.running_mean, {at}.running_var, {affine})", x.name);
            return Some(self.var(call, x.shape.clone()));
        }
        let over: Vec<usize> = (0..x.shape.len()).filter(|i| *i != 1).collect();
        let count = over.iter().map(|i| x.shape[*i]).product::<usize>() as f64;
        if count < 2.0 {
            return None;
        }
        let channels = vec![x.shape[1]];
        let mean = self.var(format!("{}.mean_dim({over:?})", x.name), channels.clone());
        let var = self.var(format!("{}.var_dim({over:?}, 0.0)", x.name), channels);
        let (kept, unbiased) = (1.0 - momentum, momentum * count / (count - 1.0));
        for (name, new) in [
            ("running_mean", format!("{momentum:?} * {}.detach()", mean.name)),
            ("running_var", format!("{unbiased:?} * {}.detach()", var.name)),
            ("num_batches_tracked", String::new()),
        ] {
            let old = format!("{at}.{name}");
            self.out += &match new.is_empty() {
                true => format!("{old} = {old} + 1.0;\n        "),
                false => format!("{old} = {kept:?} * {old} + {new};\n        "),
            };
        }
        let call = format!("batch_norm({}, {}, {}, {affine})", x.name, mean.name, var.name);
        Some(self.var(call, x.shape.clone()))
    }

    /// `torch.nn.BatchNorm2d` with its defaults.
    pub fn bn(&mut self, x: &Var, path: &str) -> Option<Var> {
        self.batch_norm(x, path, 1e-5, 0.1)
    }

    pub fn linear(&mut self, x: &Var, path: &str) -> Option<Var> {
        let weight = self.tree.shape(&format!("{path}.weight"))?;
        if weight.len() != 2 || x.shape.last() != weight.last() {
            return None;
        }
        let mut shape = x.shape.clone();
        *shape.last_mut()? = weight[0];
        let (at, bias) = (self.tree.at(path)?, self.maybe(&format!("{path}.bias")));
        Some(self.var(format!("{}.linear({at}.weight, {bias})", x.name), shape))
    }

    /// Over the last dim.
    pub fn layer_norm(&mut self, x: &Var, path: &str, eps: f64) -> Option<Var> {
        let (at, last) = (self.tree.at(path)?, x.shape.last()?);
        let call = format!("layer_norm([{last}], Some({at}.weight), Some({at}.bias), {eps:?})");
        Some(self.map(x, &call))
    }

    pub fn group_norm(&mut self, x: &Var, path: &str, groups: usize) -> Option<Var> {
        let at = self.tree.at(path)?;
        if groups == 0 || !x.shape[1].is_multiple_of(groups) {
            return None;
        }
        Some(self.map(x, &format!("group_norm({groups}, Some({at}.weight), Some({at}.bias), 1e-5)")))
    }

    /// Dims behind the batch as one.
    pub fn flat(&mut self, x: &Var) -> Var {
        let shape = vec![x.shape[0], x.shape[1..].iter().product()];
        self.var(format!("{}.flatten(1, -1)", x.name), shape)
    }

    /// Twice the size, each pixel repeated.
    pub fn doubled(&mut self, x: &Var) -> Var {
        let size: Vec<usize> = x.shape[2..].iter().map(|n| 2 * n).collect();
        let shape = [&x.shape[..2], &size].concat();
        self.var(format!("{}.interpolate_nearest({size:?})", x.name), shape)
    }

    /// `[N, C, …]` without what is behind the channels.
    pub fn pooled(&mut self, x: &Var) -> Var {
        let over: Vec<usize> = (2..x.shape.len()).collect();
        self.var(format!("{}.mean_dim({over:?})", x.name), x.shape[..2].to_vec())
    }
}
