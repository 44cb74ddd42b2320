"""`smtps completion`: what makes bash, zsh or fish complete commands, options and choices.

The scripts are made from the parser itself, and hold every word: completing starts no program.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .exits import OK
from .parsing import add_command
from .terminal import say

__all__ = ["add_commands"]

_EXAMPLES = """
eval "$(smtps completion bash)"                 in ~/.bashrc
eval "$(smtps completion zsh)"                  in ~/.zshrc, behind compinit
smtps completion fish >~/.config/fish/completions/smtps.fish
"""


@dataclass(frozen=True, slots=True)
class _Option:
    flags: tuple[str, ...]
    help: str
    #: Whether a value follows, and which there are if that is known.
    has_value: bool
    choices: tuple[str, ...]
    is_file: bool


@dataclass(frozen=True, slots=True)
class _Command:
    name: str
    help: str
    options: tuple[_Option, ...]
    #: What an argument without a flag can be, where that is known.
    words: tuple[str, ...]
    takes_files: bool


def add_commands(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = add_command(
        commands,
        "completion",
        _completion,
        about="print what completes this command in a shell",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "shell", metavar="SHELL", choices=[*_SHELLS], help="the shell: " + ", ".join(_SHELLS)
    )


def _completion(arguments: argparse.Namespace) -> int:
    # It knows the commands, of which this is one.
    from .main import make_parser

    say(_SHELLS[arguments.shell]([*_commands(make_parser())]))
    return OK


# --- what there is --------------------------------------------------------------------------------

_FILES = ("FILE", "FOLDER", "CSV")
_FILE_ARGUMENTS = ("folder", "files")


def _commands(parser: argparse.ArgumentParser) -> Iterator[_Command]:
    found = next(one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    helps = {action.dest: action.help or "" for action in found._choices_actions}
    for name, sub in found.choices.items():
        options = [action for action in sub._actions if action.option_strings]
        others = [action for action in sub._actions if not action.option_strings]
        yield _Command(
            name,
            helps[name],
            tuple(_option(action) for action in options if action.help != argparse.SUPPRESS),
            tuple(str(word) for action in others for word in action.choices or ()),
            any(action.dest in _FILE_ARGUMENTS for action in others),
        )


def _option(action: argparse.Action) -> _Option:
    return _Option(
        tuple(action.option_strings),
        action.help or "",
        action.nargs != 0,
        tuple(str(choice) for choice in action.choices or ()),
        action.metavar in _FILES,
    )


# --- bash -----------------------------------------------------------------------------------------


def _bash(commands: list[_Command]) -> str:
    names = " ".join(command.name for command in commands)
    cases = "\n".join(_bash_case(command) for command in commands)
    return f"""_smtps_files() {{
    local file
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$1")
}}
_smtps() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{names} --help --version" -- "$cur"))
        return
    fi
    case ${{COMP_WORDS[1]}} in
{cases}
    esac
}}
complete -o filenames -F _smtps smtps"""


def _bash_case(command: _Command) -> str:
    values = []
    for option in command.options:
        if not option.has_value:
            continue
        reply = '_smtps_files "$cur"; ' * option.is_file
        if option.choices:
            reply = f'COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$cur")); '
        values.append(f"            {'|'.join(option.flags)}) {reply}return;;")
    flags = " ".join(flag for option in command.options for flag in option.flags)
    words = f'COMPREPLY=($(compgen -W "{flags} {" ".join(command.words)}" -- "$cur"))'
    files = (
        '\n        case $cur in -*) ;; *) _smtps_files "$cur";; esac' if command.takes_files else ""
    )
    chosen = "\n".join(values)
    return f"""    {command.name})
        case $prev in
{chosen}
        esac
        {words}{files};;"""


# --- zsh ------------------------------------------------------------------------------------------


def _zsh(commands: list[_Command]) -> str:
    names = "\n".join(f"        {_quoted(f'{one.name}:{one.help}')}" for one in commands)
    cases = "\n".join(_zsh_case(command) for command in commands)
    return f"""#compdef smtps
_smtps() {{
    local -a commands
    commands=(
{names}
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
{cases}
    esac
}}
compdef _smtps smtps"""


def _zsh_case(command: _Command) -> str:
    lines = []
    for option in command.options:
        about = option.help.replace("[", "(").replace("]", ")").replace(":", " -")
        value = ""
        if option.has_value:
            action = (
                f"({' '.join(option.choices)})" if option.choices else "_files" * option.is_file
            )
            value = f":value:{action}"
        lines += [_quoted(f"*{flag}[{about}]{value}") for flag in option.flags]
    if command.words:
        lines.append(_quoted(f"1:word:({' '.join(command.words)})"))
    elif command.takes_files:
        lines.append("'*:file:_files'")
    specs = " \\\n            ".join(lines)
    return f"""    {command.name})
        _arguments \\
            {specs}
        ;;"""


# --- fish -----------------------------------------------------------------------------------------


def _fish(commands: list[_Command]) -> str:
    lines = ["complete -c smtps -f"]
    for command in commands:
        about = _fish_quoted(command.help)
        lines.append(f"complete -c smtps -n __fish_use_subcommand -a {command.name} -d {about}")
    for command in commands:
        seen = f"complete -c smtps -n '__fish_seen_subcommand_from {command.name}'"
        lines += [f"{seen} {_fish_option(option)}" for option in command.options]
        if command.words:
            lines.append(f"{seen} -a '{' '.join(command.words)}'")
        if command.takes_files:
            lines.append(f"{seen} -F")
    return "\n".join(lines)


def _fish_option(option: _Option) -> str:
    kinds = {True: "-l", False: "-s"}
    flags = []
    for flag in option.flags:
        name = flag.lstrip("-")
        # -oi is one option of two letters, which fish calls an old one.
        kind = "-o" if not flag.startswith("--") and len(name) > 1 else kinds[flag.startswith("--")]
        flags.append(f"{kind} {name}")
    value = " -r" * option.has_value + " -F" * option.is_file
    if option.choices:
        value = f" -x -a '{' '.join(option.choices)}'"
    return f"{' '.join(flags)}{value} -d {_fish_quoted(option.help)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_SHELLS: dict[str, Callable[[list[_Command]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
