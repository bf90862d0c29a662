//! What a net takes to compile: a crate with nothing but its module, in release, everything that it depends on being compiled.

use kiln_examples::Result;
use proc_macro2::{TokenStream, TokenTree};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Modules of the zoo that others use.
const SHARED: [&str; 2] = ["attention", "convolutions"];
/// Clock ticks of a second in /proc, on every Linux.
const TICKS: f64 = 100.0;

/// A folder to build in.
pub struct Builds {
    folder: PathBuf,
    zoo: PathBuf,
}

impl Builds {
    /// Compiles what all nets depend on.
    pub fn begin() -> Result<Builds> {
        let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
        let folder = std::env::temp_dir().join("kiln-table");
        fs::create_dir_all(&folder)?;
        let runtime = zoo.join("../../runtime");
        let manifest = format!(
            "[package]\nname = \"one-net\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[lib]\npath = \"lib.rs\"\n\n\
             [profile.release.build-override]\nopt-level = 1\n\n\
             [dependencies]\nkiln = {{ path = {runtime:?} }}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::copy(zoo.join("../../Cargo.lock"), folder.join("Cargo.lock"))?;
        let builds = Builds { folder, zoo };
        builds.compile("", "")?;
        Ok(builds)
    }

    /// Compiles a net: wall clock, processor time, and tokens that its models became.
    pub fn net(&mut self, name: &str) -> Result<String> {
        let module = module(name);
        let source = fs::read_to_string(self.zoo.join(format!("src/{module}.rs")))?;
        let mut lib = String::new();
        for module in
            SHARED.into_iter().filter(|m| source.contains(&format!("use crate::{m}"))).chain([module])
        {
            writeln!(lib, "#[path = {:?}]\npub mod {module};", self.zoo.join(format!("src/{module}.rs")))?;
        }
        let dump = self.folder.join(format!("dump-{name}"));
        if dump.exists() {
            fs::remove_dir_all(&dump)?;
        }
        let (start, before) = (Instant::now(), processor());
        self.compile(&lib, &dump.display().to_string())?;
        let (wall, work) = (start.elapsed().as_secs_f64(), processor() - before);
        Ok(format!("{wall:.1} s, {work:.1} s | {}", tokens(&dump)?))
    }

    fn compile(&self, lib: &str, dump: &str) -> Result<()> {
        fs::write(self.folder.join("lib.rs"), lib)?;
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
        cargo.args(["build", "--release", "--offline", "--quiet"]).current_dir(&self.folder);
        cargo.env("CARGO_TARGET_DIR", self.folder.join("target")).env("KILN_DUMP", dump);
        let output = cargo.output()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!("cargo says {}", String::from_utf8_lossy(&output.stderr)).into()),
        }
    }
}

/// The module that a net is in.
fn module(net: &str) -> &str {
    match net {
        "vgg16" => "vgg",
        "resnet18" | "resnet50" => "resnet",
        "mobilenet_v2" => "mobilenet",
        "nasnet_mobile" => "nasnet",
        "yolov5s" => "yolov5",
        "minilm" => "bert",
        net => net,
    }
}

/// Seconds that the processors worked for processes begun here that have ended, where the system tells.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(13).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// Tokens of all that models became, as `KILN_DUMP` shows it.
fn tokens(dump: &Path) -> Result<usize> {
    let mut all = 0;
    for model in fs::read_dir(dump)? {
        let source = fs::read_to_string(model?.path().join("07-source.rs"))?;
        all += count(source.parse::<TokenStream>().map_err(|error| error.to_string())?);
    }
    Ok(all)
}

fn count(tokens: TokenStream) -> usize {
    let of = |tree| match tree {
        TokenTree::Group(group) => 2 + count(group.stream()),
        _ => 1,
    };
    tokens.into_iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_counted_with_their_brackets() {
        let tokens = "fn f(a: u8) -> u8 { a + 1 }".parse().expect("tokens");
        assert_eq!(count(tokens), 15);
    }

    #[test]
    fn every_net_has_its_module() {
        for net in crate::NAMES {
            let file = format!("{}/src/{}.rs", env!("CARGO_MANIFEST_DIR"), module(net));
            assert!(Path::new(&file).exists(), "{file}");
        }
    }
}
