//! What models take and give: a golden file's tensors as Kiln's, and results by the key that the file has them under.

use crate::file::Golden;
use kiln::optim::Optimizer;
use kiln::{Element, Leaf, LeafKind, Params, Result, Rng, Tensor};
use kiln_ir::{DType, ops::Array};

/// A file's tensors as a model takes them.
pub struct Inputs(pub Golden);

impl Inputs {
    fn of<T: Element>(&self, key: &str, from: impl Fn(f64) -> T) -> Tensor<T> {
        let array = &self.0.tensors[key];
        let data: Vec<T> = array.data.iter().map(|x| from(*x)).collect();
        Tensor::from_vec(array.shape.as_slice(), data).expect("as many elements as the shape says")
    }

    pub fn f64(&self, key: &str) -> Tensor<f64> {
        self.of(key, |x| x)
    }

    pub fn f32(&self, key: &str) -> Tensor {
        self.of(key, |x| x as f32)
    }

    pub fn i64(&self, key: &str) -> Tensor<i64> {
        self.of(key, |x| x as i64)
    }

    pub fn bool(&self, key: &str) -> Tensor<bool> {
        self.of(key, |x| x != 0.0)
    }

    pub fn number(&self, key: &str) -> f64 {
        self.0.tensors[key].data[0]
    }

    /// The k-th entry along the first dim.
    pub fn row(&self, key: &str, k: usize) -> Tensor {
        self.of(key, |x| x as f32).select(0, k as i64)
    }

    /// Parameters with the file's values.
    pub fn tree<P: Params>(&self) -> P {
        let mut tree = P::init(&mut Rng::seed(0));
        let mut leaves = Vec::new();
        tree.leaves_mut("", &mut leaves);
        for leaf in leaves {
            let kind = if leaf.kind == LeafKind::Buffer { "buf" } else { "param" };
            *leaf.tensor.into_f32().expect("f32") = self.f32(&format!("{kind}.{}", leaf.name));
        }
        tree
    }

    /// Makes all parameters ask for gradients; each with the key of its own.
    pub fn recorded(tree: &mut impl Params) -> Vec<(String, Tensor)> {
        let mut leaves = Vec::new();
        tree.leaves_mut("", &mut leaves);
        leaves.retain(|leaf| leaf.kind == LeafKind::Parameter);
        let record = |leaf: kiln::LeafMut<'_>| {
            let tensor = leaf.tensor.into_f32().expect("f32");
            *tensor = tensor.clone().requires_grad();
            (format!("grad.{}", leaf.name), tensor.clone())
        };
        leaves.into_iter().map(record).collect()
    }
}

/// What a model gave, by key; what it gave eagerly stands under `eager.` and the key.
#[derive(Default)]
pub struct Outputs(pub Vec<(String, Array)>);

/// An element type of results.
pub trait Number: Element {
    const KIND: DType;
    fn number(self) -> f64;
}

macro_rules! numbers {
    ($($ty:ident $kind:ident $x:ident: $number:expr;)*) => {$(
        impl Number for $ty {
            const KIND: DType = DType::$kind;
            fn number(self) -> f64 {
                let $x = self;
                $number
            }
        }
    )*};
}
numbers! {
    f32 F64 x: x.into();
    f64 F64 x: x;
    i64 I64 x: x as f64;
    bool Bool x: f64::from(u8::from(x));
}

impl Outputs {
    pub fn push<T: Number>(&mut self, key: impl Into<String>, tensor: &Tensor<T>) {
        let data = tensor.as_slice().iter().map(|x| x.number()).collect();
        self.0.push((key.into(), Array::rounded(T::KIND, tensor.shape().to_vec(), data)));
    }

    pub fn push_scaled(&mut self, key: &str, tensor: &Tensor<f64>, by: f64) {
        let data = tensor.as_slice().iter().map(|x| x * by).collect();
        self.push(key, &Tensor::from_vec(tensor.shape(), data).expect("as many elements"));
    }

    /// Adds a number to those under a key.
    fn append(&mut self, key: String, number: &Tensor) -> Result<()> {
        let number = f64::from(number.item()?);
        match self.0.iter_mut().find(|(k, _)| *k == key) {
            Some((_, array)) => {
                array.data.push(number);
                array.shape[0] += 1;
            }
            None => self.0.push((key, Array::rounded(DType::F64, vec![1], vec![number]))),
        }
        Ok(())
    }

    /// The buffers of a net after a call.
    pub fn push_buffers(&mut self, form: &str, net: &impl Params) {
        for leaf in net.named_leaves().iter().filter(|leaf| leaf.kind == LeafKind::Buffer) {
            self.push(format!("{form}buf_after.{}", leaf.name), leaf.tensor.as_f32().expect("f32"));
        }
    }

    /// Gradients in the form of a net.
    pub fn push_grads(&mut self, grads: &impl Params) {
        for leaf in grads.named_leaves().iter().filter(|leaf| leaf.kind == LeafKind::Parameter) {
            self.push(format!("grad.{}", leaf.name), leaf.tensor.as_f32().expect("f32"));
        }
    }

    /// The gradients of a sum with respect to tensors, each under its key.
    pub fn push_recorded(
        &mut self,
        sum: &Tensor,
        leaves: Vec<(String, Tensor)>,
        more: Vec<(String, Tensor)>,
    ) -> Result<()> {
        let all: Vec<(String, Tensor)> = leaves.into_iter().chain(more).collect();
        let tensors: Vec<&Tensor> = all.iter().map(|(_, tensor)| tensor).collect();
        for ((key, _), grad) in all.iter().zip(kiln::autograd::grad(sum, &tensors, false)?) {
            self.push(format!("eager.{key}"), &grad);
        }
        Ok(())
    }

    /// The parameters after a step of training, its loss, and the norm of its gradients.
    pub fn push_step(
        &mut self,
        form: &str,
        step: usize,
        net: &impl Params,
        (loss, norm): (Tensor, Tensor),
    ) -> Result<()> {
        for Leaf { name, tensor, .. } in net.named_leaves() {
            self.push(format!("{form}out.step{step}.{}", name), tensor.as_f32().expect("f32"));
        }
        self.append(format!("{form}out.loss"), &loss)?;
        self.append(format!("{form}out.grad_norm"), &norm)
    }

    /// An optimizer's state at the end.
    pub fn push_state(&mut self, form: &str, optimizer: &impl Optimizer) {
        for Leaf { name, tensor, .. } in optimizer.moments() {
            let (moment, name) = name.split_once('.').expect("moment.name");
            self.push(format!("{form}out.state.{}.{moment}", name), tensor.as_f32().expect("f32"));
        }
    }
}
