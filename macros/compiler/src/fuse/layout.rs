//! The layout of products: a result whose rows' and columns' axes alternate more often than a loop around a product can
//! make good is computed rows before columns, and read through a permutation. Loops are made ready (`turns`).

use kiln_ir::{Func, Node, Op, Value};

/// The function with such contractions replaced and its loops ready.
pub fn lay_out(func: &Func) -> Func {
    let func =
        &super::turns::complete(&super::merge::merge(&super::slide::slide(&super::rules::without(func))));
    let mut out = Func { nodes: vec![], names: vec![], ..func.clone() };
    let mut place = Vec::new();
    for (v, node) in func.values() {
        let mut node = node.clone();
        node.args.iter_mut().for_each(|a| *a = place[a.0 as usize]);
        let name = func.names[v.0 as usize].clone();
        match unmixed(&node) {
            Some((product, permute)) => {
                push(&mut out, product, name.clone());
                let args = vec![Value(out.nodes.len() as u32 - 1)];
                push(&mut out, Node { op: permute, args, ..node }, None);
            }
            None => push(&mut out, node, name),
        }
        place.push(Value(out.nodes.len() as u32 - 1));
    }
    out.outputs.iter_mut().for_each(|o| o.value = place[o.value.0 as usize]);
    super::channels::arranged(&out)
}

fn push(func: &mut Func, node: Node, name: Option<String>) {
    func.nodes.push(node);
    func.names.push(name);
}

/// A contraction whose rows and columns alternate as one where they don't, and the permutation back.
fn unmixed(node: &Node) -> Option<(Node, Op)> {
    let Op::Contract { lhs, rhs, out } = &node.op else { return None };
    let side = |l: &u8| match (lhs.contains(l), rhs.contains(l)) {
        (true, true) => 0,
        (true, false) => 1,
        _ => 2,
    };
    let wide: Vec<u8> = out.iter().zip(&node.ty.shape).filter(|(_, d)| !d.is(1)).map(|(l, _)| *l).collect();
    let sides: Vec<i32> = wide.iter().map(side).filter(|s| *s > 0).collect();
    // The outermost run may be a loop of products, as the images of a batch are.
    let rest = sides.iter().skip_while(|s| **s == sides[0]).copied().collect::<Vec<_>>();
    let changes = rest.windows(2).filter(|w| w[0] != w[1]).count();
    let batch_last = wide.last().is_some_and(|l| side(l) == 0) && !sides.is_empty();
    if changes < 2 && !batch_last {
        return None;
    }
    let mut ordered: Vec<usize> = (0..out.len()).collect();
    ordered.sort_by_key(|i| side(&out[*i]));
    let shape = ordered.iter().map(|i| node.ty.shape[*i].clone()).collect::<Vec<_>>();
    let labels = ordered.iter().map(|i| out[*i]).collect();
    let op = Op::Contract { lhs: lhs.clone(), rhs: rhs.clone(), out: labels };
    let product = Node { op, ty: kiln_ir::Ty::new(node.ty.dtype, shape), ..node.clone() };
    let back = (0..out.len()).map(|i| ordered.iter().position(|o| *o == i).expect("a permutation")).collect();
    Some((product, Op::Permute(back)))
}
