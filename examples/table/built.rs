//! A crate with nothing but a net: what it takes to compile, in release, everything that it depends on being compiled; and what its
//! program tells.

use crate::nets::Net;
use kiln_examples::Result;
use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

/// Clock ticks of a second in /proc, on every Linux.
const TICKS: f64 = 100.0;

/// A folder to build in.
pub struct Builds {
    folder: PathBuf,
    zoo: String,
}

/// What a net takes to compile.
pub struct Built {
    /// The module with the net's models, and behind it a program with a training step: each its seconds by the clock, its seconds of
    /// work, and the tokens that its models became.
    pub parts: [(f64, f64, usize); 2],
    program: PathBuf,
}

impl Builds {
    /// Compiles what all nets depend on.
    pub fn begin() -> Result<Builds> {
        let zoo = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = std::env::temp_dir().join("kiln-table");
        fs::create_dir_all(&folder)?;
        let runtime = zoo.join("../../runtime");
        let manifest = format!(
            "[package]\nname = \"one-net\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[lib]\npath = \"lib.rs\"\n\n\
             [[bin]]\nname = \"one-net\"\npath = \"main.rs\"\n\n[profile.release.build-override]\nopt-level = 1\n\n\
             [dependencies]\nkiln = {{ path = {runtime:?} }}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::copy(zoo.join("../../Cargo.lock"), folder.join("Cargo.lock"))?;
        let builds = Builds { folder, zoo: zoo.display().to_string() };
        fs::write(builds.folder.join("lib.rs"), "")?;
        fs::write(builds.folder.join("main.rs"), "fn main() {}")?;
        builds.timed("--bins")?;
        Ok(builds)
    }

    /// Compiles a net.
    pub fn net(&self, net: &Net) -> Result<Built> {
        fs::write(self.folder.join("lib.rs"), net.library(&self.zoo))?;
        let module = self.timed("--lib")?;
        fs::write(self.folder.join("main.rs"), net.program(&self.zoo))?;
        let program = self.timed("--bins")?;
        let file = format!("target/release/one-net{}", std::env::consts::EXE_SUFFIX);
        Ok(Built { parts: [module, program], program: self.folder.join(file) })
    }

    /// Compiles what has changed.
    fn timed(&self, what: &str) -> Result<(f64, f64, usize)> {
        let dump = self.folder.join("dump");
        if dump.exists() {
            fs::remove_dir_all(&dump)?;
        }
        let (start, before) = (Instant::now(), processor());
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
        cargo.args(["build", "--release", "--offline", "--quiet", what]).current_dir(&self.folder);
        cargo.env("CARGO_TARGET_DIR", self.folder.join("target")).env("KILN_DUMP", &dump);
        ended("cargo", cargo.output()?)?;
        Ok((start.elapsed().as_secs_f64(), processor() - before, tokens(&dump)?))
    }
}

impl Built {
    /// One without a program.
    #[cfg(test)]
    pub fn of(parts: [(f64, f64, usize); 2]) -> Built {
        Built { parts, program: PathBuf::new() }
    }

    /// What the program prints.
    pub fn told(&self, arguments: &[&str]) -> Result<Value> {
        let output = ended("the net's program", Command::new(&self.program).args(arguments).output()?)?;
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The output of what went well.
fn ended(what: &str, output: Output) -> Result<Output> {
    match output.status.success() {
        true => Ok(output),
        false => Err(format!("{what} says {}", String::from_utf8_lossy(&output.stderr)).into()),
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
    for model in fs::read_dir(dump).into_iter().flatten() {
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
}
