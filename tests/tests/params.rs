//! `#[params]` as a user meets it: nested, in arrays, from another crate, saved and loaded.
#![allow(missing_docs)]

use kiln::LeafKind;
use kiln::prelude::*;
use zoo::Scale;

const HIDDEN: usize = 6;

#[params]
struct Dense<const I: usize, const O: usize> {
    weight: Tensor<O, I>,
    bias: Tensor<O>,
}

#[params]
struct Net {
    fc: Dense<4, HIDDEN>,
    scales: [Scale<HIDDEN>; 2],
    #[init(normal(0.0, 0.02))]
    table: Tensor<{ HIDDEN * 2 }, 3>,
}

fn net(seed: u64) -> Net {
    Net::init(&mut Rng::seed(seed))
}

#[params]
struct Sequential {
    #[name("0")]
    first: Dense<4, 2>,
    #[name("2")]
    second: Dense<2, 3>,
    #[name("self")]
    #[buffer]
    own: Tensor<3>,
}

#[model]
fn sequential(net: &Sequential, x: Tensor<4>) -> Tensor<3> {
    let h = x.linear(net.first.weight, Some(net.first.bias)).relu();
    h.linear(net.second.weight, Some(net.second.bias)) + net.own
}

#[test]
fn leaves_are_named_as_told() {
    let net = Sequential::init(&mut Rng::seed(0));
    let names: Vec<String> = net.named_leaves().into_iter().map(|l| l.name).collect();
    assert_eq!(names, ["0.weight", "0.bias", "2.weight", "2.bias", "self"]);
    let loaded = Sequential::from_bytes(&net.to_bytes().expect("sound")).expect("the same names");
    let x = [1.0, -2.0, 0.5, 3.0];
    assert_eq!(sequential(&loaded, x).expect("shapes fit"), sequential(&net, x).expect("shapes fit"));
}

#[params]
struct Stages {
    #[name("")]
    first: Dense<4, 2>,
    #[name("blocks.1", "blocks.4")]
    rest: [Dense<2, 2>; 2],
}

#[test]
fn layers_have_names_each_and_what_is_unnamed_stands_beside() {
    let mut net = Stages::init(&mut Rng::seed(0));
    let names: Vec<String> = net.named_leaves().into_iter().map(|l| l.name).collect();
    let rest = ["blocks.1.weight", "blocks.1.bias", "blocks.4.weight", "blocks.4.bias"];
    assert_eq!(names, [["weight", "bias"].as_slice(), &rest].concat());
    let bytes = Stages::init(&mut Rng::seed(1)).to_bytes().expect("sound");
    net.load_bytes(&bytes).expect("the same names");
    assert_eq!(net.to_bytes().expect("sound"), bytes);
}

#[test]
fn leaves_have_torchs_names_in_order() {
    let net = net(1);
    let names: Vec<String> = net.named_leaves().into_iter().map(|l| l.name).collect();
    let scale = |i: usize| ["weight", "bias", "running_mean"].map(|n| format!("scales.{i}.{n}"));
    let want =
        [vec!["fc.weight".into(), "fc.bias".into()], scale(0).into(), scale(1).into(), vec!["table".into()]];
    assert_eq!(names, want.concat());
    let buffers = net.named_leaves().iter().filter(|l| l.kind == LeafKind::Buffer).count();
    assert_eq!((buffers, net.param_count()), (2, 4 * 6 + 6 + 2 * 12 + 12 * 3));
    assert_eq!(net.table.shape(), [12, 3]);
}

#[test]
fn a_seed_gives_the_same_weights_and_another_gives_others() {
    assert_eq!(net(1).fc.weight, net(1).fc.weight);
    assert_ne!(net(1).fc.weight, net(2).fc.weight);
    assert_eq!(net(1).scales[1].weight.as_slice(), [1.0; HIDDEN]);
}

#[test]
fn what_was_saved_is_loaded() {
    let path = std::env::temp_dir().join(format!("kiln-params-{}.safetensors", std::process::id()));
    let (saved, mut loaded) = (net(1), net(2));
    saved.save(&path).expect("a file in the temporary folder");
    loaded.load(&path).expect("the file just saved");
    std::fs::remove_file(&path).expect("the file just saved");
    assert_eq!(loaded.fc.weight, saved.fc.weight);
    assert_eq!(loaded.table, saved.table);
}

#[test]
fn weights_of_another_net_are_refused_with_every_fault_and_nothing_is_loaded() {
    #[params]
    struct Other {
        fc: Dense<5, HIDDEN>,
        head: Tensor<2>,
    }
    let bytes = Other::init(&mut Rng::seed(3)).to_bytes().expect("weights of a small net");
    let error = Net::from_bytes(&bytes).expect_err("another net's weights").to_string();
    for part in ["fc.weight", "[6, 4]", "[6, 5]", "head", "table", "scales.1.running_mean"] {
        assert!(error.contains(part), "no {part} in: {error}");
    }
}

#[test]
fn cut_off_files_are_refused() {
    let bytes = net(1).to_bytes().expect("weights of a small net");
    for len in [0, 7, 20, bytes.len() - 1] {
        assert!(Net::from_bytes(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
    }
}
