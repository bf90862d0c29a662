//! ONNX graphs, node by node, with random weights.

use tract_onnx::pb::*;
use tract_onnx::pb::{tensor_proto::DataType, tensor_shape_proto, type_proto};

/// A graph in the making. A name stands for what a node gives.
pub struct Graph {
    graph: GraphProto,
    /// Numbers that weights have in all.
    pub params: usize,
}

impl Graph {
    /// With inputs `x0`, `x1`, … of these shapes.
    pub fn new(inputs: &[&[usize]]) -> Graph {
        let input =
            inputs.iter().enumerate().map(|(i, shape)| value(&format!("x{i}"), Some(shape))).collect();
        Graph { graph: GraphProto { name: "net".into(), input, ..GraphProto::default() }, params: 0 }
    }

    /// The model whose result is `out`.
    pub fn finish(mut self, out: &str) -> ModelProto {
        self.graph.output = vec![value(out, None)];
        ModelProto {
            ir_version: 9,
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 20 }],
            graph: Some(self.graph),
            ..ModelProto::default()
        }
    }

    /// A node with one result.
    pub fn op(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let out = format!("{}_{}", op.to_lowercase(), self.graph.node.len());
        self.node(op, inputs, &[&out], attributes);
        out
    }

    /// A node with results of these names.
    pub fn node(&mut self, op: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, Attribute)]) {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|&name| name.into()).collect(),
            output: outputs.iter().map(|&name| name.into()).collect(),
            name: format!("node_{}", self.graph.node.len()),
            op_type: op.into(),
            attribute: attributes.iter().map(|(name, value)| value.proto(name)).collect(),
            ..NodeProto::default()
        });
    }

    /// Random weights, about as large as the root of `1 / fan_in`.
    pub fn weight(&mut self, shape: &[usize], fan_in: usize) -> String {
        let n = shape.iter().product();
        self.params += n;
        let numbers = numbers(self.graph.initializer.len() as u64, n, (fan_in as f32).sqrt().recip());
        self.floats(shape, &numbers)
    }

    /// A weight of one number.
    pub fn filled(&mut self, n: usize, number: f32) -> String {
        self.params += n;
        self.floats(&[n], &vec![number; n])
    }

    /// Numbers that aren't weights.
    pub fn floats(&mut self, shape: &[usize], numbers: &[f32]) -> String {
        let raw = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(shape, DataType::Float, raw)
    }

    /// Whole numbers: shapes, places.
    pub fn ints(&mut self, ints: &[i64]) -> String {
        let raw = ints.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(&[ints.len()], DataType::Int64, raw)
    }

    fn constant(&mut self, shape: &[usize], data_type: DataType, raw_data: Vec<u8>) -> String {
        let name = format!("constant_{}", self.graph.initializer.len());
        self.graph.initializer.push(TensorProto {
            dims: shape.iter().map(|&d| d as i64).collect(),
            data_type: data_type as i32,
            name: name.clone(),
            raw_data,
            ..TensorProto::default()
        });
        name
    }

    /// A dense layer of two axes, with offsets.
    pub fn gemm(&mut self, x: &str, i: usize, o: usize) -> String {
        let (w, b) = (self.weight(&[o, i], i), self.weight(&[o], i));
        self.op("Gemm", &[x, &w, &b], &[("transB", Attribute::Int(1))])
    }

    /// A dense layer of more axes, with offsets.
    pub fn dense(&mut self, x: &str, i: usize, o: usize) -> String {
        let (w, b) = (self.weight(&[i, o], i), self.weight(&[o], i));
        let y = self.op("MatMul", &[x, &w], &[]);
        self.op("Add", &[&y, &b], &[])
    }

    pub fn layer_norm(&mut self, x: &str, d: usize) -> String {
        let (w, b) = (self.filled(d, 1.0), self.filled(d, 0.0));
        let attributes = [("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(1e-5))];
        self.op("LayerNormalization", &[x, &w, &b], &attributes)
    }

    pub fn reshape(&mut self, x: &str, shape: &[i64]) -> String {
        let shape = self.ints(shape);
        self.op("Reshape", &[x, &shape], &[])
    }

    pub fn transpose(&mut self, x: &str, perm: &[i64]) -> String {
        self.op("Transpose", &[x], &[("perm", Attribute::Ints(perm.to_vec()))])
    }

    /// One place along the first axis, which goes.
    pub fn select(&mut self, x: &str, at: i64) -> String {
        let (starts, ends, axes) = (self.ints(&[at]), self.ints(&[at + 1]), self.ints(&[0]));
        let part = self.op("Slice", &[x, &starts, &ends, &axes], &[]);
        self.op("Squeeze", &[&part, &axes], &[])
    }
}

/// What a node is told besides its inputs.
pub enum Attribute {
    Int(i64),
    Float(f32),
    Ints(Vec<i64>),
}

impl Attribute {
    fn proto(&self, name: &str) -> AttributeProto {
        use attribute_proto::AttributeType as Type;
        let mut proto = AttributeProto { name: name.into(), ..AttributeProto::default() };
        let r#type = match self {
            Attribute::Int(i) => {
                proto.i = *i;
                Type::Int
            }
            Attribute::Float(f) => {
                proto.f = *f;
                Type::Float
            }
            Attribute::Ints(ints) => {
                proto.ints.clone_from(ints);
                Type::Ints
            }
        };
        proto.r#type = r#type as i32;
        proto
    }
}

/// An input or output of a graph.
fn value(name: &str, shape: Option<&[usize]>) -> ValueInfoProto {
    let dim = |&d: &usize| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(d as i64)),
        ..Default::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: shape.map(|shape| TensorShapeProto { dim: shape.iter().map(dim).collect() }),
    };
    let value = Some(type_proto::Value::TensorType(tensor));
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value, ..Default::default() }),
        ..Default::default()
    }
}

/// Numbers spread evenly about zero, with variance `scale²` (an xorshift).
pub fn numbers(seed: u64, n: usize, scale: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..n).map(|_| (next() - 0.5) * 12f32.sqrt() * scale).collect()
}
