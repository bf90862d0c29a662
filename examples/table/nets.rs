//! The nets, and the Rust that calls and trains each.

/// A net of the zoo.
pub struct Net {
    pub name: &'static str,
    /// Its module, and those of the zoo that this one uses.
    pub modules: &'static [&'static str],
    /// Its type, over the zoo as `zoo`.
    pub ty: &'static str,
    /// Its model.
    pub model: &'static str,
    /// The sizes of the model's free dims in a call.
    pub sizes: &'static str,
    /// What a call is made with, in words and in Rust.
    pub what: &'static str,
    pub inputs: &'static [&'static str],
    /// How many inputs a training step has, the type of its argument, and that argument.
    pub batch: usize,
    pub argument: &'static str,
    pub batched: &'static str,
    /// What comes out of the net for an argument `x`, in training: the parts of whose mean squares the loss is the sum.
    pub out: &'static str,
}

/// A net of images in a module with its only model, or one with another form in training.
macro_rules! images {
    ($name:literal, $module:ident::$ty:ident, $modules:expr, $out:literal) => {
        Net {
            name: $name,
            modules: &$modules,
            ty: concat!("zoo::", stringify!($module), "::", stringify!($ty)),
            model: concat!("zoo::", stringify!($module), "::", $name),
            sizes: "1",
            what: "224 × 224",
            inputs: &[r#"input("image", [1, 3, 224, 224])"#],
            batch: 4,
            argument: "Tensor<N, 3, 224, 224>",
            batched: r#"input("image", [4, 3, 224, 224])"#,
            out: concat!("zoo::", stringify!($module), "::", $out),
        }
    };
}

/// A net of 1,024 places in the module of its name.
macro_rules! places {
    ($name:ident $ty:ident) => {
        Net {
            name: stringify!($name),
            modules: &[stringify!($name), "attention"],
            ty: concat!("zoo::", stringify!($name), "::", stringify!($ty)),
            model: concat!("zoo::", stringify!($name), "::", stringify!($name)),
            sizes: "1, 1024",
            what: "1,024 places",
            inputs: &[r#"input("sequence", [1, 1024, 512])"#],
            batch: 1,
            argument: "Tensor<N, 1024, 512>",
            batched: r#"input("sequence", [1, 1024, 512])"#,
            out: concat!("zoo::", stringify!($name), "::", stringify!($name), "(net, x)"),
        }
    };
}

pub const NETS: &[Net] = &[
    images!("alexnet", alexnet::AlexNet, ["alexnet"], "alexnet(net, x)"),
    images!("vgg16", vgg::Vgg16, ["vgg"], "vgg16(net, x)"),
    images!("resnet18", resnet::ResNet18, ["resnet", "convolutions"], "resnet18_in(net, x, true)"),
    images!("resnet50", resnet::ResNet50, ["resnet", "convolutions"], "resnet50_in(net, x, true)"),
    images!(
        "mobilenet_v2",
        mobilenet::MobileNetV2,
        ["mobilenet", "convolutions"],
        "mobilenet_v2_in(net, x, true)"
    ),
    images!(
        "nasnet_mobile",
        nasnet::NasNetMobile,
        ["nasnet", "convolutions"],
        "nasnet_mobile_in(net, x, true)"
    ),
    Net {
        name: "yolov5s",
        modules: &["yolov5", "convolutions"],
        ty: "zoo::yolov5::YoloV5s",
        model: "zoo::yolov5::yolov5s",
        sizes: "1",
        what: "640 × 640",
        inputs: &[r#"input("image", [1, 3, 640, 640])"#],
        batch: 1,
        argument: "Tensor<N, 3, 640, 640>",
        batched: r#"input("image", [1, 3, 640, 640])"#,
        out: "zoo::yolov5::heads_in(&mut net.model, x, true)",
    },
    Net {
        name: "unet3d",
        modules: &["unet3d"],
        ty: "zoo::unet3d::UNet3d<3, 3>",
        model: "zoo::unet3d::unet3d",
        sizes: "1, 8, 8, 8",
        what: "64 × 64 × 64",
        inputs: &[r#"input("volume", [1, 3, 64, 64, 64])"#],
        batch: 1,
        argument: "Tensor<N, 3, 64, 64, 64>",
        batched: r#"input("volume", [1, 3, 64, 64, 64])"#,
        out: "zoo::unet3d::unet3d_in(net, x, true)",
    },
    Net {
        name: "minilm",
        modules: &["bert", "attention"],
        ty: "zoo::bert::MiniLm",
        model: "zoo::bert::minilm",
        sizes: "1, 128",
        what: "128 tokens",
        inputs: &["ids(zoo::bert::VOCABULARY)?", "Tensor::ones([1, 128])"],
        batch: 1,
        argument: "Tensor<i64, N, 128>",
        batched: "ids(zoo::bert::VOCABULARY)?",
        out: "zoo::bert::minilm(net, x, ones([N, 128]))",
    },
    Net {
        name: "gpt2",
        modules: &["gpt2", "attention"],
        ty: "zoo::gpt2::Gpt2",
        model: "zoo::gpt2::gpt2",
        sizes: "1, 128",
        what: "128 tokens",
        inputs: &["ids(zoo::gpt2::VOCABULARY)?"],
        batch: 1,
        argument: "Tensor<i64, N, 128>",
        batched: "ids(zoo::gpt2::VOCABULARY)?",
        out: "zoo::gpt2::gpt2(net, x)",
    },
    places!(transformer Transformer),
    places!(linformer Linformer),
    places!(performer Performer),
];

impl Net {
    /// The net of that name.
    pub fn of(name: &str) -> Result<&'static Net, String> {
        let names = || NETS.iter().map(|net| net.name).collect::<Vec<_>>().join(", ");
        NETS.iter()
            .find(|net| net.name == name)
            .ok_or_else(|| format!("no net `{name}`; there are {}", names()))
    }

    /// A crate's library with the net's module.
    pub fn library(&self, zoo: &str) -> String {
        let modules = self.modules.iter().chain(&["fill"]);
        modules.map(|module| format!("#[path = \"{zoo}/src/{module}.rs\"]\npub mod {module};\n")).collect()
    }

    /// A program beside it that has a training step, and tells what `program.rs` measures.
    pub fn program(&self, zoo: &str) -> String {
        let Net { ty, model, sizes, argument, batched, out, .. } = self;
        let (outs, loss) = match self.name {
            "yolov5s" => ("(a, b, c)", "a.square().mean() + b.square().mean() + c.square().mean()"),
            _ => ("a", "a.square().mean()"),
        };
        let inputs: String =
            self.inputs.iter().enumerate().map(|(i, input)| format!("let x{i} = {input};\n")).collect();
        let given: String = (0..self.inputs.len()).map(|i| format!(", &x{i}")).collect();
        format!(
            r#"#[path = "{zoo}/../shared/timing.rs"]
mod timing;
#[path = "{zoo}/../table/program.rs"]
mod program;

use kiln::prelude::*;
use one_net as zoo;
use {model} as model;
#[allow(unused)]
use zoo::fill::{{indices, input}};

type Net = {ty};

#[model(inline)]
fn loss<const N: usize>(net: &mut {ty}, x: {argument}) -> Tensor {{
    let {outs} = {out};
    {loss}
}}

#[model]
fn step<const N: usize>(net: &mut {ty}, opt: &mut Sgd<{ty}>, x: {argument}) -> Tensor {{
    let (loss, grads) = value_and_grad(loss)(net, x);
    opt.step(net, grads);
    loss
}}

/// A function that calls the net.
fn caller(net: &Net) -> kiln::Result<impl FnMut() -> kiln::Result<()>> {{
    {inputs}
    Ok(move || model(net{given}).map(drop))
}}

/// A function that makes a step and tells its loss.
fn stepper<'a>(net: &'a mut Net, opt: &'a mut Sgd<Net>) -> kiln::Result<impl FnMut() -> kiln::Result<f32> + 'a> {{
    let x = {batched};
    Ok(move || step(net, opt, &x)?.item())
}}

#[allow(unused)]
fn ids(below: usize) -> kiln::Result<Tensor<i64>> {{
    Tensor::from_vec([1, 128], indices("ids", 128, below as u32))
}}

fn main() -> kiln::Result<()> {{
    let sizes = [model::multiply_adds({sizes}), model::scratch_bytes({sizes}), step::scratch_bytes({batch})];
    program::run(model::PLAN, sizes)
}}
"#,
            batch = self.batch
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_net_has_its_modules_and_pytorchs_numbers() {
        let zoo = Path::new(env!("CARGO_MANIFEST_DIR"));
        for net in NETS {
            assert!(zoo.join(format!("tests/data/{}.safetensors", net.name)).exists(), "{}", net.name);
            for module in net.modules {
                assert!(zoo.join(format!("src/{module}.rs")).exists(), "{module}");
            }
            let program: Result<proc_macro2::TokenStream, _> = net.program("zoo").parse();
            assert!(program.is_ok(), "{}", net.name);
        }
        let error = Net::of("lenet").err().expect("no such net");
        assert!(error.starts_with("no net `lenet`; there are alexnet, vgg16, "), "{error}");
    }
}
