//! What programs take to compile, how large they are, and how soon they answer.
//!
//! They are built in a folder of their own, from nothing: dependencies included, but for what cargo has downloaded.

use crate::process::{self, Taken};
use crate::{Outcome, page};
use proc_macro2::{TokenStream, TokenTree};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How often the program that answers is begun.
const STARTS: usize = 30;

/// A program: its name, what is timed, its file that is touched, and all its files by what they are copied from.
struct Program {
    name: &'static str,
    touched: &'static str,
    files: &'static [&'static str],
}

/// From the root of the repository; `programs` are beside this file.
const PROGRAMS: [Program; 3] = [
    Program { name: "mlp", touched: "mlp.rs", files: &["benches/src/bin/report/programs/mlp.rs"] },
    Program {
        name: "resnet50",
        touched: "resnet.rs",
        files: &["examples/zoo/src/resnet.rs", "examples/zoo/src/convolutions.rs"],
    },
    Program {
        name: "gpt",
        touched: "gpt2.rs",
        files: &["examples/zoo/src/gpt2.rs", "examples/zoo/src/attention.rs"],
    },
];

/// The section of the report.
pub fn section() -> Outcome<String> {
    let mut text = format!(
        "{} Seconds on the clock, and in brackets those that\nprocessors worked. Release, but for `cargo check`; a rebuild follows a \
         touch of the file with the model.\n\n| program | build | rebuild | `cargo check` | kernels | tokens |\n|---|---|---|---|---|---|\n",
        page::load()
    );
    let mut programs = Folder::new("programs", true, "")?;
    for (at, program) in PROGRAMS.iter().enumerate() {
        eprintln!("{}", program.name);
        programs.add(program)?;
        let build = programs.cargo(&["build", "--release", "--bin", program.name], "")?;
        let built = if at == 0 { "from nothing " } else { "" };
        programs.touch(program.touched)?;
        let rebuild = programs.cargo(&["build", "--release", "--bin", program.name], "")?;
        programs.cargo(&["check", "--bin", program.name], "")?;
        programs.touch(program.touched)?;
        let check = programs.cargo(&["check", "--bin", program.name], "")?;
        let (kernels, tokens) = programs.emitted(program.name)?;
        let [build, rebuild, check] =
            [build, rebuild, check].map(|t| format!("{:.1} ({:.1})", t.wall, t.work));
        writeln!(text, "| {} | {built}{build} | {rebuild} | {check} | {kernels} | {tokens} |", program.name)?;
    }
    text += "\n`mlp` trains; `resnet50` is the zoo's module with ResNet-18 in it; `gpt` is GPT-2 of 12 layers, its training step and its \
             cache.\n";
    text += &lean()?;
    text += &answer()?;
    Ok(text)
}

/// The program that trains, where models alone compute.
fn lean() -> Outcome<String> {
    eprintln!("mlp without the eager half");
    let mut folder = Folder::new("lean", false, "")?;
    folder.add(&PROGRAMS[0])?;
    let build = folder.cargo(&["build", "--release"], "")?;
    Ok(format!(
        "Without the eager half (`default-features = false`) `mlp` takes {:.1} ({:.1}) from nothing.\n",
        build.wall, build.work
    ))
}

/// Size and start of a program that only answers.
fn answer() -> Outcome<String> {
    eprintln!("answer");
    let small = "[profile.release]\nstrip = true\nlto = true\ncodegen-units = 1\npanic = \"abort\"\n";
    let mut folder = Folder::new("answer", false, small)?;
    folder.add(&Program { name: "answer", touched: "", files: &[] })?;
    folder.cargo(&["build", "--release"], "")?;
    let program = folder.path.join("target/release/answer");
    let size = fs::metadata(&program)?.len();
    let weights = folder.path.join("mlp.safetensors");
    let mut times = Vec::new();
    for _ in 0..=STARTS {
        times.push(process::run(Command::new(&program).arg(&weights))?.1.wall * 1e3);
    }
    // The first has written the weights.
    times.remove(0);
    times.sort_by(f64::total_cmp);
    let peak = process::peak(Command::new(&program).arg(&weights))?;
    Ok(format!(
        "\nA program that loads the MLP's weights from a file and answers for one image, without the eager half, stripped: {} KB. From its\n\
         start to its end {:.1} ms ({:.1} at best of {STARTS}), {:.1} MB of memory at most, 2.1 of them weights.\n",
        size / 1000,
        times[STARTS / 2],
        times[0],
        peak as f64 / 1e6
    ))
}

/// A package with programs.
struct Folder {
    path: PathBuf,
    root: PathBuf,
    touches: usize,
}

impl Folder {
    /// An empty one, with the eager half or without; `profile` ends its manifest.
    fn new(name: &str, eager: bool, profile: &str) -> Outcome<Folder> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let path = std::env::temp_dir().join(format!("kiln-report-{name}"));
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(path.join("src/bin"))?;
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\nkiln = {{ path = {:?}, default-features = {eager} }}\n\n{profile}",
            root.join("runtime").canonicalize()?,
        );
        fs::write(path.join("Cargo.toml"), manifest)?;
        fs::copy(root.join("Cargo.lock"), path.join("Cargo.lock"))?;
        Ok(Folder { path, root, touches: 0 })
    }

    /// A folder a program, with its own `main.rs`.
    fn add(&mut self, program: &Program) -> Outcome<()> {
        let folder = self.path.join("src/bin").join(program.name);
        fs::create_dir_all(&folder)?;
        let main = format!("benches/src/bin/report/programs/{}_main.rs", program.name);
        fs::copy(self.root.join(main), folder.join("main.rs"))?;
        for file in program.files {
            let from = self.root.join(file);
            fs::copy(&from, folder.join(from.file_name().ok_or("a file without a name")?))?;
        }
        Ok(())
    }

    /// Changes a file, so that its program has to be built anew.
    fn touch(&mut self, name: &str) -> Outcome<()> {
        self.touches += 1;
        for program in fs::read_dir(self.path.join("src/bin"))? {
            let file = program?.path().join(name);
            if file.exists() {
                let text = fs::read_to_string(&file)?;
                fs::write(&file, format!("{text}\n// Touched {} times.\n", self.touches))?;
            }
        }
        Ok(())
    }

    fn cargo(&self, arguments: &[&str], dump: &str) -> Outcome<Taken> {
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
        cargo.args(arguments).args(["--offline", "--quiet"]).current_dir(&self.path);
        cargo.env("CARGO_TARGET_DIR", self.path.join("target")).env("KILN_DUMP", dump);
        Ok(process::run(&mut cargo)?.1)
    }

    /// Kernels and tokens of all that a program's models became.
    fn emitted(&self, name: &str) -> Outcome<(usize, usize)> {
        let dump = self.path.join(format!("dump-{name}"));
        self.cargo(&["check", "--bin", name], &dump.display().to_string())?;
        let (mut kernels, mut tokens) = (0, 0);
        for model in fs::read_dir(&dump)? {
            let source = fs::read_to_string(model?.path().join("07-source.rs"))?;
            kernels += source.matches("Kernel for ").count();
            tokens += count(source.parse::<TokenStream>().map_err(|error| error.to_string())?);
        }
        Ok((kernels, tokens))
    }
}

fn count(tokens: TokenStream) -> usize {
    let of = |tree| match tree {
        TokenTree::Group(group) => 2 + count(group.stream()),
        _ => 1,
    };
    tokens.into_iter().map(of).sum()
}
