//! `wavetank completions` and `wavetank man`: the arguments, for shells and for `man`.

use clap::CommandFactory as _;

use crate::args::{Cli, Completions, Man};
use crate::console::Console;
use crate::exit_code;
use crate::failure::Failure;

pub(crate) fn completions(args: &Completions, console: Console) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wavetank", &mut script);
    said(&script, console)
}

pub(crate) fn man(args: &Man, console: Console) -> Result<u8, Failure> {
    let mut command = Cli::command();
    command.build();
    for name in &args.command {
        command =
            command.find_subcommand(name).filter(|found| !found.is_hide_set()).cloned().ok_or_else(|| {
                Failure::new(exit_code::USAGE, format!("there is no command `{}`", args.command.join(" ")))
                    .help("`wavetank help` lists the commands")
            })?;
    }
    let name = std::iter::once("wavetank").chain(args.command.iter().map(String::as_str));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.display_name(name.collect::<Vec<_>>().join("-"))).render(&mut page)?;
    said(&page, console)
}

fn said(text: &[u8], console: Console) -> Result<u8, Failure> {
    let text = String::from_utf8_lossy(text);
    console.answer(&text, &text)?;
    Ok(exit_code::PASSED)
}
